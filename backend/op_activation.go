package backend

// Activation applies an activation function to each element: y = Act(x); see
// [ActKind] for the formulas. NaN propagates.
//
// Input: x of any shape. Output: y of the same shape.
//
// Source: ONNX Relu-14, LeakyRelu-16, Clip-13, Sigmoid-13, Tanh-13, Elu-6, Selu-6,
// Celu-12, HardSigmoid-6, Softplus-1, Softsign-1, Swish-24 (Silu), HardSwish-14,
// Mish-18, Gelu-20 (approximate "none" and "tanh"), Exp-13, Abs-13, Neg-13, Ceil-13,
// Floor-13, Round-11, Sign-13, Sqrt-13, Reciprocal-13, Log-13, Erf-13,
// ThresholdedRelu-10, Sin-7, Cos-7.
type Activation struct{ Act }

// Kind returns "Activation".
func (Activation) Kind() string { return "Activation" }

// Args implements Op.
func (Activation) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (a Activation) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if err := a.Act.check("Activation", a.Act.Kind.String()); err != nil {
		return nil, err
	}
	if err := wantF32("Activation", "x", in[0]); err != nil {
		return nil, err
	}
	return f32Out(in[0].Shape...), nil
}

// Cost implements Op: one operation an element.
func (Activation) Cost(in, out []TensorDesc) Cost {
	return Cost{FLOPs: int64(out[0].Shape.Size()), Bytes: sumBytes(in) + sumBytes(out)}
}
