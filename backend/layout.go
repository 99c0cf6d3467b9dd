package backend

import (
	"fmt"
	"strings"

	"github.com/convgl/convgl/tensor"
)

// Order is the order of a tensor's dims in memory.
type Order uint8

const (
	// OrderAny leaves the choice to the kernel. It stands in a Desc only.
	OrderAny Order = iota
	// OrderPlain is row-major in logical order: N, C, spatial.
	OrderPlain
	// OrderChannelsLast is N, spatial, C: dim 1 moves to the end. Tensors of rank 1
	// and below lie as in OrderPlain, and so do those of rank 2 but for Pad.
	OrderChannelsLast
)

// Layout says where the elements of a tensor lie in memory. Layouts are
// comparable.
type Layout struct {
	Order Order
	// Pad is what the channel count is rounded up to in OrderChannelsLast (4 on
	// OpenGL, whose texels have four lanes); 0 and 1 mean no rounding. The lanes
	// beyond the last channel hold zeros: a kernel that writes a padded layout
	// writes them, one that reads it may rely on them.
	Pad int
}

// The layouts in use.
var (
	Any           = Layout{}
	Plain         = Layout{Order: OrderPlain}
	ChannelsLast  = Layout{Order: OrderChannelsLast}
	ChannelsLast4 = Layout{Order: OrderChannelsLast, Pad: 4}
)

// String returns a short name such as "plain" or "channels-last/4".
func (l Layout) String() string {
	switch l.Order {
	case OrderAny:
		return "any"
	case OrderPlain:
		return "plain"
	case OrderChannelsLast:
		if l.Pad > 1 {
			return fmt.Sprintf("channels-last/%d", l.Pad)
		}
		return "channels-last"
	}
	return fmt.Sprintf("Layout(%d,%d)", l.Order, l.Pad)
}

// PhysicalShape returns the dims of a tensor of logical shape s as they lie in
// memory, padded channels included.
func (l Layout) PhysicalShape(s tensor.Shape) tensor.Shape {
	p := s.Clone()
	if l.Order != OrderChannelsLast || len(s) < 2 {
		return p
	}
	copy(p[1:], s[2:])
	p[len(p)-1] = l.stored(s[1])
	return p
}

// stored returns the channel count c rounded up to a multiple of Pad.
func (l Layout) stored(c int) int {
	if l.Pad > 1 {
		return (c + l.Pad - 1) / l.Pad * l.Pad
	}
	return c
}

// Strides returns, for each logical dim of a tensor of shape s, the distance in
// elements between neighbours along it.
func (l Layout) Strides(s tensor.Shape) []int {
	ps := l.PhysicalShape(s).Strides()
	if l.Order != OrderChannelsLast || len(s) < 2 {
		return ps
	}
	st := make([]int, len(s))
	st[0] = ps[0]
	st[1] = 1
	copy(st[2:], ps[1:len(ps)-1])
	return st
}

// TensorDesc describes one input or output of a kernel: everything but its
// values.
type TensorDesc struct {
	DType  tensor.DType
	Shape  tensor.Shape
	Layout Layout
	// Const promises that the value never changes after the first run, so that
	// the kernel may ask for it in a packed Format.
	Const bool
	// Dims are how errors write the dims where Shape has sizes that only stand for
	// ones that are not known yet, as "N" or "H/2"; nil: as they are. Nothing else
	// depends on them.
	Dims []string
}

// dims writes the shape for an error.
func (d TensorDesc) dims() string {
	if len(d.Dims) != len(d.Shape) {
		return d.Shape.String()
	}
	return "[" + strings.Join(d.Dims, ",") + "]"
}

// dim writes dim i for an error.
func (d TensorDesc) dim(i int) string {
	if len(d.Dims) != len(d.Shape) {
		return fmt.Sprint(d.Shape[i])
	}
	return d.Dims[i]
}

// Of returns the description of a host tensor, in the plain layout.
func Of(t *tensor.Tensor) TensorDesc {
	return TensorDesc{DType: t.DType(), Shape: t.Shape(), Layout: Plain}
}

// F32 describes a float32 tensor whose layout the kernel may choose.
func F32(shape ...int) TensorDesc {
	return TensorDesc{DType: tensor.Float32, Shape: shape}
}

// Elems returns the number of elements in memory, padding included. It fails on
// an overflow.
func (d TensorDesc) Elems() (int64, error) {
	n, err := d.Shape.Elems()
	if err != nil || n == 0 || d.Layout.Order != OrderChannelsLast || len(d.Shape) < 2 {
		return int64(n), err
	}
	// Kernels check sizes in each run, which must not allocate: no PhysicalShape.
	rows, stored := n/d.Shape[1], d.Layout.stored(d.Shape[1])
	if stored > tensor.MaxElems/rows {
		return 0, fmt.Errorf("backend: shape %v %v: more than %d elements", d.Shape, d.Layout, tensor.MaxElems)
	}
	return int64(rows) * int64(stored), nil
}

// Check fails with *ShapeError when d describes no tensor: its type, shape or
// layout is not valid, or its size overflows. Op and arg name it in the error.
func (d TensorDesc) Check(op, arg string) error {
	fail := func(got, want, hint string) error {
		return &ShapeError{Op: op, Arg: arg, Got: got, Want: want, Hint: hint}
	}
	if d.DType.Size() == 0 {
		return fail(d.DType.String(), "an element type", "")
	}
	if l := d.Layout; l.Pad < 0 || l.Pad > maxAttr || l.Order > OrderChannelsLast {
		return fail(fmt.Sprintf("order %d, pad %d", l.Order, l.Pad), "a valid layout", "")
	}
	if _, err := d.Elems(); err != nil {
		return fail(d.dims(), "a valid shape", err.Error())
	}
	return nil
}

// Bytes returns the memory that the tensor needs, padding included, and 0 for a
// shape that is not valid (which [Desc.Resolve] refuses).
func (d TensorDesc) Bytes() int64 {
	n, err := d.Elems()
	if err != nil {
		return 0
	}
	return n * int64(d.DType.Size())
}

// String returns "float32[1,3,8,8] channels-last".
func (d TensorDesc) String() string {
	s := d.DType.String() + d.dims()
	if d.Layout != Any {
		s += " " + d.Layout.String()
	}
	if d.Const {
		s += " const"
	}
	return s
}
