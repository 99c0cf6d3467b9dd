package backend

// Reorder copies a tensor from the layout of its input to that of its output,
// both given in the Desc. The lanes that a layout pads are written as zeros.
//
// Input: x of any shape, float32 or int32. Output: y of the same shape and type.
type Reorder struct{}

// Kind returns "Reorder".
func (Reorder) Kind() string { return "Reorder" }

// Args implements Op.
func (Reorder) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (Reorder) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if s := in[0].DType.Size(); s != 4 {
		return nil, &ShapeError{Op: "Reorder", Arg: "x: type", Got: in[0].DType.String(), Want: "float32 or int32"}
	}
	return []TensorDesc{{DType: in[0].DType, Shape: in[0].Shape}}, nil
}

// Cost implements Op: no arithmetic.
func (Reorder) Cost(in, out []TensorDesc) Cost { return Cost{Bytes: sumBytes(in) + sumBytes(out)} }
