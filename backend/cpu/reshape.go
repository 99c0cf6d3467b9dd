package cpu

import (
	"fmt"
	"unsafe"

	"github.com/convgl/convgl/backend"
)

// planReshape serves Reshape and Flatten: a copy where both sides lie in plain
// order, and otherwise a conversion to it, from it, or both.
func planReshape(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.Kind()
	in, out := resolve(d.In[0], backend.Plain), resolve(d.Out[0], backend.Plain)
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	src := func(c *call) []byte { return c.in[0] }
	dst := func(c *call) []byte { return c.out[0] }
	plainX, plainY := liesPlain(in), liesPlain(out)
	if plainX && plainY {
		p.inPlace = []int{0}
		p.phases = []phase{copyAll(dev.isa, int(out.Bytes()), src, dst)}
		return p, nil
	}
	if in.DType.Size() != 4 {
		return nil, backend.Unsupported(name, op, fmt.Sprintf("%v is not plain; only float32 and int32 can be converted", in))
	}
	x, y := in, out
	x.Layout, y.Layout = backend.Plain, backend.Plain // what lies between
	switch {
	case plainY:
		p.phases = copyPhases(dev.isa, in, x, src, dst)
	case plainX:
		p.phases = copyPhases(dev.isa, y, out, src, dst)
	default:
		p.workspace = x.Bytes()
		ws := func(c *call) []byte { return c.ws }
		p.phases = append(copyPhases(dev.isa, in, x, src, ws), copyPhases(dev.isa, y, out, ws, dst)...)
	}
	return p, nil
}

// copyAll copies elements of any size, unless src is dst.
func copyAll(set isa, n int, src, dst func(c *call) []byte) phase {
	if n%4 != 0 {
		return phase{1, func(c *call, _, _ int) { copy(dst(c), src(c)[:n]) }}
	}
	cp := copier{isa: set, src: src, dst: dst}
	ph := cp.block(n/4, 0)
	return phase{ph.parts, func(c *call, part, thread int) {
		if unsafe.SliceData(src(c)) != unsafe.SliceData(dst(c)) {
			ph.fn(c, part, thread)
		}
	}}
}

// liesPlain reports whether memory is in plain order.
func liesPlain(d backend.TensorDesc) bool {
	if d.Layout.Order == backend.OrderPlain || len(d.Shape) < 2 {
		return true
	}
	r, _ := channelRows(d)
	return r.pitch == r.c && (r.c == 1 || r.s == 1)
}
