package onnx

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/convgl/convgl/tensor"
)

// hostTopK is the k greatest elements along axis in descending order, or the least ones in
// ascending order, and their int64 indices. Equal elements are in the order of their indices, and
// NaN counts as greatest. k is an attribute before version 10 and an input from there on.
func hostTopK(c *hostCall) ([]*tensor.Tensor, error) {
	var k int64
	var err error
	largest := true
	if c.version < 10 {
		err = c.args(1, 1)
		k = c.int("k", -1)
	} else if err = c.args(2, 2); err == nil {
		k, err = c.integer(1)
	}
	if err != nil {
		return nil, err
	}
	if c.version >= 11 {
		largest = c.int("largest", 1) != 0
		c.int("sorted", 1) // if not, any order will do
	}
	s := c.in[0].Shape()
	a, err := resolveAxis(c.int("axis", -1), len(s))
	if err != nil {
		return nil, err
	}
	if k < 0 || k > int64(s[a]) {
		return nil, fmt.Errorf("k is %d, want 0 to %d, the size of axis %d", k, s[a], a)
	}
	switch c.in[0].DType() {
	case tensor.Float32:
		return topOf[float32](c, a, int(k), largest)
	case tensor.Int32:
		return topOf[int32](c, a, int(k), largest)
	case tensor.Int64:
		return topOf[int64](c, a, int(k), largest)
	case tensor.Uint8:
		return topOf[uint8](c, a, int(k), largest)
	}
	return nil, c.typeError(0, "a number")
}

func topOf[T tensor.Number](c *hostCall, axis, k int, largest bool) ([]*tensor.Tensor, error) {
	s := c.in[0].Shape()
	x, err := tensor.Data[T](c.in[0])
	if err != nil {
		return nil, err
	}
	shape := s.Clone()
	shape[axis] = k
	values, v, err := outputOf[T](c, shape)
	if err != nil {
		return nil, err
	}
	places, p, err := outputOf[int64](c, shape)
	if err != nil {
		return nil, err
	}
	n, inner := s[axis], product(s[axis+1:])
	if len(v) == 0 {
		return []*tensor.Tensor{values, places}, nil
	}
	if err := c.take(n, 8); err != nil {
		return nil, err
	}
	order := make([]int, n)
	for o := range product(s[:axis]) {
		for i := range inner {
			at := func(j int) T { return x[(o*n+j)*inner+i] }
			for j := range order {
				order[j] = j
			}
			slices.SortStableFunc(order, func(a, b int) int {
				d := compareNaN(at(a), at(b))
				if largest {
					d = -d
				}
				return d
			})
			for j := range k {
				to := (o*k+j)*inner + i
				v[to], p[to] = at(order[j]), int64(order[j])
			}
		}
	}
	return []*tensor.Tensor{values, places}, nil
}

// compareNaN orders numbers, NaN last.
func compareNaN[T tensor.Number](a, b T) int {
	switch {
	case a != a && b != b:
		return 0
	case a != a:
		return 1
	case b != b:
		return -1
	}
	return cmp.Compare(a, b)
}

// hostNonZero is the indices of the elements that are not 0, an int64 row a dim of x and a column an
// element, in row-major order. A scalar counts as a vector.
func hostNonZero(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(1, 1); err != nil {
		return nil, err
	}
	x, err := c.cast(c.in[0], tensor.Bool)
	if err != nil {
		return nil, err
	}
	set, err := tensor.Data[bool](x)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, v := range set {
		if v {
			n++
		}
	}
	shape := x.Shape()
	if len(shape) == 0 {
		shape = tensor.Shape{1}
	}
	y, dst, err := outputOf[int64](c, tensor.Shape{len(shape), n})
	if err != nil {
		return nil, err
	}
	at, k := newCounter(shape), 0
	for _, v := range set {
		if v {
			for d, i := range at.index {
				dst[d*n+k] = int64(i)
			}
			k++
		}
		at.next()
	}
	return single(y, nil)
}

// hostOneHot puts along a new axis of size depth the second of two values where the index is, and the
// first elsewhere. An index below 0 counts from the end, and one outside has no place.
func hostOneHot(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(3, 3); err != nil {
		return nil, err
	}
	values := c.in[2]
	if !values.Shape().Equal(tensor.Shape{2}) {
		return nil, fmt.Errorf("input 2: got shape %v, want [2]", values.Shape())
	}
	depth, err := c.whole(1)
	if err != nil {
		return nil, err
	}
	if depth < 0 || depth > tensor.MaxElems {
		return nil, fmt.Errorf("input 1: got a depth of %d", depth)
	}
	index, err := c.cast(c.in[0], tensor.Int64)
	if err != nil {
		return nil, err
	}
	at, err := tensor.Data[int64](index)
	if err != nil {
		return nil, err
	}
	s := index.Shape()
	a, err := resolveAxis(c.int("axis", -1), len(s)+1)
	if err != nil {
		return nil, err
	}
	y, err := c.gatherStrided(values, slices.Insert(s.Clone(), a, int(depth)), make([]int, len(s)+1), 0)
	if err != nil {
		return nil, err
	}
	cp, inner := newCopier(y, values), product(s[a:])
	for k, v := range at {
		if i, err := resolveIndex(v, int(depth)); err == nil {
			cp.copy((k/inner*int(depth)+i)*inner+k%inner, 1, 1)
		}
	}
	return single(y, nil)
}

// hostCumSum is the sum of the elements along axis up to each, with it or, if exclusive, without;
// if reverse, from the end.
func hostCumSum(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(2, 2); err != nil {
		return nil, err
	}
	v, err := c.integer(1)
	if err != nil {
		return nil, err
	}
	a, err := resolveAxis(v, len(c.in[0].Shape()))
	if err != nil {
		return nil, err
	}
	exclusive, reverse := c.int("exclusive", 0) != 0, c.int("reverse", 0) != 0
	switch c.in[0].DType() {
	case tensor.Float32:
		return single(cumulated[float32, float64](c, a, exclusive, reverse))
	case tensor.Int32:
		return single(cumulated[int32, int32](c, a, exclusive, reverse))
	case tensor.Int64:
		return single(cumulated[int64, int64](c, a, exclusive, reverse))
	}
	return nil, c.typeError(0, "float32, int32 or int64")
}

func cumulated[T, A tensor.Number](c *hostCall, axis int, exclusive, reverse bool) (*tensor.Tensor, error) {
	s := c.in[0].Shape()
	x, err := tensor.Data[T](c.in[0])
	if err != nil {
		return nil, err
	}
	y, dst, err := outputOf[T](c, s)
	if err != nil {
		return nil, err
	}
	if len(dst) == 0 {
		return y, nil
	}
	n, inner := s[axis], product(s[axis+1:])
	for o := range product(s[:axis]) {
		for i := range inner {
			var sum A
			for j := range n {
				if reverse {
					j = n - 1 - j
				}
				at := (o*n+j)*inner + i
				if exclusive {
					dst[at] = T(sum)
				}
				sum += A(x[at])
				if !exclusive {
					dst[at] = T(sum)
				}
			}
		}
	}
	return y, nil
}
