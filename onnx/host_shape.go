package onnx

import (
	"errors"
	"fmt"
	"slices"

	"github.com/convgl/convgl/tensor"
)

// hostShape is the shape of x as int64; since version 15 its dims start to end, which may count
// from the end and are clamped.
func hostShape(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(1, 1); err != nil {
		return nil, err
	}
	s := c.in[0].Shape()
	if c.version >= 15 {
		r := int64(len(s))
		bound := func(name string, def int64) int64 {
			v := c.int(name, def)
			if v < 0 {
				v += r
			}
			return min(max(v, 0), r)
		}
		start, end := bound("start", 0), bound("end", r)
		s = s[start:max(start, end)]
	}
	v := make([]int64, len(s))
	for i, d := range s {
		v[i] = int64(d)
	}
	return single(tensor.From(v, len(v)))
}

// hostSize is the number of elements as an int64 scalar.
func hostSize(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(1, 1); err != nil {
		return nil, err
	}
	return single(tensor.From([]int64{int64(c.in[0].Size())}))
}

// hostReshape gives x another shape: the attribute shape before version 5, the second input from
// there on. A 0 takes the dim of x, unless allowzero is set; one −1 follows from the rest.
func hostReshape(c *hostCall) ([]*tensor.Tensor, error) {
	var want []int64
	var err error
	if c.version < 5 {
		err = c.args(1, 1)
		want = c.ints("shape")
	} else if err = c.args(2, 2); err == nil {
		want, err = c.vector(1)
	}
	if err != nil {
		return nil, err
	}
	zero := c.version >= 14 && c.int("allowzero", 0) != 0
	s, err := reshaped(c.in[0].Shape(), want, zero)
	if err != nil {
		return nil, err
	}
	return single(c.in[0].Reshape(s...))
}

// reshaped resolves 0 and −1 in the shape that Reshape wants.
func reshaped(x tensor.Shape, want []int64, allowZero bool) (tensor.Shape, error) {
	open := -1
	s := make(tensor.Shape, len(want))
	for i, d := range want {
		switch {
		case d == 0 && !allowZero:
			if i >= len(x) {
				return nil, fmt.Errorf("shape %v: a 0 at dim %d, which %v does not have", want, i, x)
			}
			s[i] = x[i]
		case d == -1 && open >= 0:
			return nil, fmt.Errorf("shape %v: more than one −1", want)
		case d == -1:
			open, s[i] = i, 1
		case d < 0 || d > tensor.MaxElems:
			return nil, fmt.Errorf("shape %v: dim %d is not a size", want, i)
		default:
			s[i] = int(d)
		}
	}
	known, err := s.Elems()
	if err != nil {
		return nil, err
	}
	n := x.Size()
	if open >= 0 {
		if known == 0 || n%known != 0 {
			return nil, fmt.Errorf("shape %v: no size for −1 gives the %d elements of %v", want, n, x)
		}
		s[open] = n / known
		known = n
	}
	if known != n {
		return nil, fmt.Errorf("shape %v: got %d elements, want the %d of %v", want, known, n, x)
	}
	return s, nil
}

// hostFlatten makes a matrix: the dims before axis, and the others.
func hostFlatten(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(1, 1); err != nil {
		return nil, err
	}
	s := c.in[0].Shape()
	r := len(s)
	a := c.int("axis", 1)
	if a < -int64(r) || a > int64(r) {
		return nil, fmt.Errorf("axis %d: want %d to %d", a, -r, r)
	}
	if a < 0 {
		a += int64(r)
	}
	rows, err := s[:a].Elems()
	if err != nil {
		return nil, err
	}
	columns, err := s[a:].Elems()
	if err != nil {
		return nil, err
	}
	return single(c.in[0].Reshape(rows, columns))
}

// axesArg returns the axes that an op takes as an attribute before the version since and as an
// input from there on; nil when they are absent.
func (c *hostCall) axesArg(since, input int) ([]int64, error) {
	if c.version < since {
		return c.ints("axes"), c.args(1, 1)
	}
	if err := c.args(1, input+1); err != nil {
		return nil, err
	}
	return c.vector(input)
}

// hostSqueeze drops the given dims, which must be 1, or without axes all that are 1.
func hostSqueeze(c *hostCall) ([]*tensor.Tensor, error) {
	list, err := c.axesArg(13, 1)
	if err != nil {
		return nil, err
	}
	s := c.in[0].Shape()
	drop, err := resolveAxes(list, len(s))
	if err != nil {
		return nil, err
	}
	var y []int
	for i, d := range s {
		switch {
		case list == nil && d == 1:
		case list == nil || !slices.Contains(drop, i):
			y = append(y, d)
		case d != 1:
			return nil, fmt.Errorf("axis %d of %v: want a dim of 1", i, s)
		}
	}
	return single(c.in[0].Reshape(y...))
}

