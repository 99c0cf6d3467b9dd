package cpu

import (
	"slices"

	"github.com/convgl/convgl/backend"
)

// resizePlan computes lines of output pixels, which have the channels together or,
// in the plain layout, one channel. Each is a blend of lines of input pixels, resized
// along the line; or, where it gets much shorter, the other way round.
type resizePlan struct {
	*resizeKernels
	taps [2][]backend.ResizeTap // of d and h
	in   [3]int                 // size of x
	out  [3]int
	x, y rows
	c    int // channels to compute: with the padding lanes where x has as many

	same    bool // along a line nothing changes
	shrink  bool // resize along the lines before they are blended
	scratch int  // elements a thread
	// The tables along a line: by pixel, or by element if base is not nil.
	at, base []int32
	w0, w1   []float32

	near   int // the element tables: 0, or 1 where the elements are of two vectors
	stream int // 1 to store past the caches
}

// planResize takes channels-last and plain.
func planResize(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Resize)
	in := resolve(d.In[0], d.Out[0].Layout)
	in = resolve(in, backend.ChannelsLast)
	out := resolve(d.Out[0], in.Layout)
	r := &resizePlan{resizeKernels: pick(dev.isa, resizeImpls), in: [3]int{1, 1, 1}, out: [3]int{1, 1, 1}, x: planeRows(in), y: planeRows(out)}
	if !samePlanes(r.x, r.y) {
		return nil, wrongLayout("Resize", "y", out, "the layout of x, "+in.Layout.String())
	}
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	if out.Shape.Size() == 0 { // its taps may be more than fit in memory
		return p, nil
	}
	taps, err := op.Taps(in.Shape[2:])
	if err != nil {
		return nil, err
	}
	first := 3 - len(taps)
	copy(r.in[first:], in.Shape[2:])
	copy(r.out[first:], out.Shape[2:])
	for i := range r.taps {
		r.taps[i] = []backend.ResizeTap{{W0: 1}}
		if i >= first {
			r.taps[i] = taps[i-first]
		}
	}
	r.c = r.x.c
	if r.x.pitch == r.y.pitch {
		r.c = r.x.pitch
	}
	r.columns(taps[len(taps)-1])
	if width := r.out[2] * r.y.pitch; streams(out.Bytes()) && width%lineFloats == 0 && (r.base != nil || r.c%lineFloats == 0 && r.c == r.y.pitch) {
		r.stream = 1
	}

	lines := r.y.n * r.out[0] * r.out[1]
	r.scratch = r.in[2] * r.x.pitch
	if short := r.out[2] * r.y.pitch; r.scratch > 3*short {
		r.shrink, r.scratch, r.stream = true, 4*short, 0 // what is blended is to stay
	}
	r.scratch = (r.scratch + 15) &^ 15 // whole cache lines
	if !blends(r.taps[0]) && !blends(r.taps[1]) {
		r.scratch = 0
	}
	p.workspace = 4 * int64(r.scratch) * int64(dev.pool.threads())
	done := func() {}
	if r.stream > 0 {
		done = storeFence(dev.isa)
	}
	parts := partsFor(lines, 4*int64(r.y.total())*int64(r.y.pitch), grainBytes)
	p.phases = []phase{{parts, func(c *call, part, thread int) {
		lo, hi := share(lines, part, parts)
		r.rows(c, lo, hi, f32(c.ws)[thread*r.scratch:][:r.scratch])
		done()
	}}}
	if r.c < r.y.pitch {
		p.phases = clearLanes(p.phases, 0, out)
	}
	return p, nil
}

// blends reports whether a tap reads two elements.
func blends(taps []backend.ResizeTap) bool {
	return slices.ContainsFunc(taps, func(t backend.ResizeTap) bool { return t.W1 != 0 })
}

// columns makes the tables along a line.
func (r *resizePlan) columns(taps []backend.ResizeTap) {
	blend := blends(taps)
	r.same = !blend && r.in[2] == r.out[2] && r.x.pitch == r.y.pitch
	for i, t := range taps {
		r.at = append(r.at, t.I0)
		r.w0, r.w1 = append(r.w0, t.W0), append(r.w1, t.W1)
		r.same = r.same && int(t.I0) == i
	}
	if !blend {
		r.w0, r.w1 = nil, nil
	}
	if r.y.pitch < r.lanes && len(taps)*r.y.pitch <= 1<<16 && !r.elements(taps, blend, 1) {
		r.elements(taps, blend, 2)
	}
}

