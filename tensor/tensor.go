package tensor

import (
	"bytes"
	"fmt"
	"unsafe"
)

// Tensor is a dense row-major array in host memory. The zero value is not
// usable; make one with [New], [From] or a reader. A Tensor holds a slice:
// copies of the struct share it.
type Tensor struct {
	shape Shape
	dtype DType
	data  any // []T of the DType
}

// New returns a tensor of zeros. It fails on an invalid type or shape. It does
// not ask whether the machine has the memory: as with make, a shape beyond it ends
// the process. Readers of files take memory only for what has arrived.
func New(dtype DType, shape ...int) (*Tensor, error) {
	n, err := Shape(shape).Elems()
	if err != nil {
		return nil, err
	}
	t := &Tensor{shape: Shape(shape).Clone(), dtype: dtype}
	switch dtype {
	case Float32:
		t.data = make([]float32, n)
	case Float64:
		t.data = make([]float64, n)
	case Int32:
		t.data = make([]int32, n)
	case Int64:
		t.data = make([]int64, n)
	case Uint8:
		t.data = make([]uint8, n)
	case Bool:
		t.data = make([]bool, n)
	default:
		return nil, fmt.Errorf("tensor: cannot make a tensor of type %v", dtype)
	}
	return t, nil
}

// From returns a tensor that uses data, which is not copied. It fails when the
// shape is invalid or its element count is not len(data).
func From[T Element](data []T, shape ...int) (*Tensor, error) {
	n, err := Shape(shape).Elems()
	if err != nil {
		return nil, err
	}
	if n != len(data) {
		return nil, fmt.Errorf("tensor: shape %v needs %d elements, got %d", Shape(shape), n, len(data))
	}
	return &Tensor{shape: Shape(shape).Clone(), dtype: DTypeOf[T](), data: data}, nil
}

// Must returns t and panics on err. It is for shapes written in the program
// text, as in Must(From(weights, 16, 3, 3, 3)).
func Must(t *Tensor, err error) *Tensor {
	if err != nil {
		panic(err)
	}
	return t
}

// Shape returns the tensor's shape. The caller must not change it.
func (t *Tensor) Shape() Shape { return t.shape }

// DType returns the type of the elements.
func (t *Tensor) DType() DType { return t.dtype }

// Size returns the number of elements.
func (t *Tensor) Size() int { return t.shape.Size() }

// Data returns the elements in row-major order. It fails when the tensor is not
// of type T. The slice is the tensor's own memory.
func Data[T Element](t *Tensor) ([]T, error) {
	d, ok := t.data.([]T)
	if !ok {
		return nil, fmt.Errorf("tensor: elements are %v, want %v", t.dtype, DTypeOf[T]())
	}
	return d, nil
}

// Float32s returns the elements of a float32 tensor, and nil for one of another
// type: for code that has checked the type already; others use [Data].
func (t *Tensor) Float32s() []float32 {
	d, _ := t.data.([]float32)
	return d
}

// Bytes returns the tensor's memory as bytes in the machine's byte order. It
// shares the memory. Who writes to that of a Bool tensor writes 0 and 1 only:
// Go's bool has no other values.
func (t *Tensor) Bytes() []byte {
	n := t.Size() * t.dtype.Size()
	if n == 0 {
		return nil
	}
	var p unsafe.Pointer
	switch d := t.data.(type) {
	case []float32:
		p = unsafe.Pointer(unsafe.SliceData(d))
	case []float64:
		p = unsafe.Pointer(unsafe.SliceData(d))
	case []int32:
		p = unsafe.Pointer(unsafe.SliceData(d))
	case []int64:
		p = unsafe.Pointer(unsafe.SliceData(d))
	case []uint8:
		p = unsafe.Pointer(unsafe.SliceData(d))
	case []bool:
		p = unsafe.Pointer(unsafe.SliceData(d))
	}
	return unsafe.Slice((*byte)(p), n)
}

// Reshape returns a tensor of another shape over the same memory. It fails when
// the element counts differ.
func (t *Tensor) Reshape(shape ...int) (*Tensor, error) {
	n, err := Shape(shape).Elems()
	if err != nil {
		return nil, err
	}
	if n != t.Size() {
		return nil, fmt.Errorf("tensor: cannot reshape %v (%d elements) to %v (%d elements)", t.shape, t.Size(), Shape(shape), n)
	}
	return &Tensor{shape: Shape(shape).Clone(), dtype: t.dtype, data: t.data}, nil
}

// Equal reports whether t and u have the same type, shape and bits: NaN equals the same
// NaN, and 0 is not −0.
func (t *Tensor) Equal(u *Tensor) bool {
	return t == u || t != nil && u != nil && t.dtype == u.dtype && t.shape.Equal(u.shape) && bytes.Equal(t.Bytes(), u.Bytes())
}

// Clone returns a tensor with memory of its own.
func (t *Tensor) Clone() *Tensor {
	c := Must(New(t.dtype, t.shape...)) // t is valid, so its copy is
	copy(c.Bytes(), t.Bytes())
	return c
}

// AsFloat32 returns t itself when it is float32, and otherwise a float32 copy,
// rounded to nearest where a value has no float32; true is 1.
func (t *Tensor) AsFloat32() *Tensor {
	if t.dtype == Float32 {
		return t
	}
	c := Must(New(Float32, t.shape...))
	dst := c.Float32s()
	switch d := t.data.(type) {
	case []float64:
		convert(dst, d)
	case []int32:
		convert(dst, d)
	case []int64:
		convert(dst, d)
	case []uint8:
		convert(dst, d)
	case []bool:
		for i, v := range d {
			if v {
				dst[i] = 1
			}
		}
	}
	return c
}

func convert[T Number](dst []float32, src []T) {
	for i, v := range src {
		dst[i] = float32(v)
	}
}
