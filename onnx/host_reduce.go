package onnx

import (
	"errors"
	"math"
	"slices"
	"unsafe"

	"github.com/convgl/convgl/tensor"
)

// reduction is which axes of a tensor are reduced, and what that makes of its shape.
type reduction struct {
	shape  tensor.Shape // of the result
	target []int        // by dim of the tensor, the stride within the result; 0 for reduced ones
	count  int          // elements of the tensor an element of the result
}

// reduction returns what is reduced: the attribute axes before the version since, the second
// input from there on. Without axes all are, unless noop_with_empty_axes is set.
func (c *hostCall) reduction(since int) (*reduction, error) {
	list, err := c.axesArg(since, 1)
	if err != nil {
		return nil, err
	}
	s := c.in[0].Shape()
	set, err := resolveAxes(list, len(s))
	if err != nil {
		return nil, err
	}
	noop := c.version >= since && c.int("noop_with_empty_axes", 0) != 0
	all := len(list) == 0 && !noop
	reduced := func(d int) bool { return all || slices.Contains(set, d) }
	return newReduction(s, reduced, c.int("keepdims", 1) != 0), nil
}

func newReduction(s tensor.Shape, reduced func(d int) bool, keep bool) *reduction {
	r := &reduction{target: make([]int, len(s)), count: 1}
	kept := s.Clone()
	for d, n := range s {
		if reduced(d) {
			kept[d] = 1
			r.count *= n
		}
		if keep || !reduced(d) {
			r.shape = append(r.shape, kept[d])
		}
	}
	for d, st := range kept.Strides() {
		if !reduced(d) {
			r.target[d] = st
		}
	}
	return r
}

// hostReduction is a reduction for each type that has it.
type hostReduction struct {
	f32, i32, i64, u8, b func(*hostCall, *reduction) (*tensor.Tensor, error)
	since                int // the version from which on axes are an input
}

// fold returns the reduction that joins the elements one by one with what the ones before gave,
// beginning with start, and turns that, with the number of elements, into the result.
func fold[T tensor.Element, A any](start A, join func(acc A, v T) A, last func(acc A, n int) T) func(*hostCall, *reduction) (*tensor.Tensor, error) {
	return func(c *hostCall, r *reduction) (*tensor.Tensor, error) {
		x, err := tensor.Data[T](c.in[0])
		if err != nil {
			return nil, err
		}
		y, dst, err := outputOf[T](c, r.shape)
		if err != nil {
			return nil, err
		}
		if err := c.take(len(dst), int(unsafe.Sizeof(start))); err != nil {
			return nil, err
		}
		acc := slices.Repeat([]A{start}, len(dst))
		at := newCounter(c.in[0].Shape(), r.target)
		for _, v := range x {
			o := at.offset[0]
			acc[o] = join(acc[o], v)
			at.next()
		}
		for i, a := range acc {
			dst[i] = last(a, r.count)
		}
		return y, nil
	}
}

// reduce computes a reduction for the type of the input.
func (c *hostCall) reduce(o hostReduction) ([]*tensor.Tensor, error) {
	r, err := c.reduction(o.since)
	if err != nil {
		return nil, err
	}
	switch t := c.in[0].DType(); {
	case t == tensor.Float32 && o.f32 != nil:
		return single(o.f32(c, r))
	case t == tensor.Int32 && o.i32 != nil:
		return single(o.i32(c, r))
	case t == tensor.Int64 && o.i64 != nil:
		return single(o.i64(c, r))
	case t == tensor.Uint8 && o.u8 != nil:
		return single(o.u8(c, r))
	case t == tensor.Bool && o.b != nil:
		return single(o.b(c, r))
	}
	return nil, c.typeError(0, "a type for which the op is defined")
}

func foldAdd[A, T tensor.Number](acc A, v T) A    { return acc + A(v) }
func foldMul[A, T tensor.Number](acc A, v T) A    { return acc * A(v) }
func foldAbs[A, T tensor.Number](acc A, v T) A    { return acc + elemAbs(A(v)) }
func foldSquare[A, T tensor.Number](acc A, v T) A { return acc + A(v)*A(v) }
func foldMax[A, T tensor.Number](acc A, v T) A    { return max(acc, A(v)) }
func foldMin[A, T tensor.Number](acc A, v T) A    { return min(acc, A(v)) }

