package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// normBlock is how many elements have sums of their own. Blocks are counted within
// an image or slice, so that neither the batch nor the threads change a result.
const normBlock = 1 << 14

func normBlocks(elements int) int { return min(max(1, elements/normBlock), maxParts) }

// moments are the sums of distances from a shift, which is an element of the
// slice, and of their squares. In float64 one pass will do: |shift−μ| ≤ √K·σ, so
// that the variance of K elements loses K·2⁻⁵³ of itself at most. The distances of
// equal elements are 0, and so is their variance, exactly.
type moments struct{ sum, square float64 }

func (m *moments) add(o moments) { m.sum += o.sum; m.square += o.square }

// norm returns the mean and 1/√(variance + ε) of k elements.
func (m moments) norm(shift, eps float64, k int) (mean, inv float64) {
	off := m.sum / float64(k)
	variance := max(0, m.square/float64(k)-off*off)
	return shift + off, 1 / math.Sqrt(variance+eps)
}

// momentsOf sums x.
func momentsOf(x []float32, shift float64) moments {
	var a [4]moments // independent sums overlap in time
	i := 0
	for ; i+4 <= len(x); i += 4 {
		v := x[i : i+4 : i+4]
		d0, d1, d2, d3 := float64(v[0])-shift, float64(v[1])-shift, float64(v[2])-shift, float64(v[3])-shift
		a[0].sum += d0
		a[1].sum += d1
		a[2].sum += d2
		a[3].sum += d3
		a[0].square += d0 * d0
		a[1].square += d1 * d1
		a[2].square += d2 * d2
		a[3].square += d3 * d3
	}
	for _, v := range x[i:] {
		d := float64(v) - shift
		a[0].sum += d
		a[0].square += d * d
	}
	a[0].add(a[1])
	a[2].add(a[3])
	a[0].add(a[2])
	return a[0]
}

// planNorm settles x and y on one layout, def where it is open, and scale and bias
// on the plain one.
func planNorm(d backend.Desc, def backend.Layout) (*plan, error) {
	in := resolveAll(d.In, backend.Plain)
	in[0] = resolve(d.In[0], resolve(d.Out[0], def).Layout)
	out := resolve(d.Out[0], in[0].Layout)
	if err := sameMemory(d.Op.Kind(), in[0], out); err != nil {
		return nil, err
	}
	for i, name := range []string{"scale", "bias"} {
		if t := in[1+i]; !liesPlain(t) {
			return nil, wrongLayout(d.Op.Kind(), name, t, backend.Plain.String())
		}
	}
	return &plan{in: in, out: []backend.TensorDesc{out}, inPlace: []int{0}}, nil
}

// flatNorm normalises slices that are contiguous. Each has runs of run elements
// that share a scale and a bias; the parameters of slice i begin at i%groups·runs.
type flatNorm struct {
	slices, runs, run, groups int
	eps                       float64
}

func (f flatNorm) plan(p *plan) {
	length := f.runs * f.run
	if f.slices*length == 0 {
		return
	}
	if blocks := normBlocks(length); blocks > 1 {
		p.workspace = 16 * int64(f.slices) * int64(blocks)
		f.inBlocks(p, length, blocks)
		return
	}
	parts := partsFor(f.slices, 8*int64(f.slices)*int64(length), grainBytes)
	p.phases = []phase{{parts, func(c *call, part, _ int) {
		lo, hi := share(f.slices, part, parts)
		for ; lo < hi; lo++ {
			x := c.x(0)[lo*length:][:length]
			shift := float64(x[0])
			mean, inv := momentsOf(x, shift).norm(shift, f.eps, length)
			f.apply(c, lo, 0, length, mean, inv)
		}
	}}}
}

// inBlocks sums blocks of slices, joins the sums and writes blocks. The mean and
// 1/σ of a slice take the place of its first block's sums.
func (f flatNorm) inBlocks(p *plan, length, blocks int) {
	units := f.slices * blocks
	parts := partsFor(units, 4*int64(f.slices)*int64(length), grainBytes)
	p.phases = []phase{{parts, func(c *call, part, _ int) {
		lo, hi := share(units, part, parts)
		for ; lo < hi; lo++ {
			x := c.x(0)[lo/blocks*length:][:length]
			from, to := share(length, lo%blocks, blocks)
			view[moments](c.ws)[lo] = momentsOf(x[from:to], float64(x[0]))
		}
	}}, {1, func(c *call, _, _ int) {
		ws := view[moments](c.ws)
		for i := range f.slices {
			var m moments
			for _, o := range ws[i*blocks:][:blocks] {
				m.add(o)
			}
			mean, inv := m.norm(float64(c.x(0)[i*length]), f.eps, length)
			ws[i*blocks] = moments{mean, inv}
		}
	}}, {parts, func(c *call, part, _ int) {
		lo, hi := share(units, part, parts)
		for ; lo < hi; lo++ {
			m := view[moments](c.ws)[lo/blocks*blocks]
			from, to := share(length, lo%blocks, blocks)
			f.apply(c, lo/blocks, from, to, m.sum, m.square)
		}
	}}}
}

