package backend

import "fmt"

// Dense is a fully connected layer:
//
//	y[..., o] = b[o] + Σ_k x[..., k] · w[o, k]
//
// followed by the steps of Epilogue, whose channel is the last dim.
//
// Inputs: x [...,K] of rank 2 or more, w [O,K], b [O] if Bias, and the epilogue's
// operands. Output: y [...,O].
//
// Source: ONNX Gemm-13 with transB; PyTorch's Linear.
type Dense struct {
	Bias     bool
	Epilogue Epilogue
}

// Kind returns "Dense".
func (Dense) Kind() string { return "Dense" }

// Args implements Op.
func (d Dense) Args() (in, out []Arg) {
	in = []Arg{{Name: "x"}, {Name: "w", Weight: true}}
	if d.Bias {
		in = append(in, Arg{Name: "b", Weight: true})
	}
	return append(in, d.Epilogue.args()...), []Arg{{Name: "y"}}
}

// Infer implements Op.
func (d Dense) Infer(in []TensorDesc) ([]TensorDesc, error) {
	for i, name := range []string{"x", "w"} {
		if err := wantF32("Dense", name, in[i]); err != nil {
			return nil, err
		}
	}
	x, w := in[0].Shape, in[1].Shape
	if len(x) < 2 {
		return nil, &ShapeError{Op: "Dense", Arg: "x: rank", Got: fmt.Sprintf("%d (%v)", len(x), in[0].dims()), Want: "2 or more ([N, features])"}
	}
	k := x[len(x)-1]
	if len(w) != 2 || w[0] < 1 || w[1] != k || k < 1 {
		e := &ShapeError{Op: "Dense", Arg: "w", Got: in[1].dims(), Want: fmt.Sprintf("[out, in=%s] for x %v", in[0].dim(len(x)-1), in[0].dims())}
		if len(w) == 2 && w[0] == k {
			e.Hint = "transposed? weights are [out, in]"
		} else if len(x) > 2 {
			e.Hint = "is a Flatten missing before it?"
		}
		return nil, e
	}
	y := x.Clone()
	y[len(y)-1] = w[0]
	rest := in[2:]
	if d.Bias {
		if err := wantShape("Dense", "b", rest[0], w[0]); err != nil {
			return nil, err
		}
		rest = rest[1:]
	}
	if err := d.Epilogue.check("Dense", rest, y, len(y)-1); err != nil {
		return nil, err
	}
	return f32Out(y...), nil
}

// Cost implements Op: 2·M·K·O.
func (d Dense) Cost(in, out []TensorDesc) Cost {
	y := int64(out[0].Shape.Size())
	n := 2*y*int64(in[1].Shape[1]) + d.Epilogue.flops(y)
	if d.Bias {
		n += y
	}
	return Cost{FLOPs: n, Bytes: sumBytes(in) + sumBytes(out)}
}
