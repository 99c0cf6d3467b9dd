package cpu

import "github.com/convgl/convgl/backend"

// planAvgPool takes what planMaxPool takes. Sums are float64, or float32 of few taps
// where no partial sum leaves its range.
func planAvgPool(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.AvgPool)
	g, err := op.Geometry(d.In[0].Shape)
	if err != nil {
		return nil, err
	}
	if global(g) {
		d.Op = backend.GlobalPool{Mean: true}
		return planGlobalPool(dev, d)
	}
	p, w, err := planPool("AvgPool", dev, d, g)
	if err != nil {
		return nil, err
	}
	w.planMean(dev, p, op.CountIncludePad)
	p.phases = clearLanes(p.phases, 0, p.out[0])
	return p, nil
}

// planMean chooses how means are computed.
func (w *poolWindow) planMean(dev *device, p *plan, includePad bool) {
	w.join()
	k := w.Kernel
	w.few = !w.adaptive && max(k[0], k[1], k[2]) <= maxK && k[0]*k[1]*k[2] <= maxK
	if w.byRows(true) {
		p.workspace = 4 * int64(w.scratch) * int64(dev.pool.threads())
		p.phases = []phase{w.phase(func(c *call, u poolUnit, thread int) { w.meanRows(c, &u, thread, includePad) })}
		return
	}
	w.byPixels()
	p.phases = []phase{w.phase(func(c *call, u poolUnit, _ int) { w.meanPixels(c, &u, includePad) })}
}

// factor returns what turns sums of windows with the reach r, taps of them inside x
// along the last dim, into means: those at column q of y.
func (w *poolWindow) factor(r *reach, q, taps int, includePad bool) float64 {
	count := max(r.hi[0]-r.lo[0], 0) * max(r.hi[1]-r.lo[1], 0) * taps
	if includePad {
		at := *r
		w.along(&at, 2, q)
		count = 1
		for i := range 3 {
			count *= max(tapsBelow(w.Kernel[i], w.Dilation[i], w.In[i]+w.End[i]-at.at[i]), 0)
		}
	}
	return 1 / float64(count)
}

// meanPixels computes a unit from the windows in x.
func (w *poolWindow) meanPixels(c *call, u *poolUnit, includePad bool) {
	w.lineRuns(u, func(p, lines int, r reach, row int, inside bool) {
		y := c.y(0)[w.to(u, p):]
		w.columns(u.q0, u.q1, func(q, n, at, taps int) {
			dst := y[(q-u.q0)*w.y.pitch:]
			if taps == 0 || !inside {
				w.fill(dst, lines, n, 0)
				return
			}
			g := w.box(&r, lines)
			g[boxCols], g[boxNX] = n, taps
			if w.few {
				g[boxClean] = 1
			}
			nx, ny := boxSpan(&g)
			x, factor := c.x(0)[row+at*w.x.pitch:][:nx], w.factor(&r, q, taps, includePad)
			dst = dst[:ny]
			eachPiece(joined(g), func(at int, b box) { w.k.meanBox(dst[at:], x[at:], b, factor) })
		})
	})
}

// meanRows computes a unit in two steps: the sums over the rows of x and then along
// the row, where columns that are not wanted in between are left out at last.
func (w *poolWindow) meanRows(c *call, u *poolUnit, thread int, includePad bool) {
	scratch := c.ws[4*thread*w.scratch:][:4*w.scratch]
	sums, means := view[float64](scratch[:4*w.sums]), f32(scratch[4*w.sums:])
	_, _, lo, hi := w.span(u)
	pitch := w.x.pitch
	width, yLine := (hi-lo)*pitch, w.Out[2]*pitch
	w.lineRuns(u, func(p, lines int, r reach, row int, inside bool) {
		y := c.y(0)[w.to(u, p):]
		if !inside || lo >= hi {
			w.fill(y, lines, u.q1-u.q0, 0)
			return
		}
		g := w.rowsBox(&r, lines, lo, hi, width)
		nx, ny := boxSpan(&g)
		x := c.x(0)[row+lo*pitch:][:nx]
		eachPiece(joined(g), func(at int, b box) { w.k.sumBox(sums[at:ny], x[at:], b) })
		w.columns(u.q0, u.q1, func(q, n, at, taps int) {
			y := y[(q-u.q0)*pitch:]
			if taps == 0 {
				w.fill(y, lines, n, 0)
				return
			}
			x, factor := sums[(at-lo)*pitch:], w.factor(&r, q, taps, includePad)
			h := box{boxN: pitch, boxCols: n, boxYStep: pitch, boxXStep: w.Stride[2] * pitch, boxLines: lines, boxYLine: yLine, boxXLine: width,
				boxNZ: 1, boxNY: 1, boxNX: taps, boxSX: w.Dilation[2] * pitch}
			switch {
			case n > 1 && w.pattern != nil:
				h[boxN], h[boxCols], h[boxYLine] = ((n-1)*w.Stride[2]+1)*pitch, 1, width
				w.meanSums(means, x, &h, factor)
				w.k.maxPick(y[:(lines-1)*yLine+n*pitch], means[:lines*width+pickSlack], picked{n * pitch, lines, yLine, width, 1, 0, 0}, w.pattern)
			case pitch < minLanes && w.Stride[2] == 1:
				h[boxN], h[boxCols] = n*pitch, 1
				fallthrough
			default:
				w.meanSums(y, x, &h, factor)
			}
		})
	})
}

// meanSums checks what the kernel relies on.
func (w *poolWindow) meanSums(y []float32, x []float64, g *box, factor float64) {
	nx, ny := boxSpan(g)
	w.k.meanSums(y[:ny], x[:nx], joined(*g), factor)
}
