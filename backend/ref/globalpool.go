package ref

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// globalPool reduces each plane to its maximum or mean.
func globalPool(op backend.GlobalPool) definition {
	return func(in, out []array) {
		x, y := &in[0], &out[0]
		for i := range y.size {
			plane := x.size / y.size
			sum, largest := 0.0, math.Inf(-1)
			for j := range plane {
				v := x.at(i*plane + j)
				sum += v
				largest = max(largest, v) // NaN if either is
			}
			if op.Mean {
				y.set(i, sum/float64(plane))
			} else {
				y.set(i, largest)
			}
		}
	}
}
