package graph

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func TestPassConstantFold(t *testing.T) {
	testPass(t, "constant-fold", []passCase{
		{name: "a chain of constants", changes: 3, build: func(b *builder) {
			k := b.relu("relu", b.add("sum", b.ints("a", 3, 1, 1), b.ints("b", 1, 8)))
			b.out("y", b.add("plus", b.image(3), k))
			b.out("k", b.node("shape", backend.Reshape{Shape: []int{-1}}, k))
		}},
		{name: "two outputs", changes: 1, build: func(b *builder) {
			n, err := b.g.Apply("pool", backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}}, Indices: true}, b.ints("a", 1, 2, 4, 4))
			if err != nil {
				b.t.Fatal(err)
			}
			b.out("y", n.Out()[0])
			b.out("i", n.Out()[1])
		}},
		{name: "many, up to the limit of all", changes: 16, build: func(b *builder) {
			for i := range 20 { // each has 999 elements more
				k := b.values(fmt.Sprint("k", i), nil, float32(i))
				b.out(fmt.Sprint("y", i), b.node(fmt.Sprint("expand", i), backend.Expand{Shape: []int{1000}}, k))
			}
		}},
		{name: "many of one, up to the limit of all", changes: 17, build: func(b *builder) {
			k := b.node("expand", backend.Expand{Shape: []int{900}}, b.values("k", nil, 3))
			for i := range 20 { // each has as many as the one they share, which stays
				b.out(fmt.Sprint("y", i), b.node(fmt.Sprint("act", i), backend.Activation{Act: backend.Act{Kind: backend.Clip, Beta: float32(i)}}, k))
			}
		}},
		{name: "any number in place of others", changes: 20, build: func(b *builder) {
			for i := range 20 {
				b.out(fmt.Sprint("y", i), b.node(fmt.Sprint("transpose", i), backend.Transpose{}, b.ints(fmt.Sprint("k", i), 20, 50)))
			}
		}},
		{name: "not: an expand of one element beyond the cap", build: func(b *builder) {
			b.out("y", b.node("expand", backend.Expand{Shape: []int{7, 11, 13}}, b.values("k", nil, 3)))
		}},
		{name: "not: an input", build: func(b *builder) {
			b.out("y", b.add("sum", b.image(3), b.ints("b", 1, 8)))
		}},
		{name: "not: more elements than the cap", build: func(b *builder) {
			b.out("y", b.add("sum", b.ints("a", 40, 1), b.ints("b", 1, 26)))
		}},
		{name: "not: what the evaluator does not have", build: func(b *builder) {
			b.out("y", b.node("id", Identity{}, b.ints("a", 3)))
		}},
	})
}

func TestConstantFoldErrors(t *testing.T) {
	b := newBuilder(t, "errors", 0)
	b.out("y", b.relu("relu", b.ints("a", 3)))
	boom := errors.New("boom")
	for _, c := range []struct {
		name string
		eval Evaluator
		want string
	}{
		{"failure", func(backend.Op, []*tensor.Tensor) ([]*tensor.Tensor, error) { return nil, boom }, "boom"},
		{"no output", func(backend.Op, []*tensor.Tensor) ([]*tensor.Tensor, error) { return nil, nil }, "0 outputs, want 1"},
		{"nil", func(backend.Op, []*tensor.Tensor) ([]*tensor.Tensor, error) { return []*tensor.Tensor{nil}, nil }, "float32[3]"},
		{"shape", func(backend.Op, []*tensor.Tensor) ([]*tensor.Tensor, error) {
			return []*tensor.Tensor{tensor.Must(tensor.New(tensor.Float32, 2))}, nil
		}, "float32[3]"},
		{"type", func(backend.Op, []*tensor.Tensor) ([]*tensor.Tensor, error) {
			return []*tensor.Tensor{tensor.Must(tensor.New(tensor.Int32, 3))}, nil
		}, "float32[3]"},
	} {
		_, _, err := Optimize(b.g, WithEvaluator(c.eval))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "constant-fold") || !strings.Contains(err.Error(), `"relu"`) {
			t.Errorf("%s: got %v, want an error that names the pass and the node and says %q", c.name, err, c.want)
		}
	}
	if g, r, err := Optimize(b.g); err != nil || len(g.Nodes()) != 1 {
		t.Errorf("without an evaluator: %v, %v", r, err)
	}
}
