package ref

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// adaptivePool reduces, for output i of o along a dim of size n, the elements from
// ⌊i·n/o⌋ to ⌈(i+1)·n/o⌉ − 1.
func adaptivePool(op backend.AdaptivePool, d backend.Desc) definition {
	x := volume(d.In[0].Shape)
	y := volume(d.Out[0].Shape)
	return func(in, out []array) {
		i := 0 // number of the element of y
		for n := range d.In[0].Shape[0] {
			for c := range d.In[0].Shape[1] {
				for p := range positions(y) {
					var first, size [3]int
					for k, o := range [3]int{p.d, p.h, p.w} {
						first[k] = o * x[k] / y[k]
						last := ((o+1)*x[k] + y[k] - 1) / y[k]
						size[k] = last - first[k]
					}
					sum, largest := 0.0, math.Inf(-1)
					for t := range positions(size) {
						v := in[0].get(n, c, pos{first[0] + t.d, first[1] + t.h, first[2] + t.w})
						sum += v
						largest = max(largest, v) // NaN if either is
					}
					if op.Mean {
						out[0].set(i, sum/float64(size[0]*size[1]*size[2]))
					} else {
						out[0].set(i, largest)
					}
					i++
				}
			}
		}
	}
}

// volume returns the spatial dims of a shape as three, with 1 for those that it
// lacks in front.
func volume(shape []int) [3]int {
	v := [3]int{1, 1, 1}
	copy(v[5-len(shape):], shape[2:])
	return v
}
