package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// convPlan is a convolution as a product of tiles of output pixels with panels
// of weights: see package cpu.
type convPlan struct {
	tileRun
	x, y       rows
	groups     int
	cin, cout  int // a group
	format     panelFormat
	split      split
	packed     bool   // the weights are a Format; otherwise packed in every run
	scratchOff int64  // where the threads' scratch begins in the workspace
	done       func() // what a thread does in the end
	pictures   *padCopy
	image      int   // elements of an image of x that they are copied from
	whole      bool  // a part has whole images, and makes their pictures
	pictureOff int64 // where the padded pictures begin in the workspace
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
	in, out, x, y, err := convDescs(d)
	if err != nil {
		return nil, err
	}
	op := d.Op.(backend.Conv)
	geo, tap, err := convGeometry(op, in[0], in[1])
	if err != nil {
		return nil, err
	}
	p, err := planConvGemm(dev, op, in, out, x, y, geo, tap, nil)
	if err != nil && geo.Begin != [3]int{} { // the padding of a large kernel
		if padded, err := planConvPictures(dev, d); err == nil {
			return padded, nil
		}
	}
	return p, err
}

// planConvGemm completes a plan. Where pictures is not nil it makes padded pictures of
// x first, and geo and x are those of the pictures.
func planConvGemm(dev *device, op backend.Conv, in, out []backend.TensorDesc, x, y rows, geo backend.Geometry3, tap []int, pictures *padCopy) (*plan, error) {
	epi := newEpilogue(dev.rows(), op.Bias, op.Epilogue, 2)
	if err := epi.resolve("Conv", in, out[0]); err != nil {
		return nil, err
	}
	w := in[1]
	p := &convPlan{x: x, y: y, groups: op.GroupCount(), cin: w.Shape[1], cout: w.Shape[0] / op.GroupCount(), packed: w.Const, pictures: pictures}
	if err := fitsOffsets("Conv", x, y); err != nil {
		return nil, err
	}
	ws := w.Layout.Strides(w.Shape)
	source := panelSource{group: ws[0] * p.cout, col: ws[0], ch: ws[1], tap: tap, kc: p.cin}
	mk := microkernelFor(dev.isa, p.cout)
	p.format = panelFormat{nr: mk.nr, groups: p.groups, cols: p.cout, taps: len(tap), kc: p.cin}
	err := p.format.check("Conv")
	if err != nil {
		return nil, err
	}
	g := newGemm(mk, len(tap)*p.cin, epi)
	p.tileRun = tileRun{gemm: &g, xPitch: x.pitch, yPitch: y.pitch, xImage: x.s * x.pitch, yImage: y.s * y.pitch, far: p.format.Bytes() > farWeights}
	p.done = g.streamTo(dev.isa, y, out[0].Bytes())
	ax := convAxes(&geo)
	if p.cin == 0 {
		ax[2].in = 0
	}
	if p.table, err = newTileTable("Conv", &g, &ax, x.pitch, y.pitch, max(p.cin, 1), p.cin == x.pitch && geo.Dilation[2] == 1); err != nil {
		return nil, err
	}
	p.split = splitGemm(dev.pool.threads(), p.groups, x.n*len(p.table.tiles), p.format.panels(), g.k*p.cout, x.total()*p.cin, 2*int64(x.n)*int64(y.s)*int64(p.cout)*int64(g.k))

	pl := &plan{in: in, out: out, formats: make([]backend.Format, len(in)), inPlace: epi.inPlace()}
	if p.packed {
		pl.formats[1] = p.format
	} else {
		pl.workspace = roundUp(p.format.Bytes())
		pl.phases = append(pl.phases, packPhase(p.format, source))
	}
	if pictures != nil {
		p.pictureOff = pl.workspace
		pl.workspace += roundUp(4 * int64(x.n) * int64(p.xImage))
		p.image = int(in[0].Bytes()/4) / max(x.n, 1)
		if threads := p.split.m; p.split.n == 1 && x.n >= threads && (x.n%threads == 0 || x.n >= 4*threads) {
			p.whole = true // each thread makes the pictures that it reads
		} else {
			pl.phases = append(pl.phases, p.picturePhase())
		}
	}
	p.scratchOff = pl.workspace
	pl.workspace += p.scratch() * int64(dev.pool.threads())
	pl.phases = append(pl.phases, phase{p.split.parts(), p.part})
	return pl, nil
}

