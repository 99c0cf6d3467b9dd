package ref

import (
	"slices"

	"github.com/convgl/convgl/backend"
)

// topK sorts each slice along the axis, stably, and takes the first K of it.
func topK(op backend.TopK, d backend.Desc) (definition, error) {
	x := d.In[0].Shape
	axis, err := backend.ResolveAxis(op.Kind(), op.Axis, len(x))
	if err != nil {
		return nil, err
	}
	length, inner := x[axis], x[axis+1:].Size()
	return func(in, out []array) {
		if out[0].size == 0 {
			return
		}
		order := make([]int, length)
		for s := range out[0].size / op.K {
			outer, lane := s/inner, s%inner
			for j := range order {
				order[j] = j
			}
			at := func(j int) float64 { return in[0].at((outer*length+j)*inner + lane) }
			slices.SortStableFunc(order, func(i, j int) int {
				if op.Smallest {
					return compareNaNLast(at(i), at(j))
				}
				return compareNaNLast(at(j), at(i))
			})
			for i, j := range order[:op.K] {
				to := (outer*op.K+i)*inner + lane
				copyElement(&out[0], to, &in[0], (outer*length+j)*inner+lane)
				out[1].setInt(to, j)
			}
		}
	}, nil
}

// compareNaNLast orders numbers as < does, with NaN above all of them.
func compareNaNLast(a, b float64) int {
	switch {
	case a < b || a == a && b != b:
		return -1
	case a > b || a != a && b == b:
		return 1
	}
	return 0
}
