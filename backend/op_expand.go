package backend

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// Expand stretches x to a shape, by the rules of broadcasting both ways: dims are
// aligned at the right, and a dim of 1 (or an absent one) of x or of Shape takes the
// size of the other,
//
//	y[…, j_d, …] = x[…, 0 where x has one position else j_d, …]
//
// Input: x of any rank, float32 or int32. Output: y of the same type and the
// broadcast shape.
//
// Source: ONNX Expand-13.
type Expand struct {
	Shape []int
}

// Kind returns "Expand".
func (Expand) Kind() string { return "Expand" }

// Args implements Op.
func (Expand) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (e Expand) Infer(in []TensorDesc) ([]TensorDesc, error) {
	x := in[0]
	if err := want4Bytes("Expand", "x", x); err != nil {
		return nil, err
	}
	shape, err := attrInts("Expand", "shape", e.Shape, len(e.Shape), 0, 0)
	if err != nil {
		return nil, err
	}
	y, err := tensor.Broadcast(x.Shape, shape)
	if err != nil {
		return nil, &ShapeError{Op: "Expand", Arg: "x", Got: x.dims(), Want: fmt.Sprintf("a shape that broadcasts with %v", e.Shape), Hint: broadcastHint(x, F32(shape...), 1)}
	}
	return []TensorDesc{{DType: x.DType, Shape: y}}, nil
}

// Cost implements Op: no arithmetic.
func (Expand) Cost(in, out []TensorDesc) Cost { return Cost{Bytes: sumBytes(in) + sumBytes(out)} }
