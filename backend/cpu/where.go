package cpu

import "github.com/convgl/convgl/backend"

// whereFn computes rows of n elements, lz, lc, lx and ly apart: z = c ≠ 0 ? x : y. There
// is at least one row.
type whereFn func(z, c, x, y []float32, n, rows, lz, lc, lx, ly int)

// whereForm is the index of a whereFn by which of x and y are one element in each row;
// c is a vector.
func whereForm(sx, sy int) int { return 3 - 2*sx - sy }

// planWhere takes any layouts and any broadcast, as planBinary does.
func planWhere(dev *device, d backend.Desc) (*plan, error) {
	p, n := broadcastPlan(d)
	w := &whereRun{sz: n.inner(0), sc: n.inner(1), sx: n.inner(2), sy: n.inner(3)}
	w.lz, w.lc, w.lx, w.ly = n.outer(0), n.outer(1), n.outer(2), n.outer(3)
	if w.sz == 1 && w.sc == 1 && (w.sx|w.sy)&^1 == 0 {
		w.fn = dev.rows().where[whereForm(w.sx, w.sy)]
	}
	total := n.total()
	parts := partsFor(total, 4*int64(total), grainBytes)
	p.phases = clearLanes([]phase{{parts, func(c *call, part, _ int) {
		lo, hi := shareLines(total, part, parts)
		for it := n.start(lo, hi); it.next(); {
			w.do(c.y(0), c.x(0), c.x(1), c.x(2), &it)
		}
	}}}, 0, p.out[0])
	return p, nil
}

// whereRun computes the runs of a walk.
type whereRun struct {
	fn             whereFn // nil where c has an inner stride of 0, or any one of more than 1
	sz, sc, sx, sy int
	lz, lc, lx, ly int
}

// do computes a run of a walk, and the rows after it that it can take along.
func (w *whereRun) do(z, c, x, y []float32, it *walk) {
	z, c, x, y = z[it.off[0]:], c[it.off[1]:], x[it.off[2]:], y[it.off[3]:]
	n := it.n
	if w.fn == nil {
		whereRow(z, c, x, y, n, w.sz, w.sc, w.sx, w.sy)
		return
	}
	for n > rowChunk {
		w.fn(z, c, x, y, rowChunk, 1, 0, 0, 0, 0)
		z, c, x, y = z[rowChunk:], c[rowChunk:], x[rowChunk*w.sx:], y[rowChunk*w.sy:]
		n -= rowChunk
	}
	w.fn(z, c, x, y, n, it.rows(rowChunk/it.n), w.lz, w.lc, w.lx, w.ly)
}

// genericWhere returns the rows in plain Go for x and y with these strides.
func genericWhere(sx, sy int) whereFn {
	return func(z, c, x, y []float32, n, rows, lz, lc, lx, ly int) {
		for r := range rows {
			whereRow(z[r*lz:], c[r*lc:], x[r*lx:], y[r*ly:], n, 1, 1, sx, sy)
		}
	}
}

// whereRow computes n elements with the given strides. NaN is not 0.
func whereRow(z, c, x, y []float32, n, sz, sc, sx, sy int) {
	if sc == 0 { // one condition for the row
		if c[0] == 0 {
			x, sx = y, sy
		}
		for i := range n {
			z[i*sz] = x[i*sx]
		}
		return
	}
	for i := range n {
		v := y[i*sy]
		if c[i*sc] != 0 {
			v = x[i*sx]
		}
		z[i*sz] = v
	}
}
