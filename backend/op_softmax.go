package backend

import "fmt"

// Softmax normalises along one axis, with m = max x over the axis:
//
//	y = e^(x−m) / Σ e^(x−m)        or, if Log,  y = x − m − ln Σ e^(x−m)
//
// NaN in a slice makes the whole slice NaN, and so does a slice of which the
// maximum is infinite.
//
// Input: x of rank 1 or more. Output: y of the same shape.
//
// Source: ONNX Softmax-13, LogSoftmax-13.
type Softmax struct {
	Axis int  // −rank to rank−1; negative counts from the end
	Log  bool // the logarithm of the result
}

// Kind returns "Softmax".
func (Softmax) Kind() string { return "Softmax" }

// Args implements Op.
func (Softmax) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (s Softmax) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if err := wantF32("Softmax", "x", in[0]); err != nil {
		return nil, err
	}
	if _, err := ResolveAxis("Softmax", s.Axis, len(in[0].Shape)); err != nil {
		return nil, err
	}
	return f32Out(in[0].Shape...), nil
}

// Cost implements Op: a maximum, an exponential, a sum and a quotient an element.
func (Softmax) Cost(in, out []TensorDesc) Cost {
	return Cost{FLOPs: 4 * int64(out[0].Shape.Size()), Bytes: sumBytes(in) + sumBytes(out)}
}

// ResolveAxis turns an axis that may count from the end into one from 0 to
// rank−1. It fails with *AttrError outside.
func ResolveAxis(op string, axis, rank int) (int, error) {
	if axis < -rank || axis >= rank {
		return 0, &AttrError{Op: op, Attr: "axis", Got: fmt.Sprint(axis), Want: fmt.Sprintf("%d to %d for rank %d", -rank, rank-1, rank)}
	}
	if axis < 0 {
		axis += rank
	}
	return axis, nil
}
