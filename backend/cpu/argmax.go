package cpu

import "github.com/convgl/convgl/backend"

// planArgMax takes any layouts. It is a reduction whose state is an element and its
// index. Of a row the element is found first, and then where it is: both fast.
func planArgMax(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.ArgMax)
	axis, err := backend.ResolveAxis(op.Kind(), op.Axis, len(d.In[0].Shape))
	if err != nil {
		return nil, err
	}
	reduced := make([]bool, len(d.In[0].Shape))
	reduced[axis] = true
	r := newReducer(dev, d, reduced, op.KeepDims)
	if r.fold == 0 { // y is empty, for the axis is not
		return &plan{in: []backend.TensorDesc{r.x}, out: []backend.TensorDesc{r.y}}, nil
	}
	r.fns = newArgMaxFns(dev, op)
	r.finish = func(c *call, _, index []float64, at, step int) {
		y := view[int32](c.out[0])[at:]
		for i, v := range index {
			y[i*step] = int32(v)
		}
	}
	return r.plan(dev), nil
}

// newArgMaxFns returns loops whose states are the largest element, of −x for a
// minimum, and its index: the first NaN, or the first or last of equal ones.
func newArgMaxFns(dev *device, op backend.ArgMax) *reduceFns {
	value := newReduceFns(dev, backend.ReduceMax)
	sign := float32(1)
	if op.Min {
		value = newReduceFns(dev, backend.ReduceMin)
		sign = -1
	}
	return &reduceFns{
		rows: func(s *states, a, b []float64, x []float32, n, step, at int) {
			value.rows(s, a, b, x, n, step, at)
			for i, v := range a {
				b[i] = float64(at + find(x[i*step:][:n], sign*float32(v), op.Last))
			}
		},
		lanes: func(s *states, a, b []float64, x []float32, n, step, at int) {
			value.lanes(s, a, b, x, n, step, at)
			best, nan := s.m[:len(a)], false
			for i, v := range a {
				best[i] = sign * float32(v)
				nan = nan || v != v
			}
			for r := range n { // the one that is wanted comes last
				if !op.Last {
					r = n - 1 - r
				}
				mark(b, best, x[r*step:], float64(at+r))
			}
			for i := 0; nan && i < len(a); i++ {
				if a[i] != a[i] {
					b[i] = float64(at + firstNaN(x[i:], n, step))
				}
			}
		},
		join: func(a, b, p, q []float64) {
			for i, v := range p {
				if beats(v, a[i], op.Last) {
					a[i], b[i] = v, q[i]
				}
			}
		},
		ordered: true,
		weight:  2,
	}
}

// beats reports whether v, which comes later, is the extremum instead of m: an m that
// is NaN stays, and a v that is NaN does not compare.
func beats(v, m float64, last bool) bool {
	if last {
		return !(v < m) && m == m
	}
	return !(v <= m) && m == m
}

// mark sets the indices of the elements of a row that are the best of their lanes.
func mark(index []float64, best, x []float32, at float64) {
	x, index = x[:len(best)], index[:len(best)]
	for i, v := range x {
		if v == best[i] {
			index[i] = at
		}
	}
}

// firstNaN returns which of n elements, step apart, is the first NaN: one is.
func firstNaN(x []float32, n, step int) int {
	for i := range n {
		if v := x[i*step]; v != v {
			return i
		}
	}
	return 0
}

// find returns the first element of x that is v, or the last; of NaN the first.
func find(x []float32, v float32, last bool) int {
	switch {
	case v != v:
		return firstNaN(x, len(x), 1)
	case last:
		for i := len(x) - 1; i >= 0; i-- {
			if x[i] == v {
				return i
			}
		}
	default:
		for i, e := range x {
			if e == v {
				return i
			}
		}
	}
	return 0 // x holds v
}
