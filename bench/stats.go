package bench

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Summary describes the samples of one quantity, in the samples' unit.
type Summary struct {
	N      int     `json:"n"`
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	// Lo and Hi are the order statistics that enclose the true median with a
	// probability of Coverage: at least 95 % where N allows it (6 and more), else
	// the smallest and the largest sample.
	Lo       float64 `json:"lo"`
	Hi       float64 `json:"hi"`
	Coverage float64 `json:"coverage"`
	// Spread is the distance of the quartiles over the median, 0 for one sample.
	Spread float64 `json:"spread"`
}

// Summarize describes samples, which it does not change. No distribution is
// assumed: whether a sample lies below the median is a fair coin, so the number
// of those that do is binomial, and [x₍ₖ₎, x₍ₙ₊₁₋ₖ₎] covers the median with
// probability 1 − 2·P(B(n, ½) < k).
//
// Source: order-statistic intervals, e.g. David and Nagaraja, Order Statistics.
func Summarize(samples []float64) Summary {
	n := len(samples)
	if n == 0 {
		return Summary{}
	}
	x := slices.Sorted(slices.Values(samples))
	k, coverage := medianRank(n)
	s := Summary{N: n, Min: x[0], Median: quantile(x, 0.5), Lo: x[k-1], Hi: x[n-k], Coverage: coverage}
	if s.Median != 0 {
		s.Spread = (quantile(x, 0.75) - quantile(x, 0.25)) / s.Median
	}
	return s
}

// medianRank returns the largest rank k, from 1, of which the interval covers the
// median with at least 95 %, and that probability; and 1 when there is none.
func medianRank(n int) (k int, coverage float64) {
	b := distuv.Binomial{N: float64(n), P: 0.5}
	of := func(k int) float64 { return 1 - 2*b.CDF(float64(k-1)) }
	for k = 1; k+1 <= (n+1)/2 && of(k+1) >= 0.95; k++ {
	}
	return k, max(of(k), 0)
}

// quantile interpolates between the order statistics of sorted x.
func quantile(x []float64, q float64) float64 {
	at := q * float64(len(x)-1)
	i := int(math.Floor(at))
	if i+1 >= len(x) {
		return x[len(x)-1]
	}
	return x[i] + (at-float64(i))*(x[i+1]-x[i])
}
