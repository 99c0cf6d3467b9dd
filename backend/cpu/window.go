package cpu

import "github.com/convgl/convgl/backend"

// poolWindow walks the windows of a pooling over the planes of a tensor.
type poolWindow struct {
	backend.Geometry3
	x, y     rows
	adaptive bool // windows are those of AdaptivePool
}

// reach is the part of a window that lies inside x.
type reach struct {
	at     [3]int // where the first tap lies; may be in the padding
	lo, hi [3]int // taps inside x, in each dim
}

func (r *reach) empty() bool {
	return r.lo[0] >= r.hi[0] || r.lo[1] >= r.hi[1] || r.lo[2] >= r.hi[2]
}

// window returns the reach of output q of a plane.
func (w *poolWindow) window(q int) (r reach) {
	r.at = [3]int{q / (w.Out[1] * w.Out[2]), q / w.Out[2] % w.Out[1], q % w.Out[2]}
	for i := range r.at {
		if w.adaptive {
			begin, end := backend.AdaptivePool{}.Window(r.at[i], w.In[i], w.Out[i])
			r.at[i], r.hi[i] = begin, end-begin
			continue
		}
		r.at[i] = r.at[i]*w.Stride[i] - w.Begin[i]
		r.lo[i], r.hi[i] = tapsBelow(w.Kernel[i], w.Dilation[i], -r.at[i]), tapsBelow(w.Kernel[i], w.Dilation[i], w.In[i]-r.at[i])
	}
	return r
}

// tapsBelow counts the taps t < kernel with t·dilation < limit.
func tapsBelow(kernel, dilation, limit int) int {
	if limit <= 0 {
		return 0
	}
	return min(kernel, (limit-1)/dilation+1)
}

// each calls fn with the position in the plane of every tap inside x, in
// row-major order.
func (w *poolWindow) each(r *reach, fn func(pos int)) {
	for z := r.lo[0]; z < r.hi[0]; z++ {
		pz := (r.at[0] + z*w.Dilation[0]) * w.In[1]
		for y := r.lo[1]; y < r.hi[1]; y++ {
			py := (pz + r.at[1] + y*w.Dilation[1]) * w.In[2]
			for x := r.lo[2]; x < r.hi[2]; x++ {
				fn(py + r.at[2] + x*w.Dilation[2])
			}
		}
	}
}

// planPool resolves the layouts of a pooling and returns its windows and an
// output-pixel phase that calls fn for every output row.
func planPool(op string, d backend.Desc, g backend.Geometry) (*plan, *poolWindow, error) {
	in := resolve(d.In[0], backend.ChannelsLast)
	p := &plan{in: []backend.TensorDesc{in}, out: append([]backend.TensorDesc{}, d.Out...)}
	w := &poolWindow{Geometry3: g.To3(), x: planeRows(in)}
	for i := range p.out {
		p.out[i] = resolve(p.out[i], in.Layout)
		w.y = planeRows(p.out[i])
		if !samePlanes(w.x, w.y) || i > 0 && w.y.pitch != planeRows(p.out[0]).pitch {
			return nil, nil, wrongLayout(op, d.Op.Kind()+" output", p.out[i], "the layout of x, "+in.Layout.String())
		}
	}
	w.y = planeRows(p.out[0])
	return p, w, nil
}

// phase returns the phase that calls fn for output row q of image n.
func (w *poolWindow) phase(fn func(c *call, n, q int)) phase {
	total := w.y.total()
	taps := int64(w.Kernel[0]) * int64(w.Kernel[1]) * int64(w.Kernel[2])
	parts := partsFor(total, 4*int64(total)*int64(w.y.c)*min(taps, 1<<20), grainBytes)
	return phase{parts, func(c *call, part, _ int) {
		lo, hi := share(total, part, parts)
		for ; lo < hi; lo++ {
			fn(c, lo/w.y.s, lo%w.y.s)
		}
	}}
}
