package cnn

import (
	"fmt"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// Flatten makes one row of each example: [N,C,spatial...] becomes [N,C·spatial].
//
// PyTorch: nn.Flatten. Op: backend.Flatten.
func Flatten() Layer {
	return &unary{kind: "Flatten", build: func(s *Scope, x *graph.Value) *graph.Value {
		return s.Apply(backend.Flatten{Axis: 1}, x)
	}}
}

// Reshape gives each example another shape: [N,...] becomes [N,dims...], the elements
// in the same order. One dim may be −1 and takes what is left.
//
// PyTorch: nn.Unflatten, view. Op: backend.Reshape.
func Reshape(dims ...int) Layer {
	dims = slices.Clone(dims)
	var err error
	if slices.ContainsFunc(dims, func(n int) bool { return n < -1 || n == 0 }) {
		err = fmt.Errorf("dims: got %v, want positive numbers and at most one −1; N is not among them", dims)
	}
	return &unary{kind: "Reshape", err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		return s.Apply(backend.Reshape{Shape: append([]int{0}, fill(dims, x.Shape())...)}, x)
	}}
}

// fill replaces −1 by a number where the shape is known, as −1 tells nothing for an
// empty batch.
func fill(dims []int, x graph.Shape) []int {
	out := slices.Clone(dims)
	hole := slices.Index(out, -1)
	if hole < 0 || len(x) == 0 {
		return out
	}
	sizes, static := x[1:].Static()
	out[hole] = 1
	if n := product(out); static && n > 0 && sizes.Size()%n == 0 && sizes.Size() > 0 {
		out[hole] = sizes.Size() / n
	} else {
		out[hole] = -1
	}
	return out
}
