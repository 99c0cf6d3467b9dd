package backend

import "fmt"

// LRN divides each element by a power of the squares in the channels around it
// (local response normalisation):
//
//	y[n,c,...] = x[n,c,...] / D^Beta,   D = K + Alpha/Size · Σ_j x[n,j,...]²
//
// where j runs over the Size channels from c−⌊(Size−1)/2⌋ to c+⌈(Size−1)/2⌉, as far
// as x has them. Where D is 0, so that x is 0 too, y is as the formula has it: NaN
// for Beta above 0. D is float32 on some devices, which holds squares of 1e-19 to
// 1e19.
//
// Input: x [N,C,...] of rank 2 or more. Output: y of the same shape.
//
// Source: Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep
// Convolutional Neural Networks, 2012; ONNX LRN-13 (K is its bias).
type LRN struct {
	Size           int     // 1 or more
	Alpha, Beta, K float32 // finite, 0 or more, not subnormal; ONNX takes 1e-4, 0.75 and 1
}

// Kind returns "LRN".
func (LRN) Kind() string { return "LRN" }

// Args implements Op.
func (LRN) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (l LRN) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if err := wantF32("LRN", "x", in[0]); err != nil {
		return nil, err
	}
	if l.Size < 1 || l.Size > maxAttr {
		return nil, &AttrError{Op: "LRN", Attr: "size", Got: fmt.Sprint(l.Size), Want: fmt.Sprintf("1 to %d", maxAttr)}
	}
	for _, a := range []struct {
		name string
		v    float32
	}{{"alpha", l.Alpha}, {"beta", l.Beta}, {"k", l.K}} {
		if !(a.v >= 0 && zeroOrNormal(a.v)) {
			return nil, &AttrError{Op: "LRN", Attr: a.name, Got: fmt.Sprint(a.v), Want: "a finite number, 0 or more, not subnormal"}
		}
	}
	if per := float32(float64(l.Alpha) / float64(l.Size)); l.Alpha != 0 && !normal(per) {
		return nil, &AttrError{Op: "LRN", Attr: "alpha", Got: fmt.Sprint(l.Alpha), Want: fmt.Sprintf("a number that is not subnormal when it is divided by size %d", l.Size)}
	}
	x := in[0].Shape
	if len(x) < 2 {
		return nil, &ShapeError{Op: "LRN", Arg: "x: rank", Got: fmt.Sprintf("%d (%v)", len(x), in[0].dims()), Want: "2 or more (N, C, ...)"}
	}
	return f32Out(x...), nil
}

// Cost implements Op: a square and an addition for each channel of the window, and
// a product, an addition, a power and a quotient.
func (l LRN) Cost(in, out []TensorDesc) Cost {
	x := in[0].Shape
	terms := int64(min(l.Size, x[1]))
	return Cost{FLOPs: (2*terms + 4) * int64(x.Size()), Bytes: sumBytes(in) + sumBytes(out)}
}
