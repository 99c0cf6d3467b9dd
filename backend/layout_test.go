package backend

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/convgl/convgl/tensor"
)

func TestLayoutStrides(t *testing.T) {
	padded := Layout{Order: OrderChannelsLast, Pad: 4}
	for _, c := range []struct {
		layout            Layout
		shape             tensor.Shape
		physical, strides []int
	}{
		{Plain, tensor.Shape{}, []int{}, []int{}},
		{ChannelsLast4, tensor.Shape{}, []int{}, []int{}},
		{ChannelsLast4, tensor.Shape{5}, []int{5}, []int{1}},
		{Plain, tensor.Shape{2, 3, 4, 5}, []int{2, 3, 4, 5}, []int{60, 20, 5, 1}},
		{Any, tensor.Shape{2, 3, 4, 5}, []int{2, 3, 4, 5}, []int{60, 20, 5, 1}},
		{ChannelsLast, tensor.Shape{2, 3, 4, 5}, []int{2, 4, 5, 3}, []int{60, 1, 15, 3}},
		{padded, tensor.Shape{2, 3, 4, 5}, []int{2, 4, 5, 4}, []int{80, 1, 20, 4}},
		{padded, tensor.Shape{2, 4, 5}, []int{2, 5, 4}, []int{20, 1, 4}},
		{padded, tensor.Shape{2, 5}, []int{2, 8}, []int{8, 1}},
		{ChannelsLast, tensor.Shape{2, 5}, []int{2, 5}, []int{5, 1}},
		{padded, tensor.Shape{2, 5, 2, 3, 4}, []int{2, 2, 3, 4, 8}, []int{192, 1, 96, 32, 8}},
		{Layout{Order: OrderChannelsLast, Pad: 1}, tensor.Shape{1, 3, 2}, []int{1, 2, 3}, []int{6, 1, 3}},
		{padded, tensor.Shape{0, 3, 2}, []int{0, 2, 4}, []int{8, 1, 4}},
	} {
		t.Run(fmt.Sprintf("%v %v", c.layout, c.shape), func(t *testing.T) {
			if got := c.layout.PhysicalShape(c.shape); !slices.Equal(got, c.physical) {
				t.Errorf("PhysicalShape: got %v, want %v", got, c.physical)
			}
			if got := c.layout.Strides(c.shape); !slices.Equal(got, c.strides) {
				t.Errorf("Strides: got %v, want %v", got, c.strides)
			}
			d := TensorDesc{DType: tensor.Float32, Shape: c.shape, Layout: c.layout}
			if got, want := d.Bytes(), int64(4*spread(c.physical)); got != want {
				t.Errorf("Bytes: got %d, want %d", got, want)
			}
		})
	}
}

// A kernel asks for the sizes of its arguments in each run.
func TestBytesAllocatesNothing(t *testing.T) {
	d := TensorDesc{DType: tensor.Float32, Shape: tensor.Shape{2, 3, 4, 5}, Layout: ChannelsLast4}
	if n := testing.AllocsPerRun(100, func() { d.Bytes() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTensorDescCheck(t *testing.T) {
	image := tensor.Shape{1, 5, 3}
	for _, c := range []struct {
		d    TensorDesc
		want string
	}{
		{TensorDesc{Shape: image}, "backend: Conv: x: got invalid, want an element type"},
		{TensorDesc{DType: 99, Shape: image}, "backend: Conv: x: got DType(99), want an element type"},
		{TensorDesc{DType: tensor.Float32, Shape: image, Layout: Layout{Order: 7}}, "backend: Conv: x: got order 7, pad 0, want a valid layout"},
		{TensorDesc{DType: tensor.Float32, Shape: image, Layout: Layout{Order: OrderChannelsLast, Pad: -4}}, "backend: Conv: x: got order 2, pad -4, want a valid layout"},
		// 5 channels rounded up to a multiple of it overflow to none
		{TensorDesc{DType: tensor.Float32, Shape: image, Layout: Layout{Order: OrderChannelsLast, Pad: math.MaxInt}}, "backend: Conv: x: got order 2, pad 9223372036854775807, want a valid layout"},
		{F32(2, -1), "backend: Conv: x: got [2,-1], want a valid shape (tensor: shape [2,-1]: dim 1 is -1, want 0 or more)"},
		{F32(1<<40, 1<<40), "backend: Conv: x: got [1099511627776,1099511627776], want a valid shape (tensor: shape [1099511627776,1099511627776]: more than 1152921504606846975 elements)"},
		{F32(1, 1, 1, 1, 1, 1, 1, 1, 1), "backend: Conv: x: got [1,1,1,1,1,1,1,1,1], want a valid shape (tensor: shape [1,1,1,1,1,1,1,1,1]: rank is 9, want at most 8)"},
		{TensorDesc{DType: tensor.Float32, Shape: tensor.Shape{1 << 40, 1, 2}, Layout: Layout{Order: OrderChannelsLast, Pad: 1 << 30}},
			"backend: Conv: x: got [1099511627776,1,2], want a valid shape (backend: shape [1099511627776,1,2] channels-last/1073741824: more than 1152921504606846975 elements)"},
	} {
		err := c.d.Check("Conv", "x")
		var shape *ShapeError
		if !errors.As(err, &shape) || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
		if c.d.Layout.Pad >= 0 && c.d.Layout.Pad < 1<<31 && c.d.Layout.Order < 3 && c.d.Bytes() != 0 {
			t.Errorf("%v has %d bytes", c.d, c.d.Bytes())
		}
	}
	for _, d := range []TensorDesc{F32(), F32(0, 3), {DType: tensor.Int64, Shape: image, Layout: ChannelsLast4}} {
		if err := d.Check("Conv", "x"); err != nil {
			t.Errorf("%v: %v", d, err)
		}
	}
}

func TestSamePlace(t *testing.T) {
	for _, c := range []struct {
		l    Layout
		s    tensor.Shape
		want bool
	}{
		{Plain, tensor.Shape{2, 3, 4}, true},
		{ChannelsLast, tensor.Shape{2, 3, 4}, false},
		{ChannelsLast, tensor.Shape{2, 1, 4}, true},
		{ChannelsLast, tensor.Shape{2, 3, 1, 1}, true},
		{ChannelsLast4, tensor.Shape{2, 3, 1, 1}, false},
		{ChannelsLast4, tensor.Shape{2, 4, 1, 1}, true},
		{ChannelsLast4, tensor.Shape{2, 1, 4}, false},
		{ChannelsLast4, tensor.Shape{2, 3}, false},
		{ChannelsLast4, tensor.Shape{3}, true},
	} {
		got := samePlace(c.l, c.s)
		if got != c.want {
			t.Errorf("samePlace(%v, %v) = %v", c.l, c.s, got)
		}
		// what it claims: the strides of dims longer than 1 are the plain ones
		plain, own := Plain.Strides(c.s), c.l.Strides(c.s)
		equal := slices.Equal(Plain.PhysicalShape(c.s), c.s) && spread(c.l.PhysicalShape(c.s)) == spread(c.s)
		for i := range c.s {
			equal = equal && (c.s[i] == 1 || plain[i] == own[i])
		}
		if equal != got {
			t.Errorf("samePlace(%v, %v) = %v, but strides are %v and %v", c.l, c.s, got, plain, own)
		}
	}
}
