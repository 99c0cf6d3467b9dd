package ref

import (
	"math"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

var (
	nan = float32(math.NaN())
	inf = float32(math.Inf(1))
)

func TestMaxPool(t *testing.T) {
	pool := func(kernel, stride int, pads ...int) backend.MaxPool {
		w := backend.Window{Kernel: []int{kernel}, Strides: []int{stride}}
		if pads != nil {
			w.Pads = pads
		}
		return backend.MaxPool{Window: w, Indices: true}
	}
	ceil := pool(2, 2)
	ceil.CeilMode = true
	dilated := pool(2, 1)
	dilated.Dilations = []int{2}
	for _, c := range []struct {
		name  string
		op    backend.MaxPool
		x     []float32
		y     []float32
		index []int32
	}{
		{"plain", pool(2, 2), f32(1, 3, 2, 5), f32(3, 5), []int32{1, 3}},
		{"ceil", ceil, f32(1, 3, 2), f32(3, 2), []int32{1, 2}},
		{"dilated", dilated, f32(4, 1, 2, 3), f32(4, 3), []int32{0, 3}},
		{"first of equals", pool(3, 1), f32(2, 2, 2), f32(2), []int32{0}},
		{"zeros are equal", pool(2, 1), f32(0, float32(math.Copysign(0, -1))), f32(0), []int32{0}},
		{"last nan", pool(4, 1), f32(9, nan, nan, 8), f32(nan), []int32{2}},
		{"nan first", pool(2, 1), f32(nan, 1), f32(nan), []int32{0}},
		{"all -inf", pool(2, 1, 1, 0), f32(-inf, -inf), f32(-inf, -inf), []int32{0, 0}},
		{"in the padding", pool(1, 1, 1, 1), f32(5), f32(-inf, 5, -inf), []int32{-1, 0, -1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := run(t, c.op, from(c.x, 1, 1, len(c.x)))
			same(t, "y", got[0], c.y)
			idx, err := tensor.Data[int32](got[1])
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range idx {
				if v != c.index[i] {
					t.Errorf("indices: got %v, want %v", idx, c.index)
					break
				}
			}
		})
	}
}

// The position counts in the plane of x, in row-major order, without padding.
func TestMaxPoolIndex2D(t *testing.T) {
	x := from(f32(
		1, 2, 3,
		4, 9, 5,
		6, 7, 8,

		9, 0, 0,
		0, 0, 0,
		0, 0, 1), 1, 2, 3, 3)
	op := backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}, Strides: []int{2, 2}, Pads: []int{1, 1, 0, 0}}, Indices: true}
	got := run(t, op, x)
	same(t, "y", got[0], f32(1, 3, 6, 9, 9, 0, 0, 1))
	idx, _ := tensor.Data[int32](got[1])
	for i, want := range []int32{0, 2, 6, 4, 0, 1, 3, 8} {
		if idx[i] != want {
			t.Fatalf("indices: got %v", idx)
		}
	}
}
