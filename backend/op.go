package backend

import (
	"fmt"
	"reflect"

	"github.com/convgl/convgl/tensor"
)

// Op is the description of an operation by its attributes, without tensors. Its
// dynamic types are the structs of this package, one file each (op_*.go).
type Op interface {
	// Kind is the op's name, as "Conv".
	Kind() string
	// Args names the inputs and outputs, which may depend on the attributes.
	Args() (in, out []Arg)
	// Infer checks the attributes and the inputs' shapes and types and returns the
	// outputs', with layout Any. It fails with *ShapeError or *AttrError.
	Infer(in []TensorDesc) ([]TensorDesc, error)
	// Cost returns the nominal work for inputs and outputs that Infer accepted.
	Cost(in, out []TensorDesc) Cost
}

// Arg names an input or output of an op.
type Arg struct {
	Name string
	// Weight marks an input that is a parameter of a model: constant in inference.
	Weight bool
}

// Pass is the direction of a computation.
type Pass uint8

const (
	// Forward computes an op's outputs from its inputs.
	Forward Pass = iota
	// BackwardData computes the gradient with respect to the data input.
	BackwardData
	// BackwardWeights computes the gradients with respect to the weights.
	BackwardWeights
)

// String returns the pass's name.
func (p Pass) String() string {
	if int(p) < len(passNames) {
		return passNames[p]
	}
	return fmt.Sprintf("Pass(%d)", uint8(p))
}

var passNames = [...]string{"forward", "backward-data", "backward-weights"}

// Differentiable is an op that has backward passes as kernels.
type Differentiable interface {
	Op
	// BackwardArgs names the inputs and outputs of a backward pass; it fails when
	// the op has no such pass.
	BackwardArgs(Pass) (in, out []Arg, err error)
	// CheckBackward checks the inputs and outputs of a backward pass. Unlike in the
	// forward pass the outputs are given: a stride hides the size of x from gy.
	CheckBackward(p Pass, in, out []TensorDesc) error
}

// Desc is all that a kernel is prepared for.
type Desc struct {
	Op   Op
	Pass Pass
	In   []TensorDesc
	// Out may be nil in a forward pass: it is then inferred. If given, it must agree
	// with what is inferred, and may fix the layouts.
	Out []TensorDesc
	// Algorithm forces one of Backend.Algorithms; "" is the backend's choice.
	Algorithm string
}

// Resolve validates d and returns it with Out filled in. Backends call it first
// in Prepare. Layouts that are Any remain so.
func (d Desc) Resolve() (Desc, error) {
	if d.Op == nil {
		return d, &AttrError{Op: "Desc", Attr: "Op", Got: "nil", Want: "an op"}
	}
	if isPointer(d.Op) {
		return d, &AttrError{Op: "Desc", Attr: "Op", Got: fmt.Sprintf("%T", d.Op), Want: "an op by value", Hint: "leave out the &"}
	}
	kind := d.Op.Kind()
	if c, ok := d.Op.(interface{ checkAttrs() error }); ok { // where Args depends on them
		if err := c.checkAttrs(); err != nil {
			return d, err
		}
	}
	wantIn, wantOut, err := d.Args()
	if err != nil {
		return d, err
	}
	if err := checkArgs(kind, "inputs", d.In, wantIn); err != nil {
		return d, err
	}
	if d.Pass != Forward {
		if err := checkArgs(kind, "outputs", d.Out, wantOut); err != nil {
			return d, err
		}
		return d, d.Op.(Differentiable).CheckBackward(d.Pass, d.In, d.Out)
	}
	out, err := d.Op.Infer(d.In)
	if err != nil {
		return d, err
	}
	for i, o := range out {
		if _, err := o.Elems(); err != nil {
			return d, &ShapeError{Op: kind, Arg: wantOut[i].Name, Got: o.Shape.String(), Want: "a size that fits in memory", Hint: err.Error()}
		}
	}
	if d.Out == nil {
		d.Out = out
		return d, nil
	}
	if err := checkArgs(kind, "outputs", d.Out, wantOut); err != nil {
		return d, err
	}
	for i, o := range out {
		if g := d.Out[i]; !g.Shape.Equal(o.Shape) || g.DType != o.DType {
			return d, &ShapeError{Op: kind, Arg: wantOut[i].Name, Got: g.String(), Want: o.String()}
		}
	}
	return d, nil
}

