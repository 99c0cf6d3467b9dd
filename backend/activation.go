package backend

import "fmt"

// ActKind names an activation function.
type ActKind uint8

// The activations. NaN in gives NaN out, in every one of them.
const (
	Relu      ActKind = iota // y = max(x, 0)
	LeakyRelu                // y = x for x ≥ 0, Alpha·x below
	Clip                     // y = min(max(x, Alpha), Beta)
	Sigmoid                  // y = 1 / (1 + e⁻ˣ)
	Tanh                     // y = tanh x
)

var actNames = [...]string{"Relu", "LeakyRelu", "Clip", "Sigmoid", "Tanh"}

// String returns ONNX's name.
func (k ActKind) String() string {
	if int(k) < len(actNames) {
		return actNames[k]
	}
	return fmt.Sprintf("ActKind(%d)", uint8(k))
}

// Act is an activation function with its constants.
type Act struct {
	Kind  ActKind
	Alpha float32 // LeakyRelu: slope below 0; Clip: lower bound
	Beta  float32 // Clip: upper bound, not below Alpha
}

// check fails on an unknown kind or constants outside the domain.
func (a Act) check(op, attr string) error {
	if int(a.Kind) >= len(actNames) {
		return &AttrError{Op: op, Attr: attr, Got: a.Kind.String(), Want: fmt.Sprint(actNames)}
	}
	if a.Kind == Clip && !(a.Alpha <= a.Beta) {
		return &AttrError{Op: op, Attr: attr + ": bounds", Got: fmt.Sprintf("[%v, %v]", a.Alpha, a.Beta), Want: "lower ≤ upper"}
	}
	if a.Kind == LeakyRelu && a.Alpha != a.Alpha {
		return &AttrError{Op: op, Attr: attr + ": slope", Got: "NaN", Want: "a number"}
	}
	return nil
}
