package cpu

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// depthwiseFormat is the weights of a depthwise convolution as [tap][channel].
type depthwiseFormat struct{ taps, channels int }

// String implements backend.Format.
func (f depthwiseFormat) String() string {
	return fmt.Sprintf("depthwise %d taps of %d channels", f.taps, f.channels)
}

// Bytes implements backend.Format.
func (f depthwiseFormat) Bytes() int64 { return 4 * int64(f.taps) * int64(f.channels) }

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
	return func(*call, int, int) { f.fill(dst, src, f.taps, tap) }, 1, nil
}

// fill packs from weights whose channels are ch apart and whose taps lie at tap.
func (f depthwiseFormat) fill(dst, src []float32, ch int, tap []int) {
	for t, at := range tap {
		for c := range f.channels {
			dst[t*f.channels+c] = src[c*ch+at]
		}
	}
}

// depthwisePlan is a convolution with as many groups as inputs and outputs: each
// tap is a product of two rows of channels.
type depthwisePlan struct {
	poolWindow
	format depthwiseFormat
	epi    *epilogue
	packed bool
	ws     int64 // where the threads' rows of sums begin
	row    int64 // bytes of a row of sums
}

func planDepthwise(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Conv)
	w := d.In[1].Shape
	if w[1] != 1 || w[0] != op.GroupCount() {
		return nil, backend.Unsupported(name, "Conv", fmt.Sprintf("depthwise takes one input and one output channel a group, w is %v with groups %d", w, op.GroupCount()))
	}
	in, out, x, y, err := convDescs(d)
	if err != nil {
		return nil, err
	}
	epi := newEpilogue(dev.rows(), op.Bias, op.Epilogue, 2)
	if err := epi.resolve("Conv", in, out[0]); err != nil {
		return nil, err
	}
	geo, tap, err := convGeometry(op, in[0], in[1])
	if err != nil {
		return nil, err
	}
	p := &depthwisePlan{poolWindow: poolWindow{Geometry3: geo, x: x, y: y}, format: depthwiseFormat{len(tap), x.c}, epi: epi, packed: in[1].Const}
	pl := &plan{in: in, out: out, formats: make([]backend.Format, len(in)), inPlace: epi.res}
	if p.packed {
		pl.formats[1] = p.format
	} else {
		ch := in[1].Layout.Strides(w)[0]
		p.ws = roundUp(p.format.Bytes())
		pl.phases = append(pl.phases, phase{1, func(c *call, _, _ int) { p.format.fill(f32(c.ws), c.x(1), ch, tap) }})
	}
	p.row = roundUp(8 * int64(x.c))
	pl.workspace = p.ws + p.row*int64(dev.pool.threads())
	total := y.total()
	parts := partsFor(total, 2*int64(total)*int64(x.c)*int64(len(tap)), grainFLOPs)
	pl.phases = append(pl.phases, phase{parts, func(c *call, part, thread int) {
		lo, hi := share(total, part, parts)
		for ; lo < hi; lo++ {
			p.pixel(c, lo/y.s, lo%y.s, thread)
		}
	}})
	return pl, nil
}

// pixel computes one output pixel.
func (p *depthwisePlan) pixel(c *call, n, q, thread int) {
	w := c.x(1)
	if !p.packed {
		w = f32(c.ws[:p.format.Bytes()])
	}
	ch := p.x.c
	rows := f32(c.ws[p.ws+int64(thread)*p.row:][:p.row])
	sum, total := rows[:ch], rows[ch:2*ch]
	clear(sum)
	x := c.x(0)[n*p.x.s*p.x.pitch:]
	r := p.window(q)
	terms, blocked := 0, false
	var xs, ws [4][]float32 // taps that wait to be added together
	held := 0
	for z := r.lo[0]; z < r.hi[0]; z++ {
		pz := (r.at[0] + z*p.Dilation[0]) * p.In[1]
		for y := r.lo[1]; y < r.hi[1]; y++ {
			py := (pz + r.at[1] + y*p.Dilation[1]) * p.In[2]
			for s := r.lo[2]; s < r.hi[2]; s++ {
				pos := py + r.at[2] + s*p.Dilation[2]
				tap := (z*p.Kernel[1]+y)*p.Kernel[2] + s
				xs[held], ws[held] = x[pos*p.x.pitch:], w[tap*ch:]
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

// flush adds a block of sums to the total, which is set if nothing was added
// before, and clears it. It returns true.
func flush(total, sum []float32, blocked bool) bool {
	if blocked {
		add(total, sum)
	} else {
		copy(total, sum)
	}
	clear(sum)
	return true
}

// mulAdd adds the products of two rows to a row.
func mulAdd(sum, a, b []float32) {
	a, b = a[:len(sum)], b[:len(sum)]
	for i := range sum {
		sum[i] += a[i] * b[i]
	}
}

// mulAdd4 is mulAdd of four pairs, one after the other, that reads and writes the
// sums once.
func mulAdd4(sum []float32, a, b *[4][]float32) {
	n := len(sum)
	a0, a1, a2, a3 := a[0][:n], a[1][:n], a[2][:n], a[3][:n]
	b0, b1, b2, b3 := b[0][:n], b[1][:n], b[2][:n], b[3][:n]
	for i, s := range sum {
		s += a0[i] * b0[i]
		s += a1[i] * b1[i]
		s += a2[i] * b2[i]
		s += a3[i] * b3[i]
		sum[i] = s
	}
}
