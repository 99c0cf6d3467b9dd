package backend

import (
	"fmt"
	"math"
)

// AdaptivePool reduces windows that are chosen so that the output has the size
// Out. Along each spatial dim of size n, output i of o takes the elements
//
//	⌊i·n/o⌋ ≤ j < ⌈(i+1)·n/o⌉
//
// so that every element is in a window; windows overlap where o does not divide n.
// The result is their maximum (NaN propagates) or their mean.
//
// Input: x [N,C,spatial...] with at least one spatial element. Output: y [N,C,Out...].
//
// Source: PyTorch AdaptiveAvgPool1d to 3d, AdaptiveMaxPool1d to 3d.
type AdaptivePool struct {
	Out  []int // size of y, one entry a spatial dim
	Mean bool  // the mean; otherwise the maximum
}

// Kind returns "AdaptivePool".
func (AdaptivePool) Kind() string { return "AdaptivePool" }

// Args implements Op.
func (AdaptivePool) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (a AdaptivePool) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if err := wantImage("AdaptivePool", "x", in[0]); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if err := wantSpatial("AdaptivePool", x[2:]); err != nil {
		return nil, err
	}
	out, err := attrInts("AdaptivePool", "out", a.Out, len(x)-2, 0, 1)
	if err != nil {
		return nil, err
	}
	return f32Out(append([]int{x[0], x[1]}, out...)...), nil
}

// Cost implements Op: an operation an element of each window.
func (a AdaptivePool) Cost(in, out []TensorDesc) Cost {
	// Along a dim, n elements are read once, and once more where a boundary between
	// two windows falls inside an element: at all but gcd(n,o)−1 of o−1 boundaries.
	x, y := in[0].Shape, out[0].Shape
	reads := int64(x[0]) * int64(x[1])
	for d := 2; d < len(x); d++ {
		reads *= int64(x[d]) + int64(y[d]) - gcd(int64(x[d]), int64(y[d]))
	}
	return Cost{FLOPs: reads, Bytes: sumBytes(in) + sumBytes(out)}
}

// Window returns the elements, from begin to end−1, that output i of out takes in a
// dim of size n.
func (AdaptivePool) Window(i, n, out int) (begin, end int) {
	return i * n / out, ((i+1)*n + out - 1) / out
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// wantSpatial checks that spatial dims are not empty and small enough for products
// of two of them.
func wantSpatial(op string, spatial []int) error {
	for i, d := range spatial {
		if d < 1 {
			return &ShapeError{Op: op, Arg: "x: dim " + spatialName(i, len(spatial)), Got: fmt.Sprint(d), Want: "1 or more"}
		}
		if d > math.MaxInt32 {
			return &LimitError{Op: op, What: "x: dim " + spatialName(i, len(spatial)), Got: int64(d), Max: math.MaxInt32}
		}
	}
	return nil
}
