package onnx

import (
	"errors"
	"fmt"
	"slices"

	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// hostCall is a node to be computed on the host.
type hostCall struct {
	node    *pb.Node
	version int              // of the op: the last at or before the model's opset that changed it
	in      []*tensor.Tensor // nil for an input that is left out
	*budget                  // of the graph, or of the run
	*attrs
}

// hostFunc computes a node exactly. It takes tensors as they come from a file that
// may be hostile: what an output needs is checked before memory is taken for it, and
// every fault is an error. Inputs are not changed, and an output may share their memory.
//
// Integers wrap around, as in ONNX Runtime. float16, bfloat16 and float64 come as
// float32; functions of float32 are computed in float64 and rounded once.
type hostFunc func(c *hostCall) ([]*tensor.Tensor, error)

// single is the result of a function with one output.
func single(t *tensor.Tensor, err error) ([]*tensor.Tensor, error) {
	if err != nil {
		return nil, err
	}
	return []*tensor.Tensor{t}, nil
}

// args checks the number of inputs, the first least of which must be there.
func (c *hostCall) args(least, most int) error {
	if n := len(c.in); n < least || n > most {
		if least == most {
			return fmt.Errorf("got %d inputs, want %d", n, least)
		}
		return fmt.Errorf("got %d inputs, want %d to %d", n, least, most)
	}
	for i, t := range c.in[:least] {
		if t == nil {
			return fmt.Errorf("input %d is left out", i)
		}
	}
	return nil
}

// variadic checks that there are inputs, and all of them.
func (c *hostCall) variadic() error {
	if len(c.in) == 0 {
		return errors.New("got no inputs, want one or more")
	}
	return c.args(len(c.in), len(c.in))
}

// arg returns input i, and nil when it is left out.
func (c *hostCall) arg(i int) *tensor.Tensor {
	if i < len(c.in) {
		return c.in[i]
	}
	return nil
}

// typeError says that input i has a type that the op does not take.
func (c *hostCall) typeError(i int, want string) error {
	return fmt.Errorf("input %d: got elements of type %v, want %s", i, c.in[i].DType(), want)
}

// sameType checks that all the inputs have one type, except those left out.
func (c *hostCall) sameType(in ...int) error {
	for _, i := range in {
		if t := c.arg(i); t != nil && t.DType() != c.in[in[0]].DType() {
			return c.typeError(i, fmt.Sprintf("%v as input %d has", c.in[in[0]].DType(), in[0]))
		}
	}
	return nil
}

// fits checks the size of an output, before each of its steps takes its own.
func (c *hostCall) fits(shape tensor.Shape) error {
	n, err := shape.Elems()
	if err == nil && int64(n) > c.left {
		err = fmt.Errorf("an output of shape %v has %d elements, more than the limit of %d bytes for what the host computes", shape, n, c.all)
	}
	return err
}

// output returns a tensor of zeros.
func (c *hostCall) output(dtype tensor.DType, shape tensor.Shape) (*tensor.Tensor, error) {
	if err := c.budget.takeTensor(dtype, shape); err != nil {
		return nil, err
	}
	return tensor.New(dtype, shape...)
}

// outputOf is output, with the elements.
func outputOf[T tensor.Element](c *hostCall, shape tensor.Shape) (*tensor.Tensor, []T, error) {
	t, err := c.output(tensor.DTypeOf[T](), shape)
	if err != nil {
		return nil, nil, err
	}
	d, err := tensor.Data[T](t)
	return t, d, err
}

// integers returns input i, whose elements must be int32 or int64, and nil when it is left out.
func (c *hostCall) integers(i int) ([]int64, error) {
	t := c.arg(i)
	if t == nil {
		return nil, nil
	}
	switch t.DType() {
	case tensor.Int64:
		return tensor.Data[int64](t)
	case tensor.Int32:
		d, err := tensor.Data[int32](t)
		v := make([]int64, len(d))
		for k, e := range d {
			v[k] = int64(e)
		}
		return v, err
	}
	return nil, c.typeError(i, "int64 or int32")
}

// vector is integers of a tensor of rank 1 with at most [tensor.MaxRank] elements: axes, sizes,
// starts and the like. A scalar counts as a vector of one, which exporters write.
func (c *hostCall) vector(i int) ([]int64, error) {
	if t := c.arg(i); t != nil && (len(t.Shape()) > 1 || t.Size() > tensor.MaxRank) {
		return nil, fmt.Errorf("input %d: got shape %v, want one dim of at most %d", i, t.Shape(), tensor.MaxRank)
	}
	return c.integers(i)
}

// integer is integers of a tensor of one element.
func (c *hostCall) integer(i int) (int64, error) {
	v, err := c.integers(i)
	if err == nil && len(v) != 1 {
		err = fmt.Errorf("input %d: got %d elements, want one", i, len(v))
	}
	if err != nil {
		return 0, err
	}
	return v[0], nil
}

// resolveAxis resolves an axis that may count from the end.
func resolveAxis(a int64, rank int) (int, error) {
	if r := int64(rank); a >= -r && a < r {
		return int((a + r) % r), nil
	}
	return 0, fmt.Errorf("axis %d: want %d to %d", a, -rank, rank-1)
}

// resolveAxes resolves a set of axes and sorts it.
func resolveAxes(list []int64, rank int) ([]int, error) {
	set := make([]int, 0, len(list))
	for _, a := range list {
		i, err := resolveAxis(a, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(set, i) {
			return nil, fmt.Errorf("axis %d is given twice", a)
		}
		set = append(set, i)
	}
	slices.Sort(set)
	return set, nil
}

// sizesOf converts sizes that come as numbers of a tensor.
func sizesOf(v []int64) (tensor.Shape, error) {
	s := make(tensor.Shape, len(v))
	for i, d := range v {
		if d < 0 || d > tensor.MaxElems {
			return nil, fmt.Errorf("dim %d of a shape: got %d, want 0 to %d", i, d, tensor.MaxElems)
		}
		s[i] = int(d)
	}
	return s, nil
}

// product returns the product of sizes of a tensor that exists.
func product(s []int) int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// copier copies elements of any type.
type copier struct {
	dst, src []byte
	size     int // of an element
}

func newCopier(dst, src *tensor.Tensor) copier {
	return copier{dst.Bytes(), src.Bytes(), dst.DType().Size()}
}

// copy copies n elements from src[from] to dst[to].
func (c copier) copy(to, from, n int) {
	copy(c.dst[to*c.size:(to+n)*c.size], c.src[from*c.size:(from+n)*c.size])
}

// whole is integer, of any type of numbers.
func (c *hostCall) whole(i int) (int64, error) {
	t := c.in[i]
	if t.Size() != 1 {
		return 0, fmt.Errorf("input %d: got shape %v, want one element", i, t.Shape())
	}
	v, err := c.cast(t, tensor.Int64)
	if err != nil {
		return 0, err
	}
	d, err := tensor.Data[int64](v)
	if err != nil {
		return 0, err
	}
	return d[0], nil
}
