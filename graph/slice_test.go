package graph_test

import (
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// slice takes a range of one dim of four.
func slice(dim, start, end, step int) backend.Slice {
	s := backend.Slice{Starts: make([]int, 4), Ends: make([]int, 4), Steps: []int{1, 1, 1, 1}}
	for d := range s.Ends {
		s.Ends[d] = backend.SliceEnd
	}
	s.Starts[dim], s.Ends[dim], s.Steps[dim] = start, end, step
	return s
}

// splits is a network that cuts its values as ShuffleNet and YOLO do: space to depth by
// slices with steps, halves of the channels of which one is convolved, a part of the
// batch, and sizes that are not known.
func splits(t *testing.T) *builder {
	b := build(t, "splits")
	end := backend.SliceEnd
	x, err := b.Input("x", tensor.Float32, graph.Shape{graph.Symbol("N"), graph.Static(3), graph.Symbol("H"), graph.Symbol("W")})
	b.must(err)
	var parts []*graph.Value
	for _, at := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
		name := string('a'+rune(at[0])) + string('a'+rune(at[1]))
		rows := b.op("rows"+name, slice(2, at[0], end, 2), x)
		parts = append(parts, b.op("columns"+name, slice(3, at[1], end, 2), rows))
	}
	v := b.op("focus", backend.Concat{Axis: 1, Inputs: 4}, parts...)
	v = b.op("conv1", backend.Conv{Window: window(3, 1, 1)}, v, b.weights("w1", 16, 12, 3, 3))
	left, right := b.op("left", slice(1, 0, 8, 1), v), b.op("right", slice(1, 8, end, 1), v)
	right = b.op("conv2", backend.Conv{Window: window(3, 1, 1)}, right, b.weights("w2", 8, 8, 3, 3))
	v = b.op("join", backend.Concat{Axis: 1, Inputs: 2}, left, right)
	v = b.op("conv3", backend.Conv{}, b.op("crop", slice(2, 1, end-1, 1), v), b.weights("w3", 4, 16, 1, 1))
	b.out("y", v)
	b.out("rest of the batch", b.op("batch", slice(0, 1, end, 1), v))
	return b
}

// Slices run in the layout of the convolutions around them, and a dim that is not known
// has the size that is left.
func TestSlices(t *testing.T) {
	ref := open(t, "ref")
	b := splits(t)
	if got, want := b.Graph.Outputs()[1].Value.Shape().String(), "[N-1,4,H/2-2,W/2]"; got != want {
		t.Errorf("shape: got %s, want %s", got, want)
	}
	for _, name := range backends() {
		be := open(t, name)
		m := compile(t, b.Graph, be)
		for _, s := range []tensor.Shape{{1, 3, 12, 20}, {3, 3, 16, 8}} {
			in := b.integers(s...)
			got, err := m.Run(ctx, in)
			if err != nil {
				t.Fatal(name, err)
			}
			equal(t, name, got, interpret(t, b.Graph, ref, in))
			p, err := m.Plan(ctx, s)
			if err != nil {
				t.Fatal(name, err)
			}
			// Copies convert on their way: the input is read by slices, and so is all of the
			// output but what is returned itself.
			if p.Reorders() > 1 {
				t.Errorf("%s: %d reorders:\n%v", name, p.Reorders(), p)
			}
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}
