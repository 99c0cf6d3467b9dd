package ref

import (
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestMaxUnpool(t *testing.T) {
	x := from(f32(1, 2, 3, 4, 5, 6), 1, 2, 3)
	index := from([]int32{3, 0, 3, -1, 4, 2}, 1, 2, 3)
	// 3 twice: the last; −1 and 4 outside the plane of 4
	same(t, "row", run(t, backend.MaxUnpool{Size: []int{4}}, x, index)[0], f32(2, 0, 0, 3, 0, 0, 6, 0))
	// It turns back what max pooling without overlap did.
	image := from(f32(1, 5, 2, 0, 3, 4, 9, 8), 1, 1, 2, 4)
	pooled := run(t, backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}, Strides: []int{2, 2}}, Indices: true}, image)
	same(t, "pooled", run(t, backend.MaxUnpool{Size: []int{2, 4}}, pooled...)[0], f32(0, 5, 0, 0, 0, 0, 9, 0))
}
