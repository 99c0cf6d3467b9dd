package onnx

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// hostResize resizes a content along one axis after the other: float32 in each mode,
// other types by the nearest element.
func hostResize(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(1, 4); err != nil {
		return nil, err
	}
	r := readResize(c.attrs, c.node.OpType, c.version)
	in := inputsOfResize(c.node.OpType, c.version)
	var err error
	if in.roi > 0 && r.coord == cropAndResize {
		if r.roi, err = c.float32s(in.roi); err != nil {
			return nil, err
		}
	}
	if in.scales > 0 {
		s, err := c.float32s(in.scales)
		if err != nil {
			return nil, err
		}
		if len(s) > 0 {
			r.scales = s
		}
	}
	var sizes []int
	if in.sizes > 0 {
		v, err := c.vector(in.sizes)
		if err != nil {
			return nil, err
		}
		s, err := sizesOf(v)
		if err != nil {
			return nil, err
		}
		if len(s) > 0 {
			sizes = s
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	x := c.in[0]
	axes, err := r.plan(x.Shape(), sizes)
	if err != nil {
		return nil, err
	}
	float := x.DType() == tensor.Float32
	if !float && (r.mode != "nearest" || r.coord == cropAndResize) {
		return nil, &unsupportedError{fmt.Sprintf("mode %s with %s of %v: only float32 is supported", r.mode, r.coord, x.DType())}
	}
	tables, err := r.tables(axes, c.budget)
	if err != nil {
		return nil, err
	}
	for _, k := range order(axes) {
		if tables[k] == nil {
			continue
		}
		if float {
			x, err = c.resampleAxis(x, k, axes[k].m, tables[k])
		} else {
			x, err = c.takeAxis(x, k, tables[k].index)
		}
		if err != nil {
			return nil, err
		}
	}
	e, err := r.beyond(axes, tables, c.budget)
	if err != nil || e == nil {
		return single(x, err)
	}
	size := e.Size() // e is of the last axes, or has dims of 1 there
	shape, es := x.Shape(), e.Shape()
	for i := range x.Float32s() {
		at, rest := 0, i
		for d, stride := len(es)-1, 1; d >= 0; d-- {
			n := shape[len(shape)-len(es)+d]
			if es[d] > 1 {
				at += rest % n * stride
				stride *= es[d]
			}
			rest /= n
		}
		x.Float32s()[i] += e.Float32s()[at%size]
	}
	return single(x, nil)
}

// float32s returns the elements of input i, and nil when it is left out.
func (c *hostCall) float32s(i int) ([]float32, error) {
	t := c.arg(i)
	if t == nil {
		return nil, nil
	}
	if t.DType() != tensor.Float32 {
		return nil, c.typeError(i, "float32")
	}
	return t.Float32s(), nil
}

// resampleAxis sums terms along an axis in float64.
func (c *hostCall) resampleAxis(x *tensor.Tensor, axis, m int, t *resizeTable) (*tensor.Tensor, error) {
	s := x.Shape()
	shape := s.Clone()
	shape[axis] = m
	y, data, err := outputOf[float32](c, shape)
	if err != nil {
		return nil, err
	}
	if err := c.take(len(data), max(t.terms, 1)); err != nil { // work
		return nil, err
	}
	inner := product(s[axis+1:])
	for i := range data {
		a, o, b := i/inner/m, i/inner%m, i%inner
		sum := 0.0
		for k := o * t.terms; k < (o+1)*t.terms; k++ {
			if w := t.weight[k]; w != 0 {
				sum += float64(w) * float64(x.Float32s()[(a*s[axis]+int(t.index[k]))*inner+b])
			}
		}
		data[i] = float32(sum)
	}
	return y, nil
}

// takeAxis takes elements along an axis.
func (c *hostCall) takeAxis(x *tensor.Tensor, axis int, index []int32) (*tensor.Tensor, error) {
	s := x.Shape()
	shape := s.Clone()
	shape[axis] = len(index)
	y, err := c.output(x.DType(), shape)
	if err != nil {
		return nil, err
	}
	if y.Size() == 0 {
		return y, nil
	}
	outer, inner := product(s[:axis]), product(s[axis+1:])
	cp := newCopier(y, x)
	for a := range outer {
		for o, k := range index {
			cp.copy((a*len(index)+o)*inner, (a*s[axis]+int(k))*inner, inner)
		}
	}
	return y, nil
}
