package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/convgl/convgl/tensor"
)

// hostSlice takes every step-th element of some axes from start on, before end. Both may count
// from the end and are clamped; with a negative step it goes backward. They are attributes
// before version 10, without steps, and inputs from there on.
func hostSlice(c *hostCall) ([]*tensor.Tensor, error) {
	var starts, ends, list, steps []int64
	if c.version < 10 {
		if err := c.args(1, 1); err != nil {
			return nil, err
		}
		starts, ends, list = c.ints("starts"), c.ints("ends"), c.ints("axes")
	} else {
		if err := c.args(3, 5); err != nil {
			return nil, err
		}
		var err error
		for i, v := range []*[]int64{&starts, &ends, &list, &steps} {
			if *v, err = c.vector(i + 1); err != nil {
				return nil, err
			}
		}
	}
	x := c.in[0]
	cuts, err := sliceCuts(x.Shape(), starts, ends, list, steps)
	if err != nil {
		return nil, err
	}
	shape, st, from := x.Shape().Clone(), x.Shape().Strides(), 0
	for d, k := range cuts {
		from += k.start * st[d]
		shape[d] = k.size
		st[d] *= k.step
	}
	if shape.Size() == 0 {
		from = 0
	}
	return single(c.gatherStrided(x, shape, st, from))
}

// cut is a part of a dim: the elements start, start + step, … of it, size of them.
type cut struct{ start, step, size int }

// sliceCuts resolves the numbers of a Slice to a cut of every dim of x. Without axes they are for
// the first ones, without steps they go by 1.
func sliceCuts(x tensor.Shape, starts, ends, list, steps []int64) ([]cut, error) {
	n := len(starts)
	if len(ends) != n || list != nil && len(list) != n || steps != nil && len(steps) != n {
		return nil, fmt.Errorf("got %d starts, %d ends, %d axes and %d steps, want as many of each", n, len(ends), len(list), len(steps))
	}
	if n > len(x) {
		return nil, fmt.Errorf("got %d starts for %d axes", n, len(x))
	}
	cuts := make([]cut, len(x))
	for d, size := range x {
		cuts[d] = cut{0, 1, size}
	}
	var seen []int
	for i := range n {
		d := i
		if list != nil {
			var err error
			if d, err = resolveAxis(list[i], len(x)); err != nil {
				return nil, err
			}
			if slices.Contains(seen, d) {
				return nil, fmt.Errorf("axis %d is given twice", list[i])
			}
			seen = append(seen, d)
		}
		step := int64(1)
		if steps != nil {
			step = steps[i]
		}
		var err error
		if cuts[d], err = sliceCut(x[d], starts[i], ends[i], step); err != nil {
			return nil, fmt.Errorf("axis %d: %w", d, err)
		}
	}
	return cuts, nil
}

// sliceCut resolves the start and end of a slice of a dim.
func sliceCut(size int, start, end, step int64) (cut, error) {
	n := int64(size)
	if step == 0 {
		return cut{}, errors.New("a step of 0")
	}
	step = max(step, -math.MaxInt64)
	bound := func(v, low, high int64) int64 {
		if v < 0 {
			v += n
		}
		return min(max(v, low), high)
	}
	if step > 0 {
		start, end = bound(start, 0, n), bound(end, 0, n)
	} else { // a start before the first element is the first, other than in NumPy
		start, end = bound(start, 0, n-1), bound(end, -1, n-1)
	}
	if step < 0 {
		if start <= end {
			return cut{0, 1, 0}, nil
		}
		count := (start-end-1)/-step + 1
		return cut{int(start), int(max(step, -n)), int(count)}, nil // a step beyond the dim is never made
	}
	if start >= end {
		return cut{0, 1, 0}, nil
	}
	return cut{int(start), int(min(step, n)), int((end-start-1)/step + 1)}, nil
}
