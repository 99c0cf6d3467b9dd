package onnx

import (
	"fmt"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

var poolOps = []op{
	{name: "MaxPool", since: []int{1, 8, 10, 11, 12, 22}, build: buildMaxPool},
	{name: "AveragePool", since: []int{1, 7, 10, 11, 19, 22}, build: buildAveragePool},
	{name: "LpPool", since: []int{1, 2, 11, 18, 22}, build: buildLpPool},
	{name: "GlobalAveragePool", since: []int{1, 22}, build: func(c *call) { c.set(0, c.apply(backend.GlobalPool{Mean: true}, c.float(0))) }},
	{name: "GlobalMaxPool", since: []int{1, 22}, build: func(c *call) { c.set(0, c.apply(backend.GlobalPool{}, c.float(0))) }},
	{name: "GlobalLpPool", since: []int{1, 2, 22}, build: buildGlobalLpPool},
	{name: "MaxUnpool", since: []int{9, 11, 22}, build: buildMaxUnpool, limits: "output_shape only where it is what the window gives"},
}

func buildMaxPool(c *call) {
	o := backend.MaxPool{Window: c.window(true), CeilMode: c.flag("ceil_mode", false), Indices: c.wants(1)}
	columns := c.flag("storage_order", false)
	out := c.applyAll(o, c.float(0))
	if out == nil {
		return
	}
	c.set(0, out[0])
	if o.Indices {
		x := c.static(0)
		if c.err != nil {
			return
		}
		c.setAs(1, out[1], Int64, asPlane)
		c.out[1].plane, c.out[1].columns = x[2:], columns
	}
}

func buildAveragePool(c *call) {
	o := backend.AvgPool{Window: c.window(true), CeilMode: c.flag("ceil_mode", false), CountIncludePad: c.flag("count_include_pad", false)}
	c.set(0, c.apply(o, c.float(0)))
}

// buildLpPool makes y = (Σ |x|^p)^(1/p) of a depthwise convolution with ones.
func buildLpPool(c *call) {
	w, ceil, p := c.window(true), c.flag("ceil_mode", false), c.norm()
	x := c.float(0)
	sizes := c.sizes(0)
	if c.err != nil {
		return
	}
	if len(sizes[0]) != len(w.Kernel)+2 || len(sizes[0]) > 5 {
		c.fail("attribute \"kernel_shape\": got %v for x %v", w.Kernel, x.Shape())
		return
	}
	if ceil && (w.AutoPad == backend.PadExplicit || w.AutoPad == backend.Valid) {
		// The convolution rounds down: pad the end as far as the last window goes.
		s := c.static(0)
		if c.err != nil {
			return
		}
		down, err := w.Geometry("LpPool", s[2:], false)
		up, err2 := w.Geometry("LpPool", s[2:], true)
		if err != nil || err2 != nil {
			c.abort(err)
			c.abort(err2)
			return
		}
		w.AutoPad, w.Pads = backend.PadExplicit, append(slices.Clone(down.Begin), down.End...)
		for i, n := range up.Out {
			w.Pads[len(up.Out)+i] += max(0, (n-1)*up.Stride[i]+up.Dilation[i]*(up.Kernel[i]-1)+1-s[2+i]-down.Begin[i]-down.End[i])
		}
	}
	channels := sizes[0][1]
	if channels != sizes[1][1] {
		c.abort(errShapes)
		return
	}
	ones := c.filled(append(tensor.Shape{channels, 1}, w.Kernel...), 1)
	w.Kernel = nil
	sum := c.apply(backend.Conv{Window: w, Groups: channels}, c.power(x, p), ones)
	c.set(0, c.root(sum, p))
}

// norm reads the attribute p, which version 1 had as a float.
func (c *call) norm() float32 {
	p := float32(2)
	if c.version == 1 {
		p = c.attrs.float("p", 2)
	} else {
		p = float32(c.attrs.small("p", 2))
	}
	if !(p > 0) {
		c.fail("attribute \"p\": got %v, want a number above 0", p)
	}
	return p
}

// power returns |x|^p.
func (c *call) power(x *graph.Value, p float32) *graph.Value {
	abs := backend.Activation{Act: backend.Act{Kind: backend.Abs}}
	switch p {
	case 1:
		return c.apply(abs, x)
	case 2:
		return c.apply(backend.Binary{Fn: backend.Mul}, x, x)
	}
	return c.apply(backend.Binary{Fn: backend.Power}, c.apply(abs, x), c.number(p))
}

// root returns x^(1/p).
func (c *call) root(x *graph.Value, p float32) *graph.Value {
	switch p {
	case 1:
		return x
	case 2:
		return c.apply(backend.Activation{Act: backend.Act{Kind: backend.Sqrt}}, x)
	}
	return c.apply(backend.Binary{Fn: backend.Power}, x, c.number(1/p))
}

func buildGlobalLpPool(c *call) {
	p := c.norm()
	x := c.float(0)
	n := c.rank(0)
	if c.err != nil {
		return
	}
	if n < 3 {
		c.fail("input 0: got rank %d, want N, C and spatial dims", n)
		return
	}
	var axes []int
	for i := 2; i < n; i++ {
		axes = append(axes, i)
	}
	c.set(0, c.root(c.apply(backend.Reduce{Fn: backend.ReduceSum, Axes: axes, KeepDims: true}, c.power(x, p)), p))
}

// buildMaxUnpool takes indices of the whole tensor, as ONNX has them, or those of a
// MaxPool that is on the device, which count within planes.
func buildMaxUnpool(c *call) {
	w := c.window(true)
	x := c.float(0)
	s := c.static(0)
	if c.err != nil {
		return
	}
	n := len(s) - 2
	if n < 1 || n > 3 || len(w.Kernel) != n {
		c.fail("attribute \"kernel_shape\": got %v for x %v", w.Kernel, s)
		return
	}
	size := make([]int, n)
	for i := range size {
		stride, pads := 1, 0
		if len(w.Strides) == n {
			stride = w.Strides[i]
		}
		if len(w.Pads) == 2*n {
			pads = w.Pads[i] + w.Pads[n+i]
		}
		size[i] = (s[2+i]-1)*stride - pads + w.Kernel[i]
		if size[i] < 1 {
			c.fail("the size of y along dim %d is %d", 2+i, size[i])
			return
		}
	}
	if c.given(2) {
		if want := c.ints(2); c.err == nil && !slices.Equal(want, append([]int{s[0], s[1]}, size...)) {
			c.unsupported("output_shape %v, where the window gives %v", want, append([]int{s[0], s[1]}, size...))
		}
	}
	v := c.value(1)
	if c.err != nil {
		return
	}
	var index *graph.Value
	if v.dev != nil && v.repr == asPlane && !v.columns && slices.Equal(v.plane, size) {
		index = v.dev
	} else {
		index = c.device(c.derive(v, "plane", func(h *hostCall, t *tensor.Tensor) (*tensor.Tensor, error) {
			if err := h.take(t.Size(), 12); err != nil {
				return nil, err
			}
			return planeIndex(t, s, size)
		}))
	}
	c.set(0, c.apply(backend.MaxUnpool{Size: size}, x, index))
}

// planeIndex turns positions in a whole tensor [N,C,size...] into positions in planes.
func planeIndex(t *tensor.Tensor, x tensor.Shape, size []int) (*tensor.Tensor, error) {
	v, err := integers(t)
	if err != nil {
		return nil, err
	}
	plane, per := int64(tensor.Shape(size).Size()), x[2:].Size()
	y := make([]int32, len(v))
	for i, p := range v {
		if p == -1 { // of a window without elements
			y[i] = -1
			continue
		}
		q := p - int64(i/max(per, 1))*plane
		if q < 0 || q >= plane || q > 1<<31-1 {
			return nil, fmt.Errorf("index %d of element %d lies outside the plane of its channel, which has %d elements", p, i, plane)
		}
		y[i] = int32(q)
	}
	return tensor.From(y, t.Shape()...)
}
