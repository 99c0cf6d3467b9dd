package cpu

import "github.com/convgl/convgl/backend"

// poolWindow walks the windows of a pooling over the planes of a tensor: image by
// image, in blocks of rows and columns of the output.
type poolWindow struct {
	backend.Geometry3
	k        *poolKernels
	x, y     rows
	adaptive bool // windows are those of AdaptivePool
	// The windows from inside[i][0] to inside[i][1]−1 of dim i lie inside x along it.
	inside      [3][2]int
	few         bool    // taps: sums may be float32
	lines, cols int     // of a block, at most
	blocks      int     // of columns
	scratch     int     // elements that a thread needs
	sums        int     // of them that hold sums
	pattern     []int64 // of results in a row of scratch; nil where none is needed
}

// reach is the part of a window that lies inside x.
type reach struct {
	at     [3]int // where the first tap lies; may be in the padding
	lo, hi [3]int // taps inside x, in each dim
}

// along sets dim i of the reach of the windows at o of that dim.
func (w *poolWindow) along(r *reach, i, o int) {
	if w.adaptive {
		begin, end := backend.AdaptivePool{}.Window(o, w.In[i], w.Out[i])
		r.at[i], r.lo[i], r.hi[i] = begin, 0, end-begin
		return
	}
	r.at[i] = o*w.Stride[i] - w.Begin[i]
	r.lo[i], r.hi[i] = tapsBelow(w.Kernel[i], w.Dilation[i], -r.at[i]), tapsBelow(w.Kernel[i], w.Dilation[i], w.In[i]-r.at[i])
}

// tapsBelow counts the taps t < kernel with t·dilation < limit.
func tapsBelow(kernel, dilation, limit int) int {
	if limit <= 0 {
		return 0
	}
	return min(kernel, (limit-1)/dilation+1)
}

// planPool resolves the layouts of a pooling and returns its windows.
func planPool(op string, dev *device, d backend.Desc, g backend.Geometry) (*plan, *poolWindow, error) {
	in := resolve(d.In[0], backend.ChannelsLast)
	p := &plan{in: []backend.TensorDesc{in}, out: append([]backend.TensorDesc{}, d.Out...)}
	w := &poolWindow{Geometry3: g.To3(), k: pick(dev.isa, poolCandidates)}
	for i := range p.out {
		p.out[i] = resolve(p.out[i], in.Layout)
		var ok bool
		if w.x, w.y, ok = alikeRows(in, p.out[i]); !ok || p.out[i].Layout != p.out[0].Layout {
			return nil, nil, wrongLayout(op, d.Op.Kind()+" output", p.out[i], "the layout of x, "+in.Layout.String())
		}
	}
	if op != "AdaptivePool" {
		w.findInside()
	}
	return p, w, nil
}

// alikeRows returns the rows of x and y in one view: with all channels, or plane by
// plane where both are plain.
func alikeRows(x, y backend.TensorDesc) (rx, ry rows, ok bool) {
	if x.Layout.Order == backend.OrderPlain && y.Layout.Order == backend.OrderPlain {
		planes := func(d backend.TensorDesc) rows {
			return rows{n: d.Shape[0] * d.Shape[1], s: d.Shape[2:].Size(), c: 1, pitch: 1}
		}
		return planes(x), planes(y), true
	}
	rx, okX := channelRows(x)
	ry, okY := channelRows(y)
	return rx, ry, okX && okY
}

// findInside fills in w.inside.
func (w *poolWindow) findInside() {
	for i := range w.inside {
		reach := w.Dilation[i]*(w.Kernel[i]-1) + 1
		lo := (w.Begin[i] + w.Stride[i] - 1) / w.Stride[i]
		if room := w.In[i] + w.Begin[i] - reach; room >= 0 {
			w.inside[i] = [2]int{lo, max(lo, min(room/w.Stride[i]+1, w.Out[i]))}
		}
	}
}

// join makes the images of a tensor one where their rows continue each other, so that
// blocks of rows can be large. Positions in a plane are then lost.
func (w *poolWindow) join() {
	if w.In[0] == 1 && w.Out[0] == 1 && w.Kernel[0] == 1 && w.inside[1] == [2]int{0, w.Out[1]} && w.In[1] == w.Stride[1]*w.Out[1] {
		n := w.x.n
		w.In[1], w.Out[1], w.inside[1][1] = w.In[1]*n, w.Out[1]*n, w.inside[1][1]*n
		w.x.n, w.x.s, w.y.n, w.y.s = 1, w.x.s*n, 1, w.y.s*n
	}
}

// global reports whether there is one window and it is the whole plane.
func global(g backend.Geometry) bool {
	for i := range g.In {
		if g.Out[i] != 1 || g.Kernel[i] != g.In[i] || g.Dilation[i] != 1 || g.Begin[i] != 0 {
			return false
		}
	}
	return true
}

