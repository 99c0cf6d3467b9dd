package cpu

import (
	"fmt"
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// transposeFormat is the weights of a transposed convolution, [C,O/G,kernel...], in
// panels. The taps stand in the order of transposeTaps, so that those that one
// output reads are neighbours.
type transposeFormat struct {
	panelFormat
	size, stride, dilation [3]int
}

// String implements backend.Format.
func (f transposeFormat) String() string {
	return fmt.Sprintf("transposed %v, kernel %v stride %v dilation %v", f.panelFormat, f.size, f.stride, f.dilation)
}

// pack implements packer.
func (f transposeFormat) pack(dst []float32, t *tensor.Tensor) (func(c *call, part, thread int), int, error) {
	order, _ := transposeTaps(f.size, f.stride, f.dilation)
	return f.packFrom(dst, t, panelSource{group: f.kc * f.cols * f.taps, col: f.taps, ch: f.cols * f.taps, tap: order, kc: f.kc})
}

// convTransposePlan is a transposed convolution as one matrix product for each
// class of outputs: those that agree in p + begin modulo the stride, in every dim,
// read the same taps, so that a class is a convolution of stride 1 with a part of
// the kernel. See package cpu.
type convTransposePlan struct {
	backend.Geometry3
	mk         *microkernel
	x, y       rows
	groups     int
	cin, cout  int // a group
	format     transposeFormat
	epi        *epilogue
	classes    []transposeClass
	mParts     int // parts of the tiles of each class, and
	nParts     int // of the panels, of one image and group
	packed     bool
	scratchOff int64 // where the threads' scratch begins in the workspace
	scratch    int64 // bytes of it a thread, of which
	offBytes   int64 // are the offsets
}

// transposeClass is the outputs at + i·stride, 0 ≤ i < n, in each dim. Tap t of
// output i reads the input m + i − shift[t].
type transposeClass struct {
	gemm
	first    int // of its taps in the packed order
	at, n, m [3]int
	shift    [][3]int
	lo, hi   [3]int  // least and largest shift
	tapOff   []int32 // shift, in elements of x
	pixels   int
	tiles    int // an image
	block    int // tiles that share one table of offsets
}

func planConvTranspose(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.ConvTranspose)
	in, out, x, y, err := convDescs(d)
	if err != nil {
		return nil, err
	}
	epi := newEpilogue(op.Bias, op.Epilogue, 2)
	if err := epi.resolve("ConvTranspose", in, out[0]); err != nil {
		return nil, err
	}
	w := in[1]
	geo, err := op.Geometry(in[0].Shape, w.Shape)
	if err != nil {
		return nil, err
	}
	p := &convTransposePlan{Geometry3: geo.To3(), mk: dev.mk, x: x, y: y, groups: op.GroupCount(), epi: epi, packed: w.Const}
	p.cin, p.cout = w.Shape[0]/p.groups, w.Shape[1]
	if n := int64(x.s) * int64(x.pitch); n > math.MaxInt32 {
		return nil, &backend.LimitError{Op: "ConvTranspose", What: "elements of one image, for int32 offsets", Got: n, Max: math.MaxInt32, Hint: "split the image"}
	}
	order, classes := transposeTaps(p.Kernel, p.Stride, p.Dilation)
	p.format = transposeFormat{
		panelFormat: panelFormat{kernel: dev.mk.name, nr: dev.mk.nr, groups: p.groups, cols: p.cout, taps: len(order), kc: p.cin},
		size:        p.Kernel, stride: p.Stride, dilation: p.Dilation,
	}
	if err := p.format.check("ConvTranspose"); err != nil {
		return nil, err
	}
	first := 0
	for _, r := range classes {
		c := p.class(r, first)
		first += c.taps
		if c.pixels > 0 {
			p.classes = append(p.classes, c)
		}
	}
	p.partition()

	pl := &plan{in: in, out: out, formats: make([]backend.Format, len(in)), inPlace: epi.res}
	if p.packed {
		pl.formats[1] = p.format
	} else {
		p.scratchOff = roundUp(p.format.Bytes())
		pl.phases = append(pl.phases, packPhase(p.mk, p.format.panelFormat, p.source(w, order)))
	}
	acc := roundUp(4 * int64(p.mk.mr*p.mk.nr))
	p.scratch = acc + p.offBytes + roundUp(8*maxTransposeBlock*int64(p.mk.mr))
	pl.workspace = p.scratchOff + p.scratch*int64(dev.pool.threads())
	if len(p.classes) > 0 {
		pl.phases = append(pl.phases, phase{x.n * p.groups * p.mParts * p.nParts, p.part})
	}
	if out[0].Shape.Size() == 0 { // what follows has memory for each position of y
		return pl, nil
	}
	if reached := p.reached(classes); reached != nil {
		total := y.total()
		parts := partsFor(total, 4*int64(total)*int64(y.c), grainBytes)
		pl.phases = append(pl.phases, phase{parts, func(c *call, part, thread int) {
			lo, hi := share(total, part, parts)
			p.unreached(c, reached, lo, hi, thread)
		}})
	}
	return pl, nil
}

