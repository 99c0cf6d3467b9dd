package backend

import (
	"fmt"
	"strconv"

	"github.com/convgl/convgl/tensor"
)

// Concat joins tensors along one axis, in the order of the inputs:
//
//	y[..., i, ...] = x_k[..., i − (d_0 + … + d_(k−1)), ...]
//
// where d_k is the size of x_k along the axis and k the input that i falls into.
//
// Inputs: x0, x1, … of one type, float32 or int32, and one rank of 1 or more; all
// dims but the axis agree. One may be empty. Output: y.
//
// Source: ONNX Concat-13.
type Concat struct {
	Axis   int // −rank to rank−1; negative counts from the end; channels are 1
	Inputs int // number of inputs, 1 or more
}

// maxInputs bounds Concat.Inputs against a slip of the finger.
const maxInputs = 1 << 16

// Kind returns "Concat".
func (Concat) Kind() string { return "Concat" }

// checkAttrs refuses a count of which there can be no list of arguments.
func (c Concat) checkAttrs() error {
	if c.Inputs < 1 || c.Inputs > maxInputs {
		return &AttrError{Op: "Concat", Attr: "inputs", Got: fmt.Sprint(c.Inputs), Want: fmt.Sprintf("1 to %d", maxInputs), Hint: "set Inputs to the number of tensors"}
	}
	return nil
}

// Args implements Op.
func (c Concat) Args() (in, out []Arg) {
	if c.checkAttrs() == nil {
		in = make([]Arg, c.Inputs)
		for i := range in {
			in[i].Name = "x" + strconv.Itoa(i)
		}
	}
	return in, []Arg{{Name: "y"}}
}

// Infer implements Op.
func (c Concat) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if err := c.checkAttrs(); err != nil {
		return nil, err
	}
	first := in[0]
	axis, err := ResolveAxis("Concat", c.Axis, len(first.Shape))
	if err != nil {
		return nil, err
	}
	y := first.Shape.Clone()
	for i, d := range in {
		arg := "x" + strconv.Itoa(i)
		if err := want4Bytes("Concat", arg, d); err != nil {
			return nil, err
		}
		if d.DType != first.DType {
			return nil, &ShapeError{Op: "Concat", Arg: arg + ": type", Got: d.DType.String(), Want: first.DType.String() + ", as x0"}
		}
		if len(d.Shape) != len(y) {
			return nil, &ShapeError{Op: "Concat", Arg: arg + ": rank", Got: fmt.Sprintf("%d (%v)", len(d.Shape), d.dims()), Want: fmt.Sprintf("%d, as x0 %v", len(y), first.dims())}
		}
		for k, n := range d.Shape {
			if k != axis && n != y[k] {
				return nil, &ShapeError{Op: "Concat", Arg: fmt.Sprintf("%s: dim %d", arg, k), Got: fmt.Sprintf("%s (%v)", d.dim(k), d.dims()), Want: fmt.Sprintf("%s, as x0 %v", first.dim(k), first.dims()), Hint: fmt.Sprintf("only dim %d, the axis, may differ", axis)}
			}
		}
		if i > 0 {
			// An empty tensor may have a dim of any size: the sum could overflow.
			if d.Shape[axis] > tensor.MaxElems-y[axis] {
				return nil, &ShapeError{Op: "Concat", Arg: "y", Got: fmt.Sprintf("more than %d along dim %d", tensor.MaxElems, axis), Want: "a size that fits in memory"}
			}
			y[axis] += d.Shape[axis]
		}
	}
	return []TensorDesc{{DType: first.DType, Shape: y}}, nil
}

// Cost implements Op: no arithmetic.
func (Concat) Cost(in, out []TensorDesc) Cost { return Cost{Bytes: sumBytes(in) + sumBytes(out)} }

// want4Bytes checks that the type is one that kernels move: float32 or int32.
func want4Bytes(kind, arg string, d TensorDesc) error {
	if d.DType.Size() != 4 {
		return &ShapeError{Op: kind, Arg: arg + ": type", Got: d.DType.String(), Want: "float32 or int32"}
	}
	return nil
}
