package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// activation is an activation function on rows. Sigmoid and tanh are computed in
// float64 and rounded once: their error is below 0.51 units in the last place.
// The others are exact (LeakyRelu: one rounding).
type activation struct {
	kind        backend.ActKind
	alpha, beta float32
}

func newActivation(a backend.Act) activation { return activation{a.Kind, a.Alpha, a.Beta} }

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
	case backend.Sigmoid:
		for i, v := range src {
			dst[i] = float32(1 / (1 + math.Exp(-float64(v))))
		}
	case backend.Tanh:
		for i, v := range src {
			dst[i] = float32(math.Tanh(float64(v)))
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
