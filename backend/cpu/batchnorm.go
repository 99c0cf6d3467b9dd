package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// planBatchNorm takes any layout. The factor scale/√(var+ε) of each channel is
// computed first; y is computed in float64 and rounded once.
func planBatchNorm(_ *device, d backend.Desc) (*plan, error) {
	eps := float64(d.Op.(backend.BatchNorm).Epsilon)
	in := resolveAll(d.In, backend.Plain)
	in[0] = resolve(d.In[0], imageLayout(len(d.In[0].Shape)))
	out := resolve(d.Out[0], in[0].Layout)
	if err := sameMemory("BatchNorm", in[0], out); err != nil {
		return nil, err
	}
	channels := d.In[0].Shape[1]
	p := &plan{in: in, out: []backend.TensorDesc{out}, workspace: 8 * int64(channels), inPlace: []int{0}}
	p.phases = []phase{{1, func(c *call, _, _ int) {
		f, scale, variance := view[float64](c.ws), c.x(1), c.x(4)
		for i := range channels {
			f[i] = float64(scale[i]) / math.Sqrt(float64(variance[i])+eps)
		}
	}}}
	if r, ok := channelRows(in[0]); ok {
		p.phases = append(p.phases, normRows(r))
	} else {
		p.phases = append(p.phases, normPlanes(in[0].Shape[0]*channels, channels, r.s))
	}
	p.phases = clearLanes(p.phases, 0, out)
	return p, nil
}

// normRows normalises rows of channels.
func normRows(r rows) phase {
	parts := partsFor(r.total(), 4*int64(r.total())*int64(r.c), grainBytes)
	return phase{parts, func(c *call, part, _ int) {
		lo, hi := share(r.total(), part, parts)
		f, bias, mean := view[float64](c.ws)[:r.c], c.x(2)[:r.c], c.x(3)[:r.c]
		for ; lo < hi; lo++ {
			x, y := c.x(0)[lo*r.pitch:][:r.c], c.y(0)[lo*r.pitch:][:r.c]
			for i, v := range x {
				y[i] = float32((float64(v)-float64(mean[i]))*f[i] + float64(bias[i]))
			}
		}
	}}
}

// normPlanes normalises n planes of s elements, whose channels follow each other.
func normPlanes(n, channels, s int) phase {
	parts := partsFor(n, 4*int64(n)*int64(s), grainBytes)
	return phase{parts, func(c *call, part, _ int) {
		lo, hi := share(n, part, parts)
		for ; lo < hi; lo++ {
			ch := lo % channels
			f, bias, mean := view[float64](c.ws)[ch], float64(c.x(2)[ch]), float64(c.x(3)[ch])
			x, y := c.x(0)[lo*s:][:s], c.y(0)[lo*s:][:s]
			for i, v := range x {
				y[i] = float32((float64(v)-mean)*f + bias)
			}
		}
	}}
}
