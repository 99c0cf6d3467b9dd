package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

//go:generate go -C _asm run . -family vecmath -out ../vecmath_amd64.s -stubs ../zvecmath_amd64.go -pkg cpu

// activation is an activation function on rows, with its constants. What chooses or
// rounds to integers is exact; LeakyRelu, HardSigmoid, Sqrt and Reciprocal are one
// rounding. All others are computed in float64 and rounded once, also where the result is
// subnormal: plain Go, which is all there is of Sin and Cos, is within 0.5001 units in
// the last place, and vectors, where their polynomials end, within
//
//	Exp    Sigmoid  Tanh   Elu, Celu  Selu   Softplus  Softsign  Silu   HardSwish  Mish   Gelu   GeluTanh  Log    Erf
//	0.503  0.503    0.507  0.508      0.507  0.503     0.5       0.504  0.5        0.504  0.504  0.503     0.501  0.501
//
// for every float32 from 2⁻²⁷ to 128 in size, and every 101st of the others (see
// TestActivationULP); AVX2 and AVX-512 are alike.
type activation struct {
	kind   backend.ActKind
	fn     actFn
	stream actFn // that stores past the caches, nil for none
	k      [3]float64
}

// newActivation chooses the function of an activation among fns.
func newActivation(fns *rowFns, a backend.Act) activation {
	act := activation{kind: a.Kind, fn: fns.act[a.Kind], k: [3]float64{float64(a.Alpha), float64(a.Beta)}}
	switch a.Kind {
	case backend.Elu:
		act.k = [3]float64{1, float64(a.Alpha), 1}
	case backend.Selu:
		act.k = [3]float64{backend.SeluLambda, backend.SeluLambda * backend.SeluAlpha, 1}
	case backend.Celu:
		act.k = [3]float64{1, float64(a.Alpha), 1 / float64(a.Alpha)}
	}
	if fns.streamed != nil {
		act.stream = fns.streamed.act[a.Kind]
	}
	return act
}

// apply sets dst to the function of src; they may be the same.
func (a *activation) apply(dst, src []float32) { a.applyBy(a.fn, dst, src) }

func (a *activation) applyBy(fn actFn, dst, src []float32) {
	dst = dst[:len(src)]
	for len(src) > rowChunk {
		fn(dst[:rowChunk], src[:rowChunk], &a.k)
		dst, src = dst[rowChunk:], src[rowChunk:]
	}
	fn(dst, src, &a.k)
}

// planActivation takes any layout: the function is applied to memory as it lies,
// and the padding lanes, of which the image need not be 0, are cleared after.
func planActivation(dev *device, d backend.Desc) (*plan, error) {
	in := resolve(d.In[0], imageLayout(len(d.In[0].Shape)))
	if d.In[0].Layout == backend.Any && d.Out[0].Layout != backend.Any {
		in.Layout = d.Out[0].Layout
	}
	out := resolve(d.Out[0], in.Layout)
	if err := sameMemory("Activation", in, out); err != nil {
		return nil, err
	}
	act := newActivation(dev.rows(), d.Op.(backend.Activation).Act)
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}, inPlace: []int{0}}
	streams := act.stream != nil && dev.streams(out)
	p.phases = clearLanes([]phase{elementwise(out, func(c *call, lo, hi int) {
		y, x := c.y(0)[lo:hi], c.x(0)[lo:hi]
		if streams && aligned(y) && !sameStart(y, x) {
			act.applyBy(act.stream, y, x)
		} else {
			act.apply(y, x)
		}
	})}, 0, out)
	return p, nil
}

// The activations in plain Go. Comparisons are such that a NaN stays.

func relu(dst, src []float32, _ *[3]float64) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = max(v, 0)
	}
}

func leakyRelu(dst, src []float32, k *[3]float64) {
	dst = dst[:len(src)]
	alpha := float32(k[0])
	for i, v := range src {
		dst[i] = prelu(v, alpha)
	}
}

func clip(dst, src []float32, k *[3]float64) {
	dst = dst[:len(src)]
	lo, hi := float32(k[0]), float32(k[1])
	for i, v := range src {
		dst[i] = min(max(v, lo), hi)
	}
}

func hardSigmoid(dst, src []float32, k *[3]float64) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = float32(min(max(k[0]*float64(v)+k[1], 0), 1))
	}
}

