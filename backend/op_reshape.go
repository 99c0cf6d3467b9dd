package backend

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// Reshape gives the elements, in row-major logical order, another shape.
//
// Input: x of any type. Output: y with as many elements.
//
// Source: ONNX Reshape-14 with allowzero 0.
type Reshape struct {
	// Shape is the new shape: 0 copies the dim of x at that position, and one −1
	// takes what is left.
	Shape []int
}

// Kind returns "Reshape".
func (Reshape) Kind() string { return "Reshape" }

// Args implements Op.
func (Reshape) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (r Reshape) Infer(in []TensorDesc) ([]TensorDesc, error) {
	x := in[0].Shape
	fail := func(hint string) ([]TensorDesc, error) {
		want := fmt.Sprintf("the %d elements of x %v", x.Size(), x)
		if in[0].Dims != nil {
			want = fmt.Sprintf("the elements of x %v", in[0].dims())
		}
		return nil, &ShapeError{Op: "Reshape", Arg: "shape", Got: fmt.Sprint(r.Shape), Want: want, Hint: hint}
	}
	y := tensor.Shape(r.Shape).Clone()
	hole := -1
	for i, d := range y {
		switch {
		case d == 0 && i >= len(x):
			return fail("0 copies a dim that x does not have")
		case d == 0:
			y[i] = x[i]
		case d == -1 && hole >= 0:
			return fail("more than one −1")
		case d == -1:
			hole, y[i] = i, 1
		}
	}
	n, err := y.Elems()
	if err != nil {
		return fail(err.Error())
	}
	if hole >= 0 {
		if n == 0 || x.Size()%n != 0 {
			return fail("the other dims do not divide them")
		}
		y[hole] = x.Size() / n
		n = x.Size()
	}
	if n != x.Size() {
		return fail("")
	}
	return []TensorDesc{{DType: in[0].DType, Shape: y}}, nil
}

// Cost implements Op: no arithmetic.
func (Reshape) Cost(in, out []TensorDesc) Cost { return Cost{Bytes: sumBytes(in) + sumBytes(out)} }

// Flatten makes a matrix of a tensor: the dims before Axis and those from it on
// each become one.
//
// Input: x of any type. Output: y [d₀·…·d(Axis−1), dAxis·…].
//
// Source: ONNX Flatten-13.
type Flatten struct {
	Axis int // −rank to rank; the zero value is 0, layers of a network use 1
}

// Kind returns "Flatten".
func (Flatten) Kind() string { return "Flatten" }

// Args implements Op.
func (Flatten) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (f Flatten) Infer(in []TensorDesc) ([]TensorDesc, error) {
	x := in[0].Shape
	a := f.Axis
	if a < 0 {
		a += len(x)
	}
	if a < 0 || a > len(x) {
		return nil, &AttrError{Op: "Flatten", Attr: "axis", Got: fmt.Sprint(f.Axis), Want: fmt.Sprintf("%d to %d for rank %d", -len(x), len(x), len(x))}
	}
	return []TensorDesc{{DType: in[0].DType, Shape: tensor.Shape{int(spread(x[:a])), int(spread(x[a:]))}}}, nil
}

// Cost implements Op: no arithmetic.
func (Flatten) Cost(in, out []TensorDesc) Cost { return Cost{Bytes: sumBytes(in) + sumBytes(out)} }
