package onnx

import (
	"errors"
	"fmt"
	"math"

	"github.com/convgl/convgl/tensor"
)

// hostCast converts to the type that the attribute to names. Integers wrap around; floats are
// rounded toward zero, and what an int32 or int64 does not hold, NaN too, becomes the least
// one, as on x86. To bool, everything but 0 is true. float16, bfloat16 and float64 stay float32.
func hostCast(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(1, 1); err != nil {
		return nil, err
	}
	to := ElemType(c.int("to", 0))
	c.int("saturate", 1) // of types of 8 bits
	t := to.DType()
	if t == tensor.Invalid {
		return nil, fmt.Errorf("attribute to: a cast to %v: %w", to, errors.ErrUnsupported)
	}
	return single(c.cast(c.in[0], t))
}

// hostCastLike is hostCast to the type of the second input.
func hostCastLike(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(2, 2); err != nil {
		return nil, err
	}
	c.int("saturate", 1)
	return single(c.cast(c.in[0], c.in[1].DType()))
}

// cast converts the elements of x as [hostCast] does.
func (c *hostCall) cast(x *tensor.Tensor, to tensor.DType) (*tensor.Tensor, error) {
	if x.DType() == to {
		return x, nil
	}
	switch to {
	case tensor.Float32:
		return castTo(c, x, castNumber[int64, float32], castNumber[float64, float32])
	case tensor.Float64:
		return castTo(c, x, castNumber[int64, float64], castNumber[float64, float64])
	case tensor.Int32:
		return castTo(c, x, castNumber[int64, int32], castInt32)
	case tensor.Int64:
		return castTo(c, x, castNumber[int64, int64], castInt64)
	case tensor.Uint8:
		return castTo(c, x, castNumber[int64, uint8], func(v float64) uint8 { return uint8(castInt64(v)) })
	case tensor.Bool:
		return castTo(c, x, func(v int64) bool { return v != 0 }, func(v float64) bool { return v != 0 })
	}
	return nil, fmt.Errorf("a cast to %v: %w", to, errors.ErrUnsupported)
}

func castNumber[S, D tensor.Number](v S) D { return D(v) }

func castInt64(v float64) int64 {
	if v >= math.MinInt64 && v < -math.MinInt64 {
		return int64(v)
	}
	return math.MinInt64
}

func castInt32(v float64) int32 {
	if v > math.MinInt32-1 && v < math.MaxInt32+1 {
		return int32(v)
	}
	return math.MinInt32
}

// castTo converts through int64 or float64, which hold every element of the types.
func castTo[D tensor.Element](c *hostCall, x *tensor.Tensor, fromInt func(int64) D, fromFloat func(float64) D) (*tensor.Tensor, error) {
	switch x.DType() {
	case tensor.Float32:
		return map1(c, x, func(v float32) D { return fromFloat(float64(v)) })
	case tensor.Float64:
		return map1(c, x, fromFloat)
	case tensor.Int32:
		return map1(c, x, func(v int32) D { return fromInt(int64(v)) })
	case tensor.Int64:
		return map1(c, x, fromInt)
	case tensor.Uint8:
		return map1(c, x, func(v uint8) D { return fromInt(int64(v)) })
	case tensor.Bool:
		one, zero := fromInt(1), fromInt(0)
		return map1(c, x, func(v bool) D {
			if v {
				return one
			}
			return zero
		})
	}
	return nil, fmt.Errorf("a cast from %v: %w", x.DType(), errors.ErrUnsupported)
}
