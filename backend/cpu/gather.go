package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// planPlain resolves open layouts to plain, the only one of ops that work along an
// axis in the order of the shape.
func planPlain(d backend.Desc) (*plan, error) {
	p := &plan{in: resolveAll(d.In, backend.Plain), out: resolveAll(d.Out, backend.Plain)}
	names, outs := d.Op.Args()
	for i, t := range p.in {
		if !liesPlain(t) {
			return nil, wrongLayout(d.Op.Kind(), names[i].Name, t, "plain")
		}
	}
	for i, t := range p.out {
		if !liesPlain(t) {
			return nil, wrongLayout(d.Op.Kind(), outs[i].Name, t, "plain")
		}
	}
	return p, nil
}

// planGather copies runs of the elements behind the axis. Threads share y by runs,
// and by pieces of them where they are long.
func planGather(_ *device, d backend.Desc) (*plan, error) {
	p, err := planPlain(d)
	if err != nil {
		return nil, err
	}
	x := p.in[0].Shape
	axis, err := backend.ResolveAxis("Gather", d.Op.(backend.Gather).Axis, len(x))
	if err != nil {
		return nil, err
	}
	g := &gatherPlan{n: x[axis], inner: x[axis+1:].Size(), count: p.in[1].Shape.Size()}
	g.none = math.Float32bits(float32(math.NaN()))
	if p.in[0].DType == tensor.Int32 {
		g.none = 1 << 31
	}
	total := p.out[0].Shape.Size()
	parts := partsFor(total, 8*int64(total), grainBytes)
	p.phases = []phase{{parts, func(c *call, part, _ int) {
		lo, hi := share(total, part, parts)
		g.elements(view[uint32](c.out[0]), view[uint32](c.in[0]), view[int32](c.in[1]), lo, hi)
	}}}
	return p, nil
}

// gatherPlan views x as [a, n, inner] and y as [a, count, inner].
type gatherPlan struct {
	n, inner, count int
	none            uint32 // what an index that names no element gives
}

// elements computes elements lo to hi−1 of y.
func (g *gatherPlan) elements(y, x []uint32, index []int32, lo, hi int) {
	run := lo / g.inner
	first := lo - run*g.inner // of the run
	a := run / g.count
	i := run - a*g.count
	y = y[lo:hi]
	for len(y) > 0 {
		slices := x[a*g.n*g.inner:][:g.n*g.inner]
		if g.inner == 1 {
			m := min(g.count-i, len(y))
			g.ones(y[:m], slices, index[i:i+m])
			y = y[m:]
			a, i = a+1, 0
			continue
		}
		for ; i < g.count && len(y) > 0; i++ {
			m := min(g.inner-first, len(y))
			if k, ok := g.element(index[i]); ok {
				copyShort(y[:m], slices[k*g.inner+first:][:m])
			} else {
				for j := range y[:m] {
					y[j] = g.none
				}
			}
			y, first = y[m:], 0
		}
		a, i = a+1, 0
	}
}

// element returns the element that an index names, counted from 0.
func (g *gatherPlan) element(index int32) (int, bool) {
	k := int(index)
	if k < 0 {
		k += g.n
	}
	return k, uint(k) < uint(g.n)
}

// ones is elements for runs of one element, within a slice.
func (g *gatherPlan) ones(y, x []uint32, index []int32) {
	index = index[:len(y)]
	for j, k := range index {
		at := int(k)
		if at < 0 {
			at += len(x)
		}
		if uint(at) < uint(len(x)) {
			y[j] = x[at]
		} else {
			y[j] = g.none
		}
	}
}

// copyShort is copy; of a few elements a loop is faster than the call.
func copyShort(dst, src []uint32) {
	if len(dst) > 8 {
		copy(dst, src)
		return
	}
	src = src[:len(dst)]
	//lint:ignore S1001 the loop is the point
	for i, v := range src {
		dst[i] = v
	}
}
