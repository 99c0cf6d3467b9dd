package cpu

import "github.com/convgl/convgl/backend"

// planMaxUnpool gives a thread whole planes, in which it puts the elements in order:
// of those with one index the last stays.
func planMaxUnpool(_ *device, d backend.Desc) (*plan, error) {
	p, err := planPlain(d)
	if err != nil {
		return nil, err
	}
	x, y := p.in[0].Shape, p.out[0].Shape
	pooled, plane, planes := x[2:].Size(), y[2:].Size(), x[0]*x[1]
	parts := partsFor(planes, 4*int64(planes)*int64(plane+2*pooled), grainBytes)
	p.phases = []phase{{parts, func(c *call, part, _ int) {
		lo, hi := share(planes, part, parts)
		for i := lo; i < hi; i++ {
			to := c.y(0)[i*plane:][:plane]
			clear(to)
			from := c.x(0)[i*pooled:][:pooled]
			for j, k := range view[int32](c.in[1])[i*pooled:][:pooled] {
				if uint(k) < uint(len(to)) {
					to[k] = from[j]
				}
			}
		}
	}}}
	return p, nil
}
