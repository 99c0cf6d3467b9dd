package backend

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// ArgMax returns where along Axis the largest element is, or the smallest:
//
//	y[..., ...] = the least j, or if Last the largest, with x[..., j, ...] = max x[..., i, ...] over i
//
// NaN counts as the extremum; the first NaN wins, whatever Last says.
//
// Input: x of rank 1 or more, with an element along the axis. Output: y int32, of the
// shape of x without the axis, or with 1 for it if KeepDims.
//
// Source: ONNX ArgMax-13, ArgMin-13; NumPy for NaN.
type ArgMax struct {
	Axis     int  // −rank to rank−1; negative counts from the end
	Min      bool // the smallest; otherwise the largest
	Last     bool // the last of equal ones; otherwise the first
	KeepDims bool // leave 1 for the axis
}

// Kind returns "ArgMax".
func (ArgMax) Kind() string { return "ArgMax" }

// Args implements Op.
func (ArgMax) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// name is the op's name for errors.
func (a ArgMax) name() string {
	if a.Min {
		return "ArgMin"
	}
	return "ArgMax"
}

// Infer implements Op.
func (a ArgMax) Infer(in []TensorDesc) ([]TensorDesc, error) {
	op, x := a.name(), in[0]
	if err := wantF32(op, "x", x); err != nil {
		return nil, err
	}
	axis, err := ResolveAxis(op, a.Axis, len(x.Shape))
	if err != nil {
		return nil, err
	}
	n := x.Shape[axis]
	if n < 1 {
		return nil, &ShapeError{Op: op, Arg: fmt.Sprintf("x: dim %d", axis), Got: fmt.Sprintf("%s (%v)", x.dim(axis), x.dims()), Want: "1 or more"}
	}
	if err := indexableDim(op, n); err != nil {
		return nil, err
	}
	y := append(tensor.Shape{}, x.Shape[:axis]...)
	if a.KeepDims {
		y = append(y, 1)
	}
	return []TensorDesc{{DType: tensor.Int32, Shape: append(y, x.Shape[axis+1:]...)}}, nil
}

// Cost implements Op: a comparison an element of x.
func (ArgMax) Cost(in, out []TensorDesc) Cost {
	return Cost{FLOPs: int64(in[0].Shape.Size()), Bytes: sumBytes(in) + sumBytes(out)}
}
