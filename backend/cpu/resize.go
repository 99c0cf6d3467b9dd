package cpu

import "github.com/convgl/convgl/backend"

// resizePlan computes rows of channels (in the plain layout, rows of one): each is
// a blend of the rows of x at the corners of a cell.
type resizePlan struct {
	taps [3][]backend.ResizeTap // of d, h and w
	in   [3]int                 // size of x
	x, y rows
}

// planResize takes channels-last and plain.
func planResize(_ *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Resize)
	in := resolve(d.In[0], d.Out[0].Layout)
	in = resolve(in, backend.ChannelsLast)
	out := resolve(d.Out[0], in.Layout)
	r := &resizePlan{in: [3]int{1, 1, 1}, x: planeRows(in), y: planeRows(out)}
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
	copy(r.taps[first:], taps)
	for i := range first {
		r.taps[i] = []backend.ResizeTap{{W0: 1}}
	}
	total := r.y.total()
	parts := partsFor(total, 4*int64(total)*int64(r.y.c), grainBytes)
	p.phases = clearLanes([]phase{{parts, func(c *call, part, _ int) {
		lo, hi := share(total, part, parts)
		for ; lo < hi; lo++ {
			r.row(c, lo/r.y.s, lo%r.y.s)
		}
	}}}, 0, out)
	return p, nil
}

// corners are the rows of x that a row of y is made of, with their weights; 1, 2, 4
// or 8 of them, none of weight 0.
type corners struct {
	n  int
	at [8]int // position in the image
	w  [8]float32
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

// row computes output row q of image n.
func (r *resizePlan) row(c *call, n, q int) {
	h, w := len(r.taps[1]), len(r.taps[2])
	k := corners{n: 1, w: [8]float32{1}}
	k.along(r.taps[0][q/(h*w)], r.in[0])
	k.along(r.taps[1][q/w%h], r.in[1])
	k.along(r.taps[2][q%w], r.in[2])
	dst := c.y(0)[(n*r.y.s+q)*r.y.pitch:][:r.y.c]
	x := c.x(0)[n*r.x.s*r.x.pitch:]
	at := func(i int) []float32 { return x[k.at[i]*r.x.pitch:][:len(dst)] }
	switch k.n {
	case 1:
		copy(dst, at(0))
	case 2:
		blend2(dst, at(0), at(1), k.w[0], k.w[1])
	default:
		blend4(dst, at(0), at(1), at(2), at(3), k.w[:4])
		if k.n == 8 {
			addBlend4(dst, at(4), at(5), at(6), at(7), k.w[4:])
		}
	}
}

func blend2(dst, a, b []float32, wa, wb float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = wa*a[i] + wb*b[i]
	}
}

func blend4(dst, a, b, c, d, w []float32) {
	a, b, c, d = a[:len(dst)], b[:len(dst)], c[:len(dst)], d[:len(dst)]
	wa, wb, wc, wd := w[0], w[1], w[2], w[3]
	for i := range dst {
		dst[i] = (wa*a[i] + wb*b[i]) + (wc*c[i] + wd*d[i])
	}
}

func addBlend4(dst, a, b, c, d, w []float32) {
	a, b, c, d = a[:len(dst)], b[:len(dst)], c[:len(dst)], d[:len(dst)]
	wa, wb, wc, wd := w[0], w[1], w[2], w[3]
	for i := range dst {
		dst[i] += (wa*a[i] + wb*b[i]) + (wc*c[i] + wd*d[i])
	}
}
