package cpu

import (
	"fmt"
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// depthwiseFormat is the weights of a depthwise convolution in vectors of channels,
// [vector][tap][lane], with zeros in the lanes beyond the last channel.
type depthwiseFormat struct{ taps, channels, lanes int }

// String implements backend.Format.
func (f depthwiseFormat) String() string {
	return fmt.Sprintf("depthwise %d taps of %d channels by %d", f.taps, f.channels, f.lanes)
}

// vectors returns the number of vectors of channels.
func (f depthwiseFormat) vectors() int { return (f.channels + f.lanes - 1) / f.lanes }

// Bytes implements backend.Format.
func (f depthwiseFormat) Bytes() int64 {
	return 4 * int64(f.taps) * int64(f.vectors()) * int64(f.lanes)
}

// check reports whether the format fits in memory.
func (f depthwiseFormat) check(op string) error {
	if _, err := (tensor.Shape{f.vectors(), f.taps, f.lanes}).Elems(); err != nil {
		return &backend.LimitError{Op: op, What: "elements of packed weights", Got: int64(f.taps) * int64(f.channels), Max: tensor.MaxElems, Hint: err.Error()}
	}
	return nil
}

// pack implements packer.
func (f depthwiseFormat) pack(dst []float32, t *tensor.Tensor) (func(c *call, part, thread int), int, error) {
	if t.DType() != tensor.Float32 || t.Size() != f.taps*f.channels {
		return nil, 0, &backend.ShapeError{Op: "Pack", Arg: "t", Got: backend.Of(t).String(), Want: fmt.Sprintf("%d float32 for %v", f.taps*f.channels, f)}
	}
	tap := make([]int, f.taps)
	for i := range tap {
		tap[i] = i
	}
	src := t.Float32s()
	parts := f.parts()
	return func(_ *call, part, _ int) { f.fill(dst, src, f.taps, tap, part, parts) }, parts, nil
}

func (f depthwiseFormat) parts() int { return partsFor(f.vectors(), f.Bytes(), grainBytes) }

// fill packs a part of weights whose channels are ch apart and whose taps lie at tap.
func (f depthwiseFormat) fill(dst, src []float32, ch int, tap []int, part, parts int) {
	lo, hi := share(f.vectors(), part, parts)
	for v := lo; v < hi; v++ {
		n := min(f.lanes, f.channels-v*f.lanes)
		for t, at := range tap {
			row := dst[(v*f.taps+t)*f.lanes:][:f.lanes]
			for i := range n {
				row[i] = src[(v*f.lanes+i)*ch+at]
			}
			clear(row[n:])
		}
	}
}

// depthwise is a convolution, transposed or not, with as many groups as inputs and
// outputs. Its work is the lines of outputs (all but the last dim) of all images ×
// the strips of a line × the vectors of channels.
type depthwise struct {
	backend.Geometry3
	x, y    rows
	kernel  dwKernel
	format  depthwiseFormat
	classes []dwClass
	fused   fused
	rest    *epilogue
	packed  bool
	// rows stores the rows of cols taps of line z, y of image n, and returns their
	// number.
	rows func(n, z, y, cols int, dst []dwRow) int

	lParts, vParts, sParts int // parts of the lines, vectors and strips
	band, group, chunk     int // lines, vectors and strips of a call of the kernel
	block                  int // rows of taps that are summed in one go
	perLine                int // rows of taps of a line at most
	scratchOff, scratch    int64
	maskOff, lineOff       int64 // in the scratch, which begins with the rows of taps
}

// dwClass is the outputs of a line that read the same columns of taps: all of a
// convolution, those of one residue modulo the stride of a transposed one.
type dwClass struct {
	taps   []int // of a row of the kernel
	delta  []int // the columns of x that they read
	cols   []dwCol
	strips []dwStrip
	xstep  int // columns between neighbouring outputs
	ystep  int // elements of y between them
}

// newDepthwise begins a plan, which partition ends.
func newDepthwise(dev *device, d backend.Desc, bias bool, steps backend.Epilogue, geo backend.Geometry3, kernel dwKernel) (*depthwise, *plan, error) {
	op := d.Op.Kind()
	in, out, x, y, err := convDescs(d)
	if err != nil {
		return nil, nil, err
	}
	epi := newEpilogue(dev.rows(), bias, steps, 2)
	if err := epi.resolve(op, in, out[0]); err != nil {
		return nil, nil, err
	}
	k := geo.Kernel
	p := &depthwise{Geometry3: geo, x: x, y: y, kernel: kernel, packed: in[1].Const,
		format: depthwiseFormat{k[0] * k[1] * k[2], x.c, kernel.lanes}}
	if err := p.format.check(op); err != nil {
		return nil, nil, err
	}
	p.fused, p.rest = epi.fuse()
	pl := &plan{in: in, out: out, formats: make([]backend.Format, len(in))}
	if p.fused.residual >= 0 {
		pl.inPlace = []int{p.fused.residual} // others are read after y is written
	}
	if p.packed {
		pl.formats[1] = p.format
		return p, pl, nil
	}
	ws := in[1].Layout.Strides(in[1].Shape)
	var st [3]int
	copy(st[5-len(ws):], ws[2:])
	tap := make([]int, 0, p.format.taps)
	for z := range k[0] {
		for y := range k[1] {
			for x := range k[2] {
				tap = append(tap, z*st[0]+y*st[1]+x*st[2])
			}
		}
	}
	p.scratchOff = roundUp(p.format.Bytes())
	parts := p.format.parts()
	pl.phases = append(pl.phases, phase{parts, func(c *call, part, _ int) {
		p.format.fill(f32(c.ws), c.x(1), ws[0], tap, part, parts)
	}})
	return p, pl, nil
}

func planDepthwise(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Conv)
	w := d.In[1].Shape
	if w[1] != 1 || w[0] != op.GroupCount() {
		return nil, backend.Unsupported(name, "Conv", fmt.Sprintf("depthwise takes one input and one output channel a group, w is %v with groups %d", w, op.GroupCount()))
	}
	geo, err := op.Geometry(d.In[0].Shape, w)
	if err != nil {
		return nil, err
	}
	g := geo.To3()
	p, pl, err := newDepthwise(dev, d, op.Bias, op.Epilogue, g, chooseDepthwise(dev.isa, g))
	if err != nil {
		return nil, err
	}
	p.rows = p.convRows
	c := dwClass{xstep: g.Stride[2], ystep: p.y.pitch}
	for t := range g.Kernel[2] {
		c.taps, c.delta = append(c.taps, t), append(c.delta, t*g.Dilation[2])
	}
	p.addStrips(&c, -g.Begin[2], 0, g.Out[2])
	p.addClass(c)
	return p.partition(dev, pl), nil
}