// apply writes elements from to to−1 of a slice.
func (f flatNorm) apply(c *call, slice, from, to int, mean, inv float64) {
	length := f.runs * f.run
	x, y := c.x(0)[slice*length:][:length], c.y(0)[slice*length:][:length]
	scale, bias := c.x(1)[slice%f.groups*f.runs:][:f.runs], c.x(2)[slice%f.groups*f.runs:][:f.runs]
	if f.run == 1 {
		x, y, scale, bias = x[from:to], y[from:to], scale[from:to], bias[from:to]
		for i, v := range x {
			y[i] = float32((float64(v)-mean)*(inv*float64(scale[i])) + float64(bias[i]))
		}
		return
	}
	for i := from; i < to; {
		r := i / f.run
		end := min(to, (r+1)*f.run)
		factor, b := inv*float64(scale[r]), float64(bias[r])
		dst := y[i:end]
		for j, v := range x[i:end] {
			dst[j] = float32((float64(v)-mean)*factor + b)
		}
		i = end
	}
}

// rowNorm normalises groups of channels of images whose channels are last. The
// scale and bias of an element are those at row·paramRow + channel·paramChannel.
type rowNorm struct {
	x                      rows
	groups                 int
	paramRow, paramChannel int
	eps                    float64
}

// channelMoments are what a channel adds to the moments of its group, and then the
// mean of the group and the factor of the channel.
type channelMoments struct {
	shift float64
	moments
}

func (r rowNorm) plan(p *plan) {
	if r.x.total()*r.x.c > 0 {
		blocks := min(normBlocks(r.x.s*r.x.c), r.x.s)
		units := r.x.n * blocks
		p.workspace = 24 * int64(units) * int64(r.x.c)
		ws := func(c *call, unit int) []channelMoments { return view[channelMoments](c.ws)[unit*r.x.c:][:r.x.c] }
		sum := func(c *call, u int) {
			from, to := share(r.x.s, u%blocks, blocks)
			r.sum(c, u/blocks, from, to, ws(c, u))
		}
		join := func(c *call, n int) { r.join(c, view[channelMoments](c.ws)[n*blocks*r.x.c:][:blocks*r.x.c]) }
		apply := func(c *call, u int) {
			from, to := share(r.x.s, u%blocks, blocks)
			r.apply(c, u/blocks, from, to, ws(c, u/blocks*blocks))
		}
		each := func(units int, fns ...func(c *call, u int)) {
			parts := partsFor(units, 4*int64(r.x.total())*int64(r.x.c), grainBytes)
			p.phases = append(p.phases, phase{parts, func(c *call, part, _ int) {
				lo, hi := share(units, part, parts)
				for ; lo < hi; lo++ {
					for _, fn := range fns {
						fn(c, lo)
					}
				}
			}})
		}
		if blocks == 1 {
			each(units, sum, join, apply) // while the image is in the cache
		} else {
			each(units, sum)
			each(r.x.n, join)
			each(units, apply)
		}
	}
	p.phases = clearLanes(p.phases, 0, p.out[0])
}

// sum finds the moments of the channels in rows from to to−1 of image n, or, of
// wide groups, those of the group in its first channel's place.
func (r rowNorm) sum(c *call, n, from, to int, ws []channelMoments) {
	width := r.x.c / r.groups
	x := c.x(0)[n*r.x.s*r.x.pitch:]
	for i := range ws {
		ws[i] = channelMoments{shift: float64(x[i/width*width])}
	}
	for ; from < to; from++ {
		row := x[from*r.x.pitch:][:len(ws)]
		if width >= 16 {
			for g := 0; g < len(row); g += width {
				ws[g].add(momentsOf(row[g:g+width], ws[g].shift))
			}
			continue
		}
		for i, v := range row {
			m := &ws[i]
			d := float64(v) - m.shift
			m.sum += d
			m.square += d * d
		}
	}
}

// join turns the moments of an image's blocks into the mean and the factor of each
// channel, in the first block.
func (r rowNorm) join(c *call, ws []channelMoments) {
	width := r.x.c / r.groups
	for g := 0; g < r.x.c; g += width {
		var m moments
		for b := g; b < len(ws); b += r.x.c {
			for i := range width {
				m.add(ws[b+i].moments)
			}
		}
		mean, inv := m.norm(ws[g].shift, r.eps, r.x.s*width)
		for i := g; i < g+width; i++ {
			ws[i] = channelMoments{shift: mean, moments: moments{sum: inv}}
			if r.paramRow == 0 { // then channel i has parameter i
				ws[i].sum *= float64(c.x(1)[i])
			}
		}
	}
}

// apply writes rows from to to−1 of image n.
func (r rowNorm) apply(c *call, n, from, to int, ws []channelMoments) {
	scale, bias := c.x(1), c.x(2)
	for ; from < to; from++ {
		at := (n*r.x.s + from) * r.x.pitch
		x, y := c.x(0)[at:][:len(ws)], c.y(0)[at:][:len(ws)]
		if r.paramRow == 0 {
			bias := bias[:len(ws)]
			for i, v := range x {
				y[i] = float32((float64(v)-ws[i].shift)*ws[i].sum + float64(bias[i]))
			}
			continue
		}
		for i, v := range x {
			k := from*r.paramRow + i*r.paramChannel
			y[i] = float32((float64(v)-ws[i].shift)*(ws[i].sum*float64(scale[k])) + float64(bias[k]))
		}
	}
}
