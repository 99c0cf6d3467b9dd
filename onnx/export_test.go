package onnx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/ref"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// net builds the graph of a case.
type netBuilder struct {
	*graph.Graph
	t   *testing.T
	rng *rand.Rand
}

func newNet(t *testing.T, name string) *netBuilder {
	return &netBuilder{graph.New(name), t, rand.New(rand.NewPCG(1, 2))}
}

func (b *netBuilder) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// in adds an input; a negative dim is the symbol N.
func (b *netBuilder) in(name string, dims ...int) *graph.Value {
	b.t.Helper()
	v, err := b.Input(name, tensor.Float32, graph.Dims(dims...))
	b.must(err)
	return v
}

// open adds an image with symbols for the batch and the spatial dims.
func (b *netBuilder) open(name string, channels int, spatial ...string) *graph.Value {
	b.t.Helper()
	shape := graph.Shape{graph.Symbol("N"), graph.Static(channels)}
	for _, s := range spatial {
		shape = append(shape, graph.Symbol(s))
	}
	v, err := b.Input(name, tensor.Float32, shape)
	b.must(err)
	return v
}

// random adds a constant of normal numbers.
func (b *netBuilder) random(name string, dims ...int) *graph.Value {
	b.t.Helper()
	return b.konst(name, randomTensor(b.rng, dims...))
}

// positive adds a constant of numbers from 0.5 to 1.5.
func (b *netBuilder) positive(name string, dims ...int) *graph.Value {
	b.t.Helper()
	t := tensor.Must(tensor.New(tensor.Float32, dims...))
	for i := range t.Float32s() {
		t.Float32s()[i] = 0.5 + b.rng.Float32()
	}
	return b.konst(name, t)
}

func (b *netBuilder) konst(name string, t *tensor.Tensor) *graph.Value {
	b.t.Helper()
	v, err := b.Const(name, t)
	b.must(err)
	return v
}

// op applies an op; its outputs are outputs of the graph unless they are read.
func (b *netBuilder) op(op backend.Op, in ...*graph.Value) []*graph.Value {
	b.t.Helper()
	n, err := b.Apply(fmt.Sprintf("%s.%d", strings.ToLower(op.Kind()), len(b.Nodes())), op, in...)
	b.must(err)
	return n.Out()
}

// finish makes what nobody reads an output, and returns the graph.
func (b *netBuilder) finish() *graph.Graph {
	b.t.Helper()
	read := map[*graph.Value]bool{}
	for _, n := range b.Nodes() {
		for _, v := range n.In() {
			read[v] = true
		}
	}
	for _, o := range b.Outputs() {
		read[o.Value] = true
	}
	for _, n := range b.Nodes() {
		for _, v := range n.Out() {
			if !read[v] {
				b.must(b.Output(v.Name(), v))
			}
		}
	}
	return b.Graph
}

func randomTensor(rng *rand.Rand, dims ...int) *tensor.Tensor {
	t := tensor.Must(tensor.New(tensor.Float32, dims...))
	for i := range t.Float32s() {
		t.Float32s()[i] = float32(rng.NormFloat64())
	}
	return t
}

// exportCase is a graph that is exported, and computed by others too.
type exportCase struct {
	name  string
	build func(b *netBuilder)
	exact bool // everybody computes the same numbers
}

// feeds returns random inputs for a graph; each symbol has a size.
func feeds(g *graph.Graph) []*tensor.Tensor {
	rng := rand.New(rand.NewPCG(3, 4))
	sizes := map[string]int{"N": 2, "H": 13, "W": 10, "D": 6}
	var in []*tensor.Tensor
	for _, v := range g.Inputs() {
		dims := make([]int, len(v.Shape()))
		for i, d := range v.Shape() {
			n, static := d.Size()
			if !static {
				n = sizes[d.String()]
			}
			dims[i] = n
		}
		t := randomTensor(rng, dims...)
		if v.DType() == tensor.Int32 {
			d := tensor.Must(tensor.New(tensor.Int32, dims...))
			x, _ := tensor.Data[int32](d)
			for i := range x {
				x[i] = rng.Int32N(4)
			}
			t = d
		}
		in = append(in, t)
	}
	return in
}

// reference computes a graph from its definition.
func reference(t *testing.T, g *graph.Graph, in []*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	return computed(t, "ref", g, in)
}