// isPointer reports whether op is a pointer to an op. It implements Op too, but no
// backend knows it, and a nil one panics.
func isPointer(op Op) bool { return reflect.TypeOf(op).Kind() == reflect.Pointer }

// Args names the inputs and outputs of d's pass.
func (d Desc) Args() (in, out []Arg, err error) {
	if d.Pass == Forward {
		in, out = d.Op.Args()
		return in, out, nil
	}
	if b, ok := d.Op.(Differentiable); ok {
		return b.BackwardArgs(d.Pass)
	}
	return nil, nil, Unsupported("contract", d.Op.Kind(), d.Pass.String()+" pass")
}

// Cost returns the nominal work of d, which Resolve has accepted.
func (d Desc) Cost() Cost {
	if d.Pass == Forward {
		return d.Op.Cost(d.In, d.Out)
	}
	// A backward pass of a bilinear op multiplies as often as the forward pass
	// does; its bytes are those of its own arguments.
	c := Cost{Bytes: sumBytes(d.In) + sumBytes(d.Out)}
	if f, ok := d.Op.(interface {
		backwardFLOPs(p Pass, in, out []TensorDesc) int64
	}); ok {
		c.FLOPs = f.backwardFLOPs(d.Pass, d.In, d.Out)
	}
	return c
}

func checkArgs(kind, what string, got []TensorDesc, want []Arg) error {
	if len(got) != len(want) {
		names := make([]string, len(want))
		for i, a := range want {
			names[i] = a.Name
		}
		return &ShapeError{Op: kind, Arg: what, Got: fmt.Sprint(len(got)), Want: fmt.Sprintf("%d: %v", len(want), names)}
	}
	for i, d := range got {
		if err := d.Check(kind, want[i].Name); err != nil {
			return err
		}
	}
	return nil
}

// wantF32 checks that an input is float32.
func wantF32(kind, arg string, d TensorDesc) error {
	if d.DType != tensor.Float32 {
		return &ShapeError{Op: kind, Arg: arg + ": type", Got: d.DType.String(), Want: "float32"}
	}
	return nil
}

// wantShape checks a shape and the type float32.
func wantShape(kind, arg string, d TensorDesc, shape ...int) error {
	if err := wantF32(kind, arg, d); err != nil {
		return err
	}
	if !d.Shape.Equal(shape) {
		return &ShapeError{Op: kind, Arg: arg, Got: d.dims(), Want: tensor.Shape(shape).String()}
	}
	return nil
}

// wantImage checks that x is float32 of shape N, C and 1 to 3 spatial dims.
func wantImage(kind, arg string, d TensorDesc) error {
	if err := wantF32(kind, arg, d); err != nil {
		return err
	}
	if n := len(d.Shape); n < 3 || n > 5 {
		return &ShapeError{Op: kind, Arg: arg + ": rank", Got: fmt.Sprintf("%d (%v)", n, d.dims()), Want: "3, 4 or 5 (N, C and 1 to 3 spatial dims)", Hint: "add the batch dim?"}
	}
	return nil
}

func f32Out(shape ...int) []TensorDesc { return []TensorDesc{F32(shape...)} }

func sumBytes(ds []TensorDesc) int64 {
	var n int64
	for _, d := range ds {
		// The nominal traffic does not count the padding of a layout.
		n += int64(d.Shape.Size()) * int64(d.DType.Size())
	}
	return n
}

func spread(s []int) int64 {
	n := int64(1)
	for _, d := range s {
		n *= int64(d)
	}
	return n
}
