package cpu

import (
	"fmt"

	"github.com/convgl/convgl/backend"
)

// planReshape serves Reshape and Flatten: a copy where both sides lie in plain
// order, and otherwise a conversion to it, from it, or both.
func planReshape(_ *device, d backend.Desc) (*plan, error) {
	op := d.Op.Kind()
	in, out := resolve(d.In[0], backend.Plain), resolve(d.Out[0], backend.Plain)
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	src := func(c *call) []byte { return c.in[0] }
	dst := func(c *call) []byte { return c.out[0] }
	plainX, plainY := liesPlain(in), liesPlain(out)
	if plainX && plainY {
		n := int(out.Bytes())
		parts := partsFor(n, int64(n), grainBytes)
		p.inPlace = []int{0}
		p.phases = []phase{{parts, func(c *call, part, _ int) {
			lo, hi := share(n, part, parts)
			copy(c.out[0][lo:hi], c.in[0][lo:hi])
		}}}
		return p, nil
	}
	if in.DType.Size() != 4 {
		return nil, backend.Unsupported(name, op, fmt.Sprintf("%v is not plain; only float32 and int32 can be converted", in))
	}
	x, y := in, out
	x.Layout, y.Layout = backend.Plain, backend.Plain // what lies between
	switch {
	case plainY:
		p.phases = copyPhases(in, x, src, dst)
	case plainX:
		p.phases = copyPhases(y, out, src, dst)
	default:
		p.workspace = x.Bytes()
		ws := func(c *call) []byte { return c.ws }
		p.phases = append(copyPhases(in, x, src, ws), copyPhases(y, out, ws, dst)...)
	}
	p.phases = clearLanes(p.phases, 0, out)
	return p, nil
}

// liesPlain reports whether memory is in plain order.
func liesPlain(d backend.TensorDesc) bool {
	if d.Layout.Order == backend.OrderPlain || len(d.Shape) < 2 {
		return true
	}
	r, _ := channelRows(d)
	return r.pitch == r.c && (r.c == 1 || r.s == 1)
}
