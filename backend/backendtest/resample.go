package backendtest

import (
	"fmt"
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// A quarter of the weights are 0, and the fill Special has indices outside of x and
// values that are not finite.
func resampleProblems(short bool) []problem {
	var ps []problem
	resample := func(name string, axis int, x shape, m, terms int) {
		ps = append(ps, problem{name: name, d: desc(backend.Resample{Axis: axis}, backend.F32(x...), i32(m, terms), backend.F32(m, terms)), fills: check.Fills()})
	}
	for terms := range 17 {
		resample(fmt.Sprintf("last-%dterms", terms), -1, shape{6, 13}, 19, terms)
		resample(fmt.Sprintf("first-%dterms", terms), 0, shape{7, 21}, 12, terms)
	}
	full := shape{2, 5, 3, 4, 3}
	for rank := 1; rank <= len(full); rank++ {
		for axis := range rank {
			if short && rank != 4 && axis != rank-1 {
				continue
			}
			resample(fmt.Sprintf("rank%d-axis%d", rank, axis), axis-rank, full[:rank], 7, 4)
		}
	}
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 67} {
		resample(fmt.Sprintf("inner-%d", n), 1, shape{2, 6, n}, 5, 4)
		if !short {
			resample(fmt.Sprintf("rows-%d", n), 1, shape{n, 6}, 5, 4)
		}
	}
	resample("inner-wide", 0, shape{5, 70001}, 3, 4)
	resample("long", 1, shape{2, 3}, 70001, 3)
	resample("rows-many", 1, shape{2500, 7}, 9, 2)
	resample("terms-1000", -1, shape{3, 50}, 9, 1000)
	resample("channels", 1, shape{2, 12, 5, 7}, 10, 3)
	resample("nothing", 1, shape{2, 3, 4}, 0, 2)
	resample("of-none", 1, shape{2, 0, 4}, 3, 2)
	resample("no-images", 1, shape{0, 3, 4}, 3, 2)
	resample("no-inner", 1, shape{2, 3, 0}, 3, 2)
	return append(ps, partProblems()...)
}

// partProblems hold what has no part in a sum: NaN and infinities under a weight of
// 0, in places that vectors and runs of taps begin and end with.
func partProblems() []problem {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	const n, m = 6, 9
	var ps []problem
	for _, terms := range []int{1, 2, 3, 4, 5, 6, 8} {
		for _, inner := range []int{1, 3, 20} {
			x := make([]float32, n*inner)
			for i := range x {
				x[i] = float32(i%5 - 2)
				switch i / inner {
				case 1:
					x[i] = nan
				case 4:
					x[i] = []float32{inf, -inf}[i%2]
				}
			}
			index, weight := make([]int32, m*terms), make([]float32, m*terms)
			for o := range m {
				for t := range terms {
					i := o*terms + t
					// Output o has its one bad element at term o, where there is one.
					index[i], weight[i] = int32([]int{0, 2, 3, 5}[i%4]), float32(1+t%3)
					if t == o%max(terms, 1) {
						index[i], weight[i] = []int32{1, 4, -1, n, math.MinInt32, math.MaxInt32}[o%6], float32(math.Copysign(0, float64(o%2*2-1)))
						if o%6 > 1 {
							weight[i] = 2
						}
					}
				}
			}
			ps = append(ps, problem{
				name:  fmt.Sprintf("no-part-%dterms-inner%d", terms, inner),
				d:     desc(backend.Resample{}, backend.F32(n, inner), i32(m, terms), backend.F32(m, terms)),
				fills: []check.Fill{check.Special},
				in:    []*tensor.Tensor{tensor.Must(tensor.From(x, n, inner)), tensor.Must(tensor.From(index, m, terms)), tensor.Must(tensor.From(weight, m, terms))},
			})
		}
	}
	return ps
}
