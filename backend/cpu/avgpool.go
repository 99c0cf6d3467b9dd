package cpu

import "github.com/convgl/convgl/backend"

// chunk is the number of channels whose float64 sums a pooling holds at once.
const chunk = 64

// planAvgPool takes what planMaxPool takes. Sums are float64.
func planAvgPool(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.AvgPool)
	g, err := op.Geometry(d.In[0].Shape)
	if err != nil {
		return nil, err
	}
	p, w, err := planPool("AvgPool", dev, d, g)
	if err != nil {
		return nil, err
	}
	w.byPixels()
	p.phases = clearLanes([]phase{w.phase(func(c *call, u poolUnit, _ int) { w.means(c, &u, op.CountIncludePad) })}, 0, p.out[0])
	return p, nil
}

// count returns the divisor of the means of row p, column q of a unit, whose windows
// have so many taps inside x along the last dim; 0 where nothing counts.
func (w *poolWindow) count(r *reach, q, taps int, includePad bool) int {
	if !includePad {
		return max(r.hi[0]-r.lo[0], 0) * max(r.hi[1]-r.lo[1], 0) * taps
	}
	at := *r
	w.along(&at, 2, q)
	count := 1
	for i := range 3 {
		count *= max(tapsBelow(w.Kernel[i], w.Dilation[i], w.In[i]+w.End[i]-at.at[i]), 0)
	}
	return count
}

// means computes a unit.
func (w *poolWindow) means(c *call, u *poolUnit, includePad bool) {
	y, x := c.y(0)[w.to(u, u.p0):], c.x(0)
	r, row, inside := w.row(u, u.p0)
	w.columns(u.q0, u.q1, func(q, n, at, taps int) {
		dst := y[(q-u.q0)*w.y.pitch:]
		if taps == 0 || !inside {
			w.fillColumns(dst, n, 0)
			return
		}
		g := w.box(&r)
		g[boxCols], g[boxNX] = n, taps
		meanBoxGeneric(dst, x[row+at*w.x.pitch:], g, float64(w.count(&r, q, taps, includePad)))
	})
}

func meanBoxGeneric(y, x []float32, g box, count float64) {
	n := g[boxN]
	var sums [chunk]float64
	for j := range g[boxCols] {
		for i0 := 0; i0 < n; i0 += chunk {
			s := sums[:min(chunk, n-i0)]
			clear(s)
			for a := range g[boxNZ] {
				for b := range g[boxNY] {
					for t := range g[boxNX] {
						for i, v := range x[j*g[boxXStep]+a*g[boxSZ]+b*g[boxSY]+t*g[boxSX]+i0:][:len(s)] {
							s[i] += float64(v)
						}
					}
				}
			}
			dst := y[j*g[boxYStep]+i0:][:len(s)]
			for i, v := range s {
				dst[i] = float32(v / count)
			}
		}
	}
}
