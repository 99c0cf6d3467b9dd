package cpu

import (
	"github.com/convgl/convgl/backend"
)

// backwardPlan holds what both gradients of a convolution share.
type backwardPlan struct {
	backend.Geometry3
	x, y      rows
	groups    int
	cin, cout int // a group
	taps      int
	tap       []int // places of the taps in w or gw
	ws        []int // strides of w or gw
	scratch   int64 // bytes a thread
}

// newBackward resolves the geometry of gradients. The descriptions are those of
// x, w and y in the forward pass.
func newBackward(op backend.Conv, x, w, y backend.TensorDesc) (*backwardPlan, error) {
	p := &backwardPlan{groups: op.GroupCount(), cin: w.Shape[1], cout: w.Shape[0] / op.GroupCount(), ws: w.Layout.Strides(w.Shape)}
	var ok bool
	if p.x, ok = channelRows(x); !ok {
		return nil, wrongLayout("Conv", "x or gx", x, "channels-last")
	}
	if p.y, ok = channelRows(y); !ok {
		return nil, wrongLayout("Conv", "gy", y, "channels-last")
	}
	var err error
	p.Geometry3, p.tap, err = convGeometry(op, x, w)
	p.taps = len(p.tap)
	return p, err
}

// tapAt returns the kernel position of tap t.
func (p *backwardPlan) tapAt(t int) [3]int {
	return [3]int{t / (p.Kernel[1] * p.Kernel[2]), t / p.Kernel[2] % p.Kernel[1], t % p.Kernel[2]}
}

// outBlock is the number of output channels whose gradients are summed in one
// pass through the pixels.
const outBlock = 4

// planConvBackwardWeights computes gw and gb: for each tap and block of output
// channels the sum over all pixels of the outer products of the rows of gy and x,
// in float32 blocks of maxK pixels that are added up in float64.
func planConvBackwardWeights(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Conv)
	in, out := resolveAll(d.In, backend.ChannelsLast), resolveAll(d.Out, backend.Plain)
	p, err := newBackward(op, in[0], out[0], in[1])
	if err != nil {
		return nil, err
	}
	blocks := (p.cout + outBlock - 1) / outBlock
	units := p.groups * blocks * p.taps
	p.scratch = roundUp(outBlock * int64(p.cin) * (4 + 8))
	pl := &plan{in: in, out: out, workspace: p.scratch * int64(dev.pool.threads())}
	parts := min(units, maxParts)
	pl.phases = []phase{{parts, func(c *call, part, thread int) {
		lo, hi := share(units, part, parts)
		for ; lo < hi; lo++ {
			p.weights(c, thread, lo/p.taps/blocks, lo/p.taps%blocks*outBlock, lo%p.taps)
		}
	}}}
	pl.phases = clearLanes(pl.phases, 0, out[0])
	if op.Bias {
		chunks := (p.y.c + chunk - 1) / chunk
		pl.phases = append(pl.phases, phase{chunks, func(c *call, part, _ int) { p.bias(c, part*chunk) }})
	}
	return pl, nil
}

// weights computes gw for one tap and the output channels of the group from o on.
func (p *backwardPlan) weights(c *call, thread, group, o, tap int) {
	n := min(outBlock, p.cout-o)
	ws := c.ws[int64(thread)*p.scratch:][:p.scratch]
	size := outBlock * p.cin
	total, sum := view[float64](ws[:8*size]), f32(ws[8*size:12*size])
	clear(total)
	clear(sum)
	flush := func() {
		for i, v := range sum {
			total[i] += float64(v)
		}
		clear(sum)
	}
	k := p.tapAt(tap)
	pixels := 0
	for image := range p.x.n {
		x := c.x(0)[image*p.x.s*p.x.pitch+group*p.cin:]
		gy := c.x(1)[image*p.y.s*p.y.pitch+group*p.cout+o:]
		for q := range p.y.s {
			at, ok := p.source(q, k)
			if !ok {
				continue
			}
			outer(sum, gy[q*p.y.pitch:][:n], x[at*p.x.pitch:][:p.cin])
			if pixels++; pixels%maxK == 0 {
				flush()
			}
		}
	}
	flush()
	gw := c.y(0)
	for j := range n {
		for i := range p.cin {
			gw[(group*p.cout+o+j)*p.ws[0]+i*p.ws[1]+p.tap[tap]] = float32(total[j*p.cin+i])
		}
	}
}

// source returns the input pixel that tap k of output pixel q reads, and whether
// there is one.
func (p *backwardPlan) source(q int, k [3]int) (int, bool) {
	at := [3]int{q / (p.Out[1] * p.Out[2]), q / p.Out[2] % p.Out[1], q % p.Out[2]}
	for i := range at {
		at[i] = at[i]*p.Stride[i] - p.Begin[i] + k[i]*p.Dilation[i]
		if !inRange(at[i], p.In[i]) {
			return 0, false
		}
	}
	return (at[0]*p.In[1]+at[1])*p.In[2] + at[2], true
}

