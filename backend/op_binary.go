package backend

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// BinaryKind names an elementwise op of two tensors.
type BinaryKind uint8

// The elementwise ops of two tensors. Comparisons give masks: 1 where they hold and
// 0 where not, and 0 where an operand is NaN.
const (
	Add   BinaryKind = iota // y = a + b
	Sub                     // y = a − b
	Mul                     // y = a · b
	Div                     // y = a / b, by IEEE's rules for 0, ∞ and NaN
	PRelu                   // y = a where a ≥ 0 or is NaN, a · b below: b is the slope

	Maximum        // y = max(a, b), NaN where an operand is
	Minimum        // y = min(a, b), NaN where an operand is
	Power          // y = aᵇ, with the special cases of math.Pow: 1 where a is 1 or b is 0
	Less           // y = a < b
	LessOrEqual    // y = a ≤ b
	Greater        // y = a > b
	GreaterOrEqual // y = a ≥ b
	Equal          // y = a = b
)

var binaryNames = [...]string{"Add", "Sub", "Mul", "Div", "PRelu",
	"Max", "Min", "Pow", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"}

// String returns ONNX's name.
func (k BinaryKind) String() string {
	if int(k) < len(binaryNames) {
		return binaryNames[k]
	}
	return fmt.Sprintf("BinaryKind(%d)", uint8(k))
}

// BinaryKinds lists all of them.
func BinaryKinds() []BinaryKind {
	ks := make([]BinaryKind, len(binaryNames))
	for i := range ks {
		ks[i] = BinaryKind(i)
	}
	return ks
}

// Commutes reports whether operands may change places.
func (k BinaryKind) Commutes() bool {
	switch k {
	case Add, Mul, Maximum, Minimum, Equal:
		return true
	}
	return false
}

// Binary applies Fn elementwise to two tensors that are broadcast against each
// other: dims are aligned at the right, and a dim of 1 or an absent one stretches.
// A slope of PRelu that belongs to the channels of an image is [C, 1, 1].
//
// Inputs: a, b. Output: y of the broadcast shape.
//
// Source: ONNX Add-14, Sub-14, Mul-14, Div-14, PRelu-16, Max-13, Min-13, Pow-15,
// Less-13, LessOrEqual-16, Greater-13, GreaterOrEqual-16, Equal-19.
type Binary struct {
	Fn        BinaryKind
	SameShape bool // a and b must have one shape: nothing is broadcast
}

// Kind returns "Binary".
func (Binary) Kind() string { return "Binary" }

// Args implements Op.
func (Binary) Args() (in, out []Arg) { return []Arg{{Name: "a"}, {Name: "b"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (b Binary) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if int(b.Fn) >= len(binaryNames) {
		return nil, &AttrError{Op: "Binary", Attr: "fn", Got: b.Fn.String(), Want: fmt.Sprint(binaryNames)}
	}
	for i, name := range []string{"a", "b"} {
		if err := wantF32(b.Fn.String(), name, in[i]); err != nil {
			return nil, err
		}
	}
	if b.SameShape && !in[0].Shape.Equal(in[1].Shape) {
		return nil, &ShapeError{Op: b.Fn.String(), Arg: "a, b", Got: fmt.Sprintf("%v, %v", in[0].dims(), in[1].dims()), Want: "equal shapes"}
	}
	y, err := tensor.Broadcast(in[0].Shape, in[1].Shape)
	if err != nil {
		return nil, &ShapeError{Op: b.Fn.String(), Arg: "a, b", Got: fmt.Sprintf("%v, %v", in[0].dims(), in[1].dims()), Want: "shapes that broadcast", Hint: broadcastHint(in[0], in[1], 1)}
	}
	return f32Out(y...), nil
}

// broadcastHint says which dims of a and b, counted from the right and not before the
// given one, do not broadcast.
func broadcastHint(a, b TensorDesc, from int) string {
	na, nb := len(a.Shape), len(b.Shape)
	for i := from; i <= min(na, nb); i++ {
		if m, n := a.Shape[na-i], b.Shape[nb-i]; m != n && m != 1 && n != 1 {
			return fmt.Sprintf("%s against %s in dim %d from the right", a.dim(na-i), b.dim(nb-i), i)
		}
	}
	return ""
}

// Cost implements Op: one operation an element of y.
func (Binary) Cost(in, out []TensorDesc) Cost {
	return Cost{FLOPs: int64(out[0].Shape.Size()), Bytes: sumBytes(in) + sumBytes(out)}
}