func folded[A, T tensor.Number](acc A, _ int) T { return T(acc) }

func foldedRoot[T tensor.Number](acc float64, _ int) T { return T(math.Sqrt(acc)) }

// foldedMean is the quotient; of no elements it is NaN.
func foldedMean(acc float64, n int) float32 { return float32(acc / float64(n)) }

// foldedQuotient is the quotient of n > 0 elements, rounded toward zero.
func foldedQuotient[T int32 | int64](acc T, n int) T { return T(int64(acc) / int64(n)) }

// hostReduceSum is Σ x, 0 of no elements.
func hostReduceSum(c *hostCall) ([]*tensor.Tensor, error) {
	return c.reduce(hostReduction{since: 13,
		f32: fold(0, foldAdd[float64, float32], folded[float64, float32]),
		i32: fold(0, foldAdd[int32, int32], folded[int32, int32]),
		i64: fold(0, foldAdd[int64, int64], folded[int64, int64]),
	})
}

// hostReduceMean is the mean, of integers rounded toward zero.
func hostReduceMean(c *hostCall) ([]*tensor.Tensor, error) {
	if t := c.arg(0); t != nil && t.Size() == 0 && t.DType() != tensor.Float32 {
		return nil, errors.New("the mean of no integers")
	}
	return c.reduce(hostReduction{since: 18,
		f32: fold(0, foldAdd[float64, float32], foldedMean),
		i32: fold(0, foldAdd[int32, int32], foldedQuotient[int32]),
		i64: fold(0, foldAdd[int64, int64], foldedQuotient[int64]),
	})
}

// hostReduceProd is Π x, 1 of no elements.
func hostReduceProd(c *hostCall) ([]*tensor.Tensor, error) {
	return c.reduce(hostReduction{since: 18,
		f32: fold(1, foldMul[float64, float32], folded[float64, float32]),
		i32: fold(1, foldMul[int32, int32], folded[int32, int32]),
		i64: fold(1, foldMul[int64, int64], folded[int64, int64]),
	})
}

// hostReduceMax is the greatest element; NaN if one is. Of no elements it is the least number of
// the type, −∞ of float32.
func hostReduceMax(c *hostCall) ([]*tensor.Tensor, error) {
	return c.reduce(hostReduction{since: 18,
		f32: fold(math.Inf(-1), foldMax[float64, float32], folded[float64, float32]),
		i32: fold(math.MinInt32, foldMax[int32, int32], folded[int32, int32]),
		i64: fold(math.MinInt64, foldMax[int64, int64], folded[int64, int64]),
		u8:  fold(0, foldMax[uint8, uint8], folded[uint8, uint8]),
		b:   fold(false, func(acc, v bool) bool { return acc || v }, func(acc bool, _ int) bool { return acc }),
	})
}

// hostReduceMin is the least element; NaN if one is. Of no elements it is the greatest number of
// the type, +∞ of float32.
func hostReduceMin(c *hostCall) ([]*tensor.Tensor, error) {
	return c.reduce(hostReduction{since: 18,
		f32: fold(math.Inf(1), foldMin[float64, float32], folded[float64, float32]),
		i32: fold(math.MaxInt32, foldMin[int32, int32], folded[int32, int32]),
		i64: fold(math.MaxInt64, foldMin[int64, int64], folded[int64, int64]),
		u8:  fold(math.MaxUint8, foldMin[uint8, uint8], folded[uint8, uint8]),
		b:   fold(true, func(acc, v bool) bool { return acc && v }, func(acc bool, _ int) bool { return acc }),
	})
}

// hostReduceL1 is Σ |x|.
func hostReduceL1(c *hostCall) ([]*tensor.Tensor, error) {
	return c.reduce(hostReduction{since: 18,
		f32: fold(0, foldAbs[float64, float32], folded[float64, float32]),
		i32: fold(0, foldAbs[int32, int32], folded[int32, int32]),
		i64: fold(0, foldAbs[int64, int64], folded[int64, int64]),
	})
}

// hostReduceL2 is √(Σ x²), of integers computed in float64 and rounded toward zero.
func hostReduceL2(c *hostCall) ([]*tensor.Tensor, error) {
	return c.reduce(hostReduction{since: 18,
		f32: fold(0, foldSquare[float64, float32], foldedRoot[float32]),
		i32: fold(0, foldSquare[float64, int32], foldedRoot[int32]),
		i64: fold(0, foldSquare[float64, int64], foldedRoot[int64]),
	})
}

