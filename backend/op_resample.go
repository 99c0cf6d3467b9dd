package backend

import "fmt"

// Resample makes each element along one axis a weighted sum of T elements of the
// input:
//
//	y[..., o, ...] = Σ_t weight[o,t] · x[..., index[o,t], ...]
//
// It is one pass of a separable filter whose taps differ from place to place:
// every way to change the size of an image that Resize does not know (cubic,
// antialiased, of a region) is a table of indices and weights an axis. A term of
// weight 0, or of an index outside 0 ≤ index < n, has no part in the sum, not even
// as NaN; a sum without terms is 0. So rows with fewer taps than T are filled up
// with zeros.
//
// Inputs: x of rank 1 or more; index, int32, [M,T]; weight [M,T]. Output: y, of the
// shape of x with M in place of the axis.
type Resample struct {
	Axis int // −rank to rank−1; negative counts from the end
}

// Kind returns "Resample".
func (Resample) Kind() string { return "Resample" }

// Args implements Op.
func (Resample) Args() (in, out []Arg) {
	return []Arg{{Name: "x"}, {Name: "index"}, {Name: "weight"}}, []Arg{{Name: "y"}}
}

// Infer implements Op.
func (r Resample) Infer(in []TensorDesc) ([]TensorDesc, error) {
	x, index, weight := in[0], in[1], in[2]
	if err := wantF32("Resample", "x", x); err != nil {
		return nil, err
	}
	if len(x.Shape) == 0 {
		return nil, &ShapeError{Op: "Resample", Arg: "x: rank", Got: "0", Want: "1 or more"}
	}
	axis, err := ResolveAxis("Resample", r.Axis, len(x.Shape))
	if err != nil {
		return nil, err
	}
	if err := wantI32("Resample", "index", index); err != nil {
		return nil, err
	}
	if len(index.Shape) != 2 {
		return nil, &ShapeError{Op: "Resample", Arg: "index: rank", Got: fmt.Sprintf("%d (%v)", len(index.Shape), index.dims()), Want: "2 ([M,T]: elements of y along the axis, terms of each)"}
	}
	if err := wantF32("Resample", "weight", weight); err != nil {
		return nil, err
	}
	if !weight.Shape.Equal(index.Shape) {
		return nil, &ShapeError{Op: "Resample", Arg: "weight", Got: weight.dims(), Want: index.dims() + ", as index"}
	}
	if err := indexableDim("Resample", x.Shape[axis]); err != nil {
		return nil, err
	}
	y := x.Shape.Clone()
	y[axis] = index.Shape[0]
	return f32Out(y...), nil
}

// Cost implements Op: a multiplication and an addition a term.
func (Resample) Cost(in, out []TensorDesc) Cost {
	return Cost{FLOPs: 2 * int64(in[1].Shape[1]) * int64(out[0].Shape.Size()), Bytes: sumBytes(in) + sumBytes(out)}
}
