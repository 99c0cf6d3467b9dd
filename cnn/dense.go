package cnn

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// Dense connects every input feature with every unit:
//
//	y[n,o] = bias[o] + Σ_k x[n,k] · weight[o,k]
//
// Input: x [N,features]; an image needs a [Flatten] before it. Output: y [N,units].
// Parameters: weight [units,features] and bias [units]. With the option LastDim, x
// may have more dims: [...,features] gives [...,units]. Options: NoBias, Init,
// LastDim.
//
// PyTorch: nn.Linear. Op: backend.Dense.
func Dense(units int, opts ...Option) Layer {
	o, err := configure(opts, "NoBias", "Init", "LastDim")
	if err == nil && units < 1 {
		err = fmt.Errorf("units: got %d, want 1 or more", units)
	}
	return &unary{kind: "Dense", err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		if rank := len(x.Shape()); rank < 2 || rank > 2 && !o.lastDim {
			s.Fail(fmt.Errorf("x: got shape %v, want [N,features] (is a Flatten missing before it? LastDim works on the last dim alone)", x.Shape()))
		}
		features := s.Dim(x, len(x.Shape())-1)
		args := []*graph.Value{x, s.Param("weight", o.init, units, features)}
		if o.bias {
			args = append(args, s.Param("bias", Zeros, units))
		}
		return s.Apply(backend.Dense{Bias: o.bias}, args...)
	}}
}
