package cpu

import (
	"fmt"
	"testing"

	"github.com/convgl/convgl/backend"
)

// BenchmarkDepthwise has the layers of MobileNetV2, and some of EfficientNet (5×5)
// and ConvNeXt (7×7).
func BenchmarkDepthwise(b *testing.B) {
	for _, l := range []struct{ c, hw, k, s int }{
		{32, 112, 3, 1}, {96, 112, 3, 2}, {144, 56, 3, 1}, {144, 56, 3, 2}, {192, 28, 3, 1}, {192, 28, 3, 2},
		{384, 14, 3, 1}, {576, 14, 3, 1}, {576, 14, 3, 2}, {960, 7, 3, 1},
		{240, 28, 5, 1}, {672, 14, 5, 1}, {672, 14, 5, 2}, {1152, 7, 5, 1}, {96, 56, 7, 1}, {768, 7, 7, 1},
		{120, 28, 5, 1}, {96, 56, 4, 1}, {3, 112, 3, 1},
	} {
		benchmark(b, fmt.Sprintf("mb1_g%dic%dih%dkh%dsh%d", l.c, l.c, l.hw, l.k, l.s), conv2(1, l.c, l.hw, l.c, l.k, l.s, l.k/2, l.c))
	}
}

func BenchmarkDepthwiseTranspose(b *testing.B) {
	op := backend.ConvTranspose{Window: backend.Window{Strides: []int{2, 2}, Pads: []int{1, 1, 1, 1}}, Groups: 64}
	benchmark(b, "mb1_g64ic64ih56kh4sh2ph1", backend.Desc{Op: op, In: []backend.TensorDesc{backend.F32(1, 64, 56, 56), constant(backend.F32(64, 1, 4, 4))}})
}