// computed runs a graph on a backend.
func computed(t *testing.T, on string, g *graph.Graph, in []*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	be, err := backend.Open(on)
	if err != nil {
		t.Fatal(err)
	}
	defer be.Close()
	m, err := graph.Compile(context.Background(), g, be)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	out, err := m.Run(context.Background(), in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// deviation returns the largest difference as a share of the largest element wanted.
func deviation(t *testing.T, got, want *tensor.Tensor) float64 {
	t.Helper()
	if got.DType() != want.DType() || !got.Shape().Equal(want.Shape()) {
		t.Fatalf("got %v%v, want %v%v", got.DType(), got.Shape(), want.DType(), want.Shape())
	}
	if want.DType() != tensor.Float32 {
		if !same(got, want) {
			return math.Inf(1)
		}
		return 0
	}
	most, largest := 0.0, 0.0
	for i, w := range want.Float32s() {
		g := got.Float32s()[i]
		if g == w || g != g && w != w {
			continue
		}
		d := math.Abs(float64(g) - float64(w))
		if d != d {
			return math.Inf(1)
		}
		most = max(most, d)
	}
	for _, w := range want.Float32s() {
		if a := math.Abs(float64(w)); !math.IsInf(a, 0) {
			largest = max(largest, a)
		}
	}
	if most == 0 {
		return 0
	}
	return most / largest
}

var exportCases = []exportCase{
	{name: "identity", exact: true, build: func(b *netBuilder) {
		b.op(graph.Identity{}, b.op(graph.Dropout{Rate: 0.5}, b.in("x", -1, 3))...)
	}},
	{name: "reorder", exact: true, build: func(b *netBuilder) { b.op(backend.Reorder{}, b.in("x", 2, 3)) }},
	{name: "conv", build: func(b *netBuilder) {
		x := b.in("x", -1, 4, 9, 8)
		b.op(backend.Conv{}, x, b.random("w0", 6, 4, 3, 3))
		b.op(backend.Conv{Window: backend.Window{Kernel: []int{3, 2}, Strides: []int{2, 1}, Dilations: []int{1, 2}, Pads: []int{1, 0, 2, 3}}, Groups: 2, Bias: true},
			x, b.random("w1", 6, 2, 3, 2), b.random("b1", 6))
		b.op(backend.Conv{Window: backend.Window{Strides: []int{2, 2}, AutoPad: backend.SameUpper}}, x, b.random("w2", 5, 4, 3, 4))
		b.op(backend.Conv{Window: backend.Window{Strides: []int{2, 2}, AutoPad: backend.SameLower}}, x, b.random("w3", 5, 4, 3, 4))
		b.op(backend.Conv{Window: backend.Window{AutoPad: backend.Valid}, Groups: 4}, x, b.random("w4", 8, 1, 3, 3))
	}},
	{name: "conv of open sizes", build: func(b *netBuilder) {
		x := b.open("x", 3, "H", "W")
		b.op(backend.Conv{Window: backend.Window{Strides: []int{2, 2}, AutoPad: backend.SameUpper}}, x, b.random("w0", 5, 3, 3, 4))
		b.op(backend.Conv{Window: backend.Window{Strides: []int{2, 3}, AutoPad: backend.SameLower}}, x, b.random("w1", 5, 3, 4, 3))
		b.op(backend.Conv{Window: backend.Window{Pads: []int{1, 1, 1, 1}}}, x, b.random("w2", 5, 3, 3, 3))
	}},
	{name: "conv of one and three dims", build: func(b *netBuilder) {
		b.op(backend.Conv{Window: backend.Window{Pads: []int{1, 1}}}, b.in("x", -1, 2, 9), b.random("w0", 3, 2, 3))
		b.op(backend.Conv{Bias: true}, b.in("y", -1, 2, 4, 5, 6), b.random("w1", 3, 2, 2, 3, 2), b.random("b1", 3))
	}},
	{name: "weights that are inputs", build: func(b *netBuilder) {
		b.op(backend.Conv{Bias: true, Epilogue: backend.Epilogue{{Kind: backend.ScaleShift}}},
			b.in("x", 1, 2, 5, 5), b.in("w", 3, 2, 3, 3), b.in("b", 3), b.in("scale", 3), b.in("shift", 3))
		b.op(backend.Dense{}, b.in("m", 2, 3, 4), b.in("dw", 5, 4))
	}},
	{name: "epilogue", build: func(b *netBuilder) {
		x, r := b.in("x", -1, 3, 6, 6), b.in("r", -1, 4, 6, 6)
		steps := backend.Epilogue{{Kind: backend.ScaleShift}, {Kind: backend.Residual}, {Kind: backend.Activate, Act: backend.Act{Kind: backend.Silu}}}
		b.op(backend.Conv{Window: backend.Window{Pads: []int{1, 1, 1, 1}}, Bias: true, Epilogue: steps},
			x, b.random("w", 4, 3, 3, 3), b.random("b", 4), b.random("scale", 4), b.random("shift", 4), r)
		b.op(backend.ConvTranspose{Window: backend.Window{Pads: []int{1, 1, 1, 1}}, Epilogue: steps}, x, b.random("tw", 3, 4, 3, 3), b.random("ts", 4), b.random("tt", 4), r)
		f := b.in("f", -1, 5)
		b.op(backend.Dense{Epilogue: steps}, f, b.random("dw", 4, 5), b.random("ds", 4), b.random("dt", 4), b.in("fr", -1, 4))
		b.op(backend.Dense{Bias: true, Epilogue: steps}, b.in("f3", 2, 3, 5), b.random("dw3", 4, 5), b.random("db3", 4), b.random("ds3", 4), b.random("dt3", 4), b.in("fr3", 2, 3, 4))
	}},
	{name: "transposed conv", build: func(b *netBuilder) {
		x := b.in("x", -1, 4, 5, 6)
		b.op(backend.ConvTranspose{Window: backend.Window{Strides: []int{2, 3}, Pads: []int{1, 0, 1, 2}}, OutputPadding: []int{1, 0}, Bias: true}, x, b.random("w0", 4, 3, 3, 4), b.random("b0", 3))
		b.op(backend.ConvTranspose{Window: backend.Window{Dilations: []int{2, 1}}, Groups: 2}, x, b.random("w1", 4, 3, 3, 2))
		b.op(backend.ConvTranspose{Window: backend.Window{Strides: []int{2, 2}, AutoPad: backend.SameUpper}}, x, b.random("w2", 4, 3, 3, 5))
		b.op(backend.ConvTranspose{Window: backend.Window{Strides: []int{2, 2}, AutoPad: backend.SameLower}}, x, b.random("w3", 4, 3, 3, 5))
		b.op(backend.ConvTranspose{Window: backend.Window{Strides: []int{4, 3}, AutoPad: backend.SameLower}}, x, b.random("w4", 4, 3, 2, 2)) // with empty sums
		b.op(backend.ConvTranspose{}, b.in("x1", -1, 2, 5), b.random("w5", 2, 3, 3))
		b.op(backend.ConvTranspose{Window: backend.Window{Strides: []int{2, 2, 2}}}, b.in("x3", -1, 2, 2, 3, 4), b.random("w6", 2, 3, 2, 2, 2))
	}},
	{name: "dense and matmul", build: func(b *netBuilder) {
		b.op(backend.Dense{}, b.in("x", -1, 7), b.random("w", 5, 7))
		b.op(backend.Dense{Bias: true}, b.in("y", -1, 3, 7), b.random("w2", 5, 7), b.random("b2", 5))
		b.op(backend.MatMul{}, b.in("a", 2, 1, 3, 4), b.in("b", 5, 4, 6))
		b.op(backend.MatMul{}, b.in("a1", 4), b.in("b1", 5, 4, 6))
	}},
	{name: "max pooling", exact: true, build: func(b *netBuilder) {
		x := b.in("x", -1, 3, 9, 10)
		b.op(backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}, Strides: []int{2, 2}}}, x)
		b.op(backend.MaxPool{Window: backend.Window{Kernel: []int{3, 2}, Strides: []int{2, 3}, Pads: []int{1, 1, 0, 1}, Dilations: []int{1, 2}}}, x)
		b.op(backend.MaxPool{Window: backend.Window{Kernel: []int{2, 3}, Strides: []int{2, 2}, Pads: []int{1, 1, 1, 1}}, CeilMode: true}, x)
		b.op(backend.MaxPool{Window: backend.Window{Kernel: []int{1, 1}, Strides: []int{3, 4}, Pads: []int{0, 0, 2, 1}}, CeilMode: true}, x)
		b.op(backend.MaxPool{Window: backend.Window{Kernel: []int{3, 4}, Strides: []int{2, 2}, AutoPad: backend.SameLower}, Indices: true}, x)
		b.op(backend.MaxPool{Window: backend.Window{Kernel: []int{3}, Strides: []int{2}}, Indices: true}, b.in("x1", -1, 2, 8))
		b.op(backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2, 2}, Strides: []int{1, 2, 2}}, Indices: true, CeilMode: true}, b.in("x3", -1, 2, 3, 4, 5))
	}},
	{name: "average pooling", build: func(b *netBuilder) {
		x := b.in("x", -1, 3, 9, 10)
		b.op(backend.AvgPool{Window: backend.Window{Kernel: []int{2, 2}, Strides: []int{2, 2}}}, x)
		for _, include := range []bool{false, true} {
			for _, ceil := range []bool{false, true} {
				b.op(backend.AvgPool{Window: backend.Window{Kernel: []int{3, 2}, Strides: []int{2, 3}, Pads: []int{1, 1, 0, 1}}, CeilMode: ceil, CountIncludePad: include}, x)
				b.op(backend.AvgPool{Window: backend.Window{Kernel: []int{3, 3}, Strides: []int{3, 2}, Pads: []int{1, 1, 2, 1}, Dilations: []int{1, 2}}, CeilMode: ceil, CountIncludePad: include}, x)
				b.op(backend.AvgPool{Window: backend.Window{Kernel: []int{2, 2}, Pads: []int{2, 1, 3, 1}}, CeilMode: ceil, CountIncludePad: include}, x)
				b.op(backend.AvgPool{Window: backend.Window{Kernel: []int{4, 3}, Strides: []int{3, 3}, AutoPad: backend.SameUpper}, CeilMode: ceil, CountIncludePad: include}, x)
			}
		}
		b.op(backend.AvgPool{Window: backend.Window{Kernel: []int{3}, Pads: []int{1, 1}}}, b.in("x1", -1, 2, 8))
		b.op(backend.AvgPool{Window: backend.Window{Kernel: []int{2, 2, 2}, Strides: []int{1, 2, 2}}, CeilMode: true}, b.in("x3", -1, 2, 3, 4, 5))
	}},
	{name: "pooling of open sizes", build: func(b *netBuilder) {
		x := b.open("x", 3, "H", "W")
		b.op(backend.MaxPool{Window: backend.Window{Kernel: []int{3, 2}, Strides: []int{2, 2}, Pads: []int{1, 1, 0, 0}}, CeilMode: true, Indices: true}, x)
		b.op(backend.MaxPool{Window: backend.Window{Kernel: []int{3, 2}, Strides: []int{2, 2}, AutoPad: backend.SameLower}, CeilMode: true}, x)
		b.op(backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}, Pads: []int{2, 0, 0, 1}}}, x)
		b.op(backend.AvgPool{Window: backend.Window{Kernel: []int{3, 2}, Strides: []int{2, 2}, Pads: []int{1, 1, 0, 0}}, CeilMode: true}, x)
		b.op(backend.AvgPool{Window: backend.Window{Kernel: []int{3, 2}, Strides: []int{2, 2}}, CeilMode: true, CountIncludePad: true}, x)
		b.op(backend.AvgPool{Window: backend.Window{Kernel: []int{3, 2}, Strides: []int{2, 2}, Pads: []int{1, 1, 1, 1}}, CountIncludePad: true}, x)
		b.op(backend.AvgPool{Window: backend.Window{Kernel: []int{3, 2}, Strides: []int{2, 2}, AutoPad: backend.SameUpper}}, x)
		b.op(backend.AdaptivePool{Out: []int{1, 1}, Mean: true}, x)
		b.op(backend.AdaptivePool{Out: []int{1, 1}}, x)
	}},
	{name: "global and adaptive pooling", build: func(b *netBuilder) {
		x := b.in("x", -1, 3, 6, 10)
		for _, mean := range []bool{false, true} {
			b.op(backend.GlobalPool{Mean: mean}, x)
			b.op(backend.AdaptivePool{Out: []int{3, 5}, Mean: mean}, x)
			b.op(backend.AdaptivePool{Out: []int{4, 7}, Mean: mean}, x)
			b.op(backend.AdaptivePool{Out: []int{7, 10}, Mean: mean}, x)
			b.op(backend.AdaptivePool{Out: []int{2, 2, 3}, Mean: mean}, b.in(fmt.Sprintf("x%v", mean), 2, 2, 3, 4, 5))
		}
	}},
	{name: "unpooling", exact: true, build: func(b *netBuilder) {
		y := b.op(backend.MaxPool{Window: backend.Window{Kernel: []int{2, 3}, Strides: []int{2, 3}}, Indices: true}, b.in("x", -1, 3, 6, 9))
		b.op(backend.MaxUnpool{Size: []int{6, 9}}, y...)
		b.op(backend.MaxUnpool{Size: []int{4, 5}}, y...) // some indices are outside
		index := b.konst("index", tensor.Must(tensor.From([]int32{-1, 3, 3, 8}, 1, 1, 4)))
		b.op(backend.MaxUnpool{Size: []int{5}}, b.in("z", 1, 1, 4), index)
	}},
	{name: "norms", build: func(b *netBuilder) {
		x := b.in("x", -1, 6, 5, 4)
		s, t := b.random("s", 6), b.random("t", 6)
		b.op(backend.BatchNorm{Epsilon: 1e-3}, x, s, t, b.random("mean", 6), b.positive("var", 6))
		b.op(backend.LayerNorm{Axis: -1, Epsilon: 1e-5}, x, b.random("ls", 4), b.random("lt", 4))
		b.op(backend.LayerNorm{Axis: 2, Epsilon: 1e-5}, x, b.random("ls2", 5, 4), b.random("lt2", 5, 4))
		b.op(backend.GroupNorm{Groups: 3, Epsilon: 1e-5}, x, s, t)
		b.op(backend.InstanceNorm{Epsilon: 1e-5}, x, s, t)
		m := b.in("m", -1, 6)
		b.op(backend.GroupNorm{Groups: 2, Epsilon: 1e-5}, m, s, t)
		b.op(backend.InstanceNorm{Epsilon: 1e-5}, m, s, t)
		b.op(backend.BatchNorm{Epsilon: 1e-5}, m, s, t, b.random("mean2", 6), b.positive("var2", 6))
		b.op(backend.GroupNorm{Groups: 2, Epsilon: 1e-5}, b.open("o", 6, "H", "W"), s, t)
		b.op(backend.GroupNorm{Groups: 2, Epsilon: 1e-5}, b.open("o1", 6, "H"), s, t)
	}},
	{name: "local response", build: func(b *netBuilder) {
		x := b.in("x", -1, 7, 4, 3)
		b.op(backend.LRN{Size: 3, Alpha: 0.5, Beta: 0.75, K: 1}, x)
		b.op(backend.LRN{Size: 4, Alpha: 0.5, Beta: 0.75, K: 2}, x)
		b.op(backend.LRN{Size: 5, Alpha: 0.5, Beta: 0.75, K: 1}, b.in("x1", -1, 7, 4))
		b.op(backend.LRN{Size: 2, Alpha: 0.5, Beta: 0.5, K: 1}, b.open("xo", 3, "D", "H", "W"))
		b.op(backend.LRN{Size: 9, Alpha: 0.5, Beta: 0.5, K: 1}, b.in("m", -1, 4))
	}},
	{name: "softmax", build: func(b *netBuilder) {
		x := b.in("x", -1, 7, 4)
		b.op(backend.Softmax{Axis: 1}, x)
		b.op(backend.Softmax{Axis: -1, Log: true}, x)
	}},
	{name: "functions", build: func(b *netBuilder) {
		x := b.in("x", -1, 50)
		abs := b.op(backend.Activation{Act: backend.Act{Kind: backend.Abs}}, x)
		for _, k := range backend.ActKinds() {
			a := backend.Act{Kind: k, Alpha: 0.3, Beta: 0.7}
			in := x
			switch k {
			case backend.Clip:
				a.Alpha = -0.5
			case backend.Sqrt, backend.Log, backend.Reciprocal:
				in = abs[0]
			}
			b.op(backend.Activation{Act: a}, in)
		}
		inf := float32(math.Inf(1))
		b.op(backend.Activation{Act: backend.Act{Kind: backend.Clip, Alpha: -inf, Beta: 0.5}}, x)
		b.op(backend.Activation{Act: backend.Act{Kind: backend.Clip, Alpha: -0.25, Beta: inf}}, x)
		b.op(backend.Activation{Act: backend.Act{Kind: backend.Clip, Alpha: -inf, Beta: inf}}, x)
	}},
	{name: "binary", build: func(b *netBuilder) {
		x, y, c := b.in("x", -1, 3, 4), b.in("y", -1, 3, 4), b.in("c", 3, 1)
		positive := b.op(backend.Activation{Act: backend.Act{Kind: backend.Exp}}, x)[0]
		for _, k := range backend.BinaryKinds() {
			a := x
			if k == backend.Power {
				a = positive
			}
			b.op(backend.Binary{Fn: k}, a, y)
			b.op(backend.Binary{Fn: k}, a, c)
		}
		b.op(backend.Binary{Fn: backend.PRelu}, c, x)
		b.op(backend.Binary{Fn: backend.Equal}, c, b.konst("half", tensor.Must(tensor.From([]float32{0.5}))))
	}},
	{name: "masks", exact: true, build: func(b *netBuilder) {
		x, y := b.in("x", -1, 4), b.in("y", -1, 4)
		mask := b.op(backend.Binary{Fn: backend.Less}, x, y)[0]
		b.op(backend.Where{}, mask, x, y)
		b.op(backend.Where{}, x, x, y)
		b.op(backend.Where{}, b.konst("c", tensor.Must(tensor.From([]float32{0, 1, -2, 0}, 4))), x, y)
		twice := b.op(backend.Binary{Fn: backend.Mul}, mask, b.op(backend.Binary{Fn: backend.GreaterOrEqual}, x, y)[0])
		b.op(backend.Where{}, twice[0], x, mask)
		b.must(b.Output("mask", mask))
	}},
	{name: "reductions", build: func(b *netBuilder) {
		x := b.op(backend.Activation{Act: backend.Act{Kind: backend.Exp}}, b.in("x", -1, 3, 4, 5))[0]
		for k := backend.ReduceSum; k <= backend.ReduceSumSquare; k++ {
			b.op(backend.Reduce{Fn: k, Axes: []int{1, -1}, KeepDims: true}, x)
			b.op(backend.Reduce{Fn: k, Axes: []int{2}}, x)
			b.op(backend.Reduce{Fn: k}, x)
		}
	}},
	{name: "choices", exact: true, build: func(b *netBuilder) {
		x := b.in("x", -1, 7, 5)
		b.op(backend.ArgMax{Axis: 1}, x)
		b.op(backend.ArgMax{Axis: -1, Min: true, KeepDims: true}, x)
		round := b.op(backend.Activation{Act: backend.Act{Kind: backend.Round}}, x)[0] // with equal ones
		b.op(backend.ArgMax{Axis: 1, Last: true}, round)
		b.op(backend.TopK{K: 3, Axis: 1}, round)
		top := b.op(backend.TopK{K: 2, Axis: -1, Smallest: true}, x)
		b.op(backend.OneHot{Axis: -1, Depth: 3}, top[1])
		b.op(backend.OneHot{Axis: 0, Depth: 5}, b.konst("index", tensor.Must(tensor.From([]int32{0, -1, 7, -6, 4}, 5))))
		b.op(backend.Gather{Axis: 0}, b.random("table", 5, 3), top[1])
	}},
	{name: "moves", exact: true, build: func(b *netBuilder) {
		x := b.in("x", -1, 3, 4, 5)
		b.op(backend.Concat{Axis: 1, Inputs: 3}, x, b.op(backend.Transpose{Perm: []int{0, 1, 2, 3}}, x)[0], x)
		b.op(backend.Transpose{Perm: []int{0, 3, 1, 2}}, x)
		b.op(backend.Transpose{}, x)
		b.op(backend.Reshape{Shape: []int{0, -1, 5}}, x)
		b.op(backend.Flatten{Axis: 1}, x)
		b.op(backend.Flatten{Axis: -1}, x)
		b.op(backend.Expand{Shape: []int{1, 3, 4, 5}}, x)
		b.op(backend.Expand{Shape: []int{2, 3, 4}}, b.in("e", 3, 1))
		b.op(backend.Tile{Repeats: []int{1, 2, 1, 3}}, x)
		b.op(backend.Gather{Axis: 2}, x, b.konst("i", tensor.Must(tensor.From([]int32{3, -1, 0, 3}, 2, 2))))
		b.op(backend.Gather{Axis: -1}, x, b.konst("i0", tensor.Must(tensor.From([]int32{2}))))
		end := backend.SliceEnd
		b.op(backend.Slice{Starts: []int{0, 1, 0, 2}, Ends: []int{end, 3, end, 100}}, x)
		b.op(backend.Slice{Starts: []int{0, end - 2, 3, end - 1}, Ends: []int{end, end - 1, -1, 0}, Steps: []int{1, 1, -2, -1}}, x)
		b.op(backend.Slice{Starts: []int{0, 2, 0, 0}, Ends: []int{end, 1, end, end}}, x)
		b.op(backend.Slice{Starts: []int{0, 0, 0, 0}, Ends: []int{end, end, end, end}}, x)
		b.op(backend.Slice{Starts: []int{1}, Ends: []int{3}}, b.konst("ints", tensor.Must(tensor.From([]int32{1, 2, 3, 4}, 4))))
	}},
	{name: "padding", exact: true, build: func(b *netBuilder) {
		x := b.in("x", -1, 3, 4, 5)
		b.op(backend.Pad{Pads: []int{0, 1, 0, 2, 0, 0, 3, 1}, Value: -2}, x)
		b.op(backend.Pad{Pads: []int{0, 0, 3, 2, 0, 0, 1, 4}, Mode: backend.PadReflect}, x)
		b.op(backend.Pad{Pads: []int{0, 1, 3, 2, 0, 0, 1, 9}, Mode: backend.PadEdge}, x)
		b.op(backend.Pad{Pads: []int{0, 1, 3, 2, 0, 0, 1, 9}, Mode: backend.PadWrap}, x)
	}},
	{name: "resize", build: func(b *netBuilder) {
		x := b.in("x", -1, 2, 5, 6)
		for _, coord := range []backend.CoordMode{backend.HalfPixel, backend.AlignCorners, backend.Asymmetric} {
			for _, mode := range []backend.ResizeMode{backend.ResizeNearest, backend.ResizeLinear} {
				b.op(backend.Resize{Scales: []float64{2, 3}, Mode: mode, Coord: coord}, x)
				b.op(backend.Resize{Scales: []float64{1.3, 0.7}, Mode: mode, Coord: coord}, x)
				b.op(backend.Resize{Size: []int{7, 13}, Mode: mode, Coord: coord}, x)
				b.op(backend.Resize{Size: []int{3, 1}, Mode: mode, Coord: coord}, x)
				b.op(backend.Resize{Scales: []float64{0.5, 2}, Mode: mode, Coord: coord}, b.open(fmt.Sprintf("o%v%v", coord, mode), 2, "H", "W"))
				b.op(backend.Resize{Scales: []float64{2, 2, 2}, Mode: mode, Coord: coord}, b.in(fmt.Sprintf("v%v%v", coord, mode), -1, 2, 3, 4, 5))
				b.op(backend.Resize{Scales: []float64{2}, Mode: mode, Coord: coord}, b.in(fmt.Sprintf("l%v%v", coord, mode), -1, 2, 5))
			}
		}
	}},
	{name: "resize by every ratio", exact: true, build: func(b *netBuilder) {
		for n := 1; n <= 9; n += 2 {
			x := b.in(fmt.Sprintf("x%d", n), -1, 1, n)
			for m := 1; m <= 24; m++ {
				for _, coord := range []backend.CoordMode{backend.HalfPixel, backend.AlignCorners, backend.Asymmetric} {
					b.op(backend.Resize{Size: []int{m}, Coord: coord}, x)
				}
			}
		}
	}},
	{name: "resample", build: func(b *netBuilder) {
		index := b.konst("index", tensor.Must(tensor.From([]int32{0, 1, 2, 4, 3, -1, 9, 0}, 4, 2)))
		weight := b.konst("weight", tensor.Must(tensor.From([]float32{0.5, -0.25, 1, 0, 2, 7, 3, 1}, 4, 2)))
		x := b.in("x", -1, 5, 3)
		b.op(backend.Resample{Axis: 1}, x, index, weight)
		b.op(backend.Resample{Axis: -1}, b.in("y", 2, 5), index, weight)
	}},
	{name: "names", exact: true, build: func(b *netBuilder) {
		// An output may have the name of another node, two outputs one value, and an output may be an input.
		x := b.in("x", -1, 2)
		n1, err := b.Apply("a", backend.Activation{Act: backend.Act{Kind: backend.Relu}}, x)
		b.must(err)
		n2, err := b.Apply("b", backend.Activation{Act: backend.Act{Kind: backend.Neg}}, n1.Out()[0])
		b.must(err)
		n3, err := b.Apply("c\xff", backend.Activation{Act: backend.Act{Kind: backend.Relu}}, n2.Out()[0])
		b.must(err)
		b.must(b.Output("a", n2.Out()[0]))
		b.must(b.Output("b", n2.Out()[0]))
		b.must(b.Output("x", n1.Out()[0]))
		b.must(b.Output("input", x))
		b.must(b.Output("constant", b.konst("constant", tensor.Must(tensor.From([]float32{1, 2}, 2)))))
		b.must(b.Output("last", n3.Out()[0]))
	}},
}

