package cpu

import "github.com/convgl/convgl/backend"

// planResample adds rows of the elements behind the axis. Along the last axis there
// are none: then some rows of x are transposed, so that elements of different rows
// lie side by side, and what comes of them is transposed back.
func planResample(dev *device, d backend.Desc) (*plan, error) {
	p, err := planPlain(d)
	if err != nil {
		return nil, err
	}
	x := p.in[0].Shape
	axis, err := backend.ResolveAxis("Resample", d.Op.(backend.Resample).Axis, len(x))
	if err != nil {
		return nil, err
	}
	r := &resamplePlan{
		resizeKernels: pick(dev.isa, resizeImpls), scale: dev.rows().scaleShiftAll,
		n: x[axis], inner: x[axis+1:].Size(), outer: x[:axis].Size(), m: p.in[1].Shape[0], terms: p.in[1].Shape[1],
	}
	work := d.Cost().FLOPs + int64(p.out[0].Shape.Size())
	// Units of work follow each other along the axis first: they read the same rows.
	each, fn := 0, r.row
	if r.inner == 1 {
		r.flips = newTransposer(dev.isa, 0)
		r.lanes = resampleLanes(r.n)
		r.pieces = (r.m + resampleChunk - 1) / resampleChunk
		each = (r.outer + r.lanes - 1) / r.lanes * r.pieces
		if r.lanes > 1 {
			r.scratch = (r.n + resampleChunk) * r.lanes
		}
		p.workspace = 4 * int64(r.scratch) * int64(dev.pool.threads())
		fn = r.columns
	} else {
		r.pieces = (r.inner + resamplePiece - 1) / resamplePiece
		each = r.outer * r.pieces * r.m
	}
	parts := partsFor(each, work/4, grainFLOPs)
	p.phases = []phase{{parts, func(c *call, part, thread int) {
		lo, hi := share(each, part, parts)
		fn(c, lo, hi, thread)
	}}}
	return p, nil
}

const (
	resamplePiece = 1 << 12 // elements of a row that stay in the first cache
	resampleChunk = 64      // elements along the last axis that are transposed back at once
)

// resampleLanes is how many rows of n elements are transposed at once: what stays in
// the second cache. A single row needs no transposition.
func resampleLanes(n int) int {
	switch {
	case n <= 1<<11:
		return 64
	case n <= 1<<16:
		return 16
	}
	return 1
}

// resamplePlan views x as [outer, n, inner] and y as [outer, m, inner].
type resamplePlan struct {
	*resizeKernels
	scale                     func(dst, src []float32, scale, shift float32)
	n, inner, outer, m, terms int
	pieces                    int // of a row of inner elements, or of m along the last axis

	flips   *transposer
	lanes   int // rows of x at once
	scratch int // elements a thread
}

// row computes units lo to hi−1, each a piece of a row of y.
func (r *resamplePlan) row(c *call, lo, hi, _ int) {
	for ; lo < hi; lo++ {
		at, o := lo/r.m, lo%r.m
		a, from := at/r.pieces, at%r.pieces*resamplePiece
		size := min(resamplePiece, r.inner-from)
		r.sum(c, c.y(0)[(a*r.m+o)*r.inner+from:][:size], c.x(0)[a*r.n*r.inner+from:], r.inner, o)
	}
}

// columns computes units lo to hi−1 along the last axis, each a chunk of it for some
// rows.
func (r *resamplePlan) columns(c *call, lo, hi, thread int) {
	scratch := f32(c.ws)[thread*r.scratch:][:r.scratch]
	for block := -1; lo < hi; lo++ {
		a := lo / r.pieces * r.lanes
		rows := min(r.lanes, r.outer-a)
		from := lo % r.pieces * resampleChunk
		to := min(r.m, from+resampleChunk)
		x, y := c.x(0)[a*r.n:(a+rows)*r.n], c.y(0)[a*r.m:(a+rows)*r.m]
		if rows == 1 {
			for o := from; o < to; o++ {
				r.sum(c, y[o:o+1], x, 1, o)
			}
			continue
		}
		flipped, sums := scratch[:r.n*rows], scratch[r.n*r.lanes:]
		if block != lo/r.pieces {
			block = lo / r.pieces
			r.flips.run(asBits(flipped), asBits(x), r.n, rows, rows, r.n, nil)
		}
		for o := from; o < to; o++ {
			r.sum(c, sums[(o-from)*rows:][:rows], flipped, rows, o)
		}
		r.flips.run(asBits(y[from:]), asBits(sums), rows, to-from, r.m, rows, nil)
	}
}

// sum sets y to the terms of element o along the axis, of which x has one every pitch
// elements. It takes up to four terms at once, then three more on top. An element's
// sum does not depend on its place in y, nor on the length of that.
func (r *resamplePlan) sum(c *call, y, x []float32, pitch, o int) {
	index, weight := view[int32](c.in[1])[o*r.terms:][:r.terms], c.x(2)[o*r.terms:][:r.terms]
	var src [4][]float32
	var w [4]float32
	n, begun := 0, false // terms that wait; where y was begun, it is the first of them
	for t, k := range index {
		if uint(k) >= uint(r.n) || weight[t] == 0 {
			continue
		}
		if n == 4 {
			r.blend4(y, src[0], src[1], src[2], src[3], w[0], w[1], w[2], w[3])
			src[0], w[0], n, begun = y, 1, 1, true
		}
		src[n], w[n] = x[int(k)*pitch:][:len(y)], weight[t]
		n++
	}
	switch {
	case n == 4:
		r.blend4(y, src[0], src[1], src[2], src[3], w[0], w[1], w[2], w[3])
	case n == 3: // no fourth of weight 0: it might not be finite
		r.blend2(y, src[0], src[1], w[0], w[1])
		r.blend2(y, y, src[2], 1, w[2])
	case n == 2:
		r.blend2(y, src[0], src[1], w[0], w[1])
	case n == 1 && !begun:
		r.scale(y, src[0], w[0], 0)
	case n == 0:
		clear(y)
	}
}
