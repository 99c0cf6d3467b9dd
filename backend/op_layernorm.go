package backend

// LayerNorm normalises each slice over the dims from Axis on by its own mean μ and
// variance σ²:
//
//	y[..., i] = scale[i] · (x[..., i] − μ[...]) / √(σ²[...] + Epsilon) + bias[i]
//
// where i runs over those dims, so that scale and bias have one value for each
// element of a slice. σ² is the mean of (x − μ)². Equal elements give y = bias; with
// Epsilon 0 they give NaN, which is 0/0. A NaN or an infinity makes its slice NaN.
//
// Inputs: x of rank 1 or more, scale and bias of shape x[Axis:]. Output: y of x's
// shape.
//
// Source: Ba, Kiros and Hinton, Layer Normalization, 2016; ONNX
// LayerNormalization-17.
type LayerNorm struct {
	Axis    int     // −rank to rank−1; negative counts from the end
	Epsilon float32 // 0 or more, not subnormal; PyTorch and ONNX take 1e-5
}

// Kind returns "LayerNorm".
func (LayerNorm) Kind() string { return "LayerNorm" }

// Args implements Op.
func (LayerNorm) Args() (in, out []Arg) { return normArgs() }

// Infer implements Op.
func (l LayerNorm) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if err := wantF32("LayerNorm", "x", in[0]); err != nil {
		return nil, err
	}
	if err := wantEpsilon("LayerNorm", l.Epsilon); err != nil {
		return nil, err
	}
	x := in[0].Shape
	axis, err := ResolveAxis("LayerNorm", l.Axis, len(x))
	if err != nil {
		return nil, err
	}
	for i, name := range []string{"scale", "bias"} {
		if err := wantShape("LayerNorm", name, in[1+i], x[axis:]...); err != nil {
			return nil, err
		}
	}
	return f32Out(x...), nil
}

// Cost implements Op.
func (LayerNorm) Cost(in, out []TensorDesc) Cost { return normCost(in, out) }
