package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// planSoftmax takes any layouts. Exponentials and sums are float64.
func planSoftmax(_ *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Softmax)
	shape := d.In[0].Shape
	axis, err := backend.ResolveAxis("Softmax", op.Axis, len(shape))
	if err != nil {
		return nil, err
	}
	in := resolve(d.In[0], imageLayout(len(shape)))
	if d.In[0].Layout == backend.Any && d.Out[0].Layout != backend.Any {
		in.Layout = d.Out[0].Layout
	}
	out := resolve(d.Out[0], in.Layout)
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	if in.Layout == out.Layout {
		p.inPlace = []int{0}
	}
	sy, sx := out.Layout.Strides(shape), in.Layout.Strides(shape)
	each := shape.Clone() // one element of it is a slice along the axis
	length := each[axis]
	each[axis] = min(length, 1)
	n := newNest(each, physicalOrder(out), sy, sx)
	s := slices1D{length, sy[axis], sx[axis]}
	total := n.total()
	parts := partsFor(total, 32*int64(total)*int64(length), grainBytes)
	p.phases = clearLanes([]phase{{parts, func(c *call, part, _ int) {
		lo, hi := share(total, part, parts)
		stepY, stepX := n.inner(0), n.inner(1)
		for it := n.start(lo, hi); it.next(); {
			for i := range it.n {
				y, x := c.y(0)[it.off[0]+i*stepY:], c.x(0)[it.off[1]+i*stepX:]
				if op.Log {
					s.logSoftmax(y, x)
				} else {
					s.softmax(y, x)
				}
			}
		}
	}}}, 0, out)
	return p, nil
}

// slices1D are slices of n elements, sy apart in y and sx in x.
type slices1D struct{ n, sy, sx int }

func (s slices1D) max(x []float32) float64 {
	m := math.Inf(-1)
	for i := range s.n {
		m = max(m, float64(x[i*s.sx]))
	}
	return m
}

// softmax reads an element of x before it writes that of y, so that they may be
// the same memory. A NaN in x or an infinite maximum makes the sum NaN, and with
// it the slice.
func (s slices1D) softmax(y, x []float32) {
	m, sum := s.max(x), 0.0
	for i := range s.n {
		e := math.Exp(float64(x[i*s.sx]) - m)
		sum += e
		y[i*s.sy] = float32(e)
	}
	inv := 1 / sum
	for i := range s.n {
		y[i*s.sy] = float32(float64(y[i*s.sy]) * inv)
	}
}

func (s slices1D) logSoftmax(y, x []float32) {
	m, sum := s.max(x), 0.0
	for i := range s.n {
		sum += math.Exp(float64(x[i*s.sx]) - m)
	}
	ln := math.Log(sum)
	for i := range s.n {
		y[i*s.sy] = float32(float64(x[i*s.sx]) - m - ln)
	}
}
