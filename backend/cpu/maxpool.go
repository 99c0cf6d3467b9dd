package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// planMaxPool takes channels-last, where a tap is a row of channels, and plain,
// plane by plane.
func planMaxPool(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.MaxPool)
	g, err := op.Geometry(d.In[0].Shape)
	if err != nil {
		return nil, err
	}
	if global(g) && !op.Indices {
		d.Op = backend.GlobalPool{}
		return planGlobalPool(dev, d)
	}
	p, w, err := planPool("MaxPool", dev, d, g)
	if err != nil {
		return nil, err
	}
	if op.Indices {
		w.byPixels()
		if w.flat() {
			w.pattern = pickPattern(w.k.lanes, w.x.pitch, w.Stride[2])
		} else {
			w.pattern = pickPattern(w.k.lanes, w.k.lanes, 1)
			w.pattern[pickPlaces] = 0 // all channels are at one place
		}
		p.phases = []phase{w.phase(w.maxIndexed)}
	} else {
		w.planMax(dev, p)
	}
	for i, o := range p.out {
		p.phases = clearLanes(p.phases, i, o)
	}
	return p, nil
}

var negInf = float32(math.Inf(-1))

// planMax chooses how maxima without indices are computed.
func (w *poolWindow) planMax(dev *device, p *plan) {
	w.join()
	if w.byRows(false) {
		p.workspace = 4 * int64(w.scratch) * int64(dev.pool.threads())
		p.phases = []phase{w.phase(w.maxRows)}
		return
	}
	w.byPixels()
	p.phases = []phase{w.phase(w.maxPixels)}
}

// maxPixels computes a unit from the windows in x.
func (w *poolWindow) maxPixels(c *call, u poolUnit, _ int) {
	for p := u.p0; p < u.p1; p++ {
		y := c.y(0)[w.to(&u, p):]
		r, row, inside := w.row(&u, p)
		if !inside {
			w.fillColumns(y, u.q1-u.q0, negInf)
			continue
		}
		x := c.x(0)[row:]
		w.columns(u.q0, u.q1, func(q, n, at, taps int) {
			dst := y[(q-u.q0)*w.y.pitch:]
			if taps == 0 {
				w.fillColumns(dst, n, negInf)
				return
			}
			g := w.box(&r)
			g[boxCols], g[boxNX] = n, taps
			w.maxBox(dst, x[at*w.x.pitch:], &g)
		})
	}
}

// maxBox checks what the kernel relies on.
func (w *poolWindow) maxBox(y, x []float32, g *box) {
	nx, ny := boxSpan(g)
	w.k.maxBox(y[:ny], x[:nx], *g)
}

// fillColumns sets n columns of y to v.
func (w *poolWindow) fillColumns(y []float32, n int, v float32) {
	for j := range n {
		fill(y[j*w.y.pitch:][:w.y.c], v)
	}
}

// maxRows computes a unit in two steps: the maxima over the rows of x, between −∞ for
// the padding, and then along the row.
func (w *poolWindow) maxRows(c *call, u poolUnit, thread int) {
	y, x, s := c.y(0), c.x(0), f32(c.ws)[thread*w.scratch:][:w.scratch]
	begin, end, lo, hi := w.span(&u)
	if lo >= hi {
		for p := u.p0; p < u.p1; p++ {
			w.fillColumns(y[w.to(&u, p):], u.q1-u.q0, negInf)
		}
		return
	}
	pitch := w.x.pitch
	width := (end - begin) * pitch
	left, right := (lo-begin)*pitch, (hi-begin)*pitch
	for p := u.p0; p < u.p1; {
		row := s[(p-u.p0)*width:]
		r, at, inside := w.row(&u, p)
		n := w.alike(1, p, u.p1)
		if !inside {
			fill(row[left:right], negInf)
		} else {
			g := w.rowsBox(&r, n, lo, hi, width)
			w.maxBox(row[left:], x[at+lo*pitch:], &g)
		}
		p += n
	}
	if left > 0 || right < width {
		for i := range u.p1 - u.p0 {
			fill(s[i*width:][:left], negInf)
			fill(s[i*width:][right:width], negInf)
		}
	}

	lines, cols, yLine := u.p1-u.p0, u.q1-u.q0, w.Out[2]*pitch
	y = y[w.to(&u, u.p0):][:(lines-1)*yLine+cols*pitch]
	h := box{boxN: pitch, boxCols: cols, boxYStep: pitch, boxXStep: w.Stride[2] * pitch, boxNZ: 1, boxNY: 1, boxNX: w.Kernel[2], boxSX: w.Dilation[2] * pitch}
	switch {
	case w.adaptive:
		w.columns(u.q0, u.q1, func(q, n, at, taps int) {
			// A column of every row.
			h[boxCols], h[boxNX], h[boxYStep], h[boxXStep] = lines, taps, yLine, width
			w.maxBox(y[(q-u.q0)*pitch:], s[(at-begin)*pitch:], &h)
		})
	case w.pattern != nil:
		s = s[:lines*width+pickSlack]
		w.k.maxPick(y, s, [...]int{cols * pitch, lines, yLine, width, w.Kernel[2], h[boxSX]}, w.pattern)
	case pitch < minLanes:
		h[boxN], h[boxCols], h[boxYStep], h[boxXStep] = cols*pitch, lines, yLine, width
		w.maxBox(y, s, &h)
	default:
		for i := range lines {
			w.maxBox(y[i*yLine:], s[i*width:], &h)
		}
	}
}

// flat reports whether the lanes of a vector are those of several pixels.
func (w *poolWindow) flat() bool {
	return w.x.pitch < minLanes && w.x.pitch == w.y.pitch && w.x.pitch > 0
}

// maxIndexed computes a unit and where its maxima lie.
func (w *poolWindow) maxIndexed(c *call, u poolUnit, _ int) {
	for p := u.p0; p < u.p1; p++ {
		to := w.to(&u, p)
		y, index := c.y(0)[to:], view[int32](c.out[1])[to:]
		r, row, inside := w.row(&u, p)
		x := c.x(0)
		if inside {
			x = x[row:]
		}
		w.columns(u.q0, u.q1, func(q, n, at, taps int) {
			to := (q - u.q0) * w.y.pitch
			if taps == 0 || !inside {
				w.fillColumns(y[to:], n, negInf)
				for j := range n {
					fill(index[to+j*w.y.pitch:][:w.y.c], -1)
				}
				return
			}
			b := w.box(&r)
			b[boxCols], b[boxNX] = n, taps
			var g indexed
			copy(g[:], b[:])
			z, line := r.at[0]+r.lo[0]*w.Dilation[0], r.at[1]+r.lo[1]*w.Dilation[1]
			g[indexPlace], g[indexRow] = (z*w.In[1]+line)*w.In[2]+at, w.Stride[2]
			g[indexZ], g[indexY], g[indexX] = w.Dilation[0]*w.In[1]*w.In[2], w.Dilation[1]*w.In[2], w.Dilation[2]
			nx, ny := boxSpan(&b)
			if w.flat() {
				g[indexN], g[indexRows] = n*w.x.pitch, 1
				nx, ny = nx+w.x.pitch-w.x.c, ny+w.y.pitch-w.y.c
			}
			w.k.maxIndex(y[to:][:ny], index[to:][:ny], x[at*w.x.pitch:][:nx], g, w.pattern)
		})
	}
}
