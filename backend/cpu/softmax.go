package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

//go:generate go -C _asm run . -family softmax -out ../softmax_amd64.s -stubs ../zsoftmax_amd64.go -pkg cpu

// planSoftmax takes any layouts. Exponentials, sums and logarithms are float64; y is
// rounded once more of exponentials in float32, once of logarithms.
//
// An axis that is contiguous makes rows; one whose slices are side by side makes
// lanes: an element of each of many slices is a vector.
func planSoftmax(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Softmax)
	shape := d.In[0].Shape
	axis, err := backend.ResolveAxis("Softmax", op.Axis, len(shape))
	if err != nil {
		return nil, err
	}
	in := resolve(d.In[0], imageLayout(len(shape)))
	if d.In[0].Layout == backend.Any && d.Out[0].Layout != backend.Any {
		in.Layout = d.Out[0].Layout
	}
	out := resolve(d.Out[0], in.Layout)
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	if in.Layout == out.Layout {
		p.inPlace = []int{0}
	}
	sy, sx := out.Layout.Strides(shape), in.Layout.Strides(shape)
	each := shape.Clone() // one element of it is a slice along the axis
	length := each[axis]
	each[axis] = min(length, 1)
	n := newNest(each, physicalOrder(out), sy, sx)
	fns := pick(dev.isa, softmaxImpls)
	s := &slices1D{log: op.Log, n: length, sy: sy[axis], sx: sx[axis], ly: n.inner(0), lx: n.inner(1), logs: fns.logs}
	s.batch = max(1, min(softmaxMost, softmaxCache/max(1, length)))
	switch {
	case length <= 1 || s.sy == 1 && s.sx == 1:
		s.fns = &fns.rows
	case s.ly == 1 && s.lx == 1:
		s.fns, s.lanes = &fns.lanes, true
		s.batch = max(16, s.batch&^15)
		s.copied = s.batch*length <= softmaxCache
	}
	total := n.total()
	parts := partsFor(total, 32*int64(total)*int64(length), grainBytes)
	scratch := int64(softmaxMost * 12) // bytes a thread
	if s.copied {
		scratch += softmaxCache * 4
	}
	p.workspace = scratch * int64(dev.pool.threads())
	p.phases = clearLanes([]phase{{parts, func(c *call, part, thread int) {
		lo, hi := share(total, part, parts)
		if s.lanes && total > 64*parts { // whole vectors
			lo, hi = shareLines(total, part, parts)
		}
		ws := c.ws[int64(thread)*scratch:][:scratch]
		sum, rest := view[float64](ws[:softmaxMost*8]), f32(ws[softmaxMost*8:])
		m, rows := rest[:softmaxMost], rest[softmaxMost:]
		for it := n.start(lo, hi); it.next(); {
			s.run(c.y(0)[it.off[0]:], c.x(0)[it.off[1]:], rows, m, sum, it.n)
		}
	}}}, 0, out)
	return p, nil
}

const (
	softmaxMost  = 512     // slices at once
	softmaxCache = 1 << 15 // elements of them, so that all passes find them in the cache
)

// softmaxPass are the passes over count rows of n elements, ly and lx apart. What is
// float64, and m, belongs to the rows, an element each, or to the lanes of all rows: n
// elements. There is at least one row. A call takes no more than rowChunk elements.
type softmaxPass struct {
	max   func(m, x []float32, n, count, lx int)                       // m = max(m, x)
	exp   func(y, x, m []float32, sum []float64, n, count, ly, lx int) // y = e^(x−m), and its sum
	sum   func(x, m []float32, sum []float64, n, count, lx int)        // the sum alone
	scale func(y, x []float32, f []float64, n, count, ly, lx int)      // y = x·f
	shift func(y, x, m []float32, ln []float64, n, count, ly, lx int)  // y = x − m − ln
}

// softmaxFns are the passes of an instruction set.
type softmaxFns struct {
	rows, lanes softmaxPass
	logs        func(s []float64) // natural logarithms of numbers from 1 on
}

var softmaxImpls = append(softmaxArch[:len(softmaxArch):len(softmaxArch)], impl[*softmaxFns]{isaGeneric, &genericSoftmax})

// slices1D are slices of n elements, sy apart in y and sx in x. Slices follow each
// other at ly and lx.
type slices1D struct {
	log    bool
	n      int
	sy, sx int
	ly, lx int
	fns    *softmaxPass // nil for slices that are neither rows nor lanes
	logs   func(s []float64)
	batch  int  // slices at once
	lanes  bool // else rows
	// copied lanes are put side by side before several passes go through them: rows
	// that are a power of two apart would fall into the same few lines of a cache.
	copied bool
}

// run computes count slices. It reads an element of x before it writes that of y, so
// that they may be the same memory. A NaN in x or an infinite maximum makes the sum
// NaN, and with it the slice.
func (s *slices1D) run(y, x, rows, m []float32, sum []float64, count int) {
	if s.n == 0 {
		return
	}
	for at := 0; at < count; at += s.batch {
		n := min(s.batch, count-at)
		y, x := y[at*s.ly:], x[at*s.lx:]
		switch {
		case s.fns == nil:
			s.strided(y, x, n)
		case s.copied:
			for i := range s.n {
				copy(rows[i*n:][:n], x[i*s.sx:])
			}
			s.passes(y, rows, rows, m[:n], sum[:n], s.sy, n, n)
		case s.lanes:
			s.passes(y, x, y, m[:n], sum[:n], s.sy, s.sx, s.sy)
		default:
			s.passes(y, x, y, m[:n], sum[:n], s.ly, s.lx, s.ly)
		}
	}
}

