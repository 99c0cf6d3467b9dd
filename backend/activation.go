package backend

import (
	"fmt"
	"math"
)

// ActKind names an activation function.
type ActKind uint8

// The activations. NaN in gives NaN out, in every one of them. At −∞, where the
// formulas of Silu, HardSwish, Mish, Gelu and GeluTanh read −∞·0, they have their
// limit, 0.
const (
	Relu        ActKind = iota // y = max(x, 0)
	LeakyRelu                  // y = x for x ≥ 0, Alpha·x below
	Clip                       // y = min(max(x, Alpha), Beta)
	Sigmoid                    // y = σ(x) = 1 / (1 + e⁻ˣ)
	Tanh                       // y = tanh x
	Elu                        // y = x for x ≥ 0, Alpha·(eˣ − 1) below
	Selu                       // y = λx for x ≥ 0, λα(eˣ − 1) below, with SeluLambda and SeluAlpha
	Celu                       // y = x for x ≥ 0, Alpha·(e^(x/Alpha) − 1) below
	HardSigmoid                // y = min(max(Alpha·x + Beta, 0), 1)
	Softplus                   // y = ln(1 + eˣ)
	Softsign                   // y = x / (1 + |x|)
	Silu                       // y = x·σ(x), also called swish
	HardSwish                  // y = x·min(max(x + 3, 0), 6) / 6
	Mish                       // y = x·tanh(ln(1 + eˣ))
	Gelu                       // y = x·Φ(x) = x/2·(1 + erf(x/√2))
	GeluTanh                   // y = x/2·(1 + tanh(√(2/π)·(x + 0.044715x³)))
	Exp                        // y = eˣ

	Abs             // y = |x|
	Neg             // y = −x
	Ceil            // y = ⌈x⌉
	Floor           // y = ⌊x⌋
	Round           // y = the integer nearest to x, the even one of two
	Sign            // y = −1, 0 or 1, as x is below, equal to or above 0
	Sqrt            // y = √x, NaN below 0
	Reciprocal      // y = 1 / x, ±∞ at ±0
	Log             // y = ln x, −∞ at 0, NaN below
	Erf             // y = 2/√π · ∫₀ˣ e^(−t²) dt
	ThresholdedRelu // y = x for x > Alpha, 0 for others
	Sin             // y = sin x, NaN at ±∞
	Cos             // y = cos x, NaN at ±∞
)

// The constants of Selu: the fixed point at which mean 0 and variance 1 map to
// themselves (Klambauer et al., Self-Normalizing Neural Networks, 2017). ONNX's
// defaults are these, rounded to float32.
const (
	SeluLambda = 1.0507009873554804934193349852946
	SeluAlpha  = 1.6732632423543772848170429916717
)

var actNames = [...]string{"Relu", "LeakyRelu", "Clip", "Sigmoid", "Tanh", "Elu", "Selu", "Celu", "HardSigmoid",
	"Softplus", "Softsign", "Silu", "HardSwish", "Mish", "Gelu", "GeluTanh", "Exp",
	"Abs", "Neg", "Ceil", "Floor", "Round", "Sign", "Sqrt", "Reciprocal", "Log", "Erf", "ThresholdedRelu", "Sin", "Cos"}

// String returns the constant's name, which is ONNX's where ONNX has the function.
func (k ActKind) String() string {
	if int(k) < len(actNames) {
		return actNames[k]
	}
	return fmt.Sprintf("ActKind(%d)", uint8(k))
}

// ActKinds lists all of them.
func ActKinds() []ActKind {
	ks := make([]ActKind, len(actNames))
	for i := range ks {
		ks[i] = ActKind(i)
	}
	return ks
}

// Act is an activation function with its constants. A constant that the kind does
// not name is not looked at. None has a default: 0 is 0.
type Act struct {
	Kind ActKind
	// Alpha is the slope below 0 of LeakyRelu, the lower bound of Clip, the limit at
	// −∞ with its sign changed of Elu and Celu, the slope of HardSigmoid, the
	// threshold of ThresholdedRelu. Those of Elu, Celu and HardSigmoid are finite;
	// Celu's is above 0, HardSigmoid's is not 0, and both are not subnormal, since
	// devices take such numbers for 0, and so is no threshold but 0.
	Alpha float32
	Beta  float32 // Clip: upper bound, not below Alpha; HardSigmoid: value at 0, finite
}

// check fails on an unknown kind or constants outside the domain.
func (a Act) check(op, attr string) error {
	fail := func(what string, got float32, want, hint string) error {
		return &AttrError{Op: op, Attr: attr + ": " + what, Got: fmt.Sprint(got), Want: want, Hint: hint}
	}
	switch {
	case int(a.Kind) >= len(actNames):
		return &AttrError{Op: op, Attr: attr, Got: a.Kind.String(), Want: fmt.Sprint(actNames)}
	case a.Kind == Clip && !(a.Alpha <= a.Beta):
		return &AttrError{Op: op, Attr: attr + ": bounds", Got: fmt.Sprintf("[%v, %v]", a.Alpha, a.Beta), Want: "lower ≤ upper"}
	case a.Kind == LeakyRelu && a.Alpha != a.Alpha:
		return fail("slope", a.Alpha, "a number", "")
	case a.Kind == Elu && !finite(a.Alpha):
		return fail("alpha", a.Alpha, "a finite number", "1 is usual")
	case a.Kind == Celu && !(a.Alpha > 0 && normal(a.Alpha)):
		return fail("alpha", a.Alpha, "a positive finite number, not subnormal", "1 is usual")
	case a.Kind == HardSigmoid && !normal(a.Alpha):
		return fail("alpha", a.Alpha, "a finite number other than 0, not subnormal", "ONNX's default is 0.2, PyTorch's 1/6")
	case a.Kind == ThresholdedRelu && !(zeroOrNormal(a.Alpha) || math.IsInf(float64(a.Alpha), 0)):
		return fail("threshold", a.Alpha, "a number, not subnormal", "ONNX's default is 1")
	case a.Kind == HardSigmoid && !finite(a.Beta):
		return fail("beta", a.Beta, "a finite number", "0.5 is usual")
	}
	return nil
}

func finite(v float32) bool { return v-v == 0 }

// normal reports whether v is finite and no device takes it for 0.
func normal(v float32) bool { return finite(v) && math.Abs(float64(v)) >= 0x1p-126 }

// zeroOrNormal reports whether v is finite and devices take it for what it is.
func zeroOrNormal(v float32) bool { return v == 0 || normal(v) }
