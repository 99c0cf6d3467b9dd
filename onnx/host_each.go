package onnx

import "github.com/convgl/convgl/tensor"

// counter goes through the elements of a shape in row-major order and keeps, for several
// arrays, the offset of the element that belongs to each.
type counter struct {
	shape   tensor.Shape
	index   []int
	strides [][]int // by array
	offset  []int   // by array
}

func newCounter(shape tensor.Shape, strides ...[]int) *counter {
	return &counter{shape, make([]int, len(shape)), strides, make([]int, len(strides))}
}

// next goes to the next element; after the last it is at the first again.
func (c *counter) next() {
	for d := len(c.shape) - 1; d >= 0; d-- {
		c.index[d]++
		for k, s := range c.strides {
			c.offset[k] += s[d]
		}
		if c.index[d] < c.shape[d] {
			return
		}
		for k, s := range c.strides {
			c.offset[k] -= s[d] * c.index[d]
		}
		c.index[d] = 0
	}
}

// stretched returns the strides of an array of shape s as it is broadcast to shape out:
// 0 where it has one element for all.
func stretched(s, out tensor.Shape) []int {
	st := make([]int, len(out))
	own := s.Strides()
	for d := range s {
		if s[d] != 1 {
			st[len(out)-len(s)+d] = own[d]
		}
	}
	return st
}

// broadcastAll returns the shape to which all the inputs are broadcast.
func (c *hostCall) broadcastAll() (tensor.Shape, error) {
	out := c.in[0].Shape()
	var err error
	for _, t := range c.in[1:] {
		if out, err = tensor.Broadcast(out, t.Shape()); err != nil {
			return nil, err
		}
	}
	return out, c.fits(out)
}

// map1 returns f of every element.
func map1[T, R tensor.Element](c *hostCall, x *tensor.Tensor, f func(T) R) (*tensor.Tensor, error) {
	src, err := tensor.Data[T](x)
	if err != nil {
		return nil, err
	}
	y, dst, err := outputOf[R](c, x.Shape())
	if err != nil {
		return nil, err
	}
	for i, v := range src {
		dst[i] = f(v)
	}
	return y, nil
}

// map2 returns f of the elements of a and b, which are broadcast.
func map2[A, B, R tensor.Element](c *hostCall, a, b *tensor.Tensor, f func(A, B) R) (*tensor.Tensor, error) {
	shape, err := tensor.Broadcast(a.Shape(), b.Shape())
	if err != nil {
		return nil, err
	}
	x, err := tensor.Data[A](a)
	if err != nil {
		return nil, err
	}
	y, err := tensor.Data[B](b)
	if err != nil {
		return nil, err
	}
	t, dst, err := outputOf[R](c, shape)
	if err != nil {
		return nil, err
	}
	at := newCounter(shape, stretched(a.Shape(), shape), stretched(b.Shape(), shape))
	for i := range dst {
		dst[i] = f(x[at.offset[0]], y[at.offset[1]])
		at.next()
	}
	return t, nil
}
