package onnx

import (
	"fmt"

	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// value is a value of the file while a stage is built. Its content is known (data), or
// the device has it (dev), or both; or it is late: known in a later stage.
type value struct {
	name string
	elem ElemType

	// data is the content. The two differ only in graphs with symbolic dims, for what
	// depends on one: each is what the probe sizes of the symbols give.
	data [2]*tensor.Tensor
	// rough tells that the data of open dims are what they are by a rounding.
	rough bool
	// varies tells that the content depends on that of an input of the stage, so that
	// each run has another; from lists what it was computed from then.
	varies   bool
	from     []*value
	demanded bool // the graph is made for the content

	dev  *graph.Value
	repr repr
	// Of asPlane: the spatial dims of the image, and whether a position in the whole
	// tensor counts by columns.
	plane   []int
	columns bool

	source bool        // an input of the stage
	shape  graph.Shape // of a source, when it is known
	late   bool
}

// repr says how the device holds a value.
type repr uint8

const (
	asFloat repr = iota // float32
	asMask              // a boolean as float32: 0 is false
	asIndex             // an integer as int32
	asPlane             // indices of MaxPool: within the plane of an image's channel
)

// known reports whether the content is known.
func (v *value) known() bool { return v.data[0] != nil }

// sizes returns the shape under both sets of probe sizes, and false when even the rank is
// not known.
func (v *value) sizes() (s [2]tensor.Shape, ok bool) {
	switch {
	case v.dev != nil:
		return v.dev.Probes(), true
	case v.known():
		return [2]tensor.Shape{v.data[0].Shape(), v.data[1].Shape()}, true
	case v.shape != nil:
		if t, static := v.shape.Static(); static {
			return [2]tensor.Shape{t, t}, true
		}
	}
	return s, false
}

// content converts what a device gives for v into a tensor of v's type.
func (v *value) content(t *tensor.Tensor) (*tensor.Tensor, error) {
	switch v.repr {
	case asMask:
		return toBool(t)
	case asIndex:
		return toInt64(t, func(_ int, x int32) int64 { return int64(x) })
	case asPlane:
		plane := int64(tensor.Shape(v.plane).Size())
		per := t.Shape()[2:].Size()
		return toInt64(t, func(i int, x int32) int64 {
			if x < 0 {
				return -1 // a window without elements
			}
			if v.columns {
				x = byColumns(x, v.plane)
			}
			return int64(i/per)*plane + int64(x)
		})
	}
	return t, nil
}

// byColumns turns a position that counts the last dim fastest into one that counts the
// first fastest.
func byColumns(x int32, shape []int) int32 {
	y, n := int32(0), int32(1)
	for _, d := range shape {
		n *= int32(d)
	}
	stride := int32(1)
	for _, d := range shape {
		n /= int32(d)
		y += x / n % int32(d) * stride
		stride *= int32(d)
	}
	return y
}

func toBool(t *tensor.Tensor) (*tensor.Tensor, error) {
	x, err := tensor.Data[float32](t)
	if err != nil {
		return nil, err
	}
	y := make([]bool, len(x))
	for i, v := range x {
		y[i] = v != 0
	}
	return tensor.From(y, t.Shape()...)
}

func toInt64(t *tensor.Tensor, f func(int, int32) int64) (*tensor.Tensor, error) {
	x, err := tensor.Data[int32](t)
	if err != nil {
		return nil, err
	}
	y := make([]int64, len(x))
	for i, v := range x {
		y[i] = f(i, v)
	}
	return tensor.From(y, t.Shape()...)
}

// toDevice converts a content into what a device takes for it: a boolean into a mask,
// an index into 32 bits.
func toDevice(t *tensor.Tensor) (*tensor.Tensor, error) {
	switch t.DType() {
	case tensor.Float32, tensor.Int32:
		return t, nil
	case tensor.Bool:
		x, err := tensor.Data[bool](t)
		if err != nil {
			return nil, err
		}
		y := make([]float32, len(x))
		for i, v := range x {
			if v {
				y[i] = 1
			}
		}
		return tensor.From(y, t.Shape()...)
	case tensor.Int64:
		x, err := tensor.Data[int64](t)
		if err != nil {
			return nil, err
		}
		y := make([]int32, len(x))
		for i, v := range x {
			if y[i] = int32(v); int64(y[i]) != v {
				return nil, fmt.Errorf("element %d is %d: indices have 32 bits on a device", i, v)
			}
		}
		return tensor.From(y, t.Shape()...)
	}
	return nil, fmt.Errorf("a tensor of %v is not computed with on a device", t.DType())
}
