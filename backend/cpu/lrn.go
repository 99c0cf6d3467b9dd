package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

//go:generate go -C _asm run . -family lrn -out ../lrn_amd64.s -stubs ../zlrn_amd64.go -pkg cpu

// lrnKernels are the inner loops of LRN, in float64. The powers are off by less than
// 2⁻²⁷·max(1, β) of themselves.
type lrnKernels struct {
	// sumSquares sets d to the sums of the squares of rows of x, pitch apart.
	sumSquares func(d []float64, x []float32, rows, pitch int)
	// power sets y to x·D^k[2], D = k[1] + k[0]·d. It may compute up to 8 elements of d
	// beyond the length of y. threeQuarters is for k[2] = −¾.
	power, threeQuarters powerFn
}

type powerFn func(y, x []float32, d []float64, k *[3]float64)

var lrnImpls = append(lrnArch[:len(lrnArch):len(lrnArch)], impl[*lrnKernels]{isaGeneric, &lrnKernels{sumSquaresGeneric, lrnPowerGeneric, lrnPowerGeneric}})

// lrn computes y = x·D^−β, D = K + α/size·Σx² over the channels around.
type lrn struct {
	sumSquares    func(d []float64, x []float32, rows, pitch int)
	power         powerFn
	before, after int
	k             [3]float64
	rows
}

// lrnChunk is how many sums are computed at once, some more where a row is longer.
const lrnChunk = 1 << 9

// planLRN takes any layout. Sums and powers are float64.
func planLRN(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.LRN)
	in := resolve(d.In[0], resolve(d.Out[0], imageLayout(len(d.In[0].Shape))).Layout)
	out := resolve(d.Out[0], in.Layout)
	if err := sameMemory("LRN", in, out); err != nil {
		return nil, err
	}
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	if in.Shape.Size() == 0 {
		return p, nil
	}
	r, ok := channelRows(in)
	most := r.c - 1 // beyond it there are no channels
	kernels := pick(dev.isa, lrnImpls)
	l := &lrn{
		sumSquares: kernels.sumSquares, power: kernels.power,
		before: min((op.Size-1)/2, most), after: min(op.Size/2, most),
		k:    [3]float64{float64(op.Alpha) / float64(op.Size), float64(op.K), -float64(op.Beta)},
		rows: r,
	}
	switch op.Beta {
	case 0: // 1, also of infinity
		l.power = lrnPowerGeneric
	case 0.75:
		l.power = kernels.threeQuarters
	}
	if ok {
		l.byRows(p, dev.pool.threads())
		p.phases = clearLanes(p.phases, 0, out)
	} else {
		l.byPlanes(p, dev.pool.threads())
	}
	return p, nil
}

// work is a measure of the time for n elements, in bytes that are moved.
func (l *lrn) work(n int) int64 { return int64(n) * int64(16+2*(l.before+l.after)) }

// byRows copies some rows of channels next to each other, with zeros between them for
// the channels that are not there: then every sum is of elements that follow each
// other.
func (l *lrn) byRows(p *plan, threads int) {
	gap := max(l.before, l.after)
	pitch := l.c + gap
	tile := max(1, min(l.total(), lrnChunk/pitch))
	sums := (tile*pitch+7)&^7 + 8
	each := sums + (l.before+tile*pitch+l.after+15)/16*8 // float64 a thread
	p.workspace = 8 * int64(each) * int64(threads)
	parts := partsFor(l.total(), l.work(l.total()*l.c), grainBytes)
	p.phases = []phase{{parts, func(c *call, part, thread int) {
		ws := view[float64](c.ws)[thread*each:][:each]
		d, x := ws[:sums], view[float32](c.ws[8*(thread*each+sums):])[:l.before+tile*pitch+l.after]
		clear(d)
		clear(x)
		for lo, hi := share(l.total(), part, parts); lo < hi; {
			n := min(tile, hi-lo)
			for i := range n {
				copy(x[l.before+i*pitch:], c.x(0)[(lo+i)*l.pitch:][:l.c])
			}
			l.sumSquares(d[:n*pitch-gap], x, l.before+1+l.after, 1)
			for i := range n {
				at := (lo + i) * l.pitch
				l.power(c.y(0)[at:][:l.c], c.x(0)[at:][:l.c], d[i*pitch:], &l.k)
			}
			lo += n
		}
	}}}
}

// byPlanes computes some pixels of one channel after another, so that the channels
// around are in the cache.
func (l *lrn) byPlanes(p *plan, threads int) {
	const channels = 16 // a unit
	chunks, groups := (l.s+lrnChunk-1)/lrnChunk, (l.c+channels-1)/channels
	units := l.n * chunks * groups
	p.workspace = 8 * (lrnChunk + 8) * int64(threads)
	parts := partsFor(units, l.work(l.total()*l.c), grainBytes)
	p.phases = []phase{{parts, func(c *call, part, thread int) {
		d := view[float64](c.ws)[thread*(lrnChunk+8):][:lrnChunk+8]
		clear(d)
		for lo, hi := share(units, part, parts); lo < hi; lo++ {
			image, chunk, group := lo/groups/chunks*l.c*l.s, lo/groups%chunks, lo%groups
			from, to := share(l.s, chunk, chunks)
			x, y := c.x(0)[image:][:l.c*l.s], c.y(0)[image:][:l.c*l.s]
			for i := group * channels; i < min(l.c, (group+1)*channels); i++ {
				first, end := max(0, i-l.before), min(l.c, i+l.after+1)
				l.sumSquares(d[:to-from], x[first*l.s+from:], end-first, l.s)
				l.power(y[i*l.s+from:i*l.s+to], x[i*l.s+from:i*l.s+to], d, &l.k)
			}
		}
	}}}
}

func sumSquaresGeneric(d []float64, x []float32, rows, pitch int) {
	clear(d)
	for r := range rows {
		for i, v := range x[r*pitch:][:len(d)] {
			d[i] += float64(v) * float64(v)
		}
	}
}

// lrnPowerGeneric takes roots where they will do, which are ten times as fast.
func lrnPowerGeneric(y, x []float32, d []float64, k *[3]float64) {
	x, d = x[:len(y)], d[:len(y)]
	factor, plus, power := k[0], k[1], k[2]
	for i, v := range x {
		sum := plus + factor*d[i]
		var p float64
		switch power {
		case -0.5:
			p = 1 / math.Sqrt(sum)
		case -0.75:
			r := math.Sqrt(sum)
			p = 1 / (r * math.Sqrt(r))
		case -1:
			p = 1 / sum
		default:
			p = math.Pow(sum, power)
		}
		y[i] = float32(float64(v) * p)
	}
}
