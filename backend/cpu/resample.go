package cpu

import "github.com/convgl/convgl/backend"

// planResample adds rows of the elements behind the axis, or, along the last axis,
// single elements of several rows at once.
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
		n: x[axis], inner: x[axis+1:].Size(), m: p.in[1].Shape[0], terms: p.in[1].Shape[1],
	}
	outer := x[:axis].Size()
	work := d.Cost().FLOPs + int64(p.out[0].Shape.Size())
	if r.inner < resampleVector {
		// A part is some rows of x by some elements along the axis.
		blocks := (outer + resampleRows - 1) / resampleRows
		total := blocks * r.m
		parts := partsFor(total, 2*work, grainFLOPs)
		p.phases = []phase{{parts, func(c *call, part, _ int) {
			lo, hi := share(total, part, parts)
			for lo < hi {
				block, o := lo/r.m, lo%r.m
				to := min(r.m, o+hi-lo)
				a := block * resampleRows
				r.columns(c, a, min(outer, a+resampleRows), o, to)
				lo += to - o
			}
		}}}
		return p, nil
	}
	r.pieces = (r.inner + resamplePiece - 1) / resamplePiece
	total := outer * r.pieces * r.m // the elements along the axis innermost: they read the same rows
	parts := partsFor(total, work/2, grainFLOPs)
	p.phases = []phase{{parts, func(c *call, part, _ int) {
		lo, hi := share(total, part, parts)
		for ; lo < hi; lo++ {
			at, o := lo/r.m, lo%r.m
			r.row(c, at/r.pieces, o, at%r.pieces)
		}
	}}}
	return p, nil
}

const (
	resampleVector = 8       // elements behind the axis from which rows are added
	resampleRows   = 4       // rows of x that share the taps
	resamplePiece  = 1 << 12 // elements of a row that stay in the first cache
)

// resamplePlan views x as [a, n, inner] and y as [a, m, inner].
type resamplePlan struct {
	*resizeKernels
	scale              func(dst, src []float32, scale, shift float32)
	n, inner, m, terms int
	pieces             int // of a row
}

// taps returns what output o sums.
func (r *resamplePlan) taps(c *call, o int) (index []int32, weight []float32) {
	return view[int32](c.in[1])[o*r.terms:][:r.terms], c.x(2)[o*r.terms:][:r.terms]
}

// row computes a piece of y[a, o]: up to four terms at once, then three more on top.
func (r *resamplePlan) row(c *call, a, o, piece int) {
	from := piece * resamplePiece
	size := min(resamplePiece, r.inner-from)
	y := c.y(0)[(a*r.m+o)*r.inner+from:][:size]
	x := c.x(0)[a*r.n*r.inner:][:r.n*r.inner]
	var src [4][]float32
	var w [4]float32
	n, begun := 0, false // terms that wait, the first of which may be y so far
	flush := func() {
		switch {
		case n == 4:
			r.blend4(y, src[0], src[1], src[2], src[3], w[0], w[1], w[2], w[3])
		case n == 3: // what a factor of 0 does to a row that is not finite is not wanted
			r.blend2(y, src[0], src[1], w[0], w[1])
			r.blend2(y, y, src[2], 1, w[2])
		case n == 2:
			r.blend2(y, src[0], src[1], w[0], w[1])
		case n == 1 && !begun:
			r.scale(y, src[0], w[0], 0)
		}
		src[0], w[0], n, begun = y, 1, 1, true
	}
	index, weight := r.taps(c, o)
	for t, k := range index {
		if uint(k) >= uint(r.n) || weight[t] == 0 {
			continue
		}
		src[n], w[n] = x[int(k)*r.inner+from:][:size], weight[t]
		if n++; n == 4 {
			flush()
		}
	}
	if n == 0 {
		clear(y)
		return
	}
	flush()
}

// columns computes elements lo to hi−1 along the axis of rows a to b−1 of x.
func (r *resamplePlan) columns(c *call, a, b, lo, hi int) {
	x, y := c.x(0)[a*r.n*r.inner:b*r.n*r.inner], c.y(0)[a*r.m*r.inner:b*r.m*r.inner]
	for o := lo; o < hi; o++ {
		index, weight := r.taps(c, o)
		if r.inner == 1 && b-a == resampleRows {
			r.four(y[o:], x, index, weight)
			continue
		}
		for i := range b - a {
			for j := range r.inner {
				sum := float32(0)
				for t, k := range index {
					if w := weight[t]; uint(k) < uint(r.n) && w != 0 {
						sum += w * x[(i*r.n+int(k))*r.inner+j]
					}
				}
				y[(i*r.m+o)*r.inner+j] = sum
			}
		}
	}
}

// four computes one element of four rows, m apart in y and n in x. It adds in the
// order of columns, so that rows do not depend on how many there are.
func (r *resamplePlan) four(y, x []float32, index []int32, weight []float32) {
	x0, x1, x2, x3 := x[:r.n], x[r.n:2*r.n], x[2*r.n:3*r.n], x[3*r.n:4*r.n]
	var s0, s1, s2, s3 float32
	for t, k := range index {
		if w := weight[t]; uint(k) < uint(r.n) && w != 0 {
			s0 += w * x0[k]
			s1 += w * x1[k]
			s2 += w * x2[k]
			s3 += w * x3[k]
		}
	}
	y[0], y[r.m], y[2*r.m], y[3*r.m] = s0, s1, s2, s3
}