func abs(dst, src []float32, _ *[3]float64) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = math.Float32frombits(math.Float32bits(v) &^ (1 << 31))
	}
}

func neg(dst, src []float32, _ *[3]float64) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = -v
	}
}

func sign(dst, src []float32, _ *[3]float64) {
	dst = dst[:len(src)]
	for i, v := range src {
		switch {
		case v > 0:
			v = 1
		case v < 0:
			v = -1
		}
		dst[i] = v
	}
}

func sqrt(dst, src []float32, _ *[3]float64) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = float32(math.Sqrt(float64(v)))
	}
}

func reciprocal(dst, src []float32, _ *[3]float64) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = 1 / v
	}
}

func thresholdedRelu(dst, src []float32, k *[3]float64) {
	dst = dst[:len(src)]
	alpha := float32(k[0])
	for i, v := range src {
		if v <= alpha {
			v = 0
		}
		dst[i] = v
	}
}

// elu is k[0]·x, and below 0 k[1]·(e^(x·k[2]) − 1).
func elu(dst, src []float32, k *[3]float64) {
	dst = dst[:len(src)]
	for i, v := range src {
		if v < 0 {
			dst[i] = float32(k[1] * math.Expm1(float64(v)*k[2]))
		} else {
			dst[i] = float32(k[0] * float64(v))
		}
	}
}

// wide returns the row function of a function of float64.
func wide(fn func(float64) float64) actFn {
	return func(dst, src []float32, _ *[3]float64) {
		dst = dst[:len(src)]
		for i, v := range src {
			dst[i] = float32(fn(float64(v)))
		}
	}
}

// genericActs are the activations in plain Go.
var genericActs = [...]actFn{
	backend.Relu:        relu,
	backend.LeakyRelu:   leakyRelu,
	backend.Clip:        clip,
	backend.Sigmoid:     wide(sigmoid),
	backend.Tanh:        wide(math.Tanh),
	backend.Elu:         elu,
	backend.Selu:        elu,
	backend.Celu:        elu,
	backend.HardSigmoid: hardSigmoid,
	backend.Softplus:    wide(func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }),
	backend.Softsign: wide(func(x float64) float64 { // 2⁶⁰ is far beyond where y rounds to 1
		x = min(max(x, -1<<60), 1<<60)
		return x / (1 + math.Abs(x))
	}),
	backend.Silu:      wide(func(x float64) float64 { return gated(x, sigmoid(x)) }),
	backend.HardSwish: wide(func(x float64) float64 { return gated(x, min(max(x+3, 0), 6)/6) }),
	backend.Mish: wide(func(x float64) float64 { // tanh(ln(1+e)) = (e²+2e)/(e²+2e+2); beyond 40 it is 1
		e := math.Exp(min(x, 40))
		n := e * (e + 2)
		return gated(x, n/(n+2))
	}),
	backend.Gelu: wide(func(x float64) float64 { return gated(x, math.Erfc(x*-(1/math.Sqrt2))/2) }),
	backend.GeluTanh: wide(func(x float64) float64 { // (1 + tanh u)/2 = σ(2u)
		return gated(x, sigmoid(x*(1+0.044715*x*x)*math.Sqrt(8/math.Pi)))
	}),
	backend.Exp:             wide(math.Exp),
	backend.Abs:             abs,
	backend.Neg:             neg,
	backend.Ceil:            wide(math.Ceil),
	backend.Floor:           wide(math.Floor),
	backend.Round:           wide(math.RoundToEven),
	backend.Sign:            sign,
	backend.Sqrt:            sqrt,
	backend.Reciprocal:      reciprocal,
	backend.Log:             wide(math.Log),
	backend.Erf:             wide(math.Erf),
	backend.ThresholdedRelu: thresholdedRelu,
	backend.Sin:             wide(math.Sin),
	backend.Cos:             wide(math.Cos),
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// gated is x·gate. Below −1000 every gate is shut, where x = −∞ would give NaN.
func gated(x, gate float64) float64 {
	if x < -1000 {
		return 0
	}
	return x * gate
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
		lo, hi := shareLines(n, part, parts)
		fn(c, lo, hi)
	}}
}

// shareLines is share of elements in whole cache lines.
func shareLines(total, i, n int) (lo, hi int) {
	const line = align / 4
	lo, hi = share((total+line-1)/line, i, n)
	return min(lo*line, total), min(hi*line, total)
}
