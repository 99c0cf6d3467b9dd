package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// activation is an activation function on rows. Relu and Clip are exact, LeakyRelu
// is one rounding; all others are computed in float64 and rounded once: their error
// is below 0.51 units in the last place.
type activation struct {
	kind        backend.ActKind
	alpha, beta float32
	wide        func(float64) float64 // the function, of a kind that needs float64
}

func newActivation(a backend.Act) activation {
	return activation{a.Kind, a.Alpha, a.Beta, wideActivation(a)}
}

// wideActivation returns the function in float64; nil for a kind that apply
// computes itself. NaN in gives NaN out.
func wideActivation(a backend.Act) func(float64) float64 {
	alpha, beta := float64(a.Alpha), float64(a.Beta)
	switch a.Kind {
	case backend.Sigmoid:
		return sigmoid
	case backend.Tanh:
		return math.Tanh
	case backend.Elu:
		return elu(1, alpha, 1)
	case backend.Selu:
		return elu(backend.SeluLambda, backend.SeluLambda*backend.SeluAlpha, 1)
	case backend.Celu:
		return elu(1, alpha, 1/alpha)
	case backend.HardSigmoid:
		return func(x float64) float64 { return min(max(alpha*x+beta, 0), 1) }
	case backend.Softplus:
		return func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
	case backend.Softsign: // 2⁶⁰ is far beyond where y rounds to 1
		return func(x float64) float64 {
			x = min(max(x, -1<<60), 1<<60)
			return x / (1 + math.Abs(x))
		}
	case backend.Silu:
		return func(x float64) float64 { return gated(x, sigmoid(x)) }
	case backend.HardSwish:
		return func(x float64) float64 { return gated(x, min(max(x+3, 0), 6)/6) }
	case backend.Mish: // tanh(ln(1+e)) = (e²+2e)/(e²+2e+2); beyond 40 it is 1
		return func(x float64) float64 {
			e := math.Exp(min(x, 40))
			n := e * (e + 2)
			return gated(x, n/(n+2))
		}
	case backend.Gelu:
		return func(x float64) float64 { return gated(x, math.Erfc(x*-(1/math.Sqrt2))/2) }
	case backend.GeluTanh: // (1 + tanh u)/2 = σ(2u)
		return func(x float64) float64 { return gated(x, sigmoid(x*(1+0.044715*x*x)*math.Sqrt(8/math.Pi))) }
	case backend.Exp:
		return math.Exp
	}
	return nil
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// elu is slope·x, and below 0 scale·(e^(x·rate) − 1).
func elu(slope, scale, rate float64) func(float64) float64 {
	return func(x float64) float64 {
		if x < 0 {
			return scale * math.Expm1(x*rate)
		}
		return slope * x
	}
}

// gated is x·gate. Below −1000 every gate is shut, where x = −∞ would give NaN.
func gated(x, gate float64) float64 {
	if x < -1000 {
		return 0
	}
	return x * gate
}

// apply sets dst to the function of src; they may be the same. Comparisons are
// such that a NaN stays.
func (a activation) apply(dst, src []float32) {
	dst = dst[:len(src)]
	switch a.kind {
	case backend.Relu:
		for i, v := range src {
			dst[i] = max(v, 0)
		}
	case backend.LeakyRelu:
		for i, v := range src {
			if v < 0 {
				v *= a.alpha
			}
			dst[i] = v
		}
	case backend.Clip:
		for i, v := range src {
			dst[i] = min(max(v, a.alpha), a.beta)
		}
	default:
		for i, v := range src {
			dst[i] = float32(a.wide(float64(v)))
		}
	}
}

// planActivation takes any layout: the function is applied to memory as it lies,
// and the padding lanes, of which the image need not be 0, are cleared after.
func planActivation(_ *device, d backend.Desc) (*plan, error) {
	in := resolve(d.In[0], imageLayout(len(d.In[0].Shape)))
	if d.In[0].Layout == backend.Any && d.Out[0].Layout != backend.Any {
		in.Layout = d.Out[0].Layout
	}
	out := resolve(d.Out[0], in.Layout)
	if err := sameMemory("Activation", in, out); err != nil {
		return nil, err
	}
	act := newActivation(d.Op.(backend.Activation).Act)
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}, inPlace: []int{0}}
	p.phases = clearLanes([]phase{elementwise(out, func(c *call, lo, hi int) {
		act.apply(c.y(0)[lo:hi], c.x(0)[lo:hi])
	})}, 0, out)
	return p, nil
}

// sameMemory fails unless two tensors of one shape lie in memory alike.
func sameMemory(op string, x, y backend.TensorDesc) error {
	if x.Layout == y.Layout {
		return nil
	}
	rx, okx := channelRows(x)
	ry, oky := channelRows(y)
	if len(x.Shape) < 2 || okx && oky && rx.pitch == ry.pitch {
		return nil
	}
	return wrongLayout(op, "y", y, "the layout of x, "+x.Layout.String())
}

// elementwise is a phase over ranges of the memory of a tensor.
func elementwise(d backend.TensorDesc, fn func(c *call, lo, hi int)) phase {
	n := int(d.Bytes()) / d.DType.Size()
	parts := partsFor(n, 4*int64(n), grainBytes)
	return phase{parts, func(c *call, part, _ int) {
		lo, hi := share(n, part, parts)
		fn(c, lo, hi)
	}}
}
