package cnn

import (
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// PReLU is y = x for x ≥ 0 and weight·x below, with a trained slope.
//
// Input: x of any shape, [N,C,...] with PerChannel. Output: y of the same shape.
// Parameter: weight [1], or [C] with PerChannel, 0.25 at first. Options: PerChannel,
// Init.
//
// PyTorch: nn.PReLU, nn.PReLU(C). Op: backend.Binary PRelu. Source: He et al., Delving
// Deep into Rectifiers, 2015.
func PReLU(opts ...Option) Layer {
	o, err := configure(opts, "PerChannel", "Init")
	if !o.has("Init") {
		o.init = Constant(0.25)
	}
	return &unary{kind: "PReLU", err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		prelu := backend.Binary{Fn: backend.PRelu}
		if !o.perChannel {
			return s.Apply(prelu, x, s.Param("weight", o.init, 1))
		}
		c := s.Dim(x, 1)
		// The channels are dim 1, and not the last one, to which shapes are aligned.
		shape := append([]int{c}, slices.Repeat([]int{1}, max(len(x.Shape())-2, 0))...)
		slope := s.Apply(backend.Reshape{Shape: shape}, s.Param("weight", o.init, c))
		return s.Apply(prelu, x, slope)
	}}
}
