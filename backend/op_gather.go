package backend

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// Gather takes slices of a tensor along one axis, by number:
//
//	y[a..., i..., b...] = x[a..., index[i...], b...]
//
// where a are the dims before the axis and b those behind it. An index below 0
// counts from the end: −1 is the last of the n elements along the axis.
//
// Inputs: x, float32 or int32, of rank 1 or more; index, int32, of any shape, a
// scalar too. Output: y of the type of x, whose shape is that of x with index's
// shape in place of the axis.
//
// Values are not known before a run, so an index outside −n ≤ index < n is no
// error: its elements of y are NaN, or the least int32. No memory outside x is read.
//
// Source: ONNX Gather-13.
type Gather struct {
	Axis int // −rank to rank−1; negative counts from the end
}

// Kind returns "Gather".
func (Gather) Kind() string { return "Gather" }

// Args implements Op.
func (Gather) Args() (in, out []Arg) {
	return []Arg{{Name: "x"}, {Name: "index"}}, []Arg{{Name: "y"}}
}

// Infer implements Op.
func (g Gather) Infer(in []TensorDesc) ([]TensorDesc, error) {
	x, index := in[0], in[1]
	if err := want4Bytes("Gather", "x", x); err != nil {
		return nil, err
	}
	if len(x.Shape) == 0 {
		return nil, &ShapeError{Op: "Gather", Arg: "x: rank", Got: "0", Want: "1 or more"}
	}
	if err := wantI32("Gather", "index", index); err != nil {
		return nil, err
	}
	axis, err := ResolveAxis("Gather", g.Axis, len(x.Shape))
	if err != nil {
		return nil, err
	}
	if rank := len(x.Shape) - 1 + len(index.Shape); rank > tensor.MaxRank {
		return nil, &ShapeError{Op: "Gather", Arg: "y: rank", Got: fmt.Sprintf("%d, of x %v and index %v", rank, x.dims(), index.dims()), Want: fmt.Sprintf("%d at most", tensor.MaxRank)}
	}
	if err := indexableDim("Gather", x.Shape[axis]); err != nil {
		return nil, err
	}
	y := append(x.Shape[:axis].Clone(), index.Shape...)
	return []TensorDesc{{DType: x.DType, Shape: append(y, x.Shape[axis+1:]...)}}, nil
}

// Cost implements Op: no arithmetic; what is taken is read and written.
func (Gather) Cost(in, out []TensorDesc) Cost {
	return Cost{Bytes: sumBytes(in[1:]) + 2*sumBytes(out)}
}

// wantI32 checks that an input is int32.
func wantI32(kind, arg string, d TensorDesc) error {
	if d.DType != tensor.Int32 {
		return &ShapeError{Op: kind, Arg: arg + ": type", Got: d.DType.String(), Want: "int32"}
	}
	return nil
}

// indexableDim checks that an int32 can count the elements of a dim.
func indexableDim(op string, n int) error {
	if n > maxAttr {
		return &LimitError{Op: op, What: "elements along the axis, for int32 indices", Got: int64(n), Max: maxAttr}
	}
	return nil
}
