package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/gomlx/gomlx/backends/simplego"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	"github.com/gomlx/gomlx/pkg/core/tensors/images"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/tensor"
)

// gomlx is GoMLX's backend in Go, with channels first (channels last was as fast). A
// 1×1 convolution of one picture is a Dot, which is faster there.
func gomlx() bench.Engine {
	return bench.Engine{Peer: "gomlx", Version: version("github.com/gomlx/gomlx"), Ready: func(d backend.Desc, in []*tensor.Tensor, threads int) (run func() error, result func() (*tensor.Tensor, error), impl string, err error) {
		// It prints to the standard output, where our lines go.
		stdout := os.Stdout
		os.Stdout = os.Stderr
		be, err := simplego.New(fmt.Sprintf("parallelism=%d", threads))
		os.Stdout = stdout
		if err != nil {
			return nil, nil, "", err
		}
		layer, impl := gomlxLayer(d)
		exec, err := graph.NewExecAny(be, layer)
		if err != nil {
			return nil, nil, "", err
		}
		args := make([]any, len(in))
		for i, t := range in {
			args[i] = tensors.FromFlatDataAndDimensions(t.Float32s(), t.Shape()...)
		}
		var y *tensors.Tensor
		run = func() error {
			if y != nil {
				if err := y.FinalizeAll(); err != nil {
					return err
				}
			}
			y, err = exec.Exec1(args...)
			return err
		}
		result = func() (*tensor.Tensor, error) {
			flat, err := tensors.CopyFlatData[float32](y)
			if err != nil {
				return nil, err
			}
			return tensor.From(flat, d.Out[0].Shape...)
		}
		return run, result, impl, nil
	}}
}

// gomlxLayer returns a function of nodes.
func gomlxLayer(d backend.Desc) (layer any, impl string) {
	spatial := len(d.Out[0].Shape) - 2
	ones := slices.Repeat([]int{1}, spatial)
	switch op := d.Op.(type) {
	case backend.MaxPool:
		return func(x *graph.Node) *graph.Node {
			return graph.MaxPool(x).ChannelsAxis(images.ChannelsFirst).WindowPerAxis(op.Kernel...).StridePerAxis(op.Strides...).PaddingPerDim(paddings(op.Window)).Done()
		}, "MaxPool"
	case backend.Conv:
		out, channels := d.In[1].Shape[0], d.In[1].Shape[1]
		if d.Out[0].Shape[0] == 1 && op.GroupCount() == 1 && slices.Equal(op.Kernel, ones) && slices.Equal(op.Strides, ones) && slices.Max(op.Pads) == 0 {
			return func(x, w, b *graph.Node) *graph.Node {
				return graph.Add(graph.Dot(graph.Reshape(w, out, channels), graph.Reshape(x, channels, -1)), graph.Reshape(b, out, 1))
			}, "Dot"
		}
		return func(x, w, b *graph.Node) *graph.Node {
			c := graph.Convolve(x, w).ChannelsAxis(images.ChannelsFirst).StridePerAxis(op.Strides...).PaddingPerDim(paddings(op.Window)).ChannelGroupCount(op.GroupCount())
			if op.GroupCount() > 1 { // without, it reads dilations that it has not
				c = c.DilationPerAxis(ones...).InputDilationPerAxis(ones...)
			}
			return graph.Add(c.Done(), graph.Reshape(b, append([]int{1, out}, ones...)...))
		}, "Convolve"
	}
	return nil, ""
}

// paddings returns the padding of each dim, before and after.
func paddings(w backend.Window) [][2]int {
	p := make([][2]int, len(w.Kernel))
	for i := range p {
		p[i] = [2]int{w.Pads[i], w.Pads[len(p)+i]}
	}
	return p
}
