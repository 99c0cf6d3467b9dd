package ref

import "github.com/convgl/convgl/backend"

// avgPool divides the sum of each window by the number of its taps that count:
// those inside x, or those inside the padded input. It is 0 where none counts.
func avgPool(op backend.AvgPool, d backend.Desc) (definition, error) {
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
					sum, count := 0.0, 0
					for k := range positions(g.Kernel) {
						at := reads(&g, p, k)
						if inside(&g, at, op.CountIncludePad) {
							count++
						}
						if inside(&g, at, false) {
							sum += in[0].get(n, c, at)
						}
					}
					out[0].set(i, sum/float64(max(count, 1)))
					i++
				}
			}
		}
	}, nil
}