// outer adds g ⊗ x to the rows of sum.
func outer(sum, g, x []float32) {
	for _, v := range g {
		row := sum[:len(x)]
		for i, w := range x {
			row[i] += v * w
		}
		sum = sum[len(x):]
	}
}

// bias computes gb for a chunk of channels from c0 on.
func (p *backwardPlan) bias(c *call, c0 int) {
	gb := c.y(1)[c0:min(c0+chunk, p.y.c)]
	var sums [chunk]float64
	gy := c.x(1)
	for q := range p.y.total() {
		for i, v := range gy[q*p.y.pitch+c0:][:len(gb)] {
			sums[i] += float64(v)
		}
	}
	for i := range gb {
		gb[i] = float32(sums[i])
	}
}

// planConvBackwardData computes gx pixel by pixel: each gathers from the output
// pixels that read it. Sums run over blocks of maxK terms.
func planConvBackwardData(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Conv)
	in, out := []backend.TensorDesc{resolve(d.In[0], backend.ChannelsLast), resolve(d.In[1], backend.Plain)}, resolveAll(d.Out, backend.ChannelsLast)
	p, err := newBackward(op, out[0], in[1], in[0])
	if err != nil {
		return nil, err
	}
	// The weights as [tap][output channel][input channel of the group] are rows to
	// add. They are packed in the run: this order serves no other kernel.
	packed := 4 * int64(p.taps) * int64(p.y.c) * int64(p.cin)
	p.scratch = roundUp(8 * int64(p.cin))
	pl := &plan{in: in, out: out, workspace: roundUp(packed) + p.scratch*int64(dev.pool.threads())}
	packParts := partsFor(p.y.c, packed, grainBytes)
	pl.phases = append(pl.phases, phase{packParts, func(c *call, part, _ int) {
		lo, hi := share(p.y.c, part, packParts)
		p.packRows(f32(c.ws), c.x(1), lo, hi)
	}})
	total := p.x.total()
	parts := partsFor(total, 2*int64(total)*int64(p.taps)*int64(p.y.c)*int64(p.cin), grainFLOPs)
	pl.phases = append(pl.phases, phase{parts, func(c *call, part, thread int) {
		lo, hi := share(total, part, parts)
		scratch := f32(c.ws[roundUp(packed)+int64(thread)*p.scratch:][:p.scratch])
		for ; lo < hi; lo++ {
			for g := range p.groups {
				p.data(c, lo/p.x.s, lo%p.x.s, g, scratch)
			}
		}
	}})
	pl.phases = clearLanes(pl.phases, 0, out[0])
	return pl, nil
}

// packRows orders the weights of the output channels [lo, hi).
func (p *backwardPlan) packRows(dst, w []float32, lo, hi int) {
	for o := lo; o < hi; o++ {
		for t, at := range p.tap {
			row := dst[(t*p.y.c+o)*p.cin:][:p.cin]
			for i := range row {
				row[i] = w[o*p.ws[0]+i*p.ws[1]+at]
			}
		}
	}
}

// data computes the channels of a group of input pixel q.
func (p *backwardPlan) data(c *call, image, q, group int, scratch []float32) {
	sum, total := scratch[:p.cin], scratch[p.cin:2*p.cin]
	clear(sum)
	terms, blocked := 0, false
	at := [3]int{q / (p.In[1] * p.In[2]), q / p.In[2] % p.In[1], q % p.In[2]}
	w := f32(c.ws)
	gy := c.x(0)[image*p.y.s*p.y.pitch+group*p.cout:]
	for t := range p.taps {
		o, ok := p.target(at, p.tapAt(t))
		if !ok {
			continue
		}
		rows := w[(t*p.y.c+group*p.cout)*p.cin:]
		for j, g := range gy[o*p.y.pitch:][:p.cout] {
			row := rows[j*p.cin:][:len(sum)]
			for i := range sum {
				sum[i] += g * row[i]
			}
			if terms++; terms == maxK {
				blocked, terms = flush(total, sum, blocked), 0
			}
		}
	}
	if blocked {
		add(sum, total)
	}
	copy(c.y(0)[(image*p.x.s+q)*p.x.pitch+group*p.cin:], sum)
}

// target returns the output pixel whose tap k reads the input position at, and
// whether there is one.
func (p *backwardPlan) target(at, k [3]int) (int, bool) {
	for i := range at {
		v := at[i] + p.Begin[i] - k[i]*p.Dilation[i]
		if v < 0 || v%p.Stride[i] != 0 || v/p.Stride[i] >= p.Out[i] {
			return 0, false
		}
		at[i] = v / p.Stride[i]
	}
	return (at[0]*p.Out[1]+at[1])*p.Out[2] + at[2], true
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
