package cpu

import "github.com/convgl/convgl/backend"

// chunk is the number of channels whose float64 sums a pooling holds at once.
const chunk = 64

// planAvgPool takes what planMaxPool takes. Sums are float64.
func planAvgPool(_ *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.AvgPool)
	g, err := op.Geometry(d.In[0].Shape)
	if err != nil {
		return nil, err
	}
	p, w, err := planPool("AvgPool", d, g)
	if err != nil {
		return nil, err
	}
	p.phases = clearLanes([]phase{w.phase(func(c *call, n, q int) { w.mean(c, n, q, op.CountIncludePad) })}, 0, p.out[0])
	return p, nil
}

// mean computes one output row.
func (w *poolWindow) mean(c *call, n, q int, includePad bool) {
	row := c.y(0)[(n*w.y.s+q)*w.y.pitch:][:w.y.c]
	x := c.x(0)[n*w.x.s*w.x.pitch:]
	r := w.window(q)
	count := 1
	for i := range 3 {
		taps := r.hi[i] - r.lo[i]
		if includePad {
			taps = tapsBelow(w.Kernel[i], w.Dilation[i], w.In[i]+w.End[i]-r.at[i])
		}
		count *= max(taps, 0)
	}
	if count == 0 || r.empty() {
		clear(row)
		return
	}
	var sums [chunk]float64
	for c0 := 0; c0 < len(row); c0 += chunk {
		s := sums[:min(chunk, len(row)-c0)]
		clear(s)
		w.each(&r, func(pos int) {
			for i, v := range x[pos*w.x.pitch+c0:][:len(s)] {
				s[i] += float64(v)
			}
		})
		for i, v := range s {
			row[c0+i] = float32(v / float64(count))
		}
	}
}
