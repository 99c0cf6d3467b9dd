package ref

import (
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestAvgPool(t *testing.T) {
	w := func(kernel, stride int, pads ...int) backend.Window {
		return backend.Window{Kernel: []int{kernel}, Strides: []int{stride}, Pads: pads}
	}
	dilated := w(2, 1, 0, 0)
	dilated.Dilations = []int{2}
	for _, c := range []struct {
		name string
		op   backend.AvgPool
		x, y []float32
	}{
		{"plain", backend.AvgPool{Window: w(2, 2, 0, 0)}, f32(1, 3, 2, 5), f32(2, 3.5)},
		{"dilated", backend.AvgPool{Window: dilated}, f32(1, 3, 2, 5), f32(1.5, 4)},
		{"padding does not count", backend.AvgPool{Window: w(3, 2, 1, 1)}, f32(2, 4, 6), f32(3, 5)},
		{"padding counts", backend.AvgPool{Window: w(3, 2, 1, 1), CountIncludePad: true}, f32(3, 6, 9), f32(3, 5)},
		// windows begin at −1 and 2; the second reads 6, the end padding and one beyond
		{"ceil, padding counts", backend.AvgPool{Window: w(3, 3, 1, 1), CountIncludePad: true, CeilMode: true}, f32(3, 3, 6), f32(2, 3)},
		{"ceil", backend.AvgPool{Window: w(3, 3, 1, 1), CeilMode: true}, f32(3, 3, 6), f32(3, 6)},
		{"nothing counts", backend.AvgPool{Window: w(1, 1, 1, 1)}, f32(7), f32(0, 7, 0)},
		{"nothing but padding", backend.AvgPool{Window: w(1, 1, 1, 1), CountIncludePad: true}, f32(7), f32(0, 7, 0)},
		{"nan and inf", backend.AvgPool{Window: w(2, 1, 0, 0)}, f32(nan, 1, inf, -inf), f32(nan, inf, nan)},
	} {
		t.Run(c.name, func(t *testing.T) { same(t, "y", run(t, c.op, from(c.x, 1, 1, len(c.x)))[0], c.y) })
	}
}
