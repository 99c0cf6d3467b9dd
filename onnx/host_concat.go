package onnx

import (
	"errors"
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// hostConcat joins the inputs along axis.
func hostConcat(c *hostCall) ([]*tensor.Tensor, error) {
	if err := c.variadic(); err != nil {
		return nil, err
	}
	s := c.in[0].Shape()
	if c.version >= 4 && !c.has("axis") {
		return nil, errors.New("attribute axis is missing")
	}
	a, err := resolveAxis(c.int("axis", 1), len(s))
	if err != nil {
		return nil, err
	}
	shape := s.Clone()
	shape[a] = 0
	for i, x := range c.in {
		if err := c.sameType(0, i); err != nil {
			return nil, err
		}
		t := x.Shape()
		ok := len(t) == len(s)
		for d := 0; ok && d < len(s); d++ {
			ok = d == a || t[d] == s[d]
		}
		if !ok {
			return nil, fmt.Errorf("input %d: got shape %v, want that of input 0, %v, but for axis %d", i, t, s, a)
		}
		if shape[a] += t[a]; shape[a] > tensor.MaxElems {
			return nil, fmt.Errorf("axis %d becomes longer than %d", a, tensor.MaxElems)
		}
	}
	y, err := c.output(c.in[0].DType(), shape)
	if err != nil || y.Size() == 0 {
		return single(y, err)
	}
	outer, inner, at := product(s[:a]), product(s[a+1:]), 0
	for _, x := range c.in {
		n := x.Shape()[a] * inner
		cp := newCopier(y, x)
		for o := range outer {
			cp.copy(o*shape[a]*inner+at, o*n, n)
		}
		at += n
	}
	return single(y, nil)
}

// hostSplit cuts x along axis into as many parts as the node has outputs: of the sizes in the
// attribute split, since version 13 the second input, else of equal ones. Since version 18
// the last may be elemMin.
func hostSplit(c *hostCall) ([]*tensor.Tensor, error) {
	var sizes []int64
	var err error
	if c.version < 13 {
		err = c.args(1, 1)
		sizes = c.ints("split")
	} else if err = c.args(1, 2); err == nil {
		sizes, err = c.integers(1)
	}
	if err != nil {
		return nil, err
	}
	x := c.in[0]
	s := x.Shape()
	a, err := resolveAxis(c.int("axis", 0), len(s))
	if err != nil {
		return nil, err
	}
	parts, err := splitSizes(s[a], sizes, len(c.node.Outputs), c.version >= 18 && c.has("num_outputs"), c.int("num_outputs", 0))
	if err != nil {
		return nil, err
	}
	outer, inner, at := product(s[:a]), product(s[a+1:]), 0
	out := make([]*tensor.Tensor, len(parts))
	for i, n := range parts {
		shape := s.Clone()
		shape[a] = n
		if out[i], err = c.output(x.DType(), shape); err != nil {
			return nil, err
		}
		cp := newCopier(out[i], x)
		for o := 0; o < outer && n*inner > 0; o++ {
			cp.copy(o*n*inner, (o*s[a]+at)*inner, n*inner)
		}
		at += n
	}
	return out, nil
}

// splitSizes returns the sizes of the parts of a dim: those given, or as equal ones as there are
// outputs. counted tells that the attribute num_outputs is given, as count; then the last part may be elemMin.
func splitSizes(size int, given []int64, outputs int, counted bool, count int64) ([]int, error) {
	if counted && given != nil {
		return nil, errors.New("both sizes and num_outputs are given")
	}
	if counted && count != int64(outputs) {
		return nil, fmt.Errorf("attribute num_outputs: got %d, want the number of outputs, %d", count, outputs)
	}
	if outputs == 0 {
		return nil, errors.New("a node without outputs")
	}
	parts := make([]int, outputs)
	if given == nil {
		n := (size + outputs - 1) / outputs
		if !counted && size%outputs != 0 {
			return nil, fmt.Errorf("a dim of %d has no %d equal parts", size, outputs)
		}
		for i := range parts {
			parts[i] = min(n, size)
			size -= parts[i]
		}
		return parts, nil
	}
	if len(given) != outputs {
		return nil, fmt.Errorf("got %d sizes for %d outputs", len(given), outputs)
	}
	rest := int64(size)
	for i, n := range given {
		if n < 0 || n > rest {
			return nil, fmt.Errorf("sizes %v of a dim of %d", given, size)
		}
		parts[i] = int(n)
		rest -= n
	}
	if rest != 0 {
		return nil, fmt.Errorf("sizes %v of a dim of %d", given, size)
	}
	return parts, nil
}
