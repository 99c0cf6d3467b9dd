package ref

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// act applies an activation function. NaN in gives NaN out: Go's min and max
// return NaN when an argument is one.
func act(a backend.Act, x float64) float64 {
	alpha, beta := float64(a.Alpha), float64(a.Beta)
	switch a.Kind {
	case backend.Relu:
		return max(x, 0)
	case backend.LeakyRelu:
		if x < 0 {
			return alpha * x
		}
		return x
	case backend.Clip:
		return min(max(x, alpha), beta)
	case backend.Sigmoid:
		return sigmoid(x)
	case backend.Tanh:
		return math.Tanh(x)
	case backend.Elu:
		return elu(x, alpha, 1)
	case backend.Selu:
		return backend.SeluLambda * elu(x, backend.SeluAlpha, 1)
	case backend.Celu:
		return elu(x, alpha, alpha)
	case backend.HardSigmoid:
		return min(max(alpha*x+beta, 0), 1)
	case backend.Softplus:
		return softplus(x)
	case backend.Softsign:
		if math.IsInf(x, 0) {
			return math.Copysign(1, x)
		}
		return x / (1 + math.Abs(x))
	case backend.Silu:
		return gated(x, sigmoid(x))
	case backend.HardSwish:
		return gated(x, min(max(x+3, 0), 6)/6)
	case backend.Mish:
		return gated(x, math.Tanh(softplus(x)))
	case backend.Gelu: // Φ(x) = erfc(−x/√2)/2 does not cancel where x is negative
		return gated(x, math.Erfc(-x/math.Sqrt2)/2)
	case backend.GeluTanh: // (1 + tanh u)/2 = σ(2u)
		return gated(x, sigmoid(2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	case backend.Exp:
		return math.Exp(x)
	case backend.Abs:
		return math.Abs(x)
	case backend.Neg:
		return -x
	case backend.Ceil:
		return math.Ceil(x)
	case backend.Floor:
		return math.Floor(x)
	case backend.Round:
		return math.RoundToEven(x)
	case backend.Sign:
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return x // ±0 and NaN
	case backend.Sqrt:
		return math.Sqrt(x)
	case backend.Reciprocal:
		return 1 / x
	case backend.Log:
		return math.Log(x)
	case backend.Erf:
		return math.Erf(x)
	case backend.ThresholdedRelu:
		if x <= alpha {
			return 0
		}
		return x
	case backend.Sin:
		return math.Sin(x)
	case backend.Cos:
		return math.Cos(x)
	}
	return math.NaN() // Infer refuses other kinds
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// softplus is ln(1 + eˣ) with an exponent that is never positive.
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// elu is x, and below 0 scale·(e^(x/width) − 1).
func elu(x, scale, width float64) float64 {
	if x < 0 {
		return scale * math.Expm1(x/width)
	}
	return x
}

// gated is x·gate, and the limit 0 where the gate is shut: −∞·0 is no NaN.
func gated(x, gate float64) float64 {
	if gate == 0 {
		return 0
	}
	return x * gate
}

// activation computes y[i] = act(x[i]).
func activation(op backend.Activation) definition {
	return func(in, out []array) {
		x, y := &in[0], &out[0]
		for i := range y.size {
			y.set(i, act(op.Act, x.at(i)))
		}
	}
}
