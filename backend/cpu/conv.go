package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// convPlan is a convolution as a product of tiles of output pixels with panels
// of weights: see package cpu.
type convPlan struct {
	gemm
	geo        backend.Geometry3
	x, y       rows
	groups     int
	cin, cout  int // a group
	format     panelFormat
	epi        *epilogue
	tapOff     []int32 // offset of each tap from the first, in elements of x
	tiles      int     // an image
	block      int     // tiles that share one table of offsets
	mParts     int     // parts of the tiles, and
	nParts     int     // of the panels, of one image and group
	packed     bool    // the weights are a Format; otherwise packed in every run
	source     panelSource
	scratchOff int64 // where the threads' scratch begins in the workspace
	scratch    int64 // bytes of it a thread
}

// convGeometry returns the 3-D geometry of a convolution and its taps' places in
// w, which lies as wd says.
func convGeometry(op backend.Conv, x, wd backend.TensorDesc) (backend.Geometry3, []int, error) {
	g, err := op.Geometry(x.Shape, wd.Shape)
	if err != nil {
		return backend.Geometry3{}, nil, err
	}
	geo := g.To3()
	st := [3]int{}
	copy(st[3-len(wd.Shape[2:]):], wd.Layout.Strides(wd.Shape)[2:])
	var tap []int
	for z := range geo.Kernel[0] {
		for y := range geo.Kernel[1] {
			for x := range geo.Kernel[2] {
				tap = append(tap, z*st[0]+y*st[1]+x*st[2])
			}
		}
	}
	return geo, tap, nil
}

// convDescs resolves the layouts of x, w and y.
func convDescs(d backend.Desc) (in, out []backend.TensorDesc, x, y rows, err error) {
	op := d.Op.Kind()
	in = append([]backend.TensorDesc{}, d.In...)
	out = append([]backend.TensorDesc{}, d.Out...)
	in[0] = resolve(in[0], backend.ChannelsLast)
	def := in[0].Layout
	if def.Order != backend.OrderChannelsLast {
		def = backend.ChannelsLast
	}
	in[1] = resolve(in[1], backend.Plain)
	out[0] = resolve(out[0], def)
	x, ok := channelRows(in[0])
	if !ok {
		return in, out, x, y, wrongLayout(op, "x", in[0], "channels-last")
	}
	if y, ok = channelRows(out[0]); !ok {
		return in, out, x, y, wrongLayout(op, "y", out[0], "channels-last")
	}
	return in, out, x, y, nil
}

func planConv(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Conv)
	in, out, x, y, err := convDescs(d)
	if err != nil {
		return nil, err
	}
	epi := newEpilogue(op.Bias, op.Epilogue, 2)
	if err := epi.resolve("Conv", in, out[0]); err != nil {
		return nil, err
	}
	w := in[1]
	geo, tap, err := convGeometry(op, in[0], w)
	if err != nil {
		return nil, err
	}
	p := &convPlan{geo: geo, x: x, y: y, groups: op.GroupCount(), epi: epi, cin: w.Shape[1], cout: w.Shape[0] / op.GroupCount()}
	if err := p.fits(); err != nil {
		return nil, err
	}
	p.gemm = newGemm(dev.mk, len(tap), p.cin)
	ws := w.Layout.Strides(w.Shape)
	p.source = panelSource{group: ws[0] * p.cout, col: ws[0], ch: ws[1], tap: tap, kc: p.cin}
	p.format = panelFormat{kernel: dev.mk.name, nr: dev.mk.nr, groups: p.groups, cols: p.cout, taps: len(tap), kc: p.cin}
	if err := p.format.check("Conv"); err != nil {
		return nil, err
	}
	p.packed = w.Const
	p.tapOff = make([]int32, len(tap))
	for t := range tap {
		z, yy, xx := p.tapAt(t)
		p.tapOff[t] = int32(((z*geo.In[1]+yy)*geo.In[2] + xx) * x.pitch)
	}
	p.partition()

	pl := &plan{in: in, out: out, formats: make([]backend.Format, len(in)), inPlace: epi.res}
	if p.packed {
		pl.formats[1] = p.format
	} else {
		p.scratchOff = roundUp(p.format.Bytes())
		pl.phases = append(pl.phases, packPhase(p.mk, p.format, p.source))
	}
	p.scratch = roundUp(4*int64(p.mk.mr*p.mk.nr)) + roundUp(4*int64(p.block*p.mk.mr*p.taps))
	pl.workspace = p.scratchOff + p.scratch*int64(dev.pool.threads())
	pl.phases = append(pl.phases, phase{x.n * p.groups * p.mParts * p.nParts, p.part})
	return pl, nil
}

// packPhase packs the weights of input 1 into the beginning of the workspace.
func packPhase(mk *microkernel, f panelFormat, s panelSource) phase {
	parts := f.parts()
	return phase{parts, func(c *call, part, _ int) {
		f.packPart(mk, f32(c.ws), c.x(1), s, part, parts)
	}}
}

func roundUp(bytes int64) int64 { return (bytes + align - 1) &^ (align - 1) }

