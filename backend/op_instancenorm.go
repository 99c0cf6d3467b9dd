package backend

// InstanceNorm normalises each channel of an image by its own mean μ and variance
// σ²: [GroupNorm] with as many groups as channels.
//
//	y[n,c,...] = scale[c] · (x[n,c,...] − μ[n,c]) / √(σ²[n,c] + Epsilon) + bias[c]
//
// Inputs: x [N,C,...] of rank 2 or more, scale and bias [C]. Output: y of x's
// shape.
//
// Source: Ulyanov, Vedaldi and Lempitsky, Instance Normalization, 2016; ONNX
// InstanceNormalization-6.
type InstanceNorm struct {
	Epsilon float32 // 0 or more, not subnormal; PyTorch and ONNX take 1e-5
}

// Kind returns "InstanceNorm".
func (InstanceNorm) Kind() string { return "InstanceNorm" }

// Args implements Op.
func (InstanceNorm) Args() (in, out []Arg) { return normArgs() }

// Infer implements Op.
func (i InstanceNorm) Infer(in []TensorDesc) ([]TensorDesc, error) {
	return inferChannelNorm("InstanceNorm", i.Epsilon, in)
}

// Cost implements Op.
func (InstanceNorm) Cost(in, out []TensorDesc) Cost { return normCost(in, out) }