// exported builds a case and exports it, in the form in which it was built and optimised.
func exported(t *testing.T, c exportCase) (g *graph.Graph, plain, optimised []byte) {
	t.Helper()
	b := newNet(t, c.name)
	c.build(b)
	g = b.finish()
	plain, err := Export(g)
	if err != nil {
		t.Fatal(err)
	}
	o, _, err := graph.Optimize(g)
	if err != nil {
		t.Fatal(err)
	}
	if optimised, err = Export(o); err != nil {
		t.Fatalf("optimised: %v", err)
	}
	return g, plain, optimised
}

// TestExportModels checks the form of every model: names that are defined once, and before they are
// used, shapes that the graph has, and equal bytes each time.
func TestExportModels(t *testing.T) {
	for _, c := range exportCases {
		t.Run(c.name, func(t *testing.T) {
			g, plain, optimised := exported(t, c)
			again, err := Export(g)
			if err != nil || !bytes.Equal(plain, again) {
				t.Errorf("a second export differs (%v)", err)
			}
			for _, data := range [][]byte{plain, optimised} {
				checkModel(t, data, g)
			}
		})
	}
}

func checkModel(t *testing.T, data []byte, g *graph.Graph) {
	t.Helper()
	m, err := pb.Decode(data, pb.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if m.IRVersion != 8 || len(m.OpsetImports) != 1 || m.OpsetImports[0] != (pb.Opset{Version: 17}) || m.Graph.Name == "" {
		t.Errorf("got IR version %d, opsets %v, graph %q", m.IRVersion, m.OpsetImports, m.Graph.Name)
	}
	defined, nodes := map[string]bool{}, map[string]bool{}
	define := func(name string) {
		if name == "" || defined[name] || strings.Contains(name, temp) {
			t.Errorf("the value name %q is defined again or not valid", name)
		}
		defined[name] = true
	}
	for _, v := range m.Graph.Inputs {
		define(v.Name)
	}
	for _, v := range m.Graph.Initializers {
		define(v.Name)
	}
	for _, n := range m.Graph.Nodes {
		for _, in := range n.Inputs {
			if in != "" && !defined[in] {
				t.Errorf("node %q (%s): the input %q is not defined before", n.Name, n.OpType, in)
			}
		}
		for _, out := range n.Outputs {
			define(out)
		}
		if n.Name == "" || nodes[n.Name] {
			t.Errorf("the node name %q is not unique", n.Name)
		}
		nodes[n.Name] = true
	}
	if len(m.Graph.Inputs) != len(g.Inputs()) || len(m.Graph.Outputs) != len(g.Outputs()) {
		t.Fatalf("got %d inputs and %d outputs, want %d and %d", len(m.Graph.Inputs), len(m.Graph.Outputs), len(g.Inputs()), len(g.Outputs()))
	}
	for i, v := range m.Graph.Inputs {
		if w := g.Inputs()[i]; v.Name != w.Name() || shapeText(v) != w.Shape().String() {
			t.Errorf("input %d: got %q %s, want %q %v", i, v.Name, shapeText(v), w.Name(), w.Shape())
		}
	}
	for i, v := range m.Graph.Outputs {
		if !defined[v.Name] {
			t.Errorf("output %q is not defined", v.Name)
		}
		if w := g.Outputs()[i]; shapeText(v) != w.Value.Shape().String() {
			t.Errorf("output %q: got shape %s, want %v", v.Name, shapeText(v), w.Value.Shape())
		}
	}
}

// shapeText writes a shape as the graph's are written.
func shapeText(v *pb.ValueInfo) string {
	var s []string
	for _, d := range v.Dims {
		switch {
		case d.Known:
			s = append(s, fmt.Sprint(d.Value))
		case d.Param == "":
			s = append(s, "?")
		default:
			s = append(s, d.Param)
		}
	}
	return "[" + strings.Join(s, ",") + "]"
}

// TestExportEveryOp finds every op of the contract in a case.
func TestExportEveryOp(t *testing.T) {
	found := map[string]bool{}
	for _, c := range exportCases {
		g, _, _ := exported(t, c)
		for _, n := range g.Nodes() {
			found[n.Op().Kind()] = true
		}
	}
	files, err := filepath.Glob(filepath.Join("..", "backend", "op_*.go"))
	if err != nil || len(files) < 20 {
		t.Fatalf("found %d files of ops (%v)", len(files), err)
	}
	kind := regexp.MustCompile(`Kind\(\) string +\{ return "(\w+)" \}`)
	ops := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range kind.FindAllStringSubmatch(string(text), -1) {
			ops++
			if !found[m[1]] && !strings.HasSuffix(f, "_test.go") {
				t.Errorf("no case has the op %s", m[1])
			}
		}
	}
	if ops < 30 {
		t.Errorf("found %d ops, want 30 or more", ops)
	}
}

