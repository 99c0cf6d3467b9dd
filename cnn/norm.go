package cnn

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// LayerNorm normalises each example by its own mean μ and variance σ²:
//
//	y = weight · (x − μ) / √(σ² + ε) + bias
//
// over the dims from Axis on, by default all but the batch.
//
// Input: x of any rank. Output: y of x's shape. Parameters: weight (1 at first) and
// bias (0) of shape x[axis:]. Options: Axis, Epsilon, NoAffine.
//
// PyTorch: nn.LayerNorm(x.shape[axis:]). Op: backend.LayerNorm.
func LayerNorm(opts ...Option) Layer {
	o, err := configure(opts, "Axis", "Epsilon", "NoAffine")
	if !o.has("Axis") {
		o.axis = 1
	}
	return &unary{kind: "LayerNorm", err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		axis, err := backend.ResolveAxis("LayerNorm", o.axis, len(x.Shape()))
		if err != nil {
			s.Fail(withShapes(err, []*graph.Value{x}))
			return nil
		}
		var shape []int
		for i := axis; i < len(x.Shape()); i++ {
			shape = append(shape, s.Dim(x, i))
		}
		op := backend.LayerNorm{Axis: o.axis, Epsilon: o.epsilon}
		if !s.accepts(op, x, 2, shape...) {
			return nil
		}
		scale, bias := s.affine(o.affine, shape...)
		return s.Apply(op, x, scale, bias)
	}}
}

// GroupNorm normalises each of the given number of groups of channels of an example
// by its own mean μ and variance σ²:
//
//	y = weight[c] · (x − μ[n,g]) / √(σ²[n,g] + ε) + bias[c]
//
// Input: x [N,C,...], C a multiple of groups. Output: y of x's shape. Parameters:
// weight (1 at first) and bias (0) [C]. Options: Epsilon, NoAffine.
//
// PyTorch: nn.GroupNorm. Op: backend.GroupNorm.
func GroupNorm(groups int, opts ...Option) Layer {
	o, err := configure(opts, "Epsilon", "NoAffine")
	return channelNorm("GroupNorm", backend.GroupNorm{Groups: groups, Epsilon: o.epsilon}, o.affine, err)
}

// InstanceNorm normalises each channel of an example by its own mean μ and variance
// σ²:
//
//	y = (x − μ[n,c]) / √(σ²[n,c] + ε)
//
// With Affine, y is multiplied by a weight [C] (1 at first) and a bias [C] (0) is
// added, which are parameters.
//
// Input: x [N,C,spatial...]. Output: y of x's shape. Options: Epsilon, Affine.
//
// PyTorch: nn.InstanceNorm1d to 3d. Op: backend.InstanceNorm.
func InstanceNorm(opts ...Option) Layer {
	o, err := configure(opts, "Epsilon", "Affine")
	return channelNorm("InstanceNorm", backend.InstanceNorm{Epsilon: o.epsilon}, o.has("Affine"), err)
}

// LRN divides each element by a power of the squares in the channels around it
// (local response normalisation):
//
//	y[n,c,...] = x[n,c,...] / (k + α/size · Σ x[n,j,...]²)^β
//
// over the size channels j around c.
//
// Input: x [N,C,...]. Output: y of x's shape. Options: Response(α, β, k).
//
// PyTorch: nn.LocalResponseNorm, for an odd size; for an even one the window lies one
// channel further on here, as in ONNX. Op: backend.LRN.
func LRN(size int, opts ...Option) Layer {
	o, err := configure(opts, "Response")
	op := backend.LRN{Size: size, Alpha: 1e-4, Beta: 0.75, K: 1}
	if o.has("Response") {
		op.Alpha, op.Beta, op.K = o.alpha, o.beta, o.k
	}
	return &unary{kind: "LRN", err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		return s.Apply(op, x)
	}}
}

func channelNorm(kind string, op backend.Op, affine bool, err error) Layer {
	return &unary{kind: kind, err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		if len(x.Shape()) < 2 {
			s.Fail(fmt.Errorf("x: got shape %v, want [N,C,...] of rank 2 or more", x.Shape()))
		}
		c := s.Dim(x, 1)
		if !s.accepts(op, x, 2, c) {
			return nil
		}
		scale, bias := s.affine(affine, c)
		return s.Apply(op, x, scale, bias)
	}}
}
