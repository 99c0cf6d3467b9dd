package cpu

import (
	"math"
	"unsafe"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
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

func (m *moments) add(sum, square float64) { m.sum += sum; m.square += square }

// norm returns the mean and 1/√(variance + ε) of k elements.
func (m moments) norm(shift, eps float64, k int) (mean, inv float64) {
	off := m.sum / float64(k)
	variance := max(0, m.square/float64(k)-off*off)
	return shift + off, 1 / math.Sqrt(variance+eps)
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
	*normKernels
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
			var m moments
			m.add(f.moments(x, float64(x[0])))
			mean, inv := m.norm(float64(x[0]), f.eps, length)
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
			m := &view[moments](c.ws)[lo]
			m.sum, m.square = f.moments(x[from:to], float64(x[0]))
		}
	}}, {1, func(c *call, _, _ int) {
		ws := view[moments](c.ws)
		for i := range f.slices {
			var m moments
			for _, o := range ws[i*blocks:][:blocks] {
				m.add(o.sum, o.square)
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
	high, low := highLow(mean)
	if f.run == 1 {
		x, y, scale, bias = x[from:to], y[from:to], scale[from:to], bias[from:to]
		if single(inv) {
			f.singleAffineEach(y, x, scale, bias, high, low, float32(inv))
		} else {
			f.affineEach(y, x, scale, bias, mean, inv)
		}
		return
	}
	for i := from; i < to; {
		r := i / f.run
		end := min(to, (r+1)*f.run)
		if factor := inv * float64(scale[r]); single(inv) && single(factor) {
			f.singleAffine(y[i:end], x[i:end], high, low, float32(factor), bias[r])
		} else {
			f.affine(y[i:end], x[i:end], mean, factor, float64(bias[r]))
		}
		i = end
	}
}

// rowParams is which scale and bias an element of a rowNorm has.
type rowParams uint8

const (
	byChannel rowParams = iota
	byRow               // slices of a channel
	byElement           // slices of an image; the parameters lie plain
)

// rowNorm normalises groups of channels of images whose channels are last.
type rowNorm struct {
	*normKernels
	isa    isa // of layParams
	x      foldedRows
	groups int
	params rowParams
	eps    float64
	blocks int // of an image
}

func (r rowNorm) plan(p *plan) {
	if r.x.total()*r.x.c == 0 {
		return
	}
	r.blocks = min(normBlocks(r.x.s*r.x.c), r.x.s)
	units := r.x.n * r.blocks
	p.workspace = 24*int64(units)*int64(r.x.lanes()) + int64(r.x.n)*(16*int64(r.x.lanes())+8)
	if r.params == byElement {
		r.layParams(p)
	}
	sum := func(c *call, u int) { r.sum(c, u/r.blocks, u%r.blocks) }
	join := func(c *call, n int) { r.join(c, n) }
	apply := func(c *call, u int) { r.apply(c, u/r.blocks, u%r.blocks) }
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
	if r.blocks == 1 {
		each(units, sum, join, apply) // while the image is in the cache
	} else {
		each(units, sum)
		each(r.x.n, join)
		each(units, apply)
	}
	if r.params != byChannel {
		p.phases = clearLanes(p.phases, 0, p.out[0])
	}
}

// layParams copies scale and bias to the workspace, in the order of x.
func (r rowNorm) layParams(p *plan) {
	at := p.workspace
	each := 4 * int64(r.x.s) * int64(r.x.c)
	p.workspace += 2 * each
	from := backend.TensorDesc{Shape: tensor.Shape{1, r.x.c, r.x.s}, Layout: backend.Plain}
	to := from
	to.Layout = backend.ChannelsLast
	var copies []phase
	for i := range 2 {
		copies = append(copies, copyPhases(r.isa, from, to, func(c *call) []byte { return c.in[1+i] },
			func(c *call) []byte { return c.ws[at+int64(i)*each:][:each] })...)
	}
	p.phases = append(p.phases, together(copies))
}

// laidParams returns what layParams wrote.
func (r *rowNorm) laidParams(c *call) (scale, bias []float32) {
	n := r.x.s * r.x.c
	all := f32(c.ws)
	all = all[len(all)-2*n:]
	return all[:n], all[n:]
}

// table returns three values for each lane of a block: the shift and the moments,
// and then, in the first block of an image, the mean, the factor and the bias. Where
// parameters are not by channel, the factor is 1/σ.
func (r *rowNorm) table(c *call, n, block int) (shift, sum, square []float64) {
	l := r.x.lanes()
	t := view[float64](c.ws)[(n*r.blocks+block)*3*l:][:3*l]
	return t[:l:l], t[l : 2*l : 2*l], t[2*l:]
}

// singles returns where join says that float32 will do for image n, and then the mean,
// in two parts, the factor and the bias of each lane.
func (r *rowNorm) singles(c *call, n int) (ok *uint64, high, low, factor, bias []float32) {
	l := r.x.lanes()
	t := view[uint64](c.ws)[r.x.n*r.blocks*3*l+n*(2*l+1):][:2*l+1]
	f := unsafe.Slice((*float32)(unsafe.Pointer(&t[1])), 4*l)
	return &t[0], f[:l:l], f[l : 2*l : 2*l], f[2*l : 3*l : 3*l], f[3*l:]
}

// sum finds the moments of the lanes of a block of image n. The shift is the first
// element of the group.
func (r *rowNorm) sum(c *call, n, block int) {
	width := r.x.c / r.groups
	x := c.x(0)[n*r.x.s*r.x.pitch:][:r.x.s*r.x.pitch]
	shift, sum, square := r.table(c, n, block)
	clear(shift[:r.x.pitch])
	for i := range r.x.c {
		shift[i] = float64(x[i/width*width])
	}
	repeat(shift, r.x.pitch)
	clear(sum)
	clear(square)
	for from, to := share(r.x.s, block, r.blocks); from < to; {
		k, lanes, taken := r.x.take(to - from)
		r.rowMoments(x[from*r.x.pitch:][:taken*r.x.pitch], k, r.x.lanes(), shift[:lanes], sum[:lanes], square[:lanes])
		from += taken
	}
}

// join turns the moments of the blocks of image n into the values that apply needs.
func (r *rowNorm) join(c *call, n int) {
	width := r.x.c / r.groups
	mean, factor, bias := r.table(c, n, 0)
	ok := true
	for g := 0; g < r.x.c; g += width {
		var m moments
		for b := range r.blocks {
			_, sum, square := r.table(c, n, b)
			for at := g; at < len(sum); at += r.x.pitch {
				for i := at; i < at+width; i++ {
					m.add(sum[i], square[i])
				}
			}
		}
		mu, inv := m.norm(mean[g], r.eps, r.x.s*width)
		for i := g; i < g+width; i++ {
			mean[i], factor[i], bias[i] = mu, inv, 0
			if r.params == byChannel {
				factor[i], bias[i] = inv*float64(c.x(1)[i]), float64(c.x(2)[i])
			}
			ok = ok && single(inv) && single(factor[i])
		}
	}
	for _, t := range [][]float64{mean, factor, bias} {
		clear(t[r.x.c:r.x.pitch])
		repeat(t, r.x.pitch)
	}
	will, high, low, f, b := r.singles(c, n)
	if *will = 0; !ok {
		return
	}
	*will = 1
	for i, m := range mean {
		high[i], low[i] = highLow(m)
		f[i], b[i] = float32(factor[i]), float32(bias[i])
	}
}

// apply writes a block of image n.
func (r *rowNorm) apply(c *call, n, block int) {
	if ok, high, low, factor, bias := r.singles(c, n); *ok != 0 {
		r.pieces(block, func(from, k, lanes, taken int) {
			x, y := r.piece(c.x(0), n, from, taken), r.piece(c.y(0), n, from, taken)
			switch r.params {
			case byChannel:
				r.singleAffineRows(y, x, k, r.x.lanes(), high[:lanes], low[:lanes], factor[:lanes], bias[:lanes])
			case byRow:
				r.singleAffineSlices(y, x, taken, r.x.pitch, high[:r.x.c], low[:r.x.c], factor[:r.x.c], c.x(1)[from:][:taken], c.x(2)[from:][:taken])
			case byElement:
				r.elements(c, y, x, from, taken, func(y, x, scale, bias []float32) {
					r.singleAffineEach(y, x, scale, bias, high[0], low[0], factor[0])
				})
			}
		})
		return
	}
	mean, factor, bias := r.table(c, n, 0)
	r.pieces(block, func(from, k, lanes, taken int) {
		x, y := r.piece(c.x(0), n, from, taken), r.piece(c.y(0), n, from, taken)
		switch r.params {
		case byChannel:
			r.affineRows(y, x, k, r.x.lanes(), mean[:lanes], factor[:lanes], bias[:lanes])
		case byRow:
			r.affineSlices(y, x, taken, r.x.pitch, mean[:r.x.c], factor[:r.x.c], c.x(1)[from:][:taken], c.x(2)[from:][:taken])
		case byElement:
			r.elements(c, y, x, from, taken, func(y, x, scale, bias []float32) {
				r.affineEach(y, x, scale, bias, mean[0], factor[0])
			})
		}
	})
}

// pieces calls fn for pieces of a block, as take cuts them.
func (r *rowNorm) pieces(block int, fn func(from, k, lanes, taken int)) {
	for from, to := share(r.x.s, block, r.blocks); from < to; {
		k, lanes, taken := r.x.take(to - from)
		fn(from, k, lanes, taken)
		from += taken
	}
}

// piece returns rows of image n.
func (r *rowNorm) piece(x []float32, n, from, rows int) []float32 {
	return x[(n*r.x.s+from)*r.x.pitch:][:rows*r.x.pitch]
}

// elements calls fn for rows with their parameters.
func (r *rowNorm) elements(c *call, y, x []float32, from, rows int, fn func(y, x, scale, bias []float32)) {
	scale, bias := r.laidParams(c)
	if r.x.pitch == r.x.c {
		at := from * r.x.c
		fn(y, x, scale[at:][:len(x)], bias[at:][:len(x)])
		return
	}
	for i := range rows {
		at := (from + i) * r.x.c
		fn(y[i*r.x.pitch:][:r.x.c], x[i*r.x.pitch:][:r.x.c], scale[at:][:r.x.c], bias[at:][:r.x.c])
	}
}

// foldedRows are rows of which fold are taken as one, with the padding lanes, so
// that rows of few channels fill vectors.
type foldedRows struct {
	rows
	fold int
}

// foldRows folds rows so that no more than most of them are one.
func foldRows(r rows, most int) foldedRows {
	const enough = 32 // float64: four vectors
	f := foldedRows{r, 1}
	for r.pitch < enough && r.pitch > 0 && (f.lanes() < enough || f.lanes()%8 != 0) {
		f.fold++
	}
	f.fold = max(1, min(f.fold, most))
	return f
}

func (f *foldedRows) lanes() int { return f.fold * f.pitch }

// take cuts a piece off rows, of which left are left: k folded rows of lanes each, or
// the rest of fewer lanes, that are taken rows. One column of a piece after the other
// is worked on, so it must fit the first-level cache.
func (f *foldedRows) take(left int) (k, lanes, taken int) {
	const piece = 1 << 12
	if left < f.fold {
		return 1, left * f.pitch, left
	}
	k = min(left/f.fold, max(1, piece/f.lanes()))
	return k, f.lanes(), k * f.fold
}

// repeat fills t with its first n elements again and again.
func repeat(t []float64, n int) {
	for n < len(t) {
		n += copy(t[n:], t[:n])
	}
}