// source says where the weights lie, with the taps in packed order.
func (p *convTransposePlan) source(w backend.TensorDesc, order []int) panelSource {
	ws := w.Layout.Strides(w.Shape)
	var st [3]int
	copy(st[5-len(ws):], ws[2:])
	tap := make([]int, len(order))
	for i, t := range order {
		tap[i] = t/(p.Kernel[1]*p.Kernel[2])*st[0] + t/p.Kernel[2]%p.Kernel[1]*st[1] + t%p.Kernel[2]*st[2]
	}
	return panelSource{group: ws[0] * p.cin, col: ws[1], ch: ws[0], tap: tap, kc: p.cin}
}

// class returns the class of a residue in each dim, whose taps begin at first in
// the packed order. It may have no outputs.
func (p *convTransposePlan) class(r [3]residue, first int) transposeClass {
	c := transposeClass{first: first, pixels: 1}
	for i := range r {
		c.at[i], c.m[i], c.n[i] = r[i].outputs(p.Stride[i], p.Begin[i], p.Out[i])
		c.lo[i], c.hi[i] = r[i].shift[0], r[i].shift[len(r[i].shift)-1]
		c.pixels *= c.n[i]
	}
	for _, z := range r[0].shift {
		for _, y := range r[1].shift {
			for _, x := range r[2].shift {
				c.shift = append(c.shift, [3]int{z, y, x})
				// May wrap where a dilation reaches far outside: sums with it wrap back.
				c.tapOff = append(c.tapOff, int32(((z*p.In[1]+y)*p.In[2]+x)*p.x.pitch))
			}
		}
	}
	c.gemm = newGemm(p.mk, len(c.shift), p.cin)
	c.tiles = (c.pixels + p.mk.mr - 1) / p.mk.mr
	// A table of offsets stays in the first-level cache beside a panel.
	c.block = max(1, min(maxTransposeBlock, 4096/(c.taps*p.mk.mr)))
	return c
}

const maxTransposeBlock = 32

// partition cuts the work of one image and group. A part has its share of each
// class: their taps may differ in number. Where weights outweigh pixels the panels
// are cut, so that each is read by one thread.
func (p *convTransposePlan) partition() {
	tiles := 0
	for i := range p.classes {
		c := &p.classes[i]
		tiles = max(tiles, c.tiles)
		p.offBytes = max(p.offBytes, roundUp(4*int64(c.block*p.mk.mr*c.taps)))
	}
	panels := p.format.panels()
	weights := int64(p.cout) * int64(p.format.taps) * int64(p.cin)
	want := partsFor(math.MaxInt32, 2*int64(p.x.s)*weights, grainFLOPs)
	if weights > int64(p.x.s)*int64(p.cin) {
		p.nParts = min(panels, want)
		p.mParts = max(1, min(tiles, (want+p.nParts-1)/p.nParts))
	} else {
		p.mParts = max(1, min(tiles, want))
		p.nParts = min(panels, (want+p.mParts-1)/p.mParts)
	}
}

// part computes a share of the tiles of each class × panels of one image and group.
func (p *convTransposePlan) part(c *call, part, thread int) {
	m := part % p.mParts
	part /= p.mParts
	nPart := part % p.nParts
	part /= p.nParts
	group, image := part%p.groups, part/p.groups
	q0, q1 := share(p.format.panels(), nPart, p.nParts)
	for i := range p.classes {
		t0, t1 := share(p.classes[i].tiles, m, p.mParts)
		p.run(c, &p.classes[i], image, group, t0, t1, q0, q1, thread)
	}
}

