package backend

import "fmt"

// GlobalPool reduces all spatial dims of a channel to one element: its maximum
// (NaN propagates) or its mean.
//
// Input: x [N,C,spatial...] with at least one spatial element. Output: y [N,C,1...].
//
// Source: ONNX GlobalMaxPool-1, GlobalAveragePool-1.
type GlobalPool struct {
	Mean bool // the mean; otherwise the maximum
}

// Kind returns "GlobalPool".
func (GlobalPool) Kind() string { return "GlobalPool" }

// Args implements Op.
func (GlobalPool) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (GlobalPool) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if err := wantImage("GlobalPool", "x", in[0]); err != nil {
		return nil, err
	}
	x := in[0].Shape
	y := []int{x[0], x[1]}
	for i, d := range x[2:] {
		if d < 1 {
			return nil, &ShapeError{Op: "GlobalPool", Arg: "x: dim " + spatialName(i, len(x)-2), Got: fmt.Sprint(d), Want: "1 or more"}
		}
		y = append(y, 1)
	}
	return f32Out(y...), nil
}

// Cost implements Op: an operation an element of x.
func (GlobalPool) Cost(in, out []TensorDesc) Cost {
	return Cost{FLOPs: int64(in[0].Shape.Size()), Bytes: sumBytes(in) + sumBytes(out)}
}
