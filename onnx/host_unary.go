package onnx

import (
	"fmt"
	"math"

	"github.com/convgl/convgl/tensor"
)

// hostUnary is a function of an element for each type that has it.
type hostUnary struct {
	f32  func(float32) float32
	i32  func(int32) int32
	i64  func(int64) int64
	u8   func(uint8) uint8
	want string // the types, for the error
}

// unary computes the one input.
func (c *hostCall) unary(o hostUnary) ([]*tensor.Tensor, error) {
	if err := c.args(1, 1); err != nil {
		return nil, err
	}
	x := c.in[0]
	switch t := x.DType(); {
	case t == tensor.Float32 && o.f32 != nil:
		return single(map1(c, x, o.f32))
	case t == tensor.Int32 && o.i32 != nil:
		return single(map1(c, x, o.i32))
	case t == tensor.Int64 && o.i64 != nil:
		return single(map1(c, x, o.i64))
	case t == tensor.Uint8 && o.u8 != nil:
		return single(map1(c, x, o.u8))
	}
	want := o.want
	if want == "" {
		want = "float32"
	}
	return nil, c.typeError(0, want)
}

func elemNeg[T tensor.Number](v T) T { return -v }

func elemAbs[T tensor.Number](v T) T {
	if v < 0 {
		return -v
	}
	return v
}

func elemSign[T tensor.Number](v T) T {
	switch {
	case v > 0:
		return 1
	case v < 0:
		var zero T
		return zero - 1
	}
	return v // 0, and NaN
}

// floatUnary makes a function of float64 one of float32.
func floatUnary(f func(float64) float64) hostUnary {
	return hostUnary{f32: func(v float32) float32 { return float32(f(float64(v))) }}
}

// hostNeg is −x.
func hostNeg(c *hostCall) ([]*tensor.Tensor, error) {
	return c.unary(hostUnary{f32: elemNeg[float32], i32: elemNeg[int32], i64: elemNeg[int64], want: "float32, int32 or int64"})
}

// hostAbs is |x|; that of the least integer is itself.
func hostAbs(c *hostCall) ([]*tensor.Tensor, error) {
	o := floatUnary(math.Abs)
	o.i32, o.i64, o.u8, o.want = elemAbs[int32], elemAbs[int64], elemAbs[uint8], "a number"
	return c.unary(o)
}

// hostSign is 1, 0 or −1; of NaN NaN.
func hostSign(c *hostCall) ([]*tensor.Tensor, error) {
	return c.unary(hostUnary{f32: elemSign[float32], i32: elemSign[int32], i64: elemSign[int64], u8: elemSign[uint8], want: "a number"})
}

// hostSqrt is √x.
func hostSqrt(c *hostCall) ([]*tensor.Tensor, error) { return c.unary(floatUnary(math.Sqrt)) }

// hostExp is eˣ.
func hostExp(c *hostCall) ([]*tensor.Tensor, error) { return c.unary(floatUnary(math.Exp)) }

// hostLog is ln x.
func hostLog(c *hostCall) ([]*tensor.Tensor, error) { return c.unary(floatUnary(math.Log)) }

// hostReciprocal is 1/x.
func hostReciprocal(c *hostCall) ([]*tensor.Tensor, error) {
	return c.unary(floatUnary(func(v float64) float64 { return 1 / v }))
}

// hostFloor is ⌊x⌋.
func hostFloor(c *hostCall) ([]*tensor.Tensor, error) { return c.unary(floatUnary(math.Floor)) }

// hostCeil is ⌈x⌉.
func hostCeil(c *hostCall) ([]*tensor.Tensor, error) { return c.unary(floatUnary(math.Ceil)) }

// hostRound is the nearest integer, of two the even one.
func hostRound(c *hostCall) ([]*tensor.Tensor, error) { return c.unary(floatUnary(math.RoundToEven)) }

// hostIdentity is x, of any type.
func hostIdentity(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(1, 1); err != nil {
		return nil, err
	}
	return single(c.in[0], nil)
}

// hostClip is min(max(x, low), high). The limits are attributes before version 11 and
// scalar inputs from there on; each may be left out.
func hostClip(c *hostCall) ([]*tensor.Tensor, error) {
	if c.version < 11 {
		if err := c.args(1, 1); err != nil {
			return nil, err
		}
		low, high := c.float("min", -math.MaxFloat32), c.float("max", math.MaxFloat32)
		return c.unary(hostUnary{f32: func(v float32) float32 { return min(max(v, low), high) }})
	}
	if err := c.args(1, 3); err != nil {
		return nil, err
	}
	if err := c.sameType(0, 1, 2); err != nil {
		return nil, err
	}
	y := c.in[0]
	if y.DType() == tensor.Bool {
		return nil, c.typeError(0, "a number")
	}
	for i, o := range []hostBinary{maximum, minimum} {
		t := c.arg(i + 1)
		if t == nil {
			continue
		}
		if t.Size() != 1 {
			return nil, fmt.Errorf("input %d: got shape %v, want a scalar", i+1, t.Shape())
		}
		s, err := t.Reshape()
		if err != nil {
			return nil, err
		}
		if y, err = o.run(c, y, s); err != nil {
			return nil, err
		}
	}
	return single(y, nil)
}
