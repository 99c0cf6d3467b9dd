package models

import (
	"slices"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// BenchmarkPredict times a picture through a compiled network, from host memory to
// host memory, with all passes and without any, so that what folding and fusing gain
// shows in one run.
func BenchmarkPredict(b *testing.B) {
	for _, c := range []struct {
		make  func(...Option) (*cnn.Net, error)
		opts  []Option
		shape []int
	}{
		{LeNet, nil, []int{1, 1, 28, 28}},
		{MobileNetV2, nil, []int{1, 3, 224, 224}},
		{ResNet18, nil, []int{1, 3, 224, 224}},
		{ResNet50, nil, []int{1, 3, 224, 224}},
		{UNet3D, []Option{WithBase(8)}, []int{1, 3, 32, 32, 32}},
	} {
		n, err := c.make(c.opts...)
		if err != nil {
			b.Fatal(err)
		}
		x := tensor.Must(tensor.New(tensor.Float32, c.shape...))
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(i%17)/8 - 1
		}
		for _, name := range []string{"cpu", "gl"} {
			if !slices.Contains(backend.Names(), name) {
				continue
			}
			for _, passes := range []string{"all", "none"} {
				b.Run(n.Name()+"/"+name+"/passes="+passes, func(b *testing.B) { predict(b, n, name, passes == "all", x) })
			}
		}
	}
}

func predict(b *testing.B, n *cnn.Net, name string, optimise bool, x *tensor.Tensor) {
	be, err := backend.Open(name)
	if err != nil {
		b.Skip(err)
	}
	defer func() {
		if err := be.Close(); err != nil {
			b.Error(err)
		}
	}()
	var opts []graph.CompileOption
	if !optimise {
		for _, p := range graph.PassNames() {
			opts = append(opts, graph.WithPasses(graph.WithoutPass(p)))
		}
	}
	m, err := n.Compile(ctx, be, opts...)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := m.Close(); err != nil {
			b.Error(err)
		}
	}()
	y, err := m.Predict(ctx, x)
	if err != nil {
		b.Fatal(err)
	}
	p, err := m.Runtime().Plan(ctx, x.Shape())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := m.PredictInto(ctx, y, x); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(p.Cost().FLOPs)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	b.ReportMetric(float64(p.Steps()), "kernels")
	b.ReportMetric(float64(p.Arena())/(1<<20), "arena-MiB")
}
