package cpu

import (
	"github.com/convgl/convgl/backend"
)

// planGlobalPool takes channels-last and plain. A part is a chunk of the
// channels of an image; sums are float64.
func planGlobalPool(_ *device, d backend.Desc) (*plan, error) {
	mean := d.Op.(backend.GlobalPool).Mean
	in := resolve(d.In[0], backend.ChannelsLast)
	out := resolve(d.Out[0], in.Layout)
	x := planeRows(in)
	y, ok := channelRows(out) // y has one element a channel, so any layout does
	if !ok {
		return nil, wrongLayout("GlobalPool", "y", out, "plain or channels-last")
	}
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	chunks := (x.c + chunk - 1) / chunk
	units := x.n * chunks
	parts := partsFor(units, 4*int64(units)*int64(x.s)*int64(min(x.c, chunk)), grainBytes)
	ph := phase{parts, func(c *call, part, _ int) {
		lo, hi := share(units, part, parts)
		for ; lo < hi; lo++ {
			n, c0 := lo/chunks, lo%chunks*chunk
			src := c.x(0)[n*x.s*x.pitch+c0:]
			// In the plain layout image n of x is channel n of a row of y.
			at := n*x.c + c0
			dst := c.y(0)[at/y.c*y.pitch+at%y.c:][:min(chunk, x.c-c0)]
			if mean {
				meanRows(dst, src, x.s, x.pitch)
			} else {
				copy(dst, src)
				for i := 1; i < x.s; i++ {
					maxOf2(dst, dst, src[i*x.pitch:])
				}
			}
		}
	}}
	p.phases = clearLanes([]phase{ph}, 0, out)
	return p, nil
}

func meanRows(dst, src []float32, s, pitch int) {
	var sums [chunk]float64
	for i := range s {
		for j, v := range src[i*pitch:][:len(dst)] {
			sums[j] += float64(v)
		}
	}
	for j := range dst {
		dst[j] = float32(sums[j] / float64(s))
	}
}
