package cnn

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// Dynamic marks a dim of an input that is known only when the input arrives. The
// names of such dims are C, then L, or H and W, or D, H and W; equal names are
// equal sizes in all inputs of a network.
const Dynamic = -1

// Tensor is a value in a network that is being described: an input or the output of
// a layer. It has no data and, before [NewNet], no shape. A Tensor carries the first
// error that led to it, which NewNet returns.
type Tensor struct {
	name  string // of the layer; "" until NewNet gives one
	layer Layer  // nil for an input
	in    []*Tensor
	shape graph.Shape // of an input
	order int64       // layers are built in the order in which they were described
	err   error
}

var tensorCount atomic.Int64

// Input describes an input of shape [N,dims...], float32; dims may be [Dynamic].
func Input(name string, dims ...int) *Tensor {
	t := &Tensor{name: name, order: tensorCount.Add(1), shape: graph.Shape{graph.Symbol("N")}}
	if name == "" {
		t.err = errors.New("cnn: an input has no name")
		return t
	}
	for i, n := range dims {
		switch {
		case n >= 0:
			t.shape = append(t.shape, graph.Static(n))
		case n == Dynamic:
			t.shape = append(t.shape, graph.Symbol(dimName(i, len(dims))))
		default:
			t.err = fmt.Errorf("cnn: input %q: dim %d: got %d, want 0 or more, or Dynamic", name, i, n)
		}
	}
	if len(t.shape) > tensor.MaxRank {
		t.err = fmt.Errorf("cnn: input %q: got %d dims and the batch, want at most %d in all", name, len(dims), tensor.MaxRank)
	}
	return t
}

// dimName names dim i of n behind the batch.
func dimName(i, n int) string {
	names := [...]string{"C", "CL", "CHW", "CDHW"}
	if n > len(names) {
		return fmt.Sprintf("D%d", i+1)
	}
	return names[n-1][i : i+1]
}

// Apply describes the output of a layer, which has the given name in the network.
func Apply(name string, l Layer, x ...*Tensor) *Tensor {
	t := describe(name, l, x)
	if t.err == nil && name == "" {
		t.err = fmt.Errorf("cnn: a layer (%s) has no name", kindOf(l))
	}
	if t.err == nil && isNil(l) {
		t.err = inLayer(name, "", errNilLayer)
	}
	if t.err == nil && len(x) == 0 {
		t.err = inLayer(name, l.Kind(), errors.New("inputs: got none"))
	}
	return t
}

// Add describes a + b. Shapes are broadcast as in NumPy: aligned at the right, dims of
// 1 and absent ones are stretched to the other's. [Residual] wants equal shapes. NewNet
// names it "add1", "add2", ….
func Add(a, b *Tensor) *Tensor { return describe("", binary("Add", backend.Add), []*Tensor{a, b}) }

// Mul describes a · b by element, with shapes broadcast as [Add] does. NewNet names it
// "mul1", "mul2", ….
func Mul(a, b *Tensor) *Tensor { return describe("", binary("Mul", backend.Mul), []*Tensor{a, b}) }

// Concat describes tensors joined along the channels, dim 1. NewNet names it
// "concat1", "concat2", ….
func Concat(x ...*Tensor) *Tensor {
	t := describe("", Func("Concat", func(s *Scope, x ...*graph.Value) (*graph.Value, error) {
		return s.Apply(backend.Concat{Axis: 1, Inputs: len(x)}, x...), s.Err()
	}), x)
	if len(x) == 0 {
		t.err = errors.New("cnn: Concat: inputs: got none")
	}
	return t
}

func binary(kind string, fn backend.BinaryKind) Layer {
	return Func(kind, func(s *Scope, x ...*graph.Value) (*graph.Value, error) {
		return s.Apply(backend.Binary{Fn: fn}, x...), s.Err()
	})
}

// describe returns the output of a layer; it has no name yet where name is "".
func describe(name string, l Layer, x []*Tensor) *Tensor {
	t := &Tensor{name: name, layer: l, in: slices.Clone(x), order: tensorCount.Add(1)}
	for i, v := range x {
		switch {
		case t.err != nil:
		case v != nil:
			t.err = v.err
		case name == "":
			t.err = fmt.Errorf("cnn: %s: input %d is nil", kindOf(l), i)
		default:
			t.err = inLayer(name, kindOf(l), fmt.Errorf("input %d is nil", i))
		}
	}
	return t
}

// InputShape is the shape of an example, without the batch.
type InputShape []int

// Shape returns the shape of an example for [New], without the batch: Shape(3, 32, 32)
// is [N,3,32,32]. Dims may be [Dynamic].
func Shape(dims ...int) InputShape { return dims }
