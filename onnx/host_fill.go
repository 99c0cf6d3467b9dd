package onnx

import (
	"errors"
	"fmt"
	"math"

	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// hostConstantOfShape is a tensor of the shape that the input gives, with the one element of the
// attribute value everywhere; without it a float32 0.
func hostConstantOfShape(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(1, 1); err != nil {
		return nil, err
	}
	v, err := c.vector(0)
	if err != nil {
		return nil, err
	}
	shape, err := sizesOf(v)
	if err != nil {
		return nil, err
	}
	value := tensor.Must(tensor.New(tensor.Float32))
	if t := c.tensor("value"); t != nil {
		if value, err = scalarOf(t); err != nil {
			return nil, fmt.Errorf("attribute value: %w", err)
		}
	}
	return single(c.gatherStrided(value, shape, make([]int, len(shape)), 0))
}

// scalarOf reads a tensor of one element, which stands in the file itself.
func scalarOf(t *pb.Tensor) (*tensor.Tensor, error) {
	x, _, err := t.Value(pb.ValueOptions{})
	if err != nil {
		return nil, err
	}
	if x.Size() != 1 {
		return nil, fmt.Errorf("got shape %v, want one element", x.Shape())
	}
	return x.Reshape()
}

// hostRange is start, start + delta, … before limit (for a negative delta: above it).
func hostRange(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(3, 3); err != nil {
		return nil, err
	}
	if c.version >= 27 {
		c.int("stash_type", 1) // of sums for float16
	}
	if err := c.sameType(0, 1, 2); err != nil {
		return nil, err
	}
	for i, t := range c.in {
		if t.Size() != 1 {
			return nil, fmt.Errorf("input %d: got shape %v, want a scalar", i, t.Shape())
		}
	}
	switch c.in[0].DType() {
	case tensor.Float32:
		return single(c.rangeOfFloats())
	case tensor.Int32:
		return single(rangeOf[int32](c))
	case tensor.Int64:
		return single(rangeOf[int64](c))
	}
	return nil, c.typeError(0, "float32, int32 or int64")
}

// rangeOf counts integers without overflow.
func rangeOf[T int32 | int64](c *hostCall) (*tensor.Tensor, error) {
	var v [3]int64
	for i := range v {
		var err error
		if v[i], err = c.integer(i); err != nil {
			return nil, err
		}
	}
	start, limit, delta := v[0], v[1], v[2]
	var n uint64
	switch {
	case delta == 0:
		return nil, errors.New("a delta of 0")
	case delta > 0 && limit > start:
		n = (uint64(limit)-uint64(start)-1)/uint64(delta) + 1
	case delta < 0 && limit < start:
		n = (uint64(start)-uint64(limit)-1)/-uint64(delta) + 1
	}
	if n > uint64(c.left) {
		return nil, fmt.Errorf("%d elements, more than the limit of %d bytes for what the host computes", n, c.all)
	}
	y, dst, err := outputOf[T](c, tensor.Shape{int(n)})
	if err != nil {
		return nil, err
	}
	for i := range dst {
		dst[i] = T(start + int64(i)*delta)
	}
	return y, nil
}

func (c *hostCall) rangeOfFloats() (*tensor.Tensor, error) {
	start, limit, delta := float64(c.in[0].Float32s()[0]), float64(c.in[1].Float32s()[0]), float64(c.in[2].Float32s()[0])
	n := math.Max(math.Ceil((limit-start)/delta), 0)
	if delta == 0 || math.IsNaN(n) {
		return nil, fmt.Errorf("start %v, limit %v, delta %v", start, limit, delta)
	}
	if n > float64(c.left) {
		return nil, fmt.Errorf("%v elements, more than the limit of %d bytes for what the host computes", n, c.all)
	}
	y, dst, err := outputOf[float32](c, tensor.Shape{int(n)})
	if err != nil {
		return nil, err
	}
	for i := range dst {
		dst[i] = float32(start + float64(i)*delta)
	}
	return y, nil
}
