package graph_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// edge is a network at an edge of what may be rewritten, and shapes for its inputs.
type edge struct {
	name   string
	build  func(b *builder)
	shapes [][][]int // of each run, of each input
}

func (b *builder) symbolic(name string, dims ...graph.Dim) *graph.Value {
	b.t.Helper()
	v, err := b.Input(name, tensor.Float32, dims)
	b.must(err)
	return v
}

var edges = []edge{
	{"dims bound to 1", func(b *builder) {
		x := b.symbolic("x", graph.Symbol("N"), graph.Static(3), graph.Symbol("H"), graph.Symbol("W"))
		c := b.op("conv1", backend.Conv{Window: window(3, 1, 1)}, x, b.weights("w1", 5, 3, 3, 3))
		b.out("strided", b.op("conv2", backend.Conv{Window: window(3, 2, 1)}, b.op("relu", backend.Activation{}, c), b.weights("w2", 5, 5, 3, 3)))
		gap := b.op("gap", backend.GlobalPool{}, c)
		s := b.op("scale", backend.Binary{Fn: backend.Mul}, c, gap)
		b.out("fc", b.op("fc", backend.Dense{}, b.op("flatten", backend.Flatten{Axis: 1}, gap), b.weights("w3", 4, 5)))
		b.out("scaled", s)
		pad := b.op("pad", backend.Pad{Pads: []int{0, 0, 1, 1, 0, 0, 1, 1}}, s)
		b.out("padded", b.op("conv3", backend.Conv{}, pad, b.weights("w4", 2, 5, 3, 3)))
		b.out("last", b.op("transpose", backend.Transpose{Perm: []int{0, 2, 3, 1}}, s))
	}, [][][]int{{{1, 3, 1, 1}}, {{2, 3, 1, 7}}, {{0, 3, 5, 1}}, {{1, 3, 6, 6}}, {{3, 3, 1, 1}}}},
	{"rank 6 between images", func(b *builder) { // pixel shuffle
		v := b.op("conv1", backend.Conv{Window: window(3, 1, 1)}, b.in("x", -1, 3, 5, 6), b.weights("w1", 8, 3, 3, 3))
		v = b.op("relu", backend.Activation{}, b.op("split", backend.Reshape{Shape: []int{0, 2, 2, 2, 5, 6}}, v))
		v = b.op("transpose", backend.Transpose{Perm: []int{0, 1, 4, 2, 5, 3}}, v)
		v = b.op("join", backend.Reshape{Shape: []int{0, 2, 10, 12}}, v)
		b.out("y", b.op("conv2", backend.Conv{Window: window(3, 1, 1)}, v, b.weights("w2", 3, 2, 3, 3)))
	}, [][][]int{{{2, 3, 5, 6}}, {{0, 3, 5, 6}}}},
	{"constant residuals", func(b *builder) {
		c := b.op("conv1", backend.Conv{Window: window(3, 1, 1)}, b.in("x", 1, 3, 5, 6), b.weights("w1", 3, 3, 3, 3))
		v := b.op("add1", backend.Binary{}, b.weights("k1", 1, 3, 5, 6), c)
		b.out("y", b.op("relu", backend.Activation{}, v))
		flat := b.op("flatten", backend.Flatten{Axis: 1}, b.op("conv2", backend.Conv{}, v, b.weights("w2", 2, 3, 3, 3)))
		b.out("z", b.op("add2", backend.Binary{}, b.op("fc", backend.Dense{}, flat, b.weights("w3", 4, 24)), b.weights("k2", 1, 4)))
	}, [][][]int{{{1, 3, 5, 6}}}},
	{"one matrix behind images of several layouts", func(b *builder) {
		x, w := b.in("x", -1, 3, 4, 4), b.weights("w", 4, 48)
		many := b.op("conv1", backend.Conv{Window: window(3, 1, 1)}, x, b.weights("w1", 3, 3, 3, 3))
		few := b.op("conv2", backend.Conv{Window: window(2, 2, 0)}, x, b.weights("w2", 12, 3, 2, 2))
		one := b.op("conv3", backend.Conv{Window: window(4, 1, 0)}, x, b.weights("w3", 48, 3, 4, 4))
		for i, v := range []*graph.Value{many, few, one, x} {
			name := []string{"many", "few", "one", "plain"}[i]
			b.out(name, b.op(name+".fc", backend.Dense{}, b.op(name+".flatten", backend.Flatten{Axis: 1}, v), w))
		}
		m := b.in("m", -1, 48)
		b.out("matrix", b.op("fc", backend.Dense{}, m, w))
		b.out("sum", b.op("add", backend.Binary{}, b.op("flatten", backend.Flatten{Axis: 1}, many), m))
	}, [][][]int{{{2, 3, 4, 4}, {2, 48}}, {{0, 3, 4, 4}, {0, 48}}}},
	{"weights of three convs, of which one is folded", func(b *builder) {
		w := b.weights("w", 3, 3, 3, 3)
		conv := backend.Conv{Window: window(3, 1, 1)}
		v := b.op("conv1", conv, b.in("x", -1, 3, 6, 6), w)
		v = b.op("conv2", conv, b.op("scale", backend.Binary{Fn: backend.Mul}, v, b.weights("k", 3, 1, 1)), w)
		b.out("y", b.op("conv3", conv, v, w))
		b.out("z", v)
		b.out("w", w)
	}, [][][]int{{{2, 3, 6, 6}}}},
	{"outputs that are inputs, constants, views, read on, and given twice", func(b *builder) {
		x, k := b.in("x", -1, 3, 4, 4), b.weights("k", 2, 2)
		r := b.op("relu", backend.Activation{}, x)
		b.out("input", x)
		b.out("identity", b.op("identity", graph.Identity{}, x))
		b.out("read on", r)
		b.out("view", b.op("flatten", backend.Flatten{Axis: 1}, r))
		leaky := b.op("leaky", backend.Activation{Act: backend.Act{Kind: backend.LeakyRelu, Alpha: 2}}, r)
		b.out("once", leaky)
		b.out("twice", leaky)
		b.out("constant", k)
		b.out("constant view", b.op("reshape", backend.Reshape{Shape: []int{-1}}, k))
		c := b.op("conv", backend.Conv{}, x, b.weights("w", 5, 3, 3, 3))
		b.out("conv", c)
		b.out("activated", b.op("conv.relu", backend.Activation{}, c))
		b.out("doubled", b.op("conv.add", backend.Binary{}, c, c))
	}, [][][]int{{{2, 3, 4, 4}}, {{0, 3, 4, 4}}}},
	{"reshapes of no images", func(b *builder) {
		x := b.symbolic("x", graph.Symbol("N"), graph.Static(8), graph.Static(1), graph.Symbol("H"))
		v := b.op("reshape", backend.Reshape{Shape: []int{0, 2, 4, 0}}, x)
		b.out("y", b.op("flatten", backend.Flatten{Axis: 1}, v))
	}, [][][]int{{{2, 8, 1, 3}}, {{0, 8, 1, 3}}}},
}

