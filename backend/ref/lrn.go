package ref

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// lrn computes y = x/D^β with D = K + α/size·Σ x² over the channels around.
func lrn(op backend.LRN, d backend.Desc) definition {
	channels, plane := d.In[0].Shape[1], d.In[0].Shape[2:].Size()
	before, after := (op.Size-1)/2, op.Size/2
	return func(in, out []array) {
		x, y := &in[0], &out[0]
		for i := range y.size {
			c := i / plane % channels
			sum := 0.0
			for j := max(0, c-before); j <= min(channels-1, c+after); j++ {
				v := x.at(i + (j-c)*plane)
				sum += v * v
			}
			y.set(i, x.at(i)/math.Pow(float64(op.K)+float64(op.Alpha)/float64(op.Size)*sum, float64(op.Beta)))
		}
	}
}
