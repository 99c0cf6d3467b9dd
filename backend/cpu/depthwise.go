package cpu

import (
	"fmt"
	"math"
	"slices"
	"unsafe"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// depthwiseFormat is the weights of a depthwise convolution in vectors of channels,
// [vector][tap][lane], with zeros in the lanes beyond the last. The channels may be
// repeated, for outputs that are computed together.
type depthwiseFormat struct{ taps, channels, repeat, lanes int }

// String implements backend.Format.
func (f depthwiseFormat) String() string {
	s := fmt.Sprintf("depthwise %d taps of %d channels by %d", f.taps, f.channels, f.lanes)
	if f.repeat > 1 {
		s += fmt.Sprintf(", %d times", f.repeat)
	}
	return s
}

// vectors returns the number of vectors of channels.
func (f depthwiseFormat) vectors() int { return (f.channels*f.repeat + f.lanes - 1) / f.lanes }

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

// depthwiseSource says where the weights lie: tap t of output channel j of group g at
// g·group + j·ch + tap[t].
type depthwiseSource struct {
	group, ch, mult int // mult is the channels of a group
	tap             []int
}

// pack implements packer.
func (f depthwiseFormat) pack(dst []float32, t *tensor.Tensor) (func(c *call, part, thread int), int, error) {
	if t.DType() != tensor.Float32 || t.Size() != f.taps*f.channels {
		return nil, 0, &backend.ShapeError{Op: "Pack", Arg: "t", Got: backend.Of(t).String(), Want: fmt.Sprintf("%d float32 for %v", f.taps*f.channels, f)}
	}
	s := depthwiseSource{group: f.taps, mult: 1, tap: make([]int, f.taps)}
	for i := range s.tap {
		s.tap[i] = i
	}
	src := t.Float32s()
	parts := f.parts()
	return func(_ *call, part, _ int) { f.fill(dst, src, s, part, parts) }, parts, nil
}

func (f depthwiseFormat) parts() int { return partsFor(f.vectors(), f.Bytes(), grainBytes) }

// fill packs a part of the weights.
func (f depthwiseFormat) fill(dst, src []float32, s depthwiseSource, part, parts int) {
	lo, hi := share(f.vectors(), part, parts)
	for v := lo; v < hi; v++ {
		vec := dst[v*f.taps*f.lanes:][:f.taps*f.lanes]
		clear(vec)
		for i := range min(f.lanes, f.channels*f.repeat-v*f.lanes) {
			c := (v*f.lanes + i) % f.channels
			from := src[c/s.mult*s.group+c%s.mult*s.ch:]
			for t, at := range s.tap {
				vec[t*f.lanes+i] = from[at]
			}
		}
	}
}

// depthwise is a convolution, transposed or not, with one input channel a group. Its
// work is the lines of outputs (all but the last dim) of all images × the strips of a
// line × the vectors of channels.
type depthwise struct {
	backend.Geometry3
	x, y    rows
	kernels []dwKernel
	format  depthwiseFormat
	classes []dwClass
	perm    []int32 // of kernels for several output channels a group
	sources []dwSource
	fused   fused
	rest    *epilogue
	packed  bool
	// rows stores the rows of cols taps of line z, y of image n, and returns their
	// number.
	rows func(n, z, y, cols int, dst []dwRow) int

	lParts, vParts, sParts int // parts of the lines, vectors and strips
	band, group, chunk     int // lines, units of channels and strips of a call of a kernel
	block                  int // rows of taps that are summed in one go
	perLine                int // rows of taps of a line at most
	scratchOff, scratch    int64
	maskOff, lineOff       int64 // in the scratch, which begins with the rows of taps
	repeatOff              int64 // of operands that are repeated as the channels
}

// dwClass is the outputs of a line that one call computes: they read the same taps of
// the kernel's rows, and lie and read at equal distances.
type dwClass struct {
	kernel dwKernel
	taps   []int // of a row of the kernel
	delta  []int // the columns of x that they read
	cols   []dwCol
	strips []dwStrip
	step   int // columns of x between neighbouring outputs
	unit   int // and between those of a kernel of a known width
	ystep  int // elements of y between them
	ch     int // channels: repeated ones are those of several pixels
}

// newDepthwise begins a plan, which partition ends. The weights are [C,m,...] if
// transposed, and otherwise [C·m,1,...]. Their channels are repeated so often.
func newDepthwise(dev *device, d backend.Desc, bias bool, steps backend.Epilogue, geo backend.Geometry3, transposed bool, repeat func(p *depthwise) int) (*depthwise, *plan, error) {
	op := d.Op.Kind()
	in, out, x, y, err := convDescs(d)
	if err != nil {
		return nil, nil, err
	}
	epi := newEpilogue(dev.rows(), bias, steps, 2)
	if err := epi.resolve(op, in, out[0]); err != nil {
		return nil, nil, err
	}
	p := &depthwise{Geometry3: geo, x: x, y: y, kernels: dwKernels(dev.isa), packed: in[1].Const}
	k := geo.Kernel
	p.format = depthwiseFormat{k[0] * k[1] * k[2], y.c, repeat(p), p.lanes()}
	if err := p.format.check(op); err != nil {
		return nil, nil, err
	}
	if m := y.c / x.c; m > 1 {
		p.multiply(m)
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
	s := depthwiseSource{group: ws[0], mult: 1}
	if transposed {
		s.ch, s.mult = ws[1], y.c/x.c
	}
	var st [3]int
	copy(st[5-len(ws):], ws[2:])
	for z := range k[0] {
		for y := range k[1] {
			for x := range k[2] {
				s.tap = append(s.tap, z*st[0]+y*st[1]+x*st[2])
			}
		}
	}
	p.scratchOff = roundUp(p.format.Bytes())
	parts := p.format.parts()
	pl.phases = append(pl.phases, phase{parts, func(c *call, part, _ int) {
		p.format.fill(f32(c.ws), c.x(1), s, part, parts)
	}})
	return p, pl, nil
}

func (p *depthwise) lanes() int { return p.kernels[0].lanes }

// multiply fills the tables of m output channels a group.
func (p *depthwise) multiply(m int) {
	lanes := p.lanes()
	for o := 0; o < p.y.c; o += lanes {
		s := dwSource{x: o / m, n: (min(o+lanes, p.y.c)-1)/m - o/m + 1}
		p.sources = append(p.sources, s)
		for i := range lanes {
			p.perm = append(p.perm, int32(min((o+i)/m-s.x, s.n-1)))
		}
	}
}

// any returns the kernel for any taps.
func (p *depthwise) any() dwKernel {
	i := len(p.kernels) - 1
	if p.perm != nil {
		i--
	}
	return p.kernels[i]
}

func planDepthwise(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Conv)
	w := d.In[1].Shape
	if w[1] != 1 || op.GroupCount() == 1 && w[0] > 1 {
		return nil, backend.Unsupported(name, "Conv", fmt.Sprintf("depthwise takes one input channel a group, and several groups or one output, w is %v with groups %d", w, op.GroupCount()))
	}
	geo, err := op.Geometry(d.In[0].Shape, w)
	if err != nil {
		return nil, err
	}
	g := geo.To3()
	p, pl, err := newDepthwise(dev, d, op.Bias, op.Epilogue, g, false, (*depthwise).repeats)
	if err != nil {
		return nil, err
	}
	p.rows = p.convRows
	pixels := p.format.repeat
	if pixels == 1 {
		p.addConv([2]int{0, g.Out[2]})
		return p.partition(dev, pl), nil
	}
	lo, hi := p.inside()
	full := (hi - lo) / pixels
	add := func(at, n, pixels int) {
		c := dwClass{kernel: p.any(), step: pixels, ystep: pixels * p.y.c, ch: pixels * p.y.c}
		p.addTaps(&c)
		p.addStrips(&c, at-g.Begin[2], at, n)
		p.addClass(c)
	}
	add(lo, full, pixels)
	if left := hi - lo - full*pixels; left > 0 {
		add(hi-left, 1, left)
	}
	p.addConv([2]int{0, lo}, [2]int{hi, g.Out[2]})
	return p.partition(dev, pl), nil
}

// inside returns the range of the outputs of a line whose windows do not leave it.
func (p *depthwise) inside() (lo, hi int) {
	last := p.In[2] + p.Begin[2] - (p.Kernel[2]-1)*p.Dilation[2] // beyond where a window may begin
	lo = min((p.Begin[2]+p.Stride[2]-1)/p.Stride[2], p.Out[2])
	return lo, max(lo, min((last+p.Stride[2]-1)/p.Stride[2], p.Out[2]))
}

// dwAnyRate is the speed of a kernel for any taps to that of one for a known width.
const dwAnyRate = 0.5

// repeats returns how many neighbouring outputs share a vector: where there are few
// channels, one output would leave lanes idle.
func (p *depthwise) repeats() int {
	c, lanes := p.y.c, p.lanes()
	if p.Stride[2] > 1 || p.x.c != c || p.x.pitch != c || p.y.pitch != c {
		return 1
	}
	rate := func(n int) float64 { return float64(n*c) / float64((n*c+lanes-1)/lanes*lanes) }
	best, r := 1, rate(1)*1.1
	if _, ok := p.known(); ok {
		r /= dwAnyRate
	}
	lo, hi := p.inside()
	for n := 2; n <= min(16, (hi-lo)/2); n++ {
		if rate(n) > r {
			best, r = n, rate(n)
		}
	}
	return best
}

// known returns the kernel for the width of a convolution. Where it is dilated, its
// outputs fall apart into sets whose windows are not, of every so many columns.
func (p *depthwise) known() (dwKernel, bool) {
	s, d := p.Stride[2], p.Dilation[2]
	apart := d / gcd(s, d)
	for _, k := range p.kernels {
		if k.width == p.Kernel[2] && k.stride == s/gcd(s, d) && p.Kernel[0]*p.Kernel[1] <= maxK/k.width && p.Out[2] >= 4*apart && p.x.c == p.y.c {
			return k, true
		}
	}
	return dwKernel{}, false
}

func gcd(a, b int) int {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// addConv adds classes for ranges of the outputs of a line of a convolution.
func (p *depthwise) addConv(ranges ...[2]int) {
	s, d := p.Stride[2], p.Dilation[2]
	k, ok := p.known()
	apart := d / gcd(s, d)
	if !ok {
		k, apart = p.any(), 1
	}
	for i := range min(apart, p.Out[2]) {
		c := dwClass{kernel: k, step: s * apart, unit: d, ystep: apart * p.y.pitch, ch: p.y.c}
		p.addTaps(&c)
		for _, r := range ranges {
			if n := (r[1] - r[0] - i + apart - 1) / apart; n > 0 {
				p.addStrips(&c, (r[0]+i)*s-p.Begin[2], r[0]+i, n)
			}
		}
		p.addClass(c)
	}
}

// addTaps adds the taps of a convolution to a class.
func (p *depthwise) addTaps(c *dwClass) {
	for t := range p.Kernel[2] {
		c.taps, c.delta = append(c.taps, t), append(c.delta, t*p.Dilation[2])
	}
}

// addClass adds a class of outputs, unless it is empty.
func (p *depthwise) addClass(c dwClass) {
	for t, d := range c.delta {
		c.cols = append(c.cols, dwCol{x: d * p.x.pitch, w: c.taps[t] * c.kernel.lanes})
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
		from := first + i*c.step
		s := dwStrip{x: from * p.x.pitch, y: at*p.y.pitch + i*c.ystep, n: min(dwOutputs, n-i), mask: -1}
		switch {
		case c.kernel.width > 0:
			s.mask = 0
			for j := range (s.n-1)*c.kernel.stride + c.kernel.width {
				if inRange(from+j*c.unit, p.In[2]) {
					s.mask |= 1 << j
				}
			}
		case len(c.delta) > 0 && (s.n < dwOutputs || from+lo < 0 || from+hi+(dwOutputs-1)*c.step >= p.In[2]):
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
		w: (kz*p.Kernel[1] + ky) * p.Kernel[2] * p.format.lanes,
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

// dwChannels is the number of channels that go together, a unit: a cache line.
const dwChannels = 16

func units(channels int) int { return (channels + dwChannels - 1) / dwChannels }

// partition cuts the work and ends the plan.
func (p *depthwise) partition(dev *device, pl *plan) *plan {
	k := p.Kernel
	p.perLine = k[0] * k[1] * ((k[2] + maxK - 1) / maxK)
	p.block = max(1, maxK/min(k[2], maxK))
	lines, strips, cols, work, most := p.x.n*p.Out[0]*p.Out[1], 0, 0, int64(0), 0
	perStrip := int64(p.format.taps) * dwOutputs
	for _, c := range p.classes {
		strips, cols, most = max(strips, len(c.strips)), max(cols, len(c.cols)), max(most, units(c.ch))
		work += perStrip * int64(len(c.strips)) * int64(units(c.ch)) * int64(lines)
	}
	want := partsFor(math.MaxInt32, work, dwGrain)
	p.lParts, p.vParts, p.sParts = max(1, min(lines, want)), 1, 1
	if p.format.repeat == 1 {
		p.vParts = max(1, min(most, (want+p.lParts-1)/p.lParts))
	}
	p.sParts = max(1, min(strips, (want+p.lParts*p.vParts-1)/(p.lParts*p.vParts)))

	atMost := func(n int, limit int64) int { return int(max(1, min(int64(n), limit))) }
	p.chunk = atMost(strips, min(dwCall/perStrip, dwTables/int64(max(cols, 1))))
	p.group = atMost(most, dwCall/(perStrip*int64(p.chunk)))
	p.band = atMost(dwBand, min(dwCall/(perStrip*int64(p.chunk)*int64(p.group)), dwTables/int64(p.perLine)))
	for _, c := range p.classes {
		for i := range c.strips {
			if s := &c.strips[i]; c.kernel.width == 0 && s.mask >= 0 {
				s.mask = i % p.chunk * len(c.cols) // strips of one call have places of their own
			}
		}
	}
	p.maskOff = roundUp(int64(p.band) * int64(p.perLine) * int64(unsafe.Sizeof(dwRow{})))
	p.lineOff = p.maskOff + roundUp(4*int64(p.chunk)*int64(cols))
	p.repeatOff = p.lineOff + roundUp(int64(p.band)*int64(unsafe.Sizeof(dwLine{})))
	p.scratch = p.repeatOff
	if p.format.repeat > 1 {
		p.scratch += 3 * p.repeatBytes()
	}
	pl.workspace = p.scratchOff + p.scratch*int64(dev.pool.threads())
	if lines*most > 0 {
		pl.phases = append(pl.phases, phase{p.lParts * p.vParts * p.sParts, p.part})
	}
	return pl
}

func (p *depthwise) repeatBytes() int64 { return roundUp(4 * int64(p.format.repeat*p.y.c)) }

// part computes some lines × vectors × strips.
func (p *depthwise) part(c *call, part, thread int) {
	s := part % p.sParts
	part /= p.sParts
	v0, v1 := share(units(p.y.c), part%p.vParts, p.vParts)
	l0, l1 := share(p.x.n*p.Out[0]*p.Out[1], part/p.vParts, p.lParts)
	ws := c.ws[p.scratchOff+int64(thread)*p.scratch:][:p.scratch]
	rows, lines := view[dwRow](ws[:p.maskOff]), view[dwLine](ws[p.lineOff:p.repeatOff])
	t := &c.depthwise[thread]
	p.begin(c, t, ws)
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
			c0, c1 := v0*dwChannels, v1*dwChannels
			if v1 == units(p.y.c) {
				c1 = cl.ch // of several pixels, perhaps: then there is one part
			}
			p.class(c, t, cl, cl.strips[s0:s1], c0, c1)
			p.finish(c, t.lines, cl, cl.strips[s0:s1], c0, c1)
		}
	}
}

// begin fills in what all tiles of a part share.
func (p *depthwise) begin(c *call, t *dwTile, ws []byte) {
	t.rows, t.masks, t.block = view[dwRow](ws[:p.maskOff]), view[uint32](ws[p.maskOff:p.lineOff]), p.block
	t.wstep = p.format.taps * p.format.lanes
	t.lo, t.hi, t.hasLo, t.hasHi = p.fused.lo, p.fused.hi, 0, 0
	if !math.IsInf(float64(t.lo), -1) {
		t.hasLo = 1
	}
	if !math.IsInf(float64(t.hi), 1) {
		t.hasHi = 1
	}
	operand := func(i, place int) []float32 {
		if i < 0 {
			return nil
		}
		v := c.x(i)
		if p.format.repeat == 1 {
			return v
		}
		n := p.repeatBytes()
		r := f32(ws[p.repeatOff+int64(place)*n:][:4*p.format.repeat*p.y.c])
		for at := 0; at < len(r); at += copy(r[at:], v[:p.y.c]) {
		}
		return r
	}
	t.bias, t.scale, t.shift = operand(p.fused.bias, 0), operand(p.fused.scale, 1), operand(p.fused.shift, 2)
}

// class computes strips of a class of the lines of t, for the channels [c0, c1).
func (p *depthwise) class(c *call, t *dwTile, cl *dwClass, strips []dwStrip, c0, c1 int) {
	w := c.x(1)
	if !p.packed {
		w = f32(c.ws[:p.format.Bytes()])
	}
	all := *t
	behind := func(v []float32, from int) []float32 {
		if v == nil {
			return nil
		}
		return v[from:]
	}
	t.cols, t.ystep, t.xstep = cl.cols, cl.ystep, cl.step*p.x.pitch
	if cl.kernel.width > 0 {
		t.xstep = cl.unit * p.x.pitch
	}
	for len(strips) > 0 {
		n := min(p.chunk, len(strips))
		t.strips, strips = strips[:n], strips[n:]
		if cl.kernel.width == 0 {
			p.masks(cl, t.strips, t.masks)
		}
		for from := c0; from < c1; from += p.group * dwChannels {
			t.ch = min(p.group*dwChannels, c1-from)
			if p.perm == nil {
				t.x = c.x(0)[from:]
			} else {
				t.x, t.perm, t.sources = c.x(0), p.perm[from:], p.sources[from/p.format.lanes:]
			}
			t.y, t.w = c.y(0)[from:], w[from/p.format.lanes*t.wstep:]
			t.bias, t.scale, t.shift = behind(all.bias, from), behind(all.scale, from), behind(all.shift, from)
			if p.fused.residual >= 0 {
				t.res = c.x(p.fused.residual)[from:]
			}
			cl.kernel.fn(t)
		}
	}
	t.bias, t.scale, t.shift = all.bias, all.scale, all.shift
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
				if inRange(from+d+q*cl.step, p.In[2]) {
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
	ch := min(c1-c0, p.y.c) // of a pixel
	for i := range lines {
		for j := range strips {
			s := &strips[j]
			at := lines[i].y + s.y + c0
			if n := c1 - c0; n == cl.ystep && !p.rest.byChannel() { // outputs are neighbours
				p.rest.row(c, y[at:at+s.n*n], 0, at)
				continue
			}
			for range s.n {
				for px := 0; px < c1-c0; px += ch {
					p.rest.row(c, y[at+px:at+px+ch], c0, at+px)
				}
				clear(y[at+c1-c0:][:pad])
				at += cl.ystep
			}
		}
	}
}
