package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// planBatchNorm takes any layout. The factor scale/√(var+ε) of each channel is
// computed first; y is computed in float64 and rounded once.
func planBatchNorm(dev *device, d backend.Desc) (*plan, error) {
	in := resolveAll(d.In, backend.Plain)
	in[0] = resolve(d.In[0], imageLayout(len(d.In[0].Shape)))
	out := resolve(d.Out[0], in[0].Layout)
	if err := sameMemory("BatchNorm", in[0], out); err != nil {
		return nil, err
	}
	channels := d.In[0].Shape[1]
	b := batchNorm{pick(dev.isa, normImpls), float64(d.Op.(backend.BatchNorm).Epsilon), channels}
	p := &plan{in: in, out: []backend.TensorDesc{out}, inPlace: []int{0}}
	if in[0].Shape.Size() == 0 {
		return p, nil
	}
	if r, ok := channelRows(in[0]); ok {
		b.rows(p, foldRows(r, r.total()))
	} else {
		b.planes(p, in[0].Shape[0]*channels, r.s)
	}
	return p, nil
}

type batchNorm struct {
	*normKernels
	eps      float64
	channels int
}

func (b batchNorm) factor(c *call, i int) float64 {
	return float64(c.x(1)[i]) / math.Sqrt(float64(c.x(4)[i])+b.eps)
}

// rows normalises rows of channels: first it lays out the mean, factor and bias of
// each lane, which are 0 for padding lanes.
func (b batchNorm) rows(p *plan, r foldedRows) {
	l := r.lanes()
	p.workspace = 24 * int64(l)
	tables := func(c *call) (mean, factor, bias []float64) {
		t := view[float64](c.ws)[:3*l]
		return t[:l], t[l : 2*l], t[2*l:]
	}
	parts := partsFor(r.total(), 4*int64(r.total())*int64(r.c), grainBytes)
	p.phases = []phase{{1, func(c *call, _, _ int) {
		mean, factor, bias := tables(c)
		for i := range r.c {
			mean[i], factor[i], bias[i] = float64(c.x(3)[i]), b.factor(c, i), float64(c.x(2)[i])
		}
		for _, t := range [][]float64{mean, factor, bias} {
			clear(t[r.c:r.pitch])
			repeat(t, r.pitch)
		}
	}}, {parts, func(c *call, part, _ int) {
		mean, factor, bias := tables(c)
		for lo, hi := share(r.total(), part, parts); lo < hi; {
			k, lanes, taken := r.take(hi - lo)
			x, y := c.x(0)[lo*r.pitch:][:taken*r.pitch], c.y(0)[lo*r.pitch:][:taken*r.pitch]
			b.affineRows(y, x, k, l, mean[:lanes], factor[:lanes], bias[:lanes])
			lo += taken
		}
	}}}
}

// planes normalises n planes of s elements, whose channels follow each other.
func (b batchNorm) planes(p *plan, n, s int) {
	parts := partsFor(n, 4*int64(n)*int64(s), grainBytes)
	p.phases = []phase{{parts, func(c *call, part, _ int) {
		lo, hi := share(n, part, parts)
		for ; lo < hi; lo++ {
			ch := lo % b.channels
			b.affine(c.y(0)[lo*s:][:s], c.x(0)[lo*s:][:s], float64(c.x(3)[ch]), b.factor(c, ch), float64(c.x(2)[ch]))
		}
	}}}
}
