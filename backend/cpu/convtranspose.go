package cpu

import (
	"fmt"

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
	x, y       rows
	groups     int
	cin, cout  int // a group
	format     transposeFormat
	epi        *epilogue
	classes    []transposeClass
	split      split
	packed     bool
	scratchOff int64 // where the threads' scratch begins in the workspace
	scratch    int64 // bytes of it a thread
}

// transposeClass is the product of a class of outputs.
type transposeClass struct {
	tileRun
	first int // of its taps in the packed order
}

func planConvTranspose(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.ConvTranspose)
	in, out, x, y, err := convDescs(d)
	if err != nil {
		return nil, err
	}
	epi := newEpilogue(dev.rows(), op.Bias, op.Epilogue, 2)
	if err := epi.resolve("ConvTranspose", in, out[0]); err != nil {
		return nil, err
	}
	w := in[1]
	geo, err := op.Geometry(in[0].Shape, w.Shape)
	if err != nil {
		return nil, err
	}
	p := &convTransposePlan{Geometry3: geo.To3(), x: x, y: y, groups: op.GroupCount(), epi: epi, packed: w.Const}
	p.cin, p.cout = w.Shape[0]/p.groups, w.Shape[1]
	if err := fitsOffsets("ConvTranspose", x, y); err != nil {
		return nil, err
	}
	mk := microkernelFor(dev.isa, p.cout)
	order, classes := transposeTaps(p.Kernel, p.Stride, p.Dilation)
	p.format = transposeFormat{
		panelFormat: panelFormat{nr: mk.nr, groups: p.groups, cols: p.cout, taps: len(order), kc: p.cin},
		size:        p.Kernel, stride: p.Stride, dilation: p.Dilation,
	}
	if err := p.format.check("ConvTranspose"); err != nil {
		return nil, err
	}
	first, tiles := 0, 0
	p.scratch = roundUp(4 * maxNR)
	for _, r := range classes {
		taps := len(r[0].taps) * len(r[1].taps) * len(r[2].taps)
		if ax := p.axes(&r); ax[0].n*ax[1].n*ax[2].n > 0 {
			g := newGemm(mk, taps*p.cin, epi)
			c := transposeClass{first: first, tileRun: tileRun{gemm: &g, xPitch: x.pitch, yPitch: y.pitch, xImage: x.s * x.pitch, yImage: y.s * y.pitch, far: p.format.Bytes() > farWeights}}
			if c.table, err = newTileTable("ConvTranspose", &g, &ax, x.pitch, y.pitch, max(p.cin, 1), false); err != nil {
				return nil, err
			}
			tiles = max(tiles, len(c.table.tiles))
			p.scratch = max(p.scratch, c.tileRun.scratch())
			p.classes = append(p.classes, c)
		}
		first += taps
	}
	weights := p.cout * len(order) * p.cin
	p.split = splitGemm(dev.pool.threads(), p.groups, x.n*tiles, p.format.panels(), weights, x.total()*p.cin, 2*int64(x.total())*int64(weights))

	pl := &plan{in: in, out: out, formats: make([]backend.Format, len(in)), inPlace: epi.inPlace()}
	if p.packed {
		pl.formats[1] = p.format
	} else {
		p.scratchOff = roundUp(p.format.Bytes())
		pl.phases = append(pl.phases, packPhase(p.format.panelFormat, p.source(w, order)))
	}
	pl.workspace = p.scratchOff + p.scratch*int64(dev.pool.threads())
	if len(p.classes) > 0 {
		pl.phases = append(pl.phases, phase{p.split.parts(), p.part})
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

// axes returns how the outputs of a class gather: output i reads for tap t the input
// m + i − shift[t].
func (p *convTransposePlan) axes(r *[3]residue) (ax [3]axis) {
	for d := range ax {
		at, m, n := r[d].outputs(p.Stride[d], p.Begin[d], p.Out[d])
		ax[d] = axis{in: p.In[d], n: n, step: 1, start: m, out: p.Out[d], outStep: p.Stride[d], outStart: at}
		for _, s := range r[d].shift {
			ax[d].reach = append(ax[d].reach, -s)
		}
	}
	if p.cin == 0 {
		ax[2].in = 0
	}
	return ax
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

// part computes a share of the tiles of each class × panels of a group: classes may
// differ in the number of taps.
func (p *convTransposePlan) part(c *call, part, thread int) {
	group, m, q0, q1 := p.split.of(part)
	size := p.format.panelLen()
	w := c.x(1)
	if !p.packed {
		w = f32(c.ws[:p.format.Bytes()])
	}
	w = w[group*p.format.panels()*size:]
	acc := f32(c.ws[p.scratchOff+int64(thread)*p.scratch:][:p.scratch])
	pad := 0
	if group == p.groups-1 {
		pad = p.y.pitch - p.y.c
	}
	for i := range p.classes {
		cl := &p.classes[i]
		panels := zeros // of no terms
		if size > 0 {
			panels = w[cl.first*p.cin*cl.mk.nr:]
		}
		cl.share(c, &c.tiles[thread], acc, c.x(0)[group*p.cin:], panels, c.y(0), size, group*p.cout, p.cout, pad, p.x.n, m, p.split.m, q0, q1)
	}
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
	acc := f32(c.ws[p.scratchOff+int64(thread)*p.scratch:][:p.scratch])
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