// chooseDepthwise returns the kernel for a convolution.
func chooseDepthwise(set isa, g backend.Geometry3) dwKernel {
	ks := dwKernels(set)
	for _, k := range ks {
		if k.width == g.Kernel[2] && k.stride == g.Stride[2] && g.Dilation[2] == 1 && g.Kernel[0]*g.Kernel[1] <= maxK/k.width {
			return k
		}
	}
	return ks[len(ks)-1]
}

// addClass adds a class of outputs, unless it is empty.
func (p *depthwise) addClass(c dwClass) {
	for t, d := range c.delta {
		c.cols = append(c.cols, dwCol{x: d * p.x.pitch, w: c.taps[t] * p.kernel.lanes})
	}
	if len(c.strips) > 0 {
		p.classes = append(p.classes, c)
	}
}

// addStrips adds n outputs to a class, of which the first is output at of the line
// and has its column 0 at column first of x.
func (p *depthwise) addStrips(c *dwClass, first, at, n int) {
	lo, hi := 0, 0
	if len(c.delta) > 0 {
		lo, hi = slices.Min(c.delta), slices.Max(c.delta)
	}
	for i := 0; i < n; i += dwOutputs {
		from := first + i*c.xstep
		s := dwStrip{x: from * p.x.pitch, y: at*p.y.pitch + i*c.ystep, n: min(dwOutputs, n-i), mask: -1}
		switch {
		case p.kernel.width > 0:
			s.mask = 0
			for j := range (s.n-1)*p.kernel.stride + p.kernel.width {
				if inRange(from+j, p.In[2]) {
					s.mask |= 1 << j
				}
			}
		case len(c.delta) > 0 && (s.n < dwOutputs || from+lo < 0 || from+hi+(dwOutputs-1)*c.xstep >= p.In[2]):
			s.mask = 0 // partition gives it a place
		}
		c.strips = append(c.strips, s)
	}
}

