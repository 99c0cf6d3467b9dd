package graph_test

import (
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// Comparisons and choices lie as the convolutions around them do: no reorder but those
// of the input and the output.
func TestElementwiseLayouts(t *testing.T) {
	b := build(t, "choice")
	conv := func(name string, x *graph.Value) *graph.Value {
		return b.op(name, backend.Conv{Window: backend.Window{Pads: []int{1, 1, 1, 1}}}, x, b.weights(name+".w", 24, 24, 3, 3))
	}
	x := b.in("x", 1, 24, 20, 20)
	p, q := conv("p", x), conv("q", x)
	mask := b.op("mask", backend.Binary{Fn: backend.Less}, p, q)
	most := b.op("most", backend.Binary{Fn: backend.Maximum}, p, b.weights("k", 24, 1, 1))
	b.out("y", conv("last", b.op("where", backend.Where{}, mask, most, q)))
	be := open(t, "cpu")
	m := compile(t, b.Graph, be)
	plan, err := m.Plan(ctx, tensor.Shape{1, 24, 20, 20})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Reorders() != 2 {
		t.Errorf("%d reorders, want 2:\n%v", plan.Reorders(), plan)
	}
	in := b.integers(1, 24, 20, 20)
	got, err := m.Run(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	want, err := compile(t, b.Graph, open(t, "ref")).Run(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "choice", got, want)
}
