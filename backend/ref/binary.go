package ref

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// binary computes y[i] = a[…] ∘ b[…] with a and b broadcast to y's shape.
func binary(op backend.Binary, d backend.Desc) definition {
	shape := d.Out[0].Shape
	as := backend.BroadcastStrides(d.In[0].Shape, shape)
	bs := backend.BroadcastStrides(d.In[1].Shape, shape)
	return func(in, out []array) {
		for i := range out[0].size {
			a, b := in[0].at(offset(i, shape, as)), in[1].at(offset(i, shape, bs))
			out[0].set(i, combine(op.Fn, a, b))
		}
	}
}

func combine(fn backend.BinaryKind, a, b float64) float64 {
	switch fn {
	case backend.Add:
		return a + b
	case backend.Sub:
		return a - b
	case backend.Mul:
		return a * b
	case backend.Div:
		return a / b
	case backend.PRelu:
		if a < 0 {
			return a * b
		}
		return a
	case backend.Maximum: // Go's max and min return NaN when an argument is one
		return max(a, b)
	case backend.Minimum:
		return min(a, b)
	case backend.Power:
		return math.Pow(a, b)
	case backend.Less:
		return mask(a < b)
	case backend.LessOrEqual:
		return mask(a <= b)
	case backend.Greater:
		return mask(a > b)
	case backend.GreaterOrEqual:
		return mask(a >= b)
	case backend.Equal:
		return mask(a == b)
	}
	return math.NaN() // Infer refuses other kinds
}

// mask is 1 for true and 0 for false.
func mask(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}
