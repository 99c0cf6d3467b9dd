package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// padDim is a dim of y: its size and the distance of its positions, where x begins,
// and how x lies along it.
type padDim struct{ n, sy, begin, nx, sx int }

// plain reports whether nothing is padded.
func (d *padDim) plain() bool { return d.begin == 0 && d.n == d.nx }

// padPlan pads row by row, in the order of y's memory.
type padPlan struct {
	outer    []padDim // from outermost to innermost
	col, row padDim   // of rows; of the positions in a row
	run      int      // elements of a position, 1 or more, which follow each other in x and y
	rows     int
	mode     backend.PadMode
	value    [1 << 8]uint32 // the bits of the value
	move     runsFunc
	done     func()
}

// planPad takes any layouts.
func planPad(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Pad)
	in := resolve(d.In[0], imageLayout(len(d.In[0].Shape)))
	if d.In[0].Layout == backend.Any && d.Out[0].Layout != backend.Any {
		in.Layout = d.Out[0].Layout
	}
	out := resolve(d.Out[0], in.Layout)
	pl := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	if out.Shape.Size() == 0 {
		return pl, nil
	}
	sx, sy := in.Layout.Strides(in.Shape), out.Layout.Strides(out.Shape)
	p := &padPlan{run: 1, mode: op.Mode}
	for i := range p.value {
		p.value[i] = math.Float32bits(op.Value)
	}
	clear := paddedPitch(out) > 0
	var dims []padDim
	for _, i := range physicalOrder(out) {
		begin := 0
		if op.Pads != nil {
			begin = op.Pads[i]
		}
		k := padDim{out.Shape[i], sy[i], begin, in.Shape[i], sx[i]}
		if pitch := paddedPitch(out); i == 1 && pitch > 0 && pitch == paddedPitch(in) && k.plain() {
			k.n, k.nx = pitch, pitch // the padding lanes too, which hold zeros
			clear = op.Mode == backend.PadConstant && op.Value != 0
		}
		dims = append(dims, k)
	}
	p.nest(dims)
	p.move, p.done = newRunsTo(dev.isa, out.Bytes(), p.lines())
	parts := partsFor(p.rows, out.Bytes(), grainBytes)
	pl.phases = []phase{{parts, func(c *call, part, _ int) {
		lo, hi := share(p.rows, part, parts)
		p.pad(c, lo, hi)
		p.done()
	}}}
	if clear {
		pl.phases = clearLanes(pl.phases, 0, out)
	}
	return pl, nil
}

// nest sets the dims of the plan: what is not padded and contiguous within makes the
// positions of a row longer, and without it makes more rows.
func (p *padPlan) nest(dims []padDim) {
	var merged []padDim
	for _, d := range dims {
		if last := len(merged) - 1; last >= 0 && d.plain() && merged[last].plain() && merged[last].sy == d.n*d.sy && merged[last].sx == d.nx*d.sx {
			d.n, d.nx = d.n*merged[last].n, d.nx*merged[last].n
			merged[last] = d
			continue
		}
		merged = append(merged, d)
	}
	one := padDim{n: 1, nx: 1}
	if last := merged[len(merged)-1]; last.plain() && last.sy == 1 && last.sx == 1 {
		p.run, merged = last.n, merged[:len(merged)-1]
	}
	for len(merged) < 2 {
		merged = append([]padDim{one}, merged...)
	}
	k := len(merged) - 2
	p.outer, p.col, p.row = merged[:k], merged[k], merged[k+1]
	if p.row.n == 1 && p.row.plain() {
		p.row.sy, p.row.sx = p.run, p.run
	}
	p.rows = p.col.n
	for _, d := range p.outer {
		p.rows *= d.n
	}
}

// lines reports whether all that is copied to y is whole lines of memory.
func (p *padPlan) lines() bool {
	ok := p.run%lineFloats == 0 && p.row.sy%lineFloats == 0 && p.col.sy%lineFloats == 0
	for _, d := range p.outer {
		ok = ok && d.sy%lineFloats == 0
	}
	return ok
}

