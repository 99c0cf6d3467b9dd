package backend

import "fmt"

// BatchNorm normalises each channel by given statistics (inference):
//
//	y[n,c,...] = scale[c] · (x[n,c,...] − mean[c]) / √(var[c] + Epsilon) + bias[c]
//
// Inputs: x [N,C,...] of rank 2 or more, scale, bias, mean and var [C]. Output: y
// of x's shape.
//
// Source: ONNX BatchNormalization-15 with training_mode 0.
type BatchNorm struct {
	Epsilon float32 // 0 or more, not subnormal; PyTorch and ONNX take 1e-5
}

// Kind returns "BatchNorm".
func (BatchNorm) Kind() string { return "BatchNorm" }

// Args implements Op.
func (BatchNorm) Args() (in, out []Arg) {
	return []Arg{{Name: "x"}, {Name: "scale", Weight: true}, {Name: "bias", Weight: true}, {Name: "mean", Weight: true}, {Name: "var", Weight: true}}, []Arg{{Name: "y"}}
}

// Infer implements Op.
func (b BatchNorm) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if err := wantF32("BatchNorm", "x", in[0]); err != nil {
		return nil, err
	}
	if err := wantEpsilon("BatchNorm", b.Epsilon); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if len(x) < 2 {
		return nil, &ShapeError{Op: "BatchNorm", Arg: "x: rank", Got: fmt.Sprintf("%d (%v)", len(x), in[0].dims()), Want: "2 or more (N, C, ...)"}
	}
	args, _ := b.Args()
	for i := 1; i < 5; i++ {
		if err := wantShape("BatchNorm", args[i].Name, in[i], x[1]); err != nil {
			return nil, err
		}
	}
	return f32Out(x...), nil
}

// Cost implements Op: a multiplication and an addition an element.
func (BatchNorm) Cost(in, out []TensorDesc) Cost {
	return Cost{FLOPs: 2 * int64(out[0].Shape.Size()), Bytes: sumBytes(in) + sumBytes(out)}
}
