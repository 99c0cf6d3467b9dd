package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// planMaxPool takes channels-last, where a tap is a row of channels, and plain,
// plane by plane.
func planMaxPool(_ *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.MaxPool)
	g, err := op.Geometry(d.In[0].Shape)
	if err != nil {
		return nil, err
	}
	p, w, err := planPool("MaxPool", d, g)
	if err != nil {
		return nil, err
	}
	if op.Indices {
		p.phases = []phase{w.phase(w.maxIndexed)}
	} else {
		p.phases = []phase{w.phase(w.max)}
	}
	for i, o := range p.out {
		p.phases = clearLanes(p.phases, i, o)
	}
	return p, nil
}

// max computes one output row. Go's max gives NaN if either side is NaN.
func (w *poolWindow) max(c *call, n, q int) {
	row := c.y(0)[(n*w.y.s+q)*w.y.pitch:][:w.y.c]
	x := c.x(0)[n*w.x.s*w.x.pitch:]
	r := w.window(q)
	if r.empty() {
		fill(row, float32(math.Inf(-1)))
		return
	}
	// Taps go in pairs, so that the row is read and written half as often.
	first, held := true, -1
	w.each(&r, func(pos int) {
		switch {
		case held < 0:
			held = pos
			return
		case first:
			maxOf2(row, x[held*w.x.pitch:], x[pos*w.x.pitch:])
		default:
			maxOf3(row, x[held*w.x.pitch:], x[pos*w.x.pitch:])
		}
		first, held = false, -1
	})
	switch {
	case held >= 0 && first:
		copy(row, x[held*w.x.pitch:])
	case held >= 0:
		maxOf2(row, row, x[held*w.x.pitch:])
	}
}

func maxOf2(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = max(a[i], b[i])
	}
}

func maxOf3(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i, v := range dst {
		dst[i] = max(v, a[i], b[i])
	}
}

// maxIndexed computes one output row and where its maxima lie.
func (w *poolWindow) maxIndexed(c *call, n, q int) {
	at := (n*w.y.s + q) * w.y.pitch
	row, idx := c.y(0)[at:][:w.y.c], view[int32](c.out[1])[at:][:w.y.c]
	x := c.x(0)[n*w.x.s*w.x.pitch:]
	fill(row, float32(math.Inf(-1)))
	fill(idx, -1)
	r := w.window(q)
	if r.empty() {
		return
	}
	w.each(&r, func(pos int) {
		src := x[pos*w.x.pitch:][:len(row)]
		for i, v := range src {
			// v ≠ v takes the last NaN; idx < 0 takes a first −∞.
			if v > row[i] || v != v || idx[i] < 0 {
				row[i], idx[i] = v, int32(pos)
			}
		}
	})
}

func fill[T any](s []T, v T) {
	for i := range s {
		s[i] = v
	}
}