// hostUnsqueeze puts dims of 1 at the given axes of the result.
func hostUnsqueeze(c *hostCall) ([]*tensor.Tensor, error) {
	list, err := c.axesArg(13, 1)
	if err != nil {
		return nil, err
	}
	if list == nil {
		return nil, errors.New("axes are missing")
	}
	s := c.in[0].Shape()
	put, err := resolveAxes(list, len(s)+len(list))
	if err != nil {
		return nil, err
	}
	y := s.Clone()
	for _, i := range put { // ascending, so that each is at its place in the end
		y = slices.Insert(y, i, 1)
	}
	return single(c.in[0].Reshape(y...))
}

// hostTranspose permutes the dims: dim i of the result is dim perm[i] of x; without perm they
// are reversed.
func hostTranspose(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(1, 1); err != nil {
		return nil, err
	}
	x := c.in[0]
	s := x.Shape()
	perm := c.ints("perm")
	if perm == nil {
		for i := range s {
			perm = append(perm, int64(len(s)-1-i))
		}
	}
	if set, err := resolveAxes(perm, len(s)); err != nil || len(set) != len(s) || slices.Min(append(perm, 0)) < 0 {
		return nil, fmt.Errorf("attribute perm: got %v, want the numbers 0 to %d", perm, len(s)-1)
	}
	shape, st, own := make(tensor.Shape, len(s)), make([]int, len(s)), s.Strides()
	for i, p := range perm {
		shape[i], st[i] = s[p], own[p]
	}
	return single(c.gatherStrided(x, shape, st, 0))
}

// gatherStrided returns the tensor whose element at index i is that of x at from + Σ iₖ·stepsₖ.
func (c *hostCall) gatherStrided(x *tensor.Tensor, shape tensor.Shape, steps []int, from int) (*tensor.Tensor, error) {
	y, err := c.output(x.DType(), shape)
	if err != nil {
		return nil, err
	}
	run, outer := 1, shape // of elements that follow each other in both
	if last := len(shape) - 1; last >= 0 && steps[last] == 1 {
		run, outer, steps = shape[last], shape[:last], steps[:last]
	}
	cp, at := newCopier(y, x), newCounter(outer, steps)
	for i := 0; i < y.Size(); i += run {
		cp.copy(i, from+at.offset[0], run)
		at.next()
	}
	return y, nil
}

// hostExpand broadcasts x and the shape that is the second input to each other.
func hostExpand(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(2, 2); err != nil {
		return nil, err
	}
	v, err := c.vector(1)
	if err != nil {
		return nil, err
	}
	to, err := sizesOf(v)
	if err != nil {
		return nil, err
	}
	shape, err := tensor.Broadcast(c.in[0].Shape(), to)
	if err != nil {
		return nil, err
	}
	return single(c.gatherStrided(c.in[0], shape, stretched(c.in[0].Shape(), shape), 0))
}

// hostTile repeats x along each axis: the second input has a number an axis; before version 6 it
// is the number for the one axis that the third input names.
func hostTile(c *hostCall) ([]*tensor.Tensor, error) {
	var reps []int64
	if c.version < 6 {
		if err := c.args(3, 3); err != nil {
			return nil, err
		}
		n, err := c.whole(1)
		if err != nil {
			return nil, err
		}
		a, err := c.whole(2)
		if err != nil {
			return nil, err
		}
		at, err := resolveAxis(a, len(c.in[0].Shape()))
		if err != nil {
			return nil, err
		}
		reps = slices.Repeat([]int64{1}, len(c.in[0].Shape()))
		reps[at] = n
	} else {
		if err := c.args(2, 2); err != nil {
			return nil, err
		}
		var err error
		if reps, err = c.vector(1); err != nil {
			return nil, err
		}
	}
	x := c.in[0]
	s := x.Shape()
	if len(reps) != len(s) {
		return nil, fmt.Errorf("input 1: got %d repeats, want one for each of the %d axes", len(reps), len(s))
	}
	n, err := sizesOf(reps)
	if err != nil {
		return nil, err
	}
	shape := make(tensor.Shape, len(s))
	for i := range s {
		if n[i] != 0 && s[i] > tensor.MaxElems/n[i] {
			return nil, fmt.Errorf("axis %d: %d repeats of a dim of %d", i, n[i], s[i])
		}
		shape[i] = s[i] * n[i]
	}
	y, err := c.output(x.DType(), shape)
	if err != nil {
		return nil, err
	}
	cp, at, own := newCopier(y, x), newCounter(shape), s.Strides()
	for i := range y.Size() {
		from := 0
		for d, k := range at.index {
			from += k % s[d] * own[d]
		}
		cp.copy(i, from, 1)
		at.next()
	}
	return single(y, nil)
}
