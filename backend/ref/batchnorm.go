package ref

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// batchNorm computes y = scale·(x − mean)/√(var + ε) + bias with the values of
// the element's channel.
func batchNorm(op backend.BatchNorm) definition {
	return func(in, out []array) {
		x, scale, bias, mean, variance, y := &in[0], &in[1], &in[2], &in[3], &in[4], &out[0]
		for i := range y.size {
			plane := x.size / (x.shape[0] * x.shape[1])
			c := i / plane % x.shape[1]
			y.set(i, scale.at(c)*(x.at(i)-mean.at(c))/math.Sqrt(variance.at(c)+float64(op.Epsilon))+bias.at(c))
		}
	}
}