// run computes the tiles [t0, t1) × panels [q0, q1) of a class.
func (p *convTransposePlan) run(c *call, cl *transposeClass, image, group, t0, t1, q0, q1, thread int) {
	panels, size := p.format.panels(), p.format.panelLen()
	w := c.x(1)
	if !p.packed {
		w = f32(c.ws[:p.format.Bytes()])
	}
	w = w[group*panels*size+cl.first*p.cin*p.mk.nr:]
	x := c.x(0)[image*p.x.s*p.x.pitch:][:p.x.s*p.x.pitch]
	x = x[group*p.cin:]
	y := c.y(0)
	t, acc, off, dst := p.memory(c, thread)
	nr := p.mk.nr
	for ; t0 < t1; t0 += cl.block {
		end := min(t0+cl.block, t1)
		p0, _ := share(cl.pixels, t0, cl.tiles)
		var taps [maxTransposeBlock][2]int // of each tile, the others read zeros
		for i := t0; i < end; i++ {
			a, b := share(cl.pixels, i, cl.tiles)
			taps[i-t0] = p.offsets(cl, off[(a-p0)*cl.taps:(b-p0)*cl.taps], dst[a-p0:b-p0], a)
		}
		for q := q0; q < q1; q++ {
			n := min(nr, p.cout-q*nr)
			o := group*p.cout + q*nr
			pad := 0
			if o+n == p.y.c {
				pad = p.y.pitch - p.y.c
			}
			panel := w[q*size:][:cl.panelLen()]
			for i := t0; i < end; i++ {
				a, b := share(cl.pixels, i, cl.tiles)
				cl.runTaps(t, x, off[(a-p0)*cl.taps:(b-p0)*cl.taps], b-a, panel, taps[i-t0][0], taps[i-t0][1])
				for r, at := range dst[a-p0 : b-p0] {
					p.epi.store(c, y, acc[r*nr:], nr, 1, n, o, (image*p.y.s+at)*p.y.pitch+o, p.y.pitch, pad)
				}
			}
		}
	}
}

// memory returns a thread's tile and its scratch: sums, offsets, and places in y.
func (p *convTransposePlan) memory(c *call, thread int) (t *tile, acc []float32, off []int32, dst []int) {
	ws := c.ws[p.scratchOff+int64(thread)*p.scratch:][:p.scratch]
	t = &c.tiles[thread]
	t.acc = f32(ws[:4*p.mk.mr*p.mk.nr])
	ws = ws[roundUp(4*int64(p.mk.mr*p.mk.nr)):]
	return t, t.acc, view[int32](ws[:p.offBytes]), view[int](ws[p.offBytes:])
}

// offsets fills the tables of the outputs of a class from p0 on: the offsets, taps ×
// outputs, and the outputs' numbers in the image. It returns the range of the taps
// that lie in x for some of them: a small picture has few.
func (p *convTransposePlan) offsets(cl *transposeClass, off []int32, dst []int, p0 int) (taps [2]int) {
	mr := len(dst)
	taps[0] = cl.taps
	for r := range dst {
		q := p0 + r
		m := [3]int{q / (cl.n[1] * cl.n[2]), q / cl.n[2] % cl.n[1], q % cl.n[2]}
		var at [3]int
		inside := true
		for i := range m {
			at[i] = cl.at[i] + m[i]*p.Stride[i]
			m[i] += cl.m[i]
			inside = inside && m[i] >= cl.hi[i] && m[i]-cl.lo[i] < p.In[i]
		}
		dst[r] = (at[0]*p.Out[1]+at[1])*p.Out[2] + at[2]
		origin := int32(((m[0]*p.In[1]+m[1])*p.In[2] + m[2]) * p.x.pitch)
		for t, o := range cl.tapOff {
			s := &cl.shift[t]
			if inside || inRange(m[0]-s[0], p.In[0]) && inRange(m[1]-s[1], p.In[1]) && inRange(m[2]-s[2], p.In[2]) {
				off[t*mr+r] = origin - o
				taps[0], taps[1] = min(taps[0], t), max(taps[1], t+1)
			} else {
				off[t*mr+r] = -1
			}
		}
	}
	return taps
}

// reached tells for each output position of each dim whether a tap reads for it;
// nil if all do.
func (p *convTransposePlan) reached(classes [][3]residue) *[3][]bool {
	var r [3][]bool
	some := false
	for i := range r {
		r[i] = make([]bool, p.Out[i])
		left := p.Out[i]
		for _, c := range classes {
			at, _, n := c[i].outputs(p.Stride[i], p.Begin[i], p.Out[i])
			for ; n > 0; n-- {
				if !r[i][at] {
					r[i][at] = true
					left--
				}
				at += p.Stride[i]
			}
		}
		some = some || left > 0
	}
	if !some {
		return nil
	}
	return &r
}

// unreached stores the outputs of the pixels [lo, hi) that no tap reads for: the
// epilogue of 0.
func (p *convTransposePlan) unreached(c *call, reached *[3][]bool, lo, hi, thread int) {
	_, acc, _, _ := p.memory(c, thread)
	y := c.y(0)
	for ; lo < hi; lo++ {
		q := lo % p.y.s
		if reached[0][q/(p.Out[1]*p.Out[2])] && reached[1][q/p.Out[2]%p.Out[1]] && reached[2][q%p.Out[2]] {
			continue
		}
		for o := 0; o < p.y.c; o += len(acc) {
			n := min(len(acc), p.y.c-o)
			pad := 0
			if o+n == p.y.c {
				pad = p.y.pitch - p.y.c
			}
			clear(acc[:n])
			p.epi.store(c, y, acc, n, 1, n, o, lo*p.y.pitch+o, p.y.pitch, pad)
		}
	}
}