// hostReduceSumSquare is Σ x².
func hostReduceSumSquare(c *hostCall) ([]*tensor.Tensor, error) {
	return c.reduce(hostReduction{since: 18,
		f32: fold(0, foldSquare[float64, float32], folded[float64, float32]),
		i32: fold(0, foldSquare[int32, int32], folded[int32, int32]),
		i64: fold(0, foldSquare[int64, int64], folded[int64, int64]),
	})
}

// hostReduceLogSum is ln Σ x.
func hostReduceLogSum(c *hostCall) ([]*tensor.Tensor, error) {
	return c.reduce(hostReduction{since: 18,
		f32: fold(0, foldAdd[float64, float32], func(acc float64, _ int) float32 { return float32(math.Log(acc)) }),
	})
}

// hostReduceLogSumExp is ln Σ eˣ, which does not overflow on the way.
func hostReduceLogSumExp(c *hostCall) ([]*tensor.Tensor, error) {
	type sum struct{ top, rest float64 } // ln Σ eˣ = top + ln rest
	join := func(acc sum, v32 float32) sum {
		v := float64(v32)
		switch {
		case math.IsNaN(v) || math.IsNaN(acc.top):
			return sum{math.NaN(), 1}
		case v == acc.top: // infinities too, which have no difference
			return sum{v, acc.rest + 1}
		case v > acc.top:
			return sum{v, acc.rest*math.Exp(acc.top-v) + 1}
		}
		return sum{acc.top, acc.rest + math.Exp(v-acc.top)}
	}
	return c.reduce(hostReduction{since: 18,
		f32: fold(sum{math.Inf(-1), 0}, join, func(acc sum, _ int) float32 {
			if math.IsInf(acc.top, 0) {
				return float32(acc.top)
			}
			return float32(acc.top + math.Log(acc.rest))
		}),
	})
}

// hostArgMax is the int64 index of the greatest element along axis: the first of equal ones, or the
// last with select_last_index. NaN counts as greatest, and then the first.
func hostArgMax(c *hostCall) ([]*tensor.Tensor, error) { return c.extremum(false) }

// hostArgMin is the int64 index of the least element along axis: the first of equal ones, or the
// last with select_last_index. NaN counts as least, and then the first.
func hostArgMin(c *hostCall) ([]*tensor.Tensor, error) { return c.extremum(true) }

func (c *hostCall) extremum(least bool) ([]*tensor.Tensor, error) {
	if err := c.args(1, 1); err != nil {
		return nil, err
	}
	s := c.in[0].Shape()
	a, err := resolveAxis(c.int("axis", 0), len(s))
	if err != nil {
		return nil, err
	}
	r := newReduction(s, func(d int) bool { return d == a }, c.int("keepdims", 1) != 0)
	last := c.version >= 12 && c.int("select_last_index", 0) != 0
	switch c.in[0].DType() {
	case tensor.Float32:
		return single(argOf[float32](c, r, a, least, last))
	case tensor.Int32:
		return single(argOf[int32](c, r, a, least, last))
	case tensor.Int64:
		return single(argOf[int64](c, r, a, least, last))
	case tensor.Uint8:
		return single(argOf[uint8](c, r, a, least, last))
	}
	return nil, c.typeError(0, "a number")
}

func argOf[T tensor.Number](c *hostCall, r *reduction, axis int, least, last bool) (*tensor.Tensor, error) {
	x, err := tensor.Data[T](c.in[0])
	if err != nil {
		return nil, err
	}
	y, dst, err := outputOf[int64](c, r.shape)
	if err != nil {
		return nil, err
	}
	if r.count == 0 && len(dst) > 0 {
		return nil, errors.New("the index of an element of none")
	}
	if err := c.take(len(dst), 8); err != nil {
		return nil, err
	}
	best := make([]T, len(dst))
	at := newCounter(c.in[0].Shape(), r.target)
	for _, v := range x {
		o, k := at.offset[0], at.index[axis]
		b := best[o]
		beats := v > b || v != v && b == b
		if least {
			beats = v < b || v != v && b == b
		}
		if k == 0 || beats || last && v == b {
			best[o], dst[o] = v, int64(k)
		}
		at.next()
	}
	return y, nil
}
