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
	if w.halves() {
		w.byPixels()
		p.phases = []phase{w.phase(w.maxHalves)}
		return
	}
	if w.byRows(false) {
		p.workspace = 4 * int64(w.scratch) * int64(dev.pool.threads())
		p.phases = []phase{w.phase(w.maxRows)}
		return
	}
	w.byPixels()
	p.phases = []phase{w.phase(w.maxPixels)}
}

// halves reports whether a kernel of its own serves the windows, which begin two
// elements apart and have one channel: straight from x where lines are long and taps
// come in pairs.
func (w *poolWindow) halves() bool {
	k := w.Kernel[2]
	return w.halve() && k%2 == 0 && w.Begin[2] <= k && w.Out[2] >= 24
}

// halve reports whether that kernel serves the maxima over rows.
func (w *poolWindow) halve() bool {
	return w.x.pitch == 1 && w.y.pitch == 1 && w.Stride[2] == 2 && w.Dilation[2] == 1 && w.Kernel[2] <= halveTaps && !w.adaptive
}

// maxHalves computes a unit of windows for which halves is true.
func (w *poolWindow) maxHalves(c *call, u poolUnit, _ int) {
	w.lineRuns(&u, func(p, lines int, r reach, row int, inside bool) {
		y, n := c.y(0)[w.to(&u, p):], u.q1-u.q0
		if !inside {
			w.fill(y, lines, n, negInf)
			return
		}
		b := w.box(&r, lines)
		g := halved{n, lines, b[boxYLine], b[boxXLine], b[boxNZ], b[boxNY], w.Kernel[2], b[boxSZ], b[boxSY], w.Begin[2] - 2*u.q0, w.In[2], 0}
		b[boxN] = w.In[2]
		nx, _ := boxSpan(&b)
		w.k.maxHalve[0](y[:(lines-1)*g[halveYLine]+n], c.x(0)[row:][:nx], g)
	})
}

// maxPixels computes a unit from the windows in x.
func (w *poolWindow) maxPixels(c *call, u poolUnit, _ int) {
	w.lineRuns(&u, func(p, lines int, r reach, row int, inside bool) {
		y := c.y(0)[w.to(&u, p):]
		w.columns(u.q0, u.q1, func(q, n, at, taps int) {
			dst := y[(q-u.q0)*w.y.pitch:]
			if taps == 0 || !inside {
				w.fill(dst, lines, n, negInf)
				return
			}
			g := w.box(&r, lines)
			g[boxCols], g[boxNX] = n, taps
			w.maxBox(dst, c.x(0)[row+at*w.x.pitch:], &g)
		})
	})
}

// maxBox checks what the kernels rely on and chooses one. Where the result is false, no
// maximum is NaN.
func (w *poolWindow) maxBox(y, x []float32, g *box) bool {
	nx, ny := boxSpan(g)
	y, x = y[:ny], x[:nx]
	nan := false
	eachPiece(joined(*g), func(at int, b box) {
		fn := w.k.maxBox
		if b[boxNX] == 3 && b[boxNY] == 3 && b[boxNZ] == 1 && b[boxCols] > 1 && b[boxN] >= minLanes {
			if s := b[boxXStep] / b[boxSX]; (s == 1 || s == 2) && s*b[boxSX] == b[boxXStep] {
				fn = w.k.maxSlide[s-1]
			}
		}
		nan = fn(y[at:], x[at:], b) || nan
	})
	return nan
}

// fill sets columns of lines of y to v.
func (w *poolWindow) fill(y []float32, lines, cols int, v float32) {
	for l := range lines {
		for j := range cols {
			fill(y[(l*w.Out[2]+j)*w.y.pitch:][:w.y.c], v)
		}
	}
}

