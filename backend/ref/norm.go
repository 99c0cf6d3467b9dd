package ref

import "math"

// normalise computes y = scale·(x − μ)/√(σ² + ε) + bias for each run of length
// elements in logical order, with the mean μ and the variance σ² of the run's own
// elements. Param gives the index in scale and bias of an element of x.
//
// μ is computed in two steps, the mean and then the mean of the distances from it.
// The sum of up to 2²⁹ equal elements is exact, and so is μ: σ is then 0.
func normalise(length int, epsilon float32, param func(i int) int) definition {
	return func(in, out []array) {
		x, scale, bias, y := &in[0], &in[1], &in[2], &out[0]
		if x.size == 0 {
			return
		}
		n := float64(length)
		for first := 0; first < x.size; first += length {
			mean, rest, variance := 0.0, 0.0, 0.0
			for i := range length {
				mean += x.at(first + i)
			}
			mean /= n
			for i := range length {
				rest += x.at(first+i) - mean
			}
			rest /= n
			for i := range length {
				d := x.at(first+i) - mean - rest
				variance += d * d
			}
			sigma := math.Sqrt(variance/n + float64(epsilon))
			for i := first; i < first+length; i++ {
				y.set(i, scale.at(param(i))*((x.at(i)-mean-rest)/sigma)+bias.at(param(i)))
			}
		}
	}
}
