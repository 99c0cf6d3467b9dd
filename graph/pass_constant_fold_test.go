package graph

import (
	"errors"
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
