package onnx

import (
	"fmt"

	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// hostPad extends x at the beginning and end of each dim, or crops it where a pad is negative:
// with a constant, or, by mode, with the elements mirrored at the edge, the edge itself, or those of
// the other end. The pads are an attribute before version 11; since 18 they may be for some axes only.
func hostPad(c *hostCall) ([]*tensor.Tensor, error) {
	mode := c.str("mode", "constant")
	var pads []int64
	value, err := c.padValue()
	if err != nil {
		return nil, err
	}
	switch {
	case c.version < 2:
		pads = c.ints("paddings")
	case c.version < 11:
		pads = c.ints("pads")
	default:
		if t := c.in[1]; len(t.Shape()) != 1 || t.Size() > 2*tensor.MaxRank {
			return nil, fmt.Errorf("input 1: got shape %v, want one dim of at most %d", t.Shape(), 2*tensor.MaxRank)
		}
		if pads, err = c.integers(1); err != nil {
			return nil, err
		}
	}
	x := c.in[0]
	s := x.Shape()
	rank := len(s)
	if c.version >= 18 && c.arg(3) != nil {
		list, err := c.vector(3)
		if err != nil {
			return nil, err
		}
		if pads, err = spreadPads(pads, list, rank); err != nil {
			return nil, err
		}
	}
	if len(pads) != 2*rank {
		return nil, fmt.Errorf("got %d pads, want %d, two for each of the %d dims", len(pads), 2*rank, rank)
	}
	shape := make(tensor.Shape, rank)
	from := make([][]int, rank) // by dim and place, the position in x, or −1
	for d, n := range s {
		b, e := pads[d], pads[rank+d]
		if b < -tensor.MaxElems || b > tensor.MaxElems || e < -tensor.MaxElems || e > tensor.MaxElems {
			return nil, fmt.Errorf("dim %d: pads of %d and %d", d, b, e)
		}
		size := int64(n) + b + e
		if size < 0 || size > tensor.MaxElems {
			return nil, fmt.Errorf("dim %d of %d elements: pads of %d and %d", d, n, b, e)
		}
		shape[d] = int(size)
	}
	if err := c.fits(shape); err != nil {
		return nil, err
	}
	if shape.Size() > 0 {
		for d, n := range s {
			if err := c.take(shape[d], 8); err != nil {
				return nil, err
			}
			if from[d], err = padded(mode, n, int(pads[d]), int(pads[rank+d])); err != nil {
				return nil, fmt.Errorf("dim %d: %w", d, err)
			}
		}
	}
	y, err := c.output(x.DType(), shape)
	if err != nil {
		return nil, err
	}
	cp, fill := newCopier(y, x), newCopier(y, value)
	at, strides := newCounter(shape), s.Strides()
	for i := range y.Size() {
		offset := 0
		for d, k := range at.index {
			p := from[d][k]
			if p < 0 {
				offset = -1
				break
			}
			offset += p * strides[d]
		}
		if offset < 0 {
			fill.copy(i, 0, 1)
		} else {
			cp.copy(i, offset, 1)
		}
		at.next()
	}
	return single(y, nil)
}

// padValue checks the inputs and returns the constant, a scalar of the type of x.
func (c *hostCall) padValue() (*tensor.Tensor, error) {
	if c.version < 11 {
		if err := c.args(1, 1); err != nil {
			return nil, err
		}
		if c.in[0].DType() != tensor.Float32 {
			return nil, c.typeError(0, "float32")
		}
		return tensor.From([]float32{c.float("value", 0)})
	}
	most := 3
	if c.version >= 18 {
		most = 4
	}
	if err := c.args(2, most); err != nil {
		return nil, err
	}
	t := c.arg(2)
	if t == nil {
		return tensor.New(c.in[0].DType())
	}
	if err := c.sameType(0, 2); err != nil {
		return nil, err
	}
	if t.Size() != 1 {
		return nil, fmt.Errorf("input 2: got shape %v, want one element", t.Shape())
	}
	return t, nil
}

// spreadPads makes of the pads of some axes those of all.
func spreadPads(pads, list []int64, rank int) ([]int64, error) {
	if len(pads) != 2*len(list) {
		return nil, fmt.Errorf("got %d pads for %d axes", len(pads), len(list))
	}
	if _, err := resolveAxes(list, rank); err != nil {
		return nil, err
	}
	all := make([]int64, 2*rank)
	for i, a := range list {
		if a < 0 {
			a += int64(rank)
		}
		all[a], all[rank+int(a)] = pads[i], pads[len(list)+i]
	}
	return all, nil
}

// padded returns for each place of a dim of n elements, padded or cropped at both ends, the position of
// its element, or −1 for the constant. What is cropped has no part in what the rest is padded with.
func padded(mode string, n, begin, end int) ([]int, error) {
	low, high := max(-begin, 0), n-max(-end, 0) // what is left
	if low > high {
		return nil, fmt.Errorf("got pads of %d and %d, want at most the %d elements cropped", begin, end, n)
	}
	left := high - low
	if mode != "constant" && left == 0 && max(begin, end) > 0 {
		return nil, fmt.Errorf("nothing to pad with in mode %s", pb.Quote(mode))
	}
	at := make([]int, n+begin+end)
	for i := range at {
		k := i - max(begin, 0) // within what is left
		switch {
		case k >= 0 && k < left:
		case mode == "constant":
			at[i] = -1
			continue
		case mode == "edge":
			k = min(max(k, 0), left-1)
		case mode == "wrap":
			k = (k%left + left) % left
		case mode == "reflect":
			period := max(2*(left-1), 1)
			if k = (k%period + period) % period; k >= left {
				k = period - k
			}
		default:
			return nil, fmt.Errorf("attribute mode: got %s, want constant, reflect, edge or wrap", pb.Quote(mode))
		}
		at[i] = low + k
	}
	return at, nil
}
