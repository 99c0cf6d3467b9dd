package onnx

import (
	"errors"
	"fmt"
	"math"

	"github.com/convgl/convgl/tensor"
)

// hostBinary is a function of two elements for each type that has it.
type hostBinary struct {
	f32 func(a, b float32) float32
	f64 func(a, b float64) float64
	i32 func(a, b int32) int32
	i64 func(a, b int64) int64
	u8  func(a, b uint8) uint8
}

func elemAdd[T tensor.Number](a, b T) T { return a + b }
func elemSub[T tensor.Number](a, b T) T { return a - b }
func elemMul[T tensor.Number](a, b T) T { return a * b }
func elemDiv[T tensor.Number](a, b T) T { return a / b } // of integers: toward zero
func elemMax[T tensor.Number](a, b T) T { return max(a, b) }
func elemMin[T tensor.Number](a, b T) T { return min(a, b) }

var (
	addition       = hostBinary{elemAdd[float32], elemAdd[float64], elemAdd[int32], elemAdd[int64], elemAdd[uint8]}
	subtraction    = hostBinary{elemSub[float32], elemSub[float64], elemSub[int32], elemSub[int64], elemSub[uint8]}
	multiplication = hostBinary{elemMul[float32], elemMul[float64], elemMul[int32], elemMul[int64], elemMul[uint8]}
	division       = hostBinary{elemDiv[float32], elemDiv[float64], elemDiv[int32], elemDiv[int64], elemDiv[uint8]}
	maximum        = hostBinary{elemMax[float32], elemMax[float64], elemMax[int32], elemMax[int64], elemMax[uint8]}
	minimum        = hostBinary{elemMin[float32], elemMin[float64], elemMin[int32], elemMin[int64], elemMin[uint8]}
)

// run computes a op b, which have one type.
func (o hostBinary) run(c *hostCall, a, b *tensor.Tensor) (*tensor.Tensor, error) {
	switch t := a.DType(); {
	case t == tensor.Float32 && o.f32 != nil:
		return map2(c, a, b, o.f32)
	case t == tensor.Float64 && o.f64 != nil:
		return map2(c, a, b, o.f64)
	case t == tensor.Int32 && o.i32 != nil:
		return map2(c, a, b, o.i32)
	case t == tensor.Int64 && o.i64 != nil:
		return map2(c, a, b, o.i64)
	case t == tensor.Uint8 && o.u8 != nil:
		return map2(c, a, b, o.u8)
	}
	return nil, c.typeError(0, "a type of numbers for which the op is defined")
}

// operands returns the two inputs. Before version 7 of the arithmetic and the logical ops,
// shapes are equal unless the attribute broadcast is set; then b is laid upon the dims of a from
// axis on, or the last dims.
func (c *hostCall) operands() (a, b *tensor.Tensor, err error) {
	if err := c.args(2, 2); err != nil {
		return nil, nil, err
	}
	a, b = c.in[0], c.in[1]
	if c.version >= 7 {
		return a, b, nil
	}
	r, n := len(a.Shape()), len(b.Shape())
	if c.int("broadcast", 0) == 0 {
		if !a.Shape().Equal(b.Shape()) {
			return nil, nil, fmt.Errorf("got shapes %v and %v, want equal ones without the attribute broadcast", a.Shape(), b.Shape())
		}
		return a, b, nil
	}
	if !c.has("axis") {
		return a, b, nil
	}
	at, err := resolveAxis(c.int("axis", 0), r)
	if err != nil {
		return nil, nil, err
	}
	if at+n > r {
		return nil, nil, fmt.Errorf("axis %d: an input of shape %v does not fit within %v from there", at, b.Shape(), a.Shape())
	}
	shape := b.Shape().Clone()
	for len(shape) < r-at {
		shape = append(shape, 1)
	}
	b, err = b.Reshape(shape...)
	return a, b, err
}

// arithmetic computes two inputs of one type.
func (c *hostCall) arithmetic(o hostBinary) ([]*tensor.Tensor, error) {
	a, b, err := c.operands()
	if err != nil {
		return nil, err
	}
	if err := c.sameType(0, 1); err != nil {
		return nil, err
	}
	return single(o.run(c, a, b))
}

// hostAdd is a + b.
func hostAdd(c *hostCall) ([]*tensor.Tensor, error) { return c.arithmetic(addition) }

// hostSub is a − b.
func hostSub(c *hostCall) ([]*tensor.Tensor, error) { return c.arithmetic(subtraction) }

// hostMul is a · b.
func hostMul(c *hostCall) ([]*tensor.Tensor, error) { return c.arithmetic(multiplication) }

// hostDiv is a / b, of integers rounded toward zero. An integer divided by zero is an error;
// the least integer divided by −1 is itself.
func hostDiv(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.noZero(); err != nil {
		return nil, err
	}
	return c.arithmetic(division)
}

// noZero fails when the second input holds an integer 0.
func (c *hostCall) noZero() error {
	if err := c.args(2, 2); err != nil {
		return err
	}
	zero := false
	switch b := c.in[1]; b.DType() {
	case tensor.Int32:
		zero = hasZero[int32](b)
	case tensor.Int64:
		zero = hasZero[int64](b)
	case tensor.Uint8:
		zero = hasZero[uint8](b)
	}
	if zero {
		return errors.New("division of an integer by zero")
	}
	return nil
}