// source returns which position of x the position i of d shows, or −1.
func (d *padDim) source(mode backend.PadMode, i int) int {
	i -= d.begin
	switch {
	case inRange(i, d.nx):
		return i
	case mode == backend.PadWrap:
		if i %= d.nx; i < 0 {
			i += d.nx
		}
		return i
	case mode == backend.PadEdge:
		return max(0, min(i, d.nx-1))
	case mode == backend.PadReflect && i < 0:
		return -i
	case mode == backend.PadReflect:
		return 2*(d.nx-1) - i
	}
	return -1
}

// pad writes rows lo to hi−1 of y.
func (p *padPlan) pad(c *call, lo, hi int) {
	x, y := view[uint32](c.in[0]), view[uint32](c.out[0])
	for lo < hi {
		// The rows that differ in col alone.
		at, from := 0, 0
		rest := lo / p.col.n
		for i := len(p.outer) - 1; i >= 0; i-- {
			d := &p.outer[i]
			j := rest % d.n
			rest /= d.n
			at += j * d.sy
			if s := d.source(p.mode, j); s < 0 || from < 0 {
				from = -1
			} else {
				from += s * d.sx
			}
		}
		j := lo % p.col.n
		end := min(p.col.n, j+hi-lo)
		lo += end - j
		for j < end {
			n, s := p.stretch(j, end)
			dst := y[at+j*p.col.sy:]
			if s < 0 || from < 0 {
				p.fill(dst, n, 0, p.row.n)
			} else {
				p.copy(dst, x, from+s*p.col.sx, n)
			}
			j += n
		}
	}
}

// stretch returns how many rows from j on come from rows of x that follow each other,
// and the first of these, or −1.
func (p *padPlan) stretch(j, end int) (n, source int) {
	d := &p.col
	s := d.source(p.mode, j)
	switch last := d.begin + d.nx; {
	case j < d.begin && s < 0:
		return min(end, d.begin) - j, s
	case j >= last && s < 0:
		return end - j, s
	case j >= d.begin && j < last:
		return min(end, last) - j, s
	}
	return 1, s
}

// fill sets the positions from to to−1 of n rows to the value.
func (p *padPlan) fill(y []uint32, n, from, to int) {
	d, size := &p.row, (to-from)*p.run
	switch {
	case size == 0:
	case d.sy != p.run: // the positions of a row lie apart
		for i := from; i < to; i++ {
			p.fillRuns(y[i*d.sy:], n, p.run)
		}
	default:
		p.fillRuns(y[from*d.sy:], n, size)
	}
}

// fillRuns sets the first size elements of n rows to the value.
func (p *padPlan) fillRuns(y []uint32, n, size int) {
	if size <= len(p.value) {
		p.runs(y, p.value[:], n, size, p.col.sy, 0)
		return
	}
	for r := range n {
		row := y[r*p.col.sy:][:size]
		for done := copy(row, p.value[:]); done < size; {
			done += copy(row[done:], row[:done])
		}
	}
}

// copy writes n rows that come from rows of x which follow each other, the first at
// from.
func (p *padPlan) copy(y, x []uint32, from, n int) {
	d := &p.row
	switch {
	case d.nx == 0:
	case d.sy == p.run && d.sx == p.run:
		p.runs(y[d.begin*d.sy:], x[from:], n, d.nx*p.run, p.col.sy, p.col.sx)
	default: // the positions of a row lie apart
		for r := range n {
			p.runs(y[r*p.col.sy+d.begin*d.sy:], x[from+r*p.col.sx:], d.nx, p.run, d.sy, d.sx)
		}
	}
	if p.mode == backend.PadConstant {
		p.fill(y, n, 0, d.begin)
		p.fill(y, n, d.begin+d.nx, d.n)
		return
	}
	for i := range d.n - d.nx {
		if i >= d.begin {
			i += d.nx
		}
		p.runs(y[i*d.sy:], x[from+d.source(p.mode, i)*d.sx:], n, p.run, p.col.sy, p.col.sx)
	}
}

// runs copies runs of size elements in pieces, since a call cannot be preempted.
func (p *padPlan) runs(y, x []uint32, runs, size, sy, sx int) {
	step := max(1, copyChunk/size)
	for r := 0; r < runs; r += step {
		k := min(step, runs-r)
		to, src := y[r*sy:], x[r*sx:]
		if size > copyChunk {
			copy(to[:size], src)
		} else {
			p.move(to[:(k-1)*sy+size], src[:(k-1)*sx+size], k, size, sy, sx)
		}
	}
}
