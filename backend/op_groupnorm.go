package backend

import "fmt"

// GroupNorm normalises each group of channels of an image by the group's own mean
// μ and variance σ²:
//
//	y[n,c,...] = scale[c] · (x[n,c,...] − μ[n,g]) / √(σ²[n,g] + Epsilon) + bias[c]
//
// Group g holds the C/Groups channels that follow each other from g·C/Groups on,
// with all their positions; σ² is the mean of (x − μ)², not the unbiased estimate.
// Equal elements give y = bias; with Epsilon 0 they give NaN, which is 0/0. A NaN
// or an infinity makes the whole group NaN. Distances from μ may have any size that
// float32 has, also where their squares are none.
//
// Inputs: x [N,C,...] of rank 2 or more, scale and bias [C]. Output: y of x's
// shape.
//
// Source: Wu and He, Group Normalization, 2018; ONNX GroupNormalization-21.
type GroupNorm struct {
	Groups  int     // 1 or more; divides C
	Epsilon float32 // 0 or more, not subnormal; PyTorch and ONNX take 1e-5
}

// Kind returns "GroupNorm".
func (GroupNorm) Kind() string { return "GroupNorm" }

// Args implements Op.
func (GroupNorm) Args() (in, out []Arg) { return normArgs() }

// Infer implements Op.
func (g GroupNorm) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if g.Groups < 1 {
		return nil, &AttrError{Op: "GroupNorm", Attr: "groups", Got: fmt.Sprint(g.Groups), Want: "1 or more"}
	}
	out, err := inferChannelNorm("GroupNorm", g.Epsilon, in)
	if err != nil {
		return nil, err
	}
	if c := in[0].Shape[1]; c%g.Groups != 0 {
		return nil, &ShapeError{Op: "GroupNorm", Arg: "x: channels", Got: fmt.Sprintf("%s (x %v)", in[0].dim(1), in[0].dims()), Want: fmt.Sprintf("a multiple of groups = %d", g.Groups)}
	}
	return out, nil
}

// Cost implements Op.
func (GroupNorm) Cost(in, out []TensorDesc) Cost { return normCost(in, out) }

// normArgs names the arguments of an op that normalises by its input's statistics.
func normArgs() (in, out []Arg) {
	return []Arg{{Name: "x"}, {Name: "scale", Weight: true}, {Name: "bias", Weight: true}}, []Arg{{Name: "y"}}
}

// inferChannelNorm checks ε, x [N,C,...] and a scale and a bias a channel.
func inferChannelNorm(op string, epsilon float32, in []TensorDesc) ([]TensorDesc, error) {
	if err := wantF32(op, "x", in[0]); err != nil {
		return nil, err
	}
	if err := wantEpsilon(op, epsilon); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if len(x) < 2 {
		return nil, &ShapeError{Op: op, Arg: "x: rank", Got: fmt.Sprintf("%d (%v)", len(x), in[0].dims()), Want: "2 or more (N, C, ...)"}
	}
	for i, name := range []string{"scale", "bias"} {
		if err := wantShape(op, name, in[1+i], x[1]); err != nil {
			return nil, err
		}
	}
	return f32Out(x...), nil
}

func wantEpsilon(op string, epsilon float32) error {
	if !(epsilon >= 0 && zeroOrNormal(epsilon)) {
		return &AttrError{Op: op, Attr: "epsilon", Got: fmt.Sprint(epsilon), Want: "0 or more, finite and not subnormal"}
	}
	return nil
}

// normCost counts an element's addition for the mean, its subtraction, square and
// addition for the variance, and its subtraction, product and sum for the result.
func normCost(in, out []TensorDesc) Cost {
	return Cost{FLOPs: 7 * int64(out[0].Shape.Size()), Bytes: sumBytes(in) + sumBytes(out)}
}
