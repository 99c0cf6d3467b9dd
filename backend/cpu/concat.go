package cpu

import "github.com/convgl/convgl/backend"

// planConcat takes any layouts, also different ones. Every input is a copy into a
// part of y: along the channels of channels-last, runs of its channels.
func planConcat(dev *device, d backend.Desc) (*plan, error) {
	axis, err := backend.ResolveAxis("Concat", d.Op.(backend.Concat).Axis, len(d.Out[0].Shape))
	if err != nil {
		return nil, err
	}
	out := d.Out[0]
	for _, x := range d.In { // y may choose: it follows the first that may not
		out = resolve(out, x.Layout)
	}
	out = resolve(out, imageLayout(len(out.Shape)))
	p := &plan{in: resolveAll(d.In, out.Layout), out: []backend.TensorDesc{out}}
	if axis == 1 {
		if ph, ok := concatRows(dev.isa, p.in, out); ok {
			p.phases = clearLanes(ph, 0, out)
			return p, nil
		}
	}
	sy := out.Layout.Strides(out.Shape)
	var copies []phase
	begin := 0 // of the input along the axis
	for i, x := range p.in {
		from := 4 * begin * sy[axis]
		begin += x.Shape[axis]
		if x.Shape.Size() == 0 {
			continue
		}
		copies = append(copies, copyStrides(dev.isa, x.Shape, physicalOrder(out), sy, x.Layout.Strides(x.Shape),
			func(c *call) []byte { return c.in[i] }, func(c *call) []byte { return c.out[0][from:] }))
	}
	if len(copies) > 0 {
		p.phases = clearLanes([]phase{together(copies)}, 0, out)
	}
	return p, nil
}

// concatRows writes some rows of y at once, the channels of one input after those of
// another, where all tensors have their channels together.
func concatRows(set isa, in []backend.TensorDesc, out backend.TensorDesc) ([]phase, bool) {
	y, ok := channelRows(out)
	xs := make([]rows, len(in))
	for i, d := range in {
		var last bool
		xs[i], last = channelRows(d)
		ok = ok && last
	}
	if !ok {
		return nil, false
	}
	lines := y.pitch%lineFloats == 0
	for _, x := range xs {
		lines = lines && x.c%lineFloats == 0
	}
	total := y.total()
	move, done := newRunsTo(set, out.Bytes(), lines)
	parts := copyParts(total, 8*int64(total)*int64(y.c))
	tile := max(1, concatTile/max(1, y.pitch))
	return []phase{{parts, func(c *call, part, _ int) {
		dst := view[uint32](c.out[0])
		for lo, hi := share(total, part, parts); lo < hi; lo += min(tile, hi-lo) {
			n := min(tile, hi-lo)
			at := lo * y.pitch
			for i := range xs {
				x := &xs[i]
				if x.c > copyChunk {
					copy(dst[at:], view[uint32](c.in[i])[lo*x.pitch:][:x.c]) // n is 1
				} else if x.c > 0 {
					move(dst[at:][:(n-1)*y.pitch+x.c], view[uint32](c.in[i])[lo*x.pitch:][:(n-1)*x.pitch+x.c], n, x.c, y.pitch, x.pitch)
				}
				at += x.c
			}
		}
		done()
	}}}, true
}

// concatTile is how many elements of y are written by all inputs in turn: they stay in
// the first-level cache.
const concatTile = 1 << 12

// together makes one phase of several that are independent: no thread waits between
// them.
func together(all []phase) phase {
	if len(all) == 1 {
		return all[0]
	}
	type owner struct{ phase, part int }
	var owners []owner // of each part
	for i, ph := range all {
		for part := range ph.parts {
			owners = append(owners, owner{i, part})
		}
	}
	return phase{len(owners), func(c *call, part, thread int) {
		o := owners[part]
		all[o.phase].fn(c, o.part, thread)
	}}
}