// maxRows computes a unit in two steps: the maxima over the rows of x, between −∞ for
// the padding, and then along the row.
func (w *poolWindow) maxRows(c *call, u poolUnit, thread int) {
	y, s := c.y(0)[w.to(&u, u.p0):], f32(c.ws)[thread*w.scratch:][:w.scratch]
	lines, cols := u.p1-u.p0, u.q1-u.q0
	begin, end, lo, hi := w.span(&u)
	if lo >= hi {
		w.fill(y, lines, cols, negInf)
		return
	}
	pitch := w.x.pitch
	width := (end - begin) * pitch
	left, right := (lo-begin)*pitch, (hi-begin)*pitch
	clean := 1
	w.lineRuns(&u, func(p, n int, r reach, row int, inside bool) {
		s := s[(p-u.p0)*width:]
		if !inside {
			for i := range n {
				fill(s[i*width:][left:right], negInf)
			}
			return
		}
		g := w.rowsBox(&r, n, lo, hi, width)
		if w.maxBox(s[left:], c.x(0)[row+lo*pitch:], &g) {
			clean = 0
		}
	})
	if left > 0 || right < width {
		for i := range lines {
			fill(s[i*width:][:left], negInf)
			fill(s[i*width:][right:width], negInf)
		}
	}

	yLine := w.Out[2] * pitch
	h := box{boxN: pitch, boxCols: cols, boxYStep: pitch, boxXStep: w.Stride[2] * pitch, boxLines: lines, boxYLine: yLine, boxXLine: width,
		boxNZ: 1, boxNY: 1, boxNX: w.Kernel[2], boxSX: w.Dilation[2] * pitch, boxClean: clean}
	switch {
	case w.adaptive:
		w.columns(u.q0, u.q1, func(q, n, at, taps int) {
			h[boxCols], h[boxNX] = n, taps
			w.maxBox(y[(q-u.q0)*pitch:], s[(at-begin)*pitch:], &h)
		})
	case w.halve():
		g := halved{cols, lines, yLine, width, 1, 1, w.Kernel[2], 0, 0, 0, width, clean}
		if width == 2*yLine {
			g[halveN], g[halveLines], g[halveWidth] = lines*cols, 1, lines*width
		}
		w.k.maxHalve[1](y[:(lines-1)*yLine+cols], s[:lines*width+halveSlack], g)
	case w.pattern != nil:
		g := picked{cols * pitch, lines, yLine, width, w.Kernel[2], h[boxSX], clean}
		w.k.maxPick(y[:(lines-1)*yLine+cols*pitch], s[:lines*width+pickSlack], g, w.pattern)
	case pitch < minLanes:
		h[boxN], h[boxCols] = cols*pitch, 1
		fallthrough
	default:
		w.maxBox(y, s, &h)
	}
}

// flat reports whether the lanes of a vector are those of several pixels.
func (w *poolWindow) flat() bool {
	return w.x.pitch < minLanes && w.x.pitch == w.y.pitch && w.x.pitch > 0
}

// maxIndexed computes a unit and where its maxima lie.
func (w *poolWindow) maxIndexed(c *call, u poolUnit, _ int) {
	w.lineRuns(&u, func(p, lines int, r reach, row int, inside bool) {
		to := w.to(&u, p)
		y, index := c.y(0)[to:], view[int32](c.out[1])[to:]
		w.columns(u.q0, u.q1, func(q, n, at, taps int) {
			to := (q - u.q0) * w.y.pitch
			if taps == 0 || !inside {
				w.fill(y[to:], lines, n, negInf)
				for i := range lines * n {
					fill(index[to+(i/n*w.Out[2]+i%n)*w.y.pitch:][:w.y.c], -1)
				}
				return
			}
			b := w.box(&r, lines)
			b[boxCols], b[boxNX] = n, taps
			nx, ny := boxSpan(&b)
			var g indexed
			copy(g[:], b[:])
			if w.flat() {
				g[boxN], g[boxCols] = n*w.x.pitch, 1
				nx, ny = nx+w.x.pitch-w.x.c, ny+w.y.pitch-w.y.c
			}
			plane, line := w.In[1]*w.In[2], w.In[2]
			g[indexPlace] = (r.at[0]+r.lo[0]*w.Dilation[0])*plane + (r.at[1]+r.lo[1]*w.Dilation[1])*line + at
			g[indexRow], g[indexLine] = w.Stride[2], w.Stride[1]*line
			g[indexZ], g[indexY], g[indexX] = w.Dilation[0]*plane, w.Dilation[1]*line, w.Dilation[2]
			w.k.maxIndex(y[to:][:ny], index[to:][:ny], c.x(0)[row+at*w.x.pitch:][:nx], g, w.pattern)
		})
	})
}