// convAxes returns how the pixels of a convolution gather.
func convAxes(g *backend.Geometry3) (ax [3]axis) {
	for d := range ax {
		ax[d] = axis{in: g.In[d], n: g.Out[d], step: g.Stride[d], start: -g.Begin[d], out: g.Out[d], outStep: 1}
		for k := range g.Kernel[d] {
			ax[d].reach = append(ax[d].reach, k*g.Dilation[d])
		}
	}
	return ax
}

// packPhase packs the weights of input 1 into the beginning of the workspace.
func packPhase(f panelFormat, s panelSource) phase {
	parts := f.parts()
	return phase{parts, func(c *call, part, _ int) {
		f.packPart(f32(c.ws), c.x(1), s, part, parts)
	}}
}

func roundUp(bytes int64) int64 { return (bytes + align - 1) &^ (align - 1) }

// fitsOffsets fails when an offset within an image has no int32. Offsets of taps may
// wrap where a dilation reaches far into the padding: sums with them wrap back.
func fitsOffsets(op string, images ...rows) error {
	for _, r := range images {
		if n := int64(r.s) * int64(r.pitch); n > math.MaxInt32 {
			return &backend.LimitError{Op: op, What: "elements of one image, for int32 offsets", Got: n, Max: math.MaxInt32, Hint: "split the image"}
		}
	}
	return nil
}

// split is how the work of a matrix product is shared out: the tiles in m parts, the
// panels of each group in n.
type split struct{ groups, panels, m, n int }

func (s *split) parts() int { return s.groups * s.m * s.n }

// splitGemm cuts a product into a part for each thread, or fewer of less than grain.
// Where weights outweigh pixels the panels are cut, so that each is read by one
// thread. Which thread computes a tile does not change its sums.
func splitGemm(threads, groups, tiles, panels, weights, pixels int, flops int64) split {
	s := split{groups: groups, panels: panels, m: 1, n: 1}
	want := partsFor(threads, flops, grainFLOPs)
	if groups%want == 0 {
		return s
	}
	// A cut that leaves one thread more to do than the other costs more than reads.
	uneven := func(n int) float64 { return float64((n+want-1)/want*want) / float64(max(n, 1)) }
	if uneven(panels) < uneven(tiles) || weights > pixels && uneven(panels) <= 1.1*uneven(tiles) {
		s.n = min(panels, want)
		s.m = min(tiles, (want+s.n-1)/s.n)
	} else {
		s.m = min(tiles, want)
		s.n = min(panels, (want+s.m-1)/max(s.m, 1))
	}
	return s
}

// of returns the group of a part, which of its m shares of the tiles, and the panels.
func (s *split) of(part int) (group, m, q0, q1 int) {
	m = part % s.m
	part /= s.m
	q0, q1 = share(s.panels, part%s.n, s.n)
	return part / s.n, m, q0, q1
}

// part computes some tiles × panels of one group.
func (p *convPlan) part(c *call, part, thread int) {
	group, m, q0, q1 := p.split.of(part)
	size := p.panelLen()
	w := c.x(1)
	if !p.packed {
		w = f32(c.ws[:p.format.Bytes()])
	}
	w = w[group*p.format.panels()*size:]
	if size == 0 { // no terms
		w = zeros
	}
	acc := f32(c.ws[p.scratchOff+int64(thread)*p.scratch():][:p.scratch()])
	pad := 0
	if group == p.groups-1 {
		pad = p.y.pitch - p.y.c
	}
	x := c.x(0)[group*p.cin:]
	if p.pictures != nil {
		x = f32(c.ws[p.pictureOff:p.scratchOff])
	}
	if p.whole {
		n := len(p.table.tiles)
		for i, end := share(p.x.n, m, p.split.m); i < end; i++ {
			rows, _ := p.pictures.rows()
			p.fillPictures(c, i*rows, (i+1)*rows)
			p.run(c, &c.tiles[thread], acc, x, w, c.y(0), size, group*p.cout, p.cout, pad, i*n, (i+1)*n, q0, q1)
		}
		p.done()
		return
	}
	p.share(c, &c.tiles[thread], acc, x, w, c.y(0), size, group*p.cout, p.cout, pad, p.x.n, m, p.split.m, q0, q1)
	p.done()
}

// inRange reports whether 0 ≤ i < n.
func inRange(i, n int) bool { return uint(i) < uint(n) }