// convRows is rows of a convolution.
func (p *depthwise) convRows(n, z, y, cols int, dst []dwRow) int {
	z, y = z*p.Stride[0]-p.Begin[0], y*p.Stride[1]-p.Begin[1]
	z0, z1 := tapsBelow(p.Kernel[0], p.Dilation[0], -z), tapsBelow(p.Kernel[0], p.Dilation[0], p.In[0]-z)
	y0, y1 := tapsBelow(p.Kernel[1], p.Dilation[1], -y), tapsBelow(p.Kernel[1], p.Dilation[1], p.In[1]-y)
	i := 0
	for kz := z0; kz < z1; kz++ {
		for ky := y0; ky < y1; ky++ {
			i += p.row(dst[i:], n, z+kz*p.Dilation[0], y+ky*p.Dilation[1], kz, ky, cols)
		}
	}
	return i
}

// row stores the row of taps kz, ky that lies at line z, y of image n, in pieces of
// at most maxK of the cols taps, and returns their number.
func (p *depthwise) row(dst []dwRow, n, z, y, kz, ky, cols int) int {
	r := dwRow{
		x: (n*p.x.s + (z*p.In[1]+y)*p.In[2]) * p.x.pitch,
		w: (kz*p.Kernel[1] + ky) * p.Kernel[2] * p.kernel.lanes,
	}
	i := 0
	for ; r.t0 < cols; r.t0 = r.t1 {
		r.t1 = min(r.t0+maxK, cols)
		dst[i] = r
		i++
	}
	return i
}

// The work of a part: fewer outputs do not pay for handing it to a thread, and a
// call of the kernel must be short, as a garbage collection waits for it.
const (
	dwGrain  = 1 << 13 // multiply-adds of vectors
	dwCall   = 1 << 17
	dwTables = 1 << 12 // entries of a table
	dwBand   = 8       // lines of a call: rows of x stay in the first-level cache for the next line
)

// partition cuts the work and ends the plan.
func (p *depthwise) partition(dev *device, pl *plan) *plan {
	k := p.Kernel
	pieces := (k[2] + maxK - 1) / maxK
	p.perLine = k[0] * k[1] * pieces
	p.block = max(1, maxK/min(k[2], maxK))
	lines, vectors, strips, cols := p.x.n*p.Out[0]*p.Out[1], p.units(), 1, 0
	for _, c := range p.classes {
		strips, cols = max(strips, len(c.strips)), max(cols, len(c.cols))
	}
	perStrip := int64(p.format.taps) * dwOutputs
	want := partsFor(math.MaxInt32, perStrip*int64(strips)*int64(len(p.classes))*int64(vectors)*int64(lines), dwGrain)
	p.lParts = max(1, min(lines, want))
	p.vParts = max(1, min(vectors, (want+p.lParts-1)/p.lParts))
	p.sParts = max(1, min(strips, (want+p.lParts*p.vParts-1)/(p.lParts*p.vParts)))

	most := func(n int, limit int64) int { return int(max(1, min(int64(n), limit))) }
	p.chunk = most(strips, min(dwCall/perStrip, dwTables/int64(max(cols, 1))))
	p.group = most(vectors, dwCall/(perStrip*int64(p.chunk)))
	p.band = most(dwBand, min(dwCall/(perStrip*int64(p.chunk)*int64(p.group)), dwTables/int64(p.perLine)))
	p.maskOff = roundUp(int64(p.band) * int64(p.perLine) * 32)
	p.lineOff = p.maskOff + roundUp(4*int64(p.chunk)*int64(cols))
	p.scratch = p.lineOff + roundUp(int64(p.band)*24)
	for _, c := range p.classes {
		for i := range c.strips {
			if s := &c.strips[i]; p.kernel.width == 0 && s.mask >= 0 {
				s.mask = i % p.chunk * len(c.cols) // strips of one call have places of their own
			}
		}
	}
	pl.workspace = p.scratchOff + p.scratch*int64(dev.pool.threads())
	if lines*vectors > 0 {
		pl.phases = append(pl.phases, phase{p.lParts * p.vParts * p.sParts, p.part})
	}
	return pl
}

// dwChannels is the number of channels that go together: a cache line.
const dwChannels = 16

func (p *depthwise) units() int { return (p.y.c + dwChannels - 1) / dwChannels }

