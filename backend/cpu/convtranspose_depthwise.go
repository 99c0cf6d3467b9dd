package cpu

import (
	"fmt"
	"slices"

	"github.com/convgl/convgl/backend"
)

// transposeDepthwisePlan is a transposed convolution with as many groups as inputs
// and outputs: each tap is a product of two rows of channels.
type transposeDepthwisePlan struct {
	backend.Geometry3
	x, y     rows
	residues [3][]residue
	format   depthwiseFormat
	epi      *epilogue
	packed   bool
	ws       int64 // where the threads' rows of sums begin
	row      int64 // bytes of a row of sums
}

func planTransposeDepthwise(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.ConvTranspose)
	w := d.In[1].Shape
	if w[1] != 1 || w[0] != op.GroupCount() {
		return nil, backend.Unsupported(name, "ConvTranspose", fmt.Sprintf("depthwise takes one input and one output channel a group, w is %v with groups %d", w, op.GroupCount()))
	}
	in, out, x, y, err := convDescs(d)
	if err != nil {
		return nil, err
	}
	epi := newEpilogue(dev.rows(), op.Bias, op.Epilogue, 2)
	if err := epi.resolve("ConvTranspose", in, out[0]); err != nil {
		return nil, err
	}
	geo, err := op.Geometry(in[0].Shape, w)
	if err != nil {
		return nil, err
	}
	p := &transposeDepthwisePlan{Geometry3: geo.To3(), x: x, y: y, format: depthwiseFormat{geo.Taps(), x.c}, epi: epi, packed: in[1].Const}
	for i := range p.residues {
		p.residues[i] = residues(p.Kernel[i], p.Stride[i], p.Dilation[i])
	}
	pl := &plan{in: in, out: out, formats: make([]backend.Format, len(in)), inPlace: epi.res}
	if p.packed {
		pl.formats[1] = p.format
	} else {
		ws := in[1].Layout.Strides(w)
		var st [3]int
		copy(st[5-len(ws):], ws[2:])
		var tap []int
		for z := range p.Kernel[0] {
			for y := range p.Kernel[1] {
				for x := range p.Kernel[2] {
					tap = append(tap, z*st[0]+y*st[1]+x*st[2])
				}
			}
		}
		p.ws = roundUp(p.format.Bytes())
		pl.phases = append(pl.phases, phase{1, func(c *call, _, _ int) { p.format.fill(f32(c.ws), c.x(1), ws[0], tap) }})
	}
	p.row = roundUp(8 * int64(x.c))
	pl.workspace = p.ws + p.row*int64(dev.pool.threads())
	total := y.total()
	parts := partsFor(total, 2*int64(x.total())*int64(x.c)*int64(geo.Taps()), grainFLOPs)
	pl.phases = append(pl.phases, phase{parts, func(c *call, part, thread int) {
		lo, hi := share(total, part, parts)
		for ; lo < hi; lo++ {
			p.pixel(c, lo/y.s, lo%y.s, thread)
		}
	}})
	return pl, nil
}

var noTaps residue

// reads returns the taps that read for output position i of a dim, and the input
// less the shift of each.
func (p *transposeDepthwisePlan) reads(dim, i int) (*residue, int) {
	i += p.Begin[dim]
	rs := p.residues[dim]
	at, ok := slices.BinarySearchFunc(rs, i%p.Stride[dim], func(r residue, q int) int { return r.q - q })
	if !ok {
		return &noTaps, 0
	}
	return &rs[at], i / p.Stride[dim]
}

// pixel computes one output pixel.
func (p *transposeDepthwisePlan) pixel(c *call, n, q, thread int) {
	w := c.x(1)
	if !p.packed {
		w = f32(c.ws[:p.format.Bytes()])
	}
	ch := p.x.c
	rows := f32(c.ws[p.ws+int64(thread)*p.row:][:p.row])
	sum, total := rows[:ch], rows[ch:2*ch]
	clear(sum)
	x := c.x(0)[n*p.x.s*p.x.pitch:]
	rz, mz := p.reads(0, q/(p.Out[1]*p.Out[2]))
	ry, my := p.reads(1, q/p.Out[2]%p.Out[1])
	rx, mx := p.reads(2, q%p.Out[2])
	terms, blocked := 0, false
	var xs, ws [4][]float32 // taps that wait to be added together
	held := 0
	for i, tz := range rz.taps {
		z := mz - rz.shift[i]
		if !inRange(z, p.In[0]) {
			continue
		}
		for j, ty := range ry.taps {
			y := my - ry.shift[j]
			if !inRange(y, p.In[1]) {
				continue
			}
			for k, tx := range rx.taps {
				v := mx - rx.shift[k]
				if !inRange(v, p.In[2]) {
					continue
				}
				tap := (tz*p.Kernel[1]+ty)*p.Kernel[2] + tx
				xs[held], ws[held] = x[((z*p.In[1]+y)*p.In[2]+v)*p.x.pitch:], w[tap*ch:]
				if held++; held < len(xs) {
					continue
				}
				mulAdd4(sum, &xs, &ws)
				held = 0
				if terms += len(xs); terms == maxK {
					blocked, terms = flush(total, sum, blocked), 0
				}
			}
		}
	}
	for i := range held {
		mulAdd(sum, xs[i], ws[i])
	}
	if blocked {
		add(sum, total)
	}
	p.epi.store(c, c.y(0), sum, ch, 1, ch, 0, (n*p.y.s+q)*p.y.pitch, p.y.pitch, p.y.pitch-ch)
}