// poolUnit is what is computed at once: the lines [p0, p1) and columns [q0, q1) of
// plane d, along the first dim, of the output of image n.
type poolUnit struct{ n, d, p0, p1, q0, q1 int }

// Blocks of columns and lines are so small that a kernel, which cannot be interrupted,
// runs for some tens of microseconds, and scratch stays in the nearest cache.
const (
	blockWork    = 1 << 18 // taps × lanes
	nearElements = 5 << 10 // of x that stay in the nearest cache
	minStrip     = 4       // columns
	farElements  = 4 << 20 // of x that may not stay in any cache
	scratchGoal  = 1 << 12 // elements
	scratchLimit = 1 << 18
)

// byPixels chooses to read x directly. Where the windows of two lines overlap, blocks
// are strips so narrow that what they share is still in the nearest cache; but memory
// beyond the caches likes to be read line by line.
func (w *poolWindow) byPixels() {
	taps := w.x.c
	for i := range 3 {
		taps = min(taps*min(w.Kernel[i], w.In[i]), blockWork)
	}
	most := max(1, blockWork/max(taps, 1)) // columns in all lines of a block
	cols := min(most, w.Out[2])
	if rows := w.Kernel[0] * min(w.Kernel[1], nearElements); !w.adaptive && w.Stride[1] < w.Kernel[1] && rows < nearElements && w.x.total()*w.x.pitch < farElements {
		strip := max((nearElements/rows/max(w.x.pitch, 1)-w.Kernel[2])/w.Stride[2]+1, minStrip)
		n := (cols + strip - 1) / strip
		cols = (cols + n - 1) / max(n, 1) // strips of about one width
	}
	w.block(most/max(cols, 1), cols)
}

// block sets the number of lines and columns of a block.
func (w *poolWindow) block(lines, cols int) {
	w.lines = max(1, min(lines, w.Out[1]))
	w.cols = max(1, min(cols, w.Out[2]))
	w.blocks = (w.Out[2] + w.cols - 1) / w.cols
}

// byRows chooses to reduce the taps of all dims but the last first, into scratch,
// where it pays and scratch is not too long, and reports whether it does. Sums are
// float64 and need more of it than maxima.
func (w *poolWindow) byRows(sums bool) bool {
	k, s := w.Kernel[2], w.Stride[2]
	if w.x.pitch != w.y.pitch || w.x.pitch == 0 {
		return false
	}
	c := w.x.pitch
	if c >= minLanes && !w.rowsPay(sums) {
		return false
	}
	span := w.Dilation[2]*(k-1) + 1
	if w.adaptive {
		span = 2 * k
		s = (w.In[2] + w.Out[2] - 1) / w.Out[2]
	}
	goal := scratchGoal
	if sums {
		goal /= 2
	}
	if span > scratchLimit || s > scratchLimit {
		return false
	}
	cols := max((goal/c-span)/s+1, (span+s-1)/s, 1)
	cols = min(cols, w.Out[2])
	row := ((cols-1)*s + span + 2) * c
	if row > scratchLimit {
		return false
	}
	w.block(goal/row, cols)
	w.scratch = w.lines*row + halveSlack
	if sums {
		w.sums = roundTo(2*w.lines*row, align/4)
		w.scratch += w.sums
	}
	w.scratch = roundTo(w.scratch, align/4)
	if c < minLanes && s > 1 && !w.adaptive {
		w.pattern = pickPattern(w.k.lanes, c, s)
	}
	return true
}

// rowsPay estimates whether fewer vectors go through registers by rows; one of scratch
// serves the windows of stride columns.
func (w *poolWindow) rowsPay(sums bool) bool {
	rows, k, s := w.Kernel[0]*w.Kernel[1], w.Kernel[2], w.Stride[2]
	if w.adaptive || max(w.Kernel[0], w.Kernel[1], k, s) > 1<<10 {
		return false
	}
	if sums && w.few {
		return 4*(s*(4*rows+2)+2*k+4) < 3*rows*k
	}
	if sums {
		return 4*(s*(4*rows+2)+2*k+4) < 3*4*rows*k
	}
	return 4*(s*(rows+1)+k+1) < 3*rows*k
}

// roundTo rounds n up to a multiple of m.
func roundTo(n, m int) int { return (n + m - 1) / m * m }

// minLanes is the number of channels from which the lanes of a vector are those of
// one pixel.
const minLanes = 8

// poolGrain and poolParts are partsFor's limits for poolings: a part is as many lines
// as make calls worth while.
const (
	poolGrain = 1 << 18
	poolParts = 64
)

