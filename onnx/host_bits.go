package onnx

import (
	"fmt"

	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

func bitAnd[T int32 | int64 | uint8](a, b T) T { return a & b }
func bitOr[T int32 | int64 | uint8](a, b T) T  { return a | b }
func bitXor[T int32 | int64 | uint8](a, b T) T { return a ^ b }
func bitNot[T int32 | int64 | uint8](a T) T    { return ^a }

// hostBitwiseAnd is a & b, bit by bit.
func hostBitwiseAnd(c *hostCall) ([]*tensor.Tensor, error) {
	return c.arithmetic(hostBinary{i32: bitAnd[int32], i64: bitAnd[int64], u8: bitAnd[uint8]})
}

// hostBitwiseOr is a | b, bit by bit.
func hostBitwiseOr(c *hostCall) ([]*tensor.Tensor, error) {
	return c.arithmetic(hostBinary{i32: bitOr[int32], i64: bitOr[int64], u8: bitOr[uint8]})
}

// hostBitwiseXor is a ^ b, bit by bit.
func hostBitwiseXor(c *hostCall) ([]*tensor.Tensor, error) {
	return c.arithmetic(hostBinary{i32: bitXor[int32], i64: bitXor[int64], u8: bitXor[uint8]})
}

// hostBitwiseNot is ^x, bit by bit.
func hostBitwiseNot(c *hostCall) ([]*tensor.Tensor, error) {
	return c.unary(hostUnary{i32: bitNot[int32], i64: bitNot[int64], u8: bitNot[uint8], want: "an integer"})
}

// hostBitShift is a shifted by b bits to the left or right, of uint8; by 8 bits or more it is 0.
func hostBitShift(c *hostCall) ([]*tensor.Tensor, error) {
	switch d := c.str("direction", ""); d {
	case "LEFT":
		return c.shift(func(a, b uint8) uint8 { return a << b })
	case "RIGHT":
		return c.shift(func(a, b uint8) uint8 { return a >> b })
	default:
		return nil, fmt.Errorf("attribute direction: got %s, want LEFT or RIGHT", pb.Quote(d))
	}
}

// shift is arithmetic of a version in which shapes broadcast.
func (c *hostCall) shift(f func(a, b uint8) uint8) ([]*tensor.Tensor, error) {
	return c.arithmetic(hostBinary{u8: f})
}