func TestExportNames(t *testing.T) {
	i := slices.IndexFunc(exportCases, func(c exportCase) bool { return c.name == "names" })
	_, data, _ := exported(t, exportCases[i])
	m, err := pb.Decode(data, pb.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range m.Graph.Nodes {
		got = append(got, fmt.Sprintf("%s=%s(%s)", strings.Join(n.Outputs, ","), n.OpType, strings.Join(n.Inputs, ",")))
	}
	want := []string{"x_1=Relu(x)", "a=Neg(x_1)", "last=Relu(a)", "b=Identity(a)", "input=Identity(x)", "constant=Identity(constant_1)"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q,\nwant %q", got, want)
	}
}

// opaque is an op that ONNX does not have.
type opaque struct{ graph.Identity }

func (opaque) Kind() string { return "Opaque" }

func TestExportUnsupported(t *testing.T) {
	if _, err := Export(nil); err == nil {
		t.Error("got no error for no graph")
	}
	b := newNet(t, "unsupported")
	x := b.open("x", 3, "H", "W")
	odd := b.op(opaque{}, x)
	b.op(backend.Activation{Act: backend.Act{Kind: backend.Relu}}, odd...) // not listed: it is not at fault
	b.op(backend.AdaptivePool{Out: []int{3, 3}}, x)
	b.op(backend.AvgPool{Window: backend.Window{Kernel: []int{2, 2}, Dilations: []int{2, 2}}}, x)
	b.op(backend.AvgPool{Window: backend.Window{Kernel: []int{2, 2}, Strides: []int{2, 2}, Pads: []int{1, 1, 0, 0}}, CountIncludePad: true, CeilMode: true}, x)
	b.op(backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}, Strides: []int{2, 2}, Pads: []int{0, 0, 1, 1}}, CeilMode: true}, x)
	b.op(backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}, Pads: []int{0, 0, 1, 1}, Dilations: []int{2, 2}}, Indices: true}, x)
	b.op(backend.Resize{Scales: []float64{1.5, 1}}, x)
	b.op(backend.Resize{Size: []int{9, 9}}, x)
	b.op(backend.Pad{Pads: []int{0, 0, 1, 0, 0, 0, 0, 0}, Mode: backend.PadWrap}, x)
	b.op(backend.Resample{Axis: 1}, x, b.konst("i", tensor.Must(tensor.From([]int32{0}, 1, 1))), b.in("w", 1, 1))
	_, err := Export(b.finish())
	var u *UnsupportedError
	if !errors.As(err, &u) || !errors.Is(err, errors.ErrUnsupported) {
		t.Fatalf("got the error %v, want an UnsupportedError", err)
	}
	var got []string
	for _, n := range u.Nodes {
		got = append(got, n.Name)
		if n.Reason == "" || !strings.Contains(err.Error(), n.Reason) {
			t.Errorf("node %q: the error lacks its reason: %v", n.Name, err)
		}
	}
	want := []string{"opaque.0", "adaptivepool.2", "avgpool.3", "avgpool.4", "maxpool.5", "maxpool.6", "resize.7", "resize.8", "pad.9", "resample.10"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: %v", got, want, err)
	}
	if !strings.Contains(err.Error(), `onnx: export of graph "unsupported"`) {
		t.Errorf("the error does not name the graph: %v", err)
	}
}

// TestExportTooLarge shares one tensor among the constants: the memory is not written.
func TestExportTooLarge(t *testing.T) {
	b := newNet(t, "large")
	w := tensor.Must(tensor.New(tensor.Float32, 1<<12, 1<<14))
	x := b.in("x", 1, 1<<14)
	for i := range 9 {
		b.op(backend.Dense{}, x, b.konst(fmt.Sprint("w", i), w))
	}
	_, err := Export(b.finish())
	if err == nil || !strings.Contains(err.Error(), "2415919104 bytes") {
		t.Errorf("got the error %v, want one with the number of bytes", err)
	}
}

func TestExportFile(t *testing.T) {
	b := newNet(t, "file")
	b.op(graph.Identity{}, b.in("x", 2))
	g := b.finish()
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := ExportFile(path, g); err != nil {
		t.Fatal(err)
	}
	want, err := Export(g)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes (%v), want the %d of Export", len(got), err, len(want))
	}
	bad := newNet(t, "bad")
	bad.op(opaque{}, bad.in("x", 2))
	if err := ExportFile(path, bad.finish()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got the error %v, want ErrUnsupported", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, want) {
		t.Errorf("a failed export changed the file (%v)", err)
	}
}
