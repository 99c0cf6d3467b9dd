package graph_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	_ "github.com/convgl/convgl/backend/ref"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

var ctx = context.Background()

// builder makes graphs in tests: it stops the test on an error, and fills
// constants with small integers, on which float32 is exact.
type builder struct {
	t *testing.T
	*graph.Graph
	rnd *rand.Rand
}

func build(t *testing.T, name string) *builder {
	return &builder{t, graph.New(name), rand.New(rand.NewPCG(1, 2))}
}

func (b *builder) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *builder) integers(shape ...int) *tensor.Tensor {
	b.t.Helper()
	t, err := tensor.New(tensor.Float32, shape...)
	b.must(err)
	for i := range t.Float32s() {
		t.Float32s()[i] = float32(b.rnd.IntN(5) - 2)
	}
	return t
}

func (b *builder) in(name string, dims ...int) *graph.Value {
	b.t.Helper()
	v, err := b.Input(name, tensor.Float32, graph.Dims(dims...))
	b.must(err)
	return v
}

func (b *builder) weights(name string, shape ...int) *graph.Value {
	b.t.Helper()
	v, err := b.Const(name, b.integers(shape...))
	b.must(err)
	return v
}

func (b *builder) op(name string, op backend.Op, in ...*graph.Value) *graph.Value {
	b.t.Helper()
	n, err := b.Apply(name, op, in...)
	b.must(err)
	return n.Out()[0]
}

func (b *builder) out(name string, v *graph.Value) {
	b.t.Helper()
	b.must(b.Output(name, v))
}

// interpret runs g as it stands, node by node, on be.
func interpret(t *testing.T, g *graph.Graph, be backend.Backend, in ...*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	vals := map[*graph.Value]*tensor.Tensor{}
	for i, v := range g.Inputs() {
		vals[v] = in[i]
	}
	get := func(v *graph.Value) *tensor.Tensor {
		if c := v.Const(); c != nil {
			return c
		}
		return vals[v]
	}
	for _, n := range g.Nodes() {
		var args []*tensor.Tensor
		for _, v := range n.In() {
			args = append(args, get(v))
		}
		switch n.Op().(type) {
		case graph.Identity, graph.Dropout:
			vals[n.Out()[0]] = args[0]
			continue
		}
		out, err := backend.RunOnce(ctx, be, n.Op(), args...)
		if err != nil {
			t.Fatalf("%s: %v", n.Name(), err)
		}
		for i, v := range n.Out() {
			vals[v] = out[i]
		}
	}
	var outs []*tensor.Tensor
	for _, o := range g.Outputs() {
		outs = append(outs, get(o.Value))
	}
	return outs
}

func open(t *testing.T, name string, opts ...backend.Option) backend.Backend {
	t.Helper()
	be, err := backend.Open(name, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := be.Close(); err != nil {
			t.Error(err)
		}
	})
	return be
}

func compile(t *testing.T, g *graph.Graph, be backend.Backend, opts ...graph.CompileOption) *graph.Model {
	t.Helper()
	m, err := graph.Compile(ctx, g, be, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func equal(t *testing.T, what string, got, want []*tensor.Tensor) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d outputs, want %d", what, len(got), len(want))
	}
	for i := range want {
		g, w := got[i], want[i]
		if !g.Shape().Equal(w.Shape()) || g.DType() != w.DType() {
			t.Errorf("%s: output %d: %v%v, want %v%v", what, i, g.DType(), g.Shape(), w.DType(), w.Shape())
			continue
		}
		if g.DType() != tensor.Float32 {
			if string(g.Bytes()) != string(w.Bytes()) {
				t.Errorf("%s: output %d differs", what, i)
			}
			continue
		}
		for k, v := range w.Float32s() {
			if x := g.Float32s()[k]; x != v && (x == x || v == v) {
				t.Errorf("%s: output %d%v: element %d is %v, want %v", what, i, w.Shape(), k, x, v)
				break
			}
		}
	}
}

func window(k, s, p int) backend.Window {
	return backend.Window{Kernel: []int{k, k}, Strides: []int{s, s}, Pads: []int{p, p, p, p}}
}

