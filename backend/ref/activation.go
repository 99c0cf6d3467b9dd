package ref

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// act applies an activation function. NaN in gives NaN out: Go's min and max
// return NaN when an argument is one.
func act(a backend.Act, x float64) float64 {
	switch a.Kind {
	case backend.Relu:
		return max(x, 0)
	case backend.LeakyRelu:
		if x < 0 {
			return float64(a.Alpha) * x
		}
		return x
	case backend.Clip:
		return min(max(x, float64(a.Alpha)), float64(a.Beta))
	case backend.Sigmoid:
		return 1 / (1 + math.Exp(-x))
	case backend.Tanh:
		return math.Tanh(x)
	}
	return math.NaN() // Infer refuses other kinds
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
