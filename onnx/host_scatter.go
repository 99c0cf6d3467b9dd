package onnx

import (
	"fmt"

	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// hostScatterElements is x, but y[i…, with the index along axis replaced by index[i…]] = updates[i…].
// By the attribute reduction, since version 16, the element is added instead, and so on. Of equal
// indices the last counts.
func hostScatterElements(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(3, 3); err != nil {
		return nil, err
	}
	if err := c.sameType(0, 2); err != nil {
		return nil, err
	}
	x, updates := c.in[0], c.in[2]
	index, err := c.integers(1)
	if err != nil {
		return nil, err
	}
	if !updates.Shape().Equal(c.in[1].Shape()) {
		return nil, fmt.Errorf("input 2: got shape %v, want %v as input 1 has", updates.Shape(), c.in[1].Shape())
	}
	at, a, err := elementsOf(c, x.Shape(), updates.Shape())
	if err != nil {
		return nil, err
	}
	step := x.Shape().Strides()[a]
	return c.scatter(len(index), 1, func(k int) (int, error) {
		i, err := resolveIndex(index[k], x.Shape()[a])
		to := at.offset[0] + i*step
		at.next()
		return to, err
	})
}

// hostScatterND is x with parts replaced by those of the updates: the last dim of the indices is
// an index of the first dims of x. By the attribute reduction, since version 16, the elements are
// added instead, and so on. Of equal indices the last counts.
func hostScatterND(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(3, 3); err != nil {
		return nil, err
	}
	if err := c.sameType(0, 2); err != nil {
		return nil, err
	}
	index := c.in[1].Shape()
	p, err := partsOf(c, c.in[0].Shape(), index, 0)
	if err != nil {
		return nil, err
	}
	want := append(index[:len(index)-1:len(index)-1], p.part...)
	if got := c.in[2].Shape(); !got.Equal(want) {
		return nil, fmt.Errorf("input 2: got shape %v, want %v", got, want)
	}
	return c.scatter(p.count, product(p.part), p.offset)
}

// scatter puts count parts of size elements of the updates into a copy of x.
func (c *hostCall) scatter(count, size int, offset func(k int) (int, error)) ([]*tensor.Tensor, error) {
	how := "none"
	if c.version >= 16 {
		how = c.str("reduction", "none")
	}
	if err := c.budget.takeTensor(c.in[0].DType(), c.in[0].Shape()); err != nil {
		return nil, err
	}
	y := c.in[0].Clone()
	if how == "none" {
		cp := newCopier(y, c.in[2])
		for k := range count {
			to, err := offset(k)
			if err != nil {
				return nil, err
			}
			cp.copy(to, k*size, size)
		}
		return single(y, nil)
	}
	joins := map[string]hostBinary{"add": addition, "mul": multiplication, "max": maximum, "min": minimum}
	o, ok := joins[how]
	if !ok {
		return nil, fmt.Errorf("attribute reduction: got %s, want none, add, mul, max or min", pb.Quote(how))
	}
	switch y.DType() {
	case tensor.Float32:
		return single(y, joinParts(y, c.in[2], count, size, offset, o.f32))
	case tensor.Int32:
		return single(y, joinParts(y, c.in[2], count, size, offset, o.i32))
	case tensor.Int64:
		return single(y, joinParts(y, c.in[2], count, size, offset, o.i64))
	case tensor.Uint8:
		return single(y, joinParts(y, c.in[2], count, size, offset, o.u8))
	}
	return nil, c.typeError(0, "a number, for a reduction")
}

func joinParts[T tensor.Number](y, updates *tensor.Tensor, count, size int, offset func(k int) (int, error), join func(a, b T) T) error {
	dst, err := tensor.Data[T](y)
	if err != nil {
		return err
	}
	src, err := tensor.Data[T](updates)
	if err != nil {
		return err
	}
	for k := range count {
		to, err := offset(k)
		if err != nil {
			return err
		}
		for i := range size {
			dst[to+i] = join(dst[to+i], src[k*size+i])
		}
	}
	return nil
}
