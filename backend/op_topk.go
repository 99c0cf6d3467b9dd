package backend

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// TopK returns the K largest elements along Axis, or the smallest, in descending
// order, or ascending, and where they are:
//
//	values[..., i, ...] = x[..., indices[..., i, ...], ...]
//
// Equal elements, as −0 and +0, are in the order of their indices. NaN counts as
// larger than every number.
//
// Input: x of rank 1 or more. Outputs: values and indices, int32, of the shape of x
// with K along the axis.
//
// Source: ONNX TopK-11 with sorted 1.
type TopK struct {
	K        int  // 0 to the size of x along the axis
	Axis     int  // −rank to rank−1; negative counts from the end
	Smallest bool // the smallest, ascending; otherwise the largest, descending
}

// Kind returns "TopK".
func (TopK) Kind() string { return "TopK" }

// Args implements Op.
func (TopK) Args() (in, out []Arg) {
	return []Arg{{Name: "x"}}, []Arg{{Name: "values"}, {Name: "indices"}}
}

// Infer implements Op.
func (k TopK) Infer(in []TensorDesc) ([]TensorDesc, error) {
	x := in[0]
	if err := wantF32("TopK", "x", x); err != nil {
		return nil, err
	}
	axis, err := ResolveAxis("TopK", k.Axis, len(x.Shape))
	if err != nil {
		return nil, err
	}
	n := x.Shape[axis]
	if k.K < 0 || k.K > n {
		return nil, &AttrError{Op: "TopK", Attr: "k", Got: fmt.Sprint(k.K), Want: fmt.Sprintf("0 to %s, the size of x %v along dim %d", x.dim(axis), x.dims(), axis)}
	}
	if err := indexableDim("TopK", n); err != nil {
		return nil, err
	}
	y := x.Shape.Clone()
	y[axis] = k.K
	return append(f32Out(y...), TensorDesc{DType: tensor.Int32, Shape: y.Clone()}), nil
}

// Cost implements Op: a comparison an element of x.
func (TopK) Cost(in, out []TensorDesc) Cost {
	return Cost{FLOPs: int64(in[0].Shape.Size()), Bytes: sumBytes(in) + sumBytes(out)}
}
