package cpu

import "github.com/convgl/convgl/backend"

// padDim is a dim of y: its size, and how x lies along it.
type padDim struct{ n, sy, begin, nx, sx int }

// padPlan pads row by row, in the order of y's memory.
type padPlan struct {
	dims  []padDim // from outermost to innermost
	rows  int
	mode  backend.PadMode
	value float32
}

// planPad takes any layouts.
func planPad(_ *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Pad)
	in := resolve(d.In[0], imageLayout(len(d.In[0].Shape)))
	if d.In[0].Layout == backend.Any && d.Out[0].Layout != backend.Any {
		in.Layout = d.Out[0].Layout
	}
	out := resolve(d.Out[0], in.Layout)
	sx, sy := in.Layout.Strides(in.Shape), out.Layout.Strides(out.Shape)
	p := &padPlan{rows: 1, mode: op.Mode, value: op.Value}
	order := physicalOrder(out)
	for k, i := range order {
		begin := 0
		if op.Pads != nil {
			begin = op.Pads[i]
		}
		p.dims = append(p.dims, padDim{out.Shape[i], sy[i], begin, in.Shape[i], sx[i]})
		if k < len(order)-1 {
			p.rows *= out.Shape[i]
		}
	}
	if out.Shape.Size() == 0 {
		p.rows = 0
	}
	parts := partsFor(p.rows, out.Bytes(), grainBytes)
	pl := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	pl.phases = clearLanes([]phase{{parts, func(c *call, part, _ int) {
		lo, hi := share(p.rows, part, parts)
		for ; lo < hi; lo++ {
			p.row(c, lo)
		}
	}}}, 0, out)
	return pl, nil
}

// padSource returns which of n elements the position i shows, or −1.
func padSource(mode backend.PadMode, i, n int) int {
	switch {
	case inRange(i, n):
		return i
	case mode == backend.PadEdge:
		return max(0, min(i, n-1))
	case mode == backend.PadReflect && i < 0:
		return -i
	case mode == backend.PadReflect:
		return 2*(n-1) - i
	}
	return -1
}

// row writes one innermost row of y.
func (p *padPlan) row(c *call, row int) {
	at, from := 0, 0
	last := len(p.dims) - 1
	for i := last - 1; i >= 0; i-- {
		d := &p.dims[i]
		j := row % d.n
		row /= d.n
		at += j * d.sy
		if s := padSource(p.mode, j-d.begin, d.nx); s < 0 || from < 0 {
			from = -1
		} else {
			from += s * d.sx
		}
	}
	d := &p.dims[last]
	y := c.y(0)[at:]
	if from < 0 {
		for j := range d.n {
			y[j*d.sy] = p.value
		}
		return
	}
	var x []float32
	if all := c.x(0); from < len(all) {
		x = all[from:]
	}
	for j := range d.n {
		if s := padSource(p.mode, j-d.begin, d.nx); s >= 0 {
			y[j*d.sy] = x[s*d.sx]
		} else {
			y[j*d.sy] = p.value
		}
	}
}