// part computes some lines × vectors × strips.
func (p *depthwise) part(c *call, part, thread int) {
	s := part % p.sParts
	part /= p.sParts
	v0, v1 := share(p.units(), part%p.vParts, p.vParts)
	l0, l1 := share(p.x.n*p.Out[0]*p.Out[1], part/p.vParts, p.lParts)
	ws := c.ws[p.scratchOff+int64(thread)*p.scratch:][:p.scratch]
	rows, lines := view[dwRow](ws[:p.maskOff]), view[dwLine](ws[p.lineOff:])
	t := &c.depthwise[thread]
	t.rows, t.masks, t.block = rows, view[uint32](ws[p.maskOff:p.lineOff]), p.block
	t.wstep = p.format.taps * p.format.lanes
	t.lo, t.hi, t.hasLo, t.hasHi = p.fused.lo, p.fused.hi, 0, 0
	if !math.IsInf(float64(t.lo), -1) {
		t.hasLo = 1
	}
	if !math.IsInf(float64(t.hi), 1) {
		t.hasHi = 1
	}
	for ; l0 < l1; l0 += p.band {
		t.lines = lines[:min(p.band, l1-l0)]
		for i := range p.classes {
			cl := &p.classes[i]
			end := 0
			for j := range t.lines {
				n, q := (l0+j)/(p.Out[0]*p.Out[1]), (l0+j)%(p.Out[0]*p.Out[1])
				l := &t.lines[j]
				l.y, l.r0 = (l0+j)*p.Out[2]*p.y.pitch, end
				if len(cl.cols) > 0 {
					end += p.rows(n, q/p.Out[1], q%p.Out[1], len(cl.cols), rows[end:])
				}
				l.r1 = end
			}
			s0, s1 := share(len(cl.strips), s, p.sParts)
			p.class(c, t, cl, cl.strips[s0:s1], v0, v1)
			p.finish(c, t.lines, cl, cl.strips[s0:s1], v0*dwChannels, min(v1*dwChannels, p.y.c))
		}
	}
}

// class computes strips of a class of the lines of t, for the units [v0, v1) of channels.
func (p *depthwise) class(c *call, t *dwTile, cl *dwClass, strips []dwStrip, v0, v1 int) {
	w := c.x(1)
	if !p.packed {
		w = f32(c.ws[:p.format.Bytes()])
	}
	operand := func(i, from int) []float32 {
		if i < 0 {
			return nil
		}
		return c.x(i)[from:]
	}
	t.cols, t.ystep, t.xstep = cl.cols, cl.ystep, cl.xstep*p.x.pitch
	if p.kernel.width > 0 {
		t.xstep = p.x.pitch
	}
	for len(strips) > 0 {
		n := min(p.chunk, len(strips))
		t.strips, strips = strips[:n], strips[n:]
		if p.kernel.width == 0 {
			p.masks(cl, t.strips, t.masks)
		}
		for v := v0; v < v1; v += p.group {
			from := v * dwChannels
			t.ch = min(min(v+p.group, v1)*dwChannels, p.y.c) - from
			t.x, t.y, t.w = c.x(0)[from:], c.y(0)[from:], w[from/p.kernel.lanes*t.wstep:]
			t.bias, t.scale, t.shift = operand(p.fused.bias, from), operand(p.fused.scale, from), operand(p.fused.shift, from)
			t.res = operand(p.fused.residual, from)
			p.kernel.fn(t)
		}
	}
}

// masks fills the masks of strips of which not every tap is read.
func (p *depthwise) masks(cl *dwClass, strips []dwStrip, dst []uint32) {
	for i := range strips {
		s := &strips[i]
		if s.mask < 0 {
			continue
		}
		from := s.x / p.x.pitch
		for t, d := range cl.delta {
			bits := uint32(0)
			for q := range s.n {
				if inRange(from+d+q*cl.xstep, p.In[2]) {
					bits |= 1 << q
				}
			}
			dst[s.mask+t] = bits
		}
	}
}

// finish does to the channels [c0, c1) of stored outputs what the kernel does not,
// and clears the padding lanes.
func (p *depthwise) finish(c *call, lines []dwLine, cl *dwClass, strips []dwStrip, c0, c1 int) {
	pad := 0
	if c1 == p.y.c {
		pad = p.y.pitch - p.y.c
	}
	if len(p.rest.steps) == 0 && pad == 0 {
		return
	}
	y := c.y(0)
	for i := range lines {
		for j := range strips {
			s := &strips[j]
			at := lines[i].y + s.y + c0
			for range s.n {
				p.rest.row(c, y[at:at+c1-c0], c0, at)
				clear(y[at+c1-c0:][:pad])
				at += cl.ystep
			}
		}
	}
}