// phase returns the phase that calls fn for units that cover the output.
func (w *poolWindow) phase(fn func(c *call, u poolUnit, thread int)) phase {
	total := w.y.n * w.Out[0] * w.blocks * w.Out[1] // lines of blocks
	taps := int64(w.Kernel[0]) * int64(w.Kernel[1]) * int64(w.Kernel[2])
	parts := min(partsFor(total, 4*int64(w.y.total())*int64(w.y.c)*min(taps, 1<<20), poolGrain), poolParts)
	if parts > 8 {
		parts = min(roundTo(parts, 8), total) // a like share for each of few threads
	}
	return phase{parts, func(c *call, part, thread int) {
		lo, hi := share(total, part, parts)
		for lo < hi {
			p, i := lo%w.Out[1], lo/w.Out[1]
			q, i := i%w.blocks, i/w.blocks
			u := poolUnit{n: i / w.Out[0], d: i % w.Out[0], p0: p, q0: q * w.cols}
			u.p1, u.q1 = min(p+w.lines, p+hi-lo, w.Out[1]), min(u.q0+w.cols, w.Out[2])
			fn(c, u, thread)
			lo += u.p1 - u.p0
		}
	}}
}

// to returns where in y the first column of row p of a unit lies.
func (w *poolWindow) to(u *poolUnit, p int) int {
	return (((u.n*w.Out[0]+u.d)*w.Out[1]+p)*w.Out[2] + u.q0) * w.y.pitch
}

// row returns the reach along the first two dims of the windows of row p of a unit,
// and where in x the row begins that has the first tap inside; inside tells whether
// there is one.
func (w *poolWindow) row(u *poolUnit, p int) (r reach, at int, inside bool) {
	w.along(&r, 0, u.d)
	w.along(&r, 1, p)
	z, y := r.at[0]+r.lo[0]*w.Dilation[0], r.at[1]+r.lo[1]*w.Dilation[1]
	return r, (u.n*w.x.s + (z*w.In[1]+y)*w.In[2]) * w.x.pitch, r.lo[0] < r.hi[0] && r.lo[1] < r.hi[1]
}

// span returns the columns [begin, end) of x, padding included, that the windows of
// a unit reach, and the part [lo, hi) of them that lies inside x.
func (w *poolWindow) span(u *poolUnit) (begin, end, lo, hi int) {
	var first, last reach
	w.along(&first, 2, u.q0)
	w.along(&last, 2, u.q1-1)
	begin, end = first.at[2], last.at[2]+w.Dilation[2]*(w.Kernel[2]-1)+1
	if w.adaptive {
		end = last.at[2] + last.hi[2]
	}
	return begin, end, max(begin, 0), min(end, w.In[2])
}

// lineRuns cuts the lines of a unit into runs whose windows are alike along the first
// two dims. It calls fn with the first line, their number, the reach of the windows,
// and where in x the row begins that has the first tap inside x, if there is one.
func (w *poolWindow) lineRuns(u *poolUnit, fn func(p, n int, r reach, row int, inside bool)) {
	for p := u.p0; p < u.p1; {
		r, row, inside := w.row(u, p)
		n := w.alike(1, p, u.p1)
		fn(p, n, r, row, inside)
		p += n
	}
}

// rowsBox returns the box that reduces n rows of x, from column lo to hi−1, whose
// windows have the same reach along the first two dims, into rows of scratch.
func (w *poolWindow) rowsBox(r *reach, n, lo, hi, width int) box {
	g := w.box(r, n)
	g[boxN], g[boxYLine] = (hi-lo)*w.x.pitch, width
	// The last dim of a box is its fastest loop.
	g[boxNX], g[boxSX], g[boxNY], g[boxSY], g[boxNZ] = g[boxNY], g[boxSY], g[boxNZ], g[boxSZ], 1
	return g
}

// box returns the box of the taps along the first two dims, for so many lines.
func (w *poolWindow) box(r *reach, lines int) box {
	p := w.x.pitch
	return box{boxN: w.x.c, boxCols: 1, boxYStep: w.y.pitch, boxXStep: w.Stride[2] * p,
		boxLines: lines, boxYLine: w.Out[2] * w.y.pitch, boxXLine: w.Stride[1] * w.In[2] * p,
		boxNZ: r.hi[0] - r.lo[0], boxNY: r.hi[1] - r.lo[1], boxNX: 1,
		boxSZ: w.Dilation[0] * w.In[1] * w.In[2] * p, boxSY: w.Dilation[1] * w.In[2] * p, boxSX: w.Dilation[2] * p}
}

// columns cuts [q0, q1) into runs of columns with equal windows. It calls fn with
// the first column, their number, and where in the row of x the first tap lies that
// is inside it, and with the number of such taps, which may be 0.
func (w *poolWindow) columns(q0, q1 int, fn func(q, n, at, taps int)) {
	var r reach
	for q := q0; q < q1; {
		n := w.alike(2, q, q1)
		w.along(&r, 2, q)
		fn(q, n, r.at[2]+r.lo[2]*w.Dilation[2], max(r.hi[2]-r.lo[2], 0))
		q += n
	}
}

// alike returns how many windows of dim i from o on, below end, are alike.
func (w *poolWindow) alike(i, o, end int) int {
	if o >= w.inside[i][0] && o < w.inside[i][1] {
		return min(end, w.inside[i][1]) - o
	}
	return 1
}
