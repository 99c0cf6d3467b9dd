package onnx

import (
	"github.com/convgl/convgl/tensor"
)

// hostCompare is a relation of two elements for each type.
type hostCompare struct {
	f32 func(a, b float32) bool
	i32 func(a, b int32) bool
	i64 func(a, b int64) bool
	u8  func(a, b uint8) bool
	b   func(a, b bool) bool
}

// compare computes a relation of the two inputs: bool.
func (c *hostCall) compare(o hostCompare) ([]*tensor.Tensor, error) {
	a, b, err := c.operands()
	if err != nil {
		return nil, err
	}
	if err := c.sameType(0, 1); err != nil {
		return nil, err
	}
	switch t := a.DType(); {
	case t == tensor.Float32:
		return single(map2(c, a, b, o.f32))
	case t == tensor.Int32:
		return single(map2(c, a, b, o.i32))
	case t == tensor.Int64:
		return single(map2(c, a, b, o.i64))
	case t == tensor.Uint8:
		return single(map2(c, a, b, o.u8))
	case t == tensor.Bool && o.b != nil:
		return single(map2(c, a, b, o.b))
	}
	return nil, c.typeError(0, "a type for which the op is defined")
}

func elemEqual[T tensor.Element](a, b T) bool       { return a == b }
func elemLess[T tensor.Number](a, b T) bool         { return a < b }
func elemLessEqual[T tensor.Number](a, b T) bool    { return a <= b }
func elemGreater[T tensor.Number](a, b T) bool      { return a > b }
func elemGreaterEqual[T tensor.Number](a, b T) bool { return a >= b }

// hostEqual is a = b, false with NaN.
func hostEqual(c *hostCall) ([]*tensor.Tensor, error) {
	return c.compare(hostCompare{elemEqual[float32], elemEqual[int32], elemEqual[int64], elemEqual[uint8], elemEqual[bool]})
}

// hostLess is a < b, false with NaN.
func hostLess(c *hostCall) ([]*tensor.Tensor, error) {
	return c.compare(hostCompare{elemLess[float32], elemLess[int32], elemLess[int64], elemLess[uint8], nil})
}

// hostLessOrEqual is a ≤ b, false with NaN.
func hostLessOrEqual(c *hostCall) ([]*tensor.Tensor, error) {
	return c.compare(hostCompare{elemLessEqual[float32], elemLessEqual[int32], elemLessEqual[int64], elemLessEqual[uint8], nil})
}

// hostGreater is a > b, false with NaN.
func hostGreater(c *hostCall) ([]*tensor.Tensor, error) {
	return c.compare(hostCompare{elemGreater[float32], elemGreater[int32], elemGreater[int64], elemGreater[uint8], nil})
}

// hostGreaterOrEqual is a ≥ b, false with NaN.
func hostGreaterOrEqual(c *hostCall) ([]*tensor.Tensor, error) {
	return c.compare(hostCompare{elemGreaterEqual[float32], elemGreaterEqual[int32], elemGreaterEqual[int64], elemGreaterEqual[uint8], nil})
}

// logical computes a function of two bools.
func (c *hostCall) logical(f func(a, b bool) bool) ([]*tensor.Tensor, error) {
	a, b, err := c.operands()
	if err != nil {
		return nil, err
	}
	for i := range c.in {
		if c.in[i].DType() != tensor.Bool {
			return nil, c.typeError(i, "bool")
		}
	}
	return single(map2(c, a, b, f))
}

// hostAnd is a ∧ b.
func hostAnd(c *hostCall) ([]*tensor.Tensor, error) {
	return c.logical(func(a, b bool) bool { return a && b })
}

// hostOr is a ∨ b.
func hostOr(c *hostCall) ([]*tensor.Tensor, error) {
	return c.logical(func(a, b bool) bool { return a || b })
}

// hostXor is a ≠ b.
func hostXor(c *hostCall) ([]*tensor.Tensor, error) {
	return c.logical(func(a, b bool) bool { return a != b })
}

// hostNot is ¬x.
func hostNot(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(1, 1); err != nil {
		return nil, err
	}
	if c.in[0].DType() != tensor.Bool {
		return nil, c.typeError(0, "bool")
	}
	return single(map1(c, c.in[0], func(v bool) bool { return !v }))
}

// hostWhere is cond ? x : y, broadcast; x and y have one type, which may be any.
func hostWhere(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(3, 3); err != nil {
		return nil, err
	}
	cond, err := tensor.Data[bool](c.in[0])
	if err != nil {
		return nil, c.typeError(0, "bool")
	}
	if err := c.sameType(1, 2); err != nil {
		return nil, err
	}
	shape, err := c.broadcastAll()
	if err != nil {
		return nil, err
	}
	y, err := c.output(c.in[1].DType(), shape)
	if err != nil {
		return nil, err
	}
	from := [2]copier{newCopier(y, c.in[2]), newCopier(y, c.in[1])}
	at := newCounter(shape, stretched(c.in[2].Shape(), shape), stretched(c.in[1].Shape(), shape), stretched(c.in[0].Shape(), shape))
	for i := range y.Size() {
		k := 0
		if cond[at.offset[2]] {
			k = 1
		}
		from[k].copy(i, at.offset[k], 1)
		at.next()
	}
	return single(y, nil)
}