// lenet is a small network with every kind of step that a plan can have: kernels,
// reorders, views, a folded Flatten.
func lenet(t *testing.T) *builder {
	b := build(t, "lenet")
	x := b.in("x", -1, 1, 14, 14)
	h := b.op("conv1", backend.Conv{Window: window(3, 1, 1), Bias: true}, x, b.weights("w1", 6, 1, 3, 3), b.weights("b1", 6))
	h = b.op("relu1", backend.Activation{}, h)
	h = b.op("pool1", backend.MaxPool{Window: window(2, 2, 0)}, h)
	h = b.op("conv2", backend.Conv{Window: window(3, 1, 0)}, h, b.weights("w2", 5, 6, 3, 3))
	h = b.op("drop", graph.Dropout{Rate: 0.5}, h)
	h = b.op("flatten", backend.Flatten{Axis: 1}, h)
	h = b.op("fc", backend.Dense{Bias: true}, h, b.weights("w3", 7, 125), b.weights("b3", 7))
	b.out("y", h)
	return b
}

// branches has residuals, shared values, several outputs and inputs, outputs that
// are inputs or constants, and pool indices.
func branches(t *testing.T) *builder {
	b := build(t, "branches")
	x, y := b.in("x", -1, 6, 8, 8), b.in("y", -1, 6, 8, 8)
	a := b.op("a", backend.Conv{Window: window(3, 1, 1)}, x, b.weights("wa", 6, 6, 3, 3))
	s := b.op("sum", backend.Binary{}, a, y)
	r := b.op("relu", backend.Activation{}, s)
	d := b.op("dw", backend.Conv{Window: window(3, 1, 1), Groups: 6}, r, b.weights("wd", 6, 1, 3, 3))
	p := b.op("pool", backend.AvgPool{Window: window(2, 2, 0)}, b.op("scale", backend.Binary{Fn: backend.Mul}, d, b.weights("four", 1, 6, 1, 1)))
	n, err := b.Apply("max", backend.MaxPool{Window: window(2, 2, 0), Indices: true}, r)
	b.must(err)
	cls := b.op("gap", backend.GlobalPool{}, d)
	b.out("pool", p)
	b.out("max", n.Out()[0])
	b.out("where", n.Out()[1])
	b.out("flat", b.op("reshape", backend.Reshape{Shape: []int{0, 384}}, r))
	b.out("cls", b.op("fc", backend.Dense{}, b.op("flatten", backend.Flatten{Axis: 1}, cls), b.weights("wf", 3, 6)))
	b.out("same", x)
	b.out("const", b.weights("c", 2, 3))
	return b
}

// backends are those under test; with cgo also gl, which is left out where there
// is no OpenGL.
func backends() []string {
	var names []string
	for _, n := range backend.Names() {
		if d, err := backend.Devices(n); err == nil && len(d) > 0 {
			names = append(names, n)
		}
	}
	return names
}

func TestModelEqualsInterpretation(t *testing.T) {
	ref := open(t, "ref")
	for _, f := range []func(*testing.T) *builder{lenet, branches} {
		b := f(t)
		for _, name := range backends() {
			t.Run(b.Name+"/"+name, func(t *testing.T) {
				be := open(t, name)
				m := compile(t, b.Graph, be)
				for _, batch := range []int{1, 3, 0, 2, 3} {
					var in []*tensor.Tensor
					for _, v := range b.Inputs() {
						s := make([]int, len(v.Shape()))
						for i, d := range v.Shape() {
							if s[i], _ = d.Size(); i == 0 {
								s[i] = batch
							}
						}
						in = append(in, b.integers(s...))
					}
					got, err := m.Run(ctx, in...)
					if err != nil {
						t.Fatal(err)
					}
					equal(t, fmt.Sprintf("batch %d", batch), got, interpret(t, b.Graph, ref, in...))
				}
				p, err := m.Plan(ctx, shapesOf(b, 2)...)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%v\n%v", m.Report(), p)
			})
		}
	}
}

func shapesOf(b *builder, batch int) []tensor.Shape {
	var shapes []tensor.Shape
	for _, v := range b.Inputs() {
		s := make(tensor.Shape, len(v.Shape()))
		for i, d := range v.Shape() {
			if s[i], _ = d.Size(); i == 0 {
				s[i] = batch
			}
		}
		shapes = append(shapes, s)
	}
	return shapes
}

// Multiply-adds are those of the network on every backend, whatever was fused.
func TestPlanMultiplyAdds(t *testing.T) {
	b := lenet(t)
	for _, name := range backends() {
		p, err := compile(t, b.Graph, open(t, name)).Plan(ctx, shapesOf(b, 2)...)
		b.must(err)
		if want := int64(2 * (6*14*14*9 + 5*5*5*6*9 + 7*125)); p.MultiplyAdds() != want {
			t.Errorf("%s: got %d, want %d", name, p.MultiplyAdds(), want)
		}
	}
}
