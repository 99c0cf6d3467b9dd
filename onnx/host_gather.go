package onnx

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// resolveIndex resolves an index that may count from the end of a dim.
func resolveIndex(i int64, size int) (int, error) {
	if n := int64(size); i >= -n && i < n {
		if i < 0 {
			i += n
		}
		return int(i), nil
	}
	return 0, fmt.Errorf("index %d is outside a dim of %d", i, size)
}

// hostGather replaces the dim axis of x by the shape of the indices: y[…, k…, …] = x[…, index[k…], …].
func hostGather(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(2, 2); err != nil {
		return nil, err
	}
	x := c.in[0]
	s := x.Shape()
	index, err := c.integers(1)
	if err != nil {
		return nil, err
	}
	a, err := resolveAxis(c.int("axis", 0), len(s))
	if err != nil {
		return nil, err
	}
	shape := append(append(s[:a:a], c.in[1].Shape()...), s[a+1:]...)
	y, err := c.output(x.DType(), shape)
	if err != nil {
		return nil, err
	}
	outer, inner := product(s[:a]), product(s[a+1:])
	if y.Size() == 0 {
		outer = 0 // it may have any number of empty rows
	}
	cp := newCopier(y, x)
	for k, v := range index {
		i, err := resolveIndex(v, s[a])
		if err != nil {
			return nil, err
		}
		for o := range outer {
			cp.copy((o*len(index)+k)*inner, (o*s[a]+i)*inner, inner)
		}
	}
	return single(y, nil)
}

// hostGatherElements is y[i…] = x[i…, with the index along axis replaced by index[i…]].
func hostGatherElements(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(2, 2); err != nil {
		return nil, err
	}
	x, shape := c.in[0], c.in[1].Shape()
	index, err := c.integers(1)
	if err != nil {
		return nil, err
	}
	at, a, err := elementsOf(c, x.Shape(), shape)
	if err != nil {
		return nil, err
	}
	y, err := c.output(x.DType(), shape)
	if err != nil {
		return nil, err
	}
	cp, step := newCopier(y, x), x.Shape().Strides()[a]
	for k, v := range index {
		i, err := resolveIndex(v, x.Shape()[a])
		if err != nil {
			return nil, err
		}
		cp.copy(k, at.offset[0]+i*step, 1)
		at.next()
	}
	return single(y, nil)
}

// elementsOf goes through the indices of GatherElements and ScatterElements: the offset is that in x
// without the part of axis.
func elementsOf(c *hostCall, x, index tensor.Shape) (*counter, int, error) {
	a, err := resolveAxis(c.int("axis", 0), len(x))
	if err != nil {
		return nil, 0, err
	}
	ok := len(index) == len(x)
	for d := 0; ok && d < len(x); d++ {
		ok = d == a || index[d] <= x[d]
	}
	if !ok {
		return nil, 0, fmt.Errorf("input 1: got shape %v, want one within %v but for axis %d", index, x, a)
	}
	st := x.Strides()
	st[a] = 0
	return newCounter(index, st), a, nil
}

// hostGatherND takes parts of x: the last dim of the indices [b…, k…, m] is an index of the
// first m dims of x after the batch_dims that both share.
func hostGatherND(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.args(2, 2); err != nil {
		return nil, err
	}
	x, index := c.in[0], c.in[1].Shape()
	batch := 0
	if c.version >= 12 {
		b := c.int("batch_dims", 0)
		if b < 0 || b >= int64(min(len(x.Shape()), len(index))) {
			return nil, fmt.Errorf("attribute batch_dims: got %d, want less than the ranks of %v and %v", b, x.Shape(), index)
		}
		batch = int(b)
	}
	p, err := partsOf(c, x.Shape(), index, batch)
	if err != nil {
		return nil, err
	}
	shape := append(index[:len(index)-1:len(index)-1], p.part...)
	y, err := c.output(x.DType(), shape)
	if err != nil {
		return nil, err
	}
	cp, n := newCopier(y, x), product(p.part)
	for k := range p.count {
		from, err := p.offset(k)
		if err != nil {
			return nil, err
		}
		cp.copy(k*n, from, n)
	}
	return single(y, nil)
}

// parts are what the indices of GatherND and ScatterND point at in x.
type parts struct {
	part     tensor.Shape // the shape of one
	count    int
	index    []int64
	m        int          // of indices a part
	dims     tensor.Shape // that they index
	strides  []int
	perBatch int // parts
	batchLen int // elements of x
}

func partsOf(c *hostCall, x, index tensor.Shape, batch int) (*parts, error) {
	if len(index) == 0 || len(x) == 0 {
		return nil, fmt.Errorf("got shapes %v and %v, want a rank of 1 or more", x, index)
	}
	v, err := c.integers(1)
	if err != nil {
		return nil, err
	}
	m := index[len(index)-1]
	if m < 0 || m > len(x)-batch || len(index) <= batch || !x[:batch].Equal(index[:batch]) {
		return nil, fmt.Errorf("input 1: got shape %v, want the first %d dims of %v and a last one of at most %d", index, batch, x, len(x)-batch)
	}
	count := product(index[:len(index)-1])
	if len(v) == 0 && x.Size() == 0 {
		count = 0 // any number of empty parts
	}
	return &parts{
		part: x[batch+m:], count: count, index: v, m: m, dims: x[batch : batch+m],
		strides: x.Strides()[batch:], perBatch: product(index[batch : len(index)-1]), batchLen: product(x[batch:]),
	}, nil
}

// offset returns where part k begins in x.
func (p *parts) offset(k int) (int, error) {
	from := k / p.perBatch * p.batchLen
	for d, v := range p.index[k*p.m : (k+1)*p.m] {
		i, err := resolveIndex(v, p.dims[d])
		if err != nil {
			return 0, err
		}
		from += i * p.strides[d]
	}
	return from, nil
}
