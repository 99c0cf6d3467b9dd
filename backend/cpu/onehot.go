package cpu

import (
	"slices"

	"github.com/convgl/convgl/backend"
)

// planOneHot takes any layouts. It clears y, padding lanes too, and then sets an
// element for each index.
func planOneHot(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.OneHot)
	axis, err := backend.ResolveAxis(op.Kind(), op.Axis, len(d.Out[0].Shape))
	if err != nil {
		return nil, err
	}
	in := resolve(d.In[0], imageLayout(len(d.In[0].Shape)))
	out := resolve(d.Out[0], imageLayout(len(d.Out[0].Shape)))
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	if out.Shape.Size() == 0 {
		return p, nil
	}
	sy := out.Layout.Strides(out.Shape)
	step := sy[axis]
	n := newNest(in.Shape, physicalOrder(in), in.Layout.Strides(in.Shape), slices.Delete(slices.Clone(sy), axis, axis+1))
	total := n.total()
	parts := partsFor(total, 16*int64(total), grainBytes)
	p.phases = []phase{elementwise(out, func(c *call, lo, hi int) { clear(c.y(0)[lo:hi]) }), {parts, func(c *call, part, _ int) {
		lo, hi := share(total, part, parts)
		sx, sy := n.inner(0), n.inner(1)
		for it := n.start(lo, hi); it.next(); {
			x, y := view[int32](c.in[0])[it.off[0]:], c.y(0)[it.off[1]:]
			for i := range it.n {
				at := int(x[i*sx])
				if at < 0 {
					at += op.Depth
				}
				if at >= 0 && at < op.Depth {
					y[i*sy+at*step] = 1
				}
			}
		}
	}}}
	return p, nil
}