// elements replaces the tables by those of elements, if the elements of each vector
// are within so many vectors of x.
func (r *resizePlan) elements(taps []backend.ResizeTap, blend bool, vectors int) bool {
	length, step := r.in[2]*r.x.pitch, r.x.pitch
	n := len(taps) * r.y.pitch
	whole := (n + r.lanes - 1) / r.lanes * r.lanes
	var base []int32
	index := make([]int32, whole)
	var w0, w1 []float32
	if blend {
		w0, w1 = make([]float32, whole), make([]float32, whole)
	}
	for v := 0; v < n; v += r.lanes {
		from, to := length, 0
		for i := v; i < min(v+r.lanes, n); i++ {
			t, ch := taps[i/r.y.pitch], i%r.y.pitch
			if ch >= r.c { // a padding lane that is cleared later
				ch = 0
			}
			e := int(t.I0)*step + ch
			index[i] = int32(e)
			from, to = min(from, e), max(to, e)
			if blend {
				w0[i], w1[i] = t.W0, t.W1
			}
			if t.W1 != 0 {
				to = max(to, e+step)
			}
		}
		b := max(0, min(from, length-vectors*r.lanes))
		if to-b >= vectors*r.lanes {
			return false
		}
		base = append(base, int32(b))
		for i := v; i < min(v+r.lanes, n); i++ {
			index[i] -= int32(b)
		}
	}
	r.at, r.base, r.w0, r.w1 = index, base, w0, w1
	r.near = vectors - 1
	return true
}

// corners are the lines of x that a line of y is made of, with their weights; 1, 2 or
// 4 of them, none of weight 0.
type corners struct {
	n  int
	at [4]int
	w  [4]float32
}

// along adds a dim of size n, outermost first: each corner so far becomes those that
// the tap reads.
func (k *corners) along(t backend.ResizeTap, n int) {
	for i := range k.n {
		at, w := k.at[i]*n, k.w[i]
		k.at[i], k.w[i] = at+int(t.I0), w*t.W0
		if t.W1 != 0 {
			k.at[k.n+i], k.w[k.n+i] = at+int(t.I1), w*t.W1
		}
	}
	if t.W1 != 0 {
		k.n *= 2
	}
}

// rows computes the output lines lo to hi−1 of all images.
func (r *resizePlan) rows(c *call, lo, hi int, scratch []float32) {
	d, h := lo/r.out[1], lo%r.out[1]
	image, d := d/r.out[0], d%r.out[0]
	length, size := r.out[2]*r.y.pitch, r.x.s*r.x.pitch
	x, y := c.x(0)[image*size:], c.y(0)[lo*length:hi*length]
	outer := corners{n: 1, w: [4]float32{1}}
	outer.along(r.taps[0][d], r.in[0])
	var before []float32 // the line of y that came from line last of x alone
	last := -1
	for ; lo < hi; lo++ {
		k := outer
		k.along(r.taps[1][h], r.in[1])
		to := y[:length]
		if k.n == 1 && k.at[0] == last && r.stream == 0 {
			copy(to, before)
		} else {
			r.line(to, x, &k, scratch)
		}
		if before, last = to, -1; k.n == 1 {
			last = k.at[0]
		}
		y = y[length:]
		if h++; h < r.out[1] {
			continue
		}
		if h, d = 0, d+1; d == r.out[0] {
			d, last = 0, -1
			x = x[size:]
		}
		outer = corners{n: 1, w: [4]float32{1}}
		outer.along(r.taps[0][d], r.in[0])
	}
}

// line computes a line of y from lines of x, an image.
func (r *resizePlan) line(y, x []float32, k *corners, scratch []float32) {
	length := r.in[2] * r.x.pitch
	var src [4][]float32
	for i, at := range k.at[:k.n] {
		src[i] = x[at*length:][:length]
	}
	switch {
	case k.n == 1:
		r.along(y, src[0])
	case r.same:
		r.blend(y, &src, k)
	case r.shrink:
		for i := range k.n {
			to := scratch[i*len(y):][:len(y)]
			r.along(to, src[i])
			src[i] = to
		}
		r.blend(y, &src, k)
	default:
		r.blend(scratch[:length], &src, k)
		r.along(y, scratch[:length])
	}
}

// blend sets y to the sum of two or four lines.
func (r *resizePlan) blend(y []float32, x *[4][]float32, k *corners) {
	if k.n == 2 {
		r.blend2(y, x[0], x[1], k.w[0], k.w[1])
	} else {
		r.blend4(y, x[0], x[1], x[2], x[3], k.w[0], k.w[1], k.w[2], k.w[3])
	}
}

// along sets y to a line of x, resized along it.
func (r *resizePlan) along(y, line []float32) {
	fn := &r.resizeKernels.lines[r.stream]
	switch {
	case r.same:
		copy(y, line)
	case r.base != nil && r.w1 != nil:
		fn.permuteBlend[r.near](y, line, r.base, r.at, r.w0, r.w1, r.x.pitch)
	case r.base != nil:
		fn.permute[r.near](y, line, r.base, r.at)
	case r.w1 != nil:
		fn.pixelsBlend(y, line, r.at, r.w0, r.w1, r.c, r.y.pitch, r.x.pitch)
	default:
		fn.pixels(y, line, r.at, r.c, r.y.pitch, r.x.pitch)
	}
}