// fits fails when an offset within an image has no int32. Offsets of taps may
// wrap where a dilation reaches far into the padding: sums with them wrap back.
func (p *convPlan) fits() error {
	if n := int64(p.x.s) * int64(p.x.pitch); n > math.MaxInt32 {
		return &backend.LimitError{Op: "Conv", What: "elements of one image, for int32 offsets", Got: n, Max: math.MaxInt32, Hint: "split the image"}
	}
	return nil
}

// tapAt returns the distance of tap t from the first one, in input elements.
func (p *convPlan) tapAt(t int) (z, y, x int) {
	k := p.geo.Kernel
	return t / (k[1] * k[2]) * p.geo.Dilation[0], t / k[2] % k[1] * p.geo.Dilation[1], t % k[2] * p.geo.Dilation[2]
}

// partition cuts the work of one image and group. Where weights outweigh pixels
// the panels are cut, so that each is read by one thread.
func (p *convPlan) partition() {
	p.tiles = (p.y.s + p.mk.mr - 1) / p.mk.mr
	panels := p.format.panels()
	flops := 2 * int64(p.y.s) * int64(p.cout) * int64(p.taps*p.kc)
	want := partsFor(math.MaxInt32, flops, grainFLOPs)
	if int64(p.cout)*int64(p.taps)*int64(p.kc) > int64(p.x.s)*int64(p.x.c/p.groups) {
		p.nParts = min(panels, want)
		p.mParts = min(p.tiles, (want+p.nParts-1)/p.nParts)
	} else {
		p.mParts = min(p.tiles, want)
		p.nParts = min(panels, (want+p.mParts-1)/max(p.mParts, 1))
	}
	// A table of offsets stays in the first-level cache beside a panel.
	p.block = max(1, min(32, 4096/(p.taps*p.mk.mr)))
}

// part computes some tiles × panels of one image and group.
func (p *convPlan) part(c *call, part, thread int) {
	m := part % p.mParts
	part /= p.mParts
	nPart := part % p.nParts
	part /= p.nParts
	group, image := part%p.groups, part/p.groups

	panels, size := p.format.panels(), p.panelLen()
	q0, q1 := share(panels, nPart, p.nParts)
	t0, t1 := share(p.tiles, m, p.mParts)
	w := c.x(1)
	if !p.packed {
		w = f32(c.ws[:p.format.Bytes()])
	}
	w = w[group*panels*size:]
	x := c.x(0)[image*p.x.s*p.x.pitch:][:p.x.s*p.x.pitch]
	x = x[group*p.cin:]
	y := c.y(0)
	ws := c.ws[p.scratchOff+int64(thread)*p.scratch:][:p.scratch]
	t := &c.tiles[thread]
	nr, mr := p.mk.nr, p.mk.mr
	t.acc = f32(ws[:4*mr*nr])
	off := view[int32](ws[roundUp(int64(4*mr*nr)):])
	for ; t0 < t1; t0 += p.block {
		end := min(t0+p.block, t1)
		p0, _ := share(p.y.s, t0, p.tiles)
		for i := t0; i < end; i++ {
			a, b := share(p.y.s, i, p.tiles)
			p.offsets(off[(a-p0)*p.taps:(b-p0)*p.taps], a, b-a)
		}
		for q := q0; q < q1; q++ {
			n := min(nr, p.cout-q*nr)
			o := group*p.cout + q*nr
			pad := 0
			if o+n == p.y.c {
				pad = p.y.pitch - p.y.c
			}
			panel := w[q*size : (q+1)*size]
			for i := t0; i < end; i++ {
				a, b := share(p.y.s, i, p.tiles)
				p.run(t, x, off[(a-p0)*p.taps:(b-p0)*p.taps], b-a, panel)
				p.epi.store(c, y, t.acc, nr, b-a, n, o, (image*p.y.s+a)*p.y.pitch+o, p.y.pitch, pad)
			}
		}
	}
}

// offsets fills the table of the pixels [p0, p0+mr): taps × mr.
func (p *convPlan) offsets(off []int32, p0, mr int) {
	g := &p.geo
	for r := range mr {
		q := p0 + r
		at := [3]int{q / (g.Out[1] * g.Out[2]), q / g.Out[2] % g.Out[1], q % g.Out[2]}
		inside := true
		for i := range at {
			at[i] = at[i]*g.Stride[i] - g.Begin[i]
			inside = inside && at[i] >= 0 && at[i]+(g.Kernel[i]-1)*g.Dilation[i] < g.In[i]
		}
		origin := ((at[0]*g.In[1]+at[1])*g.In[2] + at[2]) * p.x.pitch
		if inside {
			for t, o := range p.tapOff {
				off[t*mr+r] = int32(origin) + o
			}
			continue
		}
		t := 0
		for z := range g.Kernel[0] {
			okZ := inRange(at[0]+z*g.Dilation[0], g.In[0])
			for y := range g.Kernel[1] {
				okY := okZ && inRange(at[1]+y*g.Dilation[1], g.In[1])
				for x := range g.Kernel[2] {
					o := int32(-1)
					if okY && inRange(at[2]+x*g.Dilation[2], g.In[2]) {
						o = int32(origin + int(p.tapOff[t]))
					}
					off[t*mr+r] = o
					t++
				}
			}
		}
	}
}

// inRange reports whether 0 ≤ i < n.
func inRange(i, n int) bool { return uint(i) < uint(n) }
