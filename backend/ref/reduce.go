package ref

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// reduce makes, for each element of y, one of the elements of x that differ from
// each other in the reduced dims only.
func reduce(op backend.Reduce, d backend.Desc) (definition, error) {
	x := d.In[0].Shape
	reduced, err := op.Reduced(len(x))
	if err != nil {
		return nil, err
	}
	// The dims of y without those that are 1 again, and of a set, with their strides
	// in row-major order of x.
	var kept, set tensor.Shape
	var keptStrides, setStrides []int
	for i, s := range x.Strides() {
		if reduced[i] {
			set, setStrides = append(set, x[i]), append(setStrides, s)
		} else {
			kept, keptStrides = append(kept, x[i]), append(keptStrides, s)
		}
	}
	n := set.Size()
	return func(in, out []array) {
		for i := range out[0].size {
			first := offset(i, kept, keptStrides)
			out[0].set(i, reduction(op.Fn, n, func(j int) float64 { return in[0].at(first + offset(j, set, setStrides)) }))
		}
	}, nil
}

// reduction is fn of the elements x(0) to x(n−1).
func reduction(fn backend.ReduceKind, n int, x func(j int) float64) float64 {
	sum := func(f func(float64) float64) float64 {
		s := 0.0
		for j := range n {
			s += f(x(j))
		}
		return s
	}
	same := func(v float64) float64 { return v }
	square := func(v float64) float64 { return v * v }
	switch fn {
	case backend.ReduceSum:
		return sum(same)
	case backend.ReduceMean:
		return sum(same) / float64(n)
	case backend.ReduceMax:
		return largest(n, x)
	case backend.ReduceMin:
		return -largest(n, func(j int) float64 { return -x(j) })
	case backend.ReduceProd:
		return product(n, x)
	case backend.ReduceL1:
		return sum(math.Abs)
	case backend.ReduceL2:
		return math.Sqrt(sum(square))
	case backend.ReduceLogSum:
		return math.Log(sum(same))
	case backend.ReduceSumSquare:
		return sum(square)
	}
	m := largest(n, x) // ReduceLogSumExp
	if math.IsInf(m, 0) || math.IsNaN(m) {
		return m
	}
	return m + math.Log(sum(func(v float64) float64 { return math.Exp(v - m) }))
}

// largest is NaN if one element is, and −∞ if there is none.
func largest(n int, x func(j int) float64) float64 {
	m := math.Inf(-1)
	for j := range n {
		m = max(m, x(j))
	}
	return m
}

// product multiplies fractions and adds exponents, so that only the result may leave
// the range of float64.
func product(n int, x func(j int) float64) float64 {
	p, exponent := 1.0, 0
	for j := range n {
		var e int
		p, e = math.Frexp(p * x(j))
		exponent += e
	}
	return math.Ldexp(p, exponent)
}