func TestEdges(t *testing.T) {
	ref := open(t, "ref")
	for _, e := range edges {
		t.Run(e.name, func(t *testing.T) {
			b := build(t, e.name)
			e.build(b)
			for _, name := range backends() {
				m := compile(t, b.Graph, open(t, name))
				for _, shapes := range e.shapes {
					var in []*tensor.Tensor
					for _, s := range shapes {
						in = append(in, b.integers(s...))
					}
					got, err := m.Run(ctx, in...)
					if err != nil {
						t.Fatalf("%s, %v: %v\n%s", name, shapes, err, m.Graph())
					}
					equal(t, name, got, interpret(t, b.Graph, ref, in...))
				}
			}
		})
	}
}

// A run that is cancelled in its middle gives its arena back: the only one here.
func TestCancelledInTheMiddle(t *testing.T) {
	b := branches(t)
	ref := open(t, "ref")
	for _, name := range backends() {
		short, cancel := context.WithCancel(ctx)
		defer cancel()
		runs := 0
		be := hooked{open(t, name), func(call string) error {
			if call == "Run" {
				if runs++; runs == 2 {
					cancel()
				}
			}
			return nil
		}}
		m := compile(t, b.Graph, be, graph.WithArenas(1))
		in := b.inputsOf(2)
		if _, err := m.Run(short, in...); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want the end of its context", name, err)
		}
		got, err := m.Run(ctx, in...)
		if err != nil {
			t.Fatalf("%s, the next run: %v", name, err)
		}
		equal(t, name, got, interpret(t, b.Graph, ref, in...))
	}
}

// A run uploads the inputs, enqueues the kernels, and waits in reading alone.
func TestPlanIsEnqueuedWhole(t *testing.T) {
	b := branches(t)
	for _, name := range backends() {
		var calls []string
		m := compile(t, b.Graph, hooked{open(t, name), func(call string) error {
			calls = append(calls, call)
			return nil
		}})
		in := b.inputsOf(2)
		out, err := m.Run(ctx, in...)
		b.must(err)
		p, err := m.Plan(ctx, shapesOf(b, 2)...)
		b.must(err)
		calls = nil
		b.must(m.RunInto(ctx, out, in))
		reads := len(out) - 1 // a constant is none
		want := slices.Concat(slices.Repeat([]string{"Write"}, len(in)), slices.Repeat([]string{"Run"}, p.Steps()), slices.Repeat([]string{"Read"}, reads))
		if !slices.Equal(calls, want) {
			t.Errorf("%s: calls %v, want %v", name, calls, want)
		}
	}
}