// passes computes len(m) slices of x in y, with the exponentials in e, which may be
// either; ly, lx and le are the distances of rows.
func (s *slices1D) passes(y, x, e, m []float32, sum []float64, ly, lx, le int) {
	for i := range m {
		m[i], sum[i] = float32(math.Inf(-1)), 0
	}
	s.each(len(m), ly, lx, le, func(p piece) { s.fns.max(m[p.slice:], x[p.x:], p.n, p.count, lx) })
	if s.log {
		s.each(len(m), ly, lx, le, func(p piece) { s.fns.sum(x[p.x:], m[p.slice:], sum[p.slice:], p.n, p.count, lx) })
		s.logs(sum)
		s.each(len(m), ly, lx, le, func(p piece) {
			s.fns.shift(y[p.y:], x[p.x:], m[p.slice:], sum[p.slice:], p.n, p.count, ly, lx)
		})
		return
	}
	s.each(len(m), ly, lx, le, func(p piece) {
		s.fns.exp(e[p.e:], x[p.x:], m[p.slice:], sum[p.slice:], p.n, p.count, le, lx)
	})
	for i, v := range sum {
		sum[i] = 1 / v
	}
	s.each(len(m), ly, lx, le, func(p piece) {
		s.fns.scale(y[p.y:], e[p.e:], sum[p.slice:], p.n, p.count, ly, le)
	})
}

// piece is a part of slices that one call takes: count rows of n elements, at y, x and
// e, the first of which belongs to that slice.
type piece struct{ slice, n, count, y, x, e int }

// each calls fn for pieces of no more than rowChunk elements of count slices.
func (s *slices1D) each(count, ly, lx, le int, fn func(p piece)) {
	if s.lanes {
		step := rowChunk / count
		for at := 0; at < s.n; at += step {
			fn(piece{0, count, min(step, s.n-at), at * ly, at * lx, at * le})
		}
		return
	}
	if step := rowChunk / s.n; step > 0 {
		for i := 0; i < count; i += step {
			fn(piece{i, s.n, min(step, count-i), i * ly, i * lx, i * le})
		}
		return
	}
	for i := range count {
		for at := 0; at < s.n; at += rowChunk {
			fn(piece{i, min(rowChunk, s.n-at), 1, i*ly + at, i*lx + at, i*le + at})
		}
	}
}

// strided computes slices one by one, in plain Go.
func (s *slices1D) strided(y, x []float32, count int) {
	for i := range count {
		y, x := y[i*s.ly:], x[i*s.lx:]
		m, sum := math.Inf(-1), 0.0
		for j := range s.n {
			m = max(m, float64(x[j*s.sx]))
		}
		for j := range s.n {
			sum += math.Exp(float64(x[j*s.sx]) - m)
		}
		ln := math.Log(sum)
		for j := range s.n {
			v := float64(x[j*s.sx]) - m
			if s.log {
				y[j*s.sy] = float32(v - ln)
			} else {
				y[j*s.sy] = float32(math.Exp(v) / sum)
			}
		}
	}
}

var genericSoftmax = softmaxFns{rows: genericSoftmaxPass(false), lanes: genericSoftmaxPass(true), logs: logRow}

// genericSoftmaxPass is a softmaxPass in plain Go.
func genericSoftmaxPass(lanes bool) softmaxPass {
	row, lane := 1, 0 // element i of row r belongs to slice r·row + i·lane
	if lanes {
		row, lane = 0, 1
	}
	return softmaxPass{
		max: func(m, x []float32, n, count, lx int) {
			for r := range count {
				k := r * row
				for _, v := range x[r*lx:][:n] {
					m[k] = max(m[k], v)
					k += lane
				}
			}
		},
		exp: func(y, x, m []float32, sum []float64, n, count, ly, lx int) {
			for r := range count {
				k, y := r*row, y[r*ly:][:n]
				for i, v := range x[r*lx:][:n] {
					e := math.Exp(float64(v) - float64(m[k]))
					sum[k] += e
					y[i] = float32(e)
					k += lane
				}
			}
		},
		sum: func(x, m []float32, sum []float64, n, count, lx int) {
			for r := range count {
				k := r * row
				for _, v := range x[r*lx:][:n] {
					sum[k] += math.Exp(float64(v) - float64(m[k]))
					k += lane
				}
			}
		},
		scale: func(y, x []float32, f []float64, n, count, ly, lx int) {
			for r := range count {
				k, y := r*row, y[r*ly:][:n]
				for i, v := range x[r*lx:][:n] {
					y[i] = float32(float64(v) * f[k])
					k += lane
				}
			}
		},
		shift: func(y, x, m []float32, ln []float64, n, count, ly, lx int) {
			for r := range count {
				k, y := r*row, y[r*ly:][:n]
				for i, v := range x[r*lx:][:n] {
					y[i] = float32(float64(v) - float64(m[k]) - ln[k])
					k += lane
				}
			}
		},
	}
}

func logRow(s []float64) {
	for i, v := range s {
		s[i] = math.Log(v)
	}
}
