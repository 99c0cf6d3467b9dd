package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// planLRN takes any layout. Sums and powers are float64.
func planLRN(_ *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.LRN)
	in := resolve(d.In[0], resolve(d.Out[0], imageLayout(len(d.In[0].Shape))).Layout)
	out := resolve(d.Out[0], in.Layout)
	if err := sameMemory("LRN", in, out); err != nil {
		return nil, err
	}
	l := lrn{before: (op.Size - 1) / 2, after: op.Size / 2, factor: float64(op.Alpha) / float64(op.Size), k: float64(op.K), power: inversePower(float64(op.Beta))}
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	work := 16 * int64(in.Shape.Size()) * int64(1+min(op.Size, in.Shape[1])/8)
	r, ok := channelRows(in)
	if ok {
		parts := partsFor(r.total(), work, grainBytes)
		p.phases = []phase{{parts, func(c *call, part, _ int) {
			lo, hi := share(r.total(), part, parts)
			for ; lo < hi; lo++ {
				l.row(c.y(0)[lo*r.pitch:][:r.c], c.x(0)[lo*r.pitch:][:r.c])
			}
		}}}
		p.phases = clearLanes(p.phases, 0, out)
		return p, nil
	}
	units := r.n * r.c
	parts := partsFor(units, work, grainBytes)
	p.phases = []phase{{parts, func(c *call, part, _ int) {
		lo, hi := share(units, part, parts)
		for ; lo < hi; lo++ {
			image := lo / r.c * r.c * r.s
			l.plane(c.y(0)[image:][:r.c*r.s], c.x(0)[image:][:r.c*r.s], lo%r.c, r.c, r.s)
		}
	}}}
	return p, nil
}

// lrn computes y = x·D^−β, D = k + factor·Σx² over the channels around.
type lrn struct {
	before, after int
	factor, k     float64
	power         func(d float64) float64
}

// row takes the channels of one pixel.
func (l *lrn) row(y, x []float32) {
	for i := range y {
		sum := 0.0
		for _, v := range x[max(0, i-l.before):min(len(x), i+l.after+1)] {
			sum += float64(v) * float64(v)
		}
		y[i] = float32(float64(x[i]) * l.power(l.k+l.factor*sum))
	}
}

// plane takes the s pixels of channel i of an image.
func (l *lrn) plane(y, x []float32, i, channels, s int) {
	var sums [chunk]float64
	for p := 0; p < s; p += chunk {
		sum := sums[:min(chunk, s-p)]
		clear(sum)
		for j := max(0, i-l.before); j < min(channels, i+l.after+1); j++ {
			for q, v := range x[j*s+p:][:len(sum)] {
				sum[q] += float64(v) * float64(v)
			}
		}
		own, to := x[i*s+p:][:len(sum)], y[i*s+p:][:len(sum)]
		for q, v := range own {
			to[q] = float32(float64(v) * l.power(l.k+l.factor*sum[q]))
		}
	}
}

// inversePower returns d^−β; roots are ten times as fast as a power.
func inversePower(beta float64) func(float64) float64 {
	switch beta {
	case 0.5:
		return func(d float64) float64 { return 1 / math.Sqrt(d) }
	case 0.75:
		return func(d float64) float64 { r := math.Sqrt(d); return 1 / (r * math.Sqrt(r)) }
	case 1:
		return func(d float64) float64 { return 1 / d }
	}
	return func(d float64) float64 { return math.Pow(d, -beta) }
}