func hasZero[T tensor.Number](t *tensor.Tensor) bool {
	d, _ := tensor.Data[T](t)
	for _, v := range d {
		if v == 0 {
			return true
		}
	}
	return false
}

// hostMod is the remainder of a / b. With fmod = 0 it has the sign of b, as Python's; with
// fmod = 1 that of a, as C's, and floats must have that.
func hostMod(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.noZero(); err != nil {
		return nil, err
	}
	if c.int("fmod", 0) != 0 {
		return c.arithmetic(hostBinary{
			f32: func(a, b float32) float32 { return float32(math.Mod(float64(a), float64(b))) },
			f64: math.Mod, i32: elemRem[int32], i64: elemRem[int64], u8: elemRem[uint8],
		})
	}
	if t := c.in[0].DType(); t == tensor.Float32 || t == tensor.Float64 {
		return nil, errors.New("attribute fmod: got 0 for floating point, want 1")
	}
	return c.arithmetic(hostBinary{i32: elemMod[int32], i64: elemMod[int64], u8: elemMod[uint8]})
}

func elemRem[T int32 | int64 | uint8](a, b T) T { return a % b }

func elemMod[T int32 | int64 | uint8](a, b T) T {
	m := a % b
	if m != 0 && (m < 0) != (b < 0) {
		m += b
	}
	return m
}

// hostPow is a to the power of b; the result has the type of a. Powers of integers wrap around;
// one with a negative exponent is rounded toward zero, and of 0 an error. An integer to the
// power of a float is computed in float64 and rounded toward zero.
func hostPow(c *hostCall) ([]*tensor.Tensor, error) {
	a, b, err := c.operands()
	if err != nil {
		return nil, err
	}
	integer := func(t *tensor.Tensor) bool { return t.DType() == tensor.Int32 || t.DType() == tensor.Int64 }
	if t := a.DType(); t != tensor.Float32 && t != tensor.Float64 && !integer(a) {
		return nil, c.typeError(0, "float32, int32 or int64")
	}
	if t := b.DType(); t == tensor.Bool {
		return nil, c.typeError(1, "a number")
	}
	if !integer(a) || !(integer(b) || b.DType() == tensor.Uint8) {
		x, err := c.cast(a, tensor.Float64)
		if err != nil {
			return nil, err
		}
		e, err := c.cast(b, tensor.Float64)
		if err != nil {
			return nil, err
		}
		y, err := map2(c, x, e, math.Pow)
		if err != nil {
			return nil, err
		}
		return single(c.cast(y, a.DType()))
	}
	e, err := c.cast(b, tensor.Int64)
	if err != nil {
		return nil, err
	}
	x, err := c.cast(a, tensor.Int64)
	if err != nil {
		return nil, err
	}
	zero := false
	y, err := map2(c, x, e, func(v, e int64) int64 {
		zero = zero || v == 0 && e < 0
		return intPower(v, e)
	})
	if err != nil {
		return nil, err
	}
	if zero {
		return nil, errors.New("an integer 0 to a negative power")
	}
	return single(c.cast(y, a.DType()))
}

// intPower returns v to the power of e modulo 2⁶⁴; for e < 0 the quotient 1/vᵉ.
func intPower(v, e int64) int64 {
	if e < 0 {
		switch {
		case v == 1, v == -1 && e%2 == 0:
			return 1
		case v == -1:
			return -1
		}
		return 0
	}
	p := int64(1)
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			p *= v
		}
		v *= v
	}
	return p
}

// accumulate computes in[0] op in[1] op … of one type, broadcast.
func (c *hostCall) accumulate(o hostBinary) (*tensor.Tensor, error) {
	if err := c.variadic(); err != nil {
		return nil, err
	}
	for i := range c.in {
		if err := c.sameType(0, i); err != nil {
			return nil, err
		}
	}
	if _, err := c.broadcastAll(); err != nil {
		return nil, err
	}
	y := c.in[0]
	if y.DType() == tensor.Bool {
		return nil, c.typeError(0, "a number")
	}
	var err error
	for _, x := range c.in[1:] {
		if y, err = o.run(c, y, x); err != nil {
			return nil, err
		}
	}
	return y, nil
}

// hostMax is the greatest of the inputs; NaN where one is.
func hostMax(c *hostCall) ([]*tensor.Tensor, error) { return single(c.accumulate(maximum)) }

// hostMin is the least of the inputs; NaN where one is.
func hostMin(c *hostCall) ([]*tensor.Tensor, error) { return single(c.accumulate(minimum)) }

// hostSum is the sum of the inputs.
func hostSum(c *hostCall) ([]*tensor.Tensor, error) { return single(c.accumulate(addition)) }

// hostMean is the mean of the inputs.
func hostMean(c *hostCall) ([]*tensor.Tensor, error) {
	y, err := c.accumulate(addition)
	if err != nil {
		return nil, err
	}
	if y.DType() != tensor.Float32 {
		return nil, c.typeError(0, "float32")
	}
	n := float32(len(c.in))
	return single(map1(c, y, func(v float32) float32 { return v / n }))
}
