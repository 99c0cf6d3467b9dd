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
	// reach returns where line z, y of outputs of an image begins to read in x, in
	// elements, and what its rows of taps depend on beside that.
	reach func(z, y int) (x int, r dwReach)
	// rows stores the rows of cols taps, and returns their number.
	rows func(r *dwReach, cols int, dst []dwRow) int

	lParts, vParts, sParts int // parts of the lines, vectors and strips
	band, group, chunk     int // lines, units of channels and strips of a call of a kernel
	block                  int // rows of taps that are summed in one go
	perLine                int // rows of taps of a line at most
	scratchOff, scratch    int64
	maskOff, lineOff       int64  // in the scratch, which begins with the rows of taps
	repeatOff              int64  // of operands that are repeated as the channels
	stream                 bool   // y is stored past the caches
	done                   func() // what a thread does in the end
}

// dwReach tells the taps of the first two dims that read x, in a way that reach and
// rows of a depthwise agree on.
type dwReach [6]int

// dwClass is the outputs of a line that one call computes: they read the same taps of
// the kernel's rows, and lie and read at equal distances.
type dwClass struct {
	kernel dwKernel
	taps   []int // of a row of the kernel
	delta  []int // the columns of x that they read
	cols   []dwCol
	strips []dwStrip
	step   int      // columns of x between neighbouring outputs
	unit   int      // and between those of a kernel of a known width
	ystep  int      // elements of y between them
	slide  int      // 1 where cols lie as far apart as outputs
	lines  []dwLine // of one image, with
	rows   []dwRow  // their rows of taps; nil where they are many
	masks  []uint32 // of the strips; nil where they are many
	ch     int      // channels: repeated ones are those of several pixels
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
	p := &depthwise{Geometry3: geo, x: x, y: y, kernels: dwKernels(dev.isa, y.c), packed: in[1].Const}
	k := geo.Kernel
	p.format = depthwiseFormat{k[0] * k[1] * k[2], y.c, repeat(p), p.lanes()}
	if err := p.format.check(op); err != nil {
		return nil, nil, err
	}
	if m := y.c / x.c; m > 1 {
		p.multiply(m)
	}
	p.fused, p.rest = epi.fuse()
	pl := &plan{in: in, out: out, formats: make([]backend.Format, len(in)), inPlace: epi.inPlace()}
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
	p.reach, p.rows = p.convReach, p.convRows
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
		k = p.any()
		if s/gcd(s, d) > 1 || p.Out[2] < 4*apart {
			apart = 1 // taps of neighbouring outputs share no inputs
		}
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
	c.slide = 1
	for i := range c.delta[min(1, len(c.delta)):] {
		if c.delta[i+1]-c.delta[i] != c.step {
			c.slide = 0
		}
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

// convReach is reach of a convolution: the ranges of the taps.
func (p *depthwise) convReach(z, y int) (x int, r dwReach) {
	z, y = z*p.Stride[0]-p.Begin[0], y*p.Stride[1]-p.Begin[1]
	r = dwReach{
		tapsBelow(p.Kernel[0], p.Dilation[0], -z), tapsBelow(p.Kernel[0], p.Dilation[0], p.In[0]-z),
		tapsBelow(p.Kernel[1], p.Dilation[1], -y), tapsBelow(p.Kernel[1], p.Dilation[1], p.In[1]-y),
	}
	return (z*p.In[1] + y) * p.In[2] * p.x.pitch, r
}

// convRows is rows of a convolution.
func (p *depthwise) convRows(r *dwReach, cols int, dst []dwRow) int {
	i := 0
	for z := r[0]; z < r[1]; z++ {
		for y := r[2]; y < r[3]; y++ {
			i += p.row(dst[i:], z*p.Dilation[0], y*p.Dilation[1], z, y, cols)
		}
	}
	return i
}

// row stores the row of taps kz, ky that lies z, y from where the line begins to read,
// in pieces of at most maxK of the cols taps, and returns their number.
func (p *depthwise) row(dst []dwRow, z, y, kz, ky, cols int) int {
	r := dwRow{
		x: (z*p.In[1] + y) * p.In[2] * p.x.pitch,
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
	dwGrain  = 1 << 14 // multiply-adds of vectors
	dwParts  = 64
	dwCall   = 1 << 17
	dwTables = 1 << 12 // entries of a table
	dwBand   = 8       // lines of a call: rows of x stay in the first-level cache for the next line
)

// dwChannels is the number of channels that go together, a unit: two cache lines.
const dwChannels = 32

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
		work += perStrip * int64(len(c.strips)) * int64(units(c.ch)) * int64(lines) * dwChannels / 16
	}
	p.split(lines, most, strips, partsFor(dwParts, work, dwGrain))

	atMost := func(n int, limit int64) int { return int(max(1, min(int64(n), limit))) }
	p.chunk = atMost(strips, min(dwCall/perStrip, dwTables/int64(max(cols, 1))))
	p.group = atMost(most, dwCall/(perStrip*int64(p.chunk)))
	p.band = atMost(dwBand, min(dwCall/(perStrip*int64(p.chunk)*int64(p.group)), dwTables/int64(p.perLine)))
	var rowBytes, maskBytes, lineBytes int64
	for i := range p.classes {
		c := &p.classes[i]
		if !p.fixLines(c) {
			rowBytes = int64(p.band) * int64(p.perLine) * int64(unsafe.Sizeof(dwRow{}))
			lineBytes = int64(p.band) * int64(unsafe.Sizeof(dwLine{}))
		}
		if !p.fixMasks(c) {
			maskBytes = 4 * int64(p.chunk) * int64(cols)
		}
	}
	p.maskOff = roundUp(rowBytes)
	p.lineOff = p.maskOff + roundUp(maskBytes)
	p.repeatOff = p.lineOff + roundUp(lineBytes)
	p.scratch = p.repeatOff
	if p.format.repeat > 1 {
		p.scratch += 3 * p.repeatBytes()
	}
	pl.workspace = p.scratchOff + p.scratch*int64(dev.pool.threads())
	p.done = func() {}
	if p.stream = streams(pl.out[0].Bytes()) && p.y.pitch%(align/4) == 0 && len(p.rest.steps) == 0 && p.fused.residual < 0 && p.format.repeat == 1; p.stream {
		p.done = storeFence(dev.isa)
	}
	if lines*most > 0 {
		pl.phases = append(pl.phases, phase{p.lParts * p.vParts * p.sParts, p.part})
	}
	return pl
}

// split cuts the work into at least so many parts, a power of two, such that the
// largest is as small as can be; lines are cut into strips last. A part reads lines of
// x that its neighbour has read: each counts a quarter of a line of outputs.
func (p *depthwise) split(lines, units, strips, parts int) {
	p.lParts, p.vParts, p.sParts = 1, 1, 1
	least, all := math.MaxInt, 1
	for all < parts {
		all *= 2
	}
	size := func(n, parts int) int { return (n + parts - 1) / parts }
	for v := 1; v <= all; v *= 2 {
		if v > 1 && (v > units || p.format.repeat > 1) {
			break
		}
		for s := 1; s*v <= all && s <= max(strips, 1) && (s == 1 || lines*v*s/2 < all); s *= 2 {
			l := min(all/(v*s), max(lines, 1))
			n := (4*size(lines, l) + min(p.Kernel[1], p.In[1]) - 1) * size(units, v) * size(strips, s)
			if n < least {
				least, p.lParts, p.vParts, p.sParts = n, l, v, s
			}
		}
	}
}

func (p *depthwise) repeatBytes() int64 { return roundUp(4 * int64(p.format.repeat*p.y.c)) }

// fixLines makes the lines of a class once and for all, unless they are too many.
func (p *depthwise) fixLines(c *dwClass) bool {
	n, rows := p.Out[0]*p.Out[1], 0
	if n > dwTables {
		return false
	}
	var last dwReach
	for q := range n {
		if _, r := p.reach(q/p.Out[1], q%p.Out[1]); q == 0 || r != last {
			last = r
			rows += p.perLine
		}
		if rows > dwTables {
			return false
		}
	}
	c.lines, c.rows = make([]dwLine, n), make([]dwRow, rows)
	p.fillLines(c, 0, c.lines, c.rows)
	return true
}

// fillLines fills in the lines of an image from line first on, for a class, and their
// rows of taps, which most of them share.
func (p *depthwise) fillLines(c *dwClass, first int, lines []dwLine, rows []dwRow) {
	var last dwReach
	r0, r1 := 0, 0
	for i := range lines {
		q := first + i
		x, r := p.reach(q/p.Out[1], q%p.Out[1])
		if len(c.cols) > 0 && (i == 0 || r != last) {
			r0, last = r1, r
			r1 += p.rows(&r, len(c.cols), rows[r1:])
		}
		lines[i] = dwLine{x: x, y: q * p.Out[2] * p.y.pitch, r0: r0, r1: r1}
	}
}

// fixMasks makes the masks of the strips of a class once and for all, unless they are
// too many.
func (p *depthwise) fixMasks(c *dwClass) bool {
	if c.kernel.width > 0 {
		return true
	}
	some := 0 // strips that have masks
	for i := range c.strips {
		if s := &c.strips[i]; s.mask >= 0 {
			s.mask = some * len(c.cols)
			some++
		}
	}
	if some*len(c.cols) <= dwTables {
		c.masks = make([]uint32, some*len(c.cols))
		p.fillMasks(c, c.strips, c.masks)
		return true
	}
	for i := range c.strips {
		if s := &c.strips[i]; s.mask >= 0 {
			s.mask = i % p.chunk * len(c.cols) // strips of one call have places of their own
		}
	}
	return false
}

// fillMasks fills the masks of strips of which not every tap is read.
func (p *depthwise) fillMasks(c *dwClass, strips []dwStrip, dst []uint32) {
	for i := range strips {
		s := &strips[i]
		if s.mask < 0 {
			continue
		}
		from := s.x / p.x.pitch
		for t, d := range c.delta {
			bits := uint32(0)
			for q := range s.n {
				if inRange(from+d+q*c.step, p.In[2]) {
					bits |= 1 << q
				}
			}
			dst[s.mask+t] = bits
		}
	}
}

// part computes some lines × vectors × strips.
func (p *depthwise) part(c *call, part, thread int) {
	s := part % p.sParts
	part /= p.sParts
	v0, v1 := share(units(p.y.c), part%p.vParts, p.vParts)
	image := p.Out[0] * p.Out[1]
	l0, l1 := share(p.x.n*image, part/p.vParts, p.lParts)
	ws := c.ws[p.scratchOff+int64(thread)*p.scratch:][:p.scratch]
	t := &c.depthwise[thread]
	p.begin(c, t, ws)
	for l0 < l1 {
		n, first := l0/image, l0%image
		count := min(p.band, l1-l0, image-first)
		l0 += count
		for i := range p.classes {
			cl := &p.classes[i]
			if cl.lines != nil {
				t.lines, t.rows = cl.lines[first:first+count], cl.rows
			} else {
				t.lines, t.rows = view[dwLine](ws[p.lineOff:p.repeatOff])[:count], view[dwRow](ws[:p.maskOff])
				p.fillLines(cl, first, t.lines, t.rows)
			}
			s0, s1 := share(len(cl.strips), s, p.sParts)
			c0, c1 := v0*dwChannels, v1*dwChannels
			if v1 == units(p.y.c) {
				c1 = cl.ch // of several pixels, perhaps: then there is one part
			}
			p.class(c, t, ws, cl, n, cl.strips[s0:s1], c0, c1)
			p.finish(c, t.lines, cl, n, cl.strips[s0:s1], c0, c1)
		}
	}
	p.done()
}

// begin fills in what all tiles of a part share.
func (p *depthwise) begin(c *call, t *dwTile, ws []byte) {
	t.block, t.stream = p.block, 0
	if p.stream {
		t.stream = 1
	}
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

// class computes strips of a class of the lines of t, for the channels [c0, c1) of
// image n.
func (p *depthwise) class(c *call, t *dwTile, ws []byte, cl *dwClass, n int, strips []dwStrip, c0, c1 int) {
	w := c.x(1)
	if !p.packed {
		w = f32(c.ws[:p.format.Bytes()])
	}
	x, y := c.x(0)[n*p.x.s*p.x.pitch:], c.y(0)[n*p.y.s*p.y.pitch:]
	var res []float32
	if p.fused.residual >= 0 {
		res = c.x(p.fused.residual)[n*p.y.s*p.y.pitch:]
	}
	bias, scale, shift := t.bias, t.scale, t.shift
	t.cols, t.masks, t.ystep, t.xstep, t.slide = cl.cols, cl.masks, cl.ystep, cl.step*p.x.pitch, cl.slide
	if cl.kernel.width > 0 {
		t.xstep = cl.unit * p.x.pitch
	}
	for len(strips) > 0 {
		n := min(p.chunk, len(strips))
		t.strips, strips = strips[:n], strips[n:]
		if cl.kernel.width == 0 && cl.masks == nil {
			t.masks = view[uint32](ws[p.maskOff:p.lineOff])
			p.fillMasks(cl, t.strips, t.masks)
		}
		for from := c0; from < c1; from += p.group * dwChannels {
			t.ch = min(p.group*dwChannels, c1-from)
			t.x, t.y, t.w = x, y[from:], w[from/p.format.lanes*t.wstep:]
			if p.perm == nil {
				t.x = x[from:]
			} else {
				t.perm, t.sources = p.perm[from:], p.sources[from/p.format.lanes:]
			}
			t.bias, t.scale, t.shift, t.res = behind(bias, from), behind(scale, from), behind(shift, from), behind(res, from)
			cl.kernel.fn(t)
		}
	}
	t.bias, t.scale, t.shift = bias, scale, shift
}

// behind returns v from an element on, or nil if v is nil.
func behind(v []float32, from int) []float32 {
	if v == nil {
		return nil
	}
	return v[from:]
}

// finish does to the channels [c0, c1) of stored outputs what the kernel does not,
// and clears the padding lanes.
func (p *depthwise) finish(c *call, lines []dwLine, cl *dwClass, n int, strips []dwStrip, c0, c1 int) {
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
			at := n*p.y.s*p.y.pitch + lines[i].y + s.y + c0
			if c1-c0 == cl.ystep && !p.rest.byChannel() { // outputs are neighbours
				p.rest.row(c, y[at:at+s.n*cl.ystep], 0, at)
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
