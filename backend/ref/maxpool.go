package ref

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// maxPool computes the largest element of each window and its position in the
// plane: the first of equal ones, the last NaN. A window without an element gives
// −∞ and −1.
func maxPool(op backend.MaxPool, d backend.Desc) (definition, error) {
	x := d.In[0].Shape
	geometry, err := op.Geometry(x)
	if err != nil {
		return nil, err
	}
	g := geometry.To3()
	return func(in, out []array) {
		i := 0 // number of the element of y
		for n := range x[0] {
			for c := range x[1] {
				for p := range positions(g.Out) {
					best, index := math.Inf(-1), -1
					for k := range positions(g.Kernel) {
						at := reads(&g, p, k)
						if !inside(&g, at, false) {
							continue
						}
						v := in[0].get(n, c, at)
						if index < 0 || v > best || v != v {
							best, index = v, (at.d*g.In[1]+at.h)*g.In[2]+at.w
						}
					}
					out[0].set(i, best)
					if op.Indices {
						out[1].setInt(i, index)
					}
					i++
				}
			}
		}
	}, nil
}
