package cpu

import (
	"fmt"
	"testing"

	"github.com/convgl/convgl/backend"
)

// layouts are what the benchmarks of ops that take several run in.
var layouts = []struct {
	name   string
	layout backend.Layout
}{{"plain", plain}, {"last", cl}}

func BenchmarkBatchNorm(b *testing.B) {
	for _, l := range layouts {
		for _, x := range [][]int{{1, 64, 56, 56}, {1, 3, 224, 224}, {1, 512, 7, 7}} {
			c := backend.F32(x[1])
			benchmark(b, fmt.Sprintf("%s/%v", l.name, x), backend.Desc{Op: backend.BatchNorm{Epsilon: 1e-5}, In: []backend.TensorDesc{in(l.layout, backend.F32(x...)), c, c, c, c}})
		}
	}
}

func BenchmarkNorm(b *testing.B) {
	for _, l := range layouts {
		x := in(l.layout, backend.F32(1, 64, 56, 56))
		c, m := backend.F32(64), backend.F32(56, 56)
		benchmark(b, l.name+"/group8", backend.Desc{Op: backend.GroupNorm{Groups: 8, Epsilon: 1e-5}, In: []backend.TensorDesc{x, c, c}})
		benchmark(b, l.name+"/instance", backend.Desc{Op: backend.InstanceNorm{Epsilon: 1e-5}, In: []backend.TensorDesc{x, c, c}})
		three := backend.F32(3)
		benchmark(b, l.name+"/instance3", backend.Desc{Op: backend.InstanceNorm{Epsilon: 1e-5}, In: []backend.TensorDesc{in(l.layout, backend.F32(1, 3, 224, 224)), three, three}})
		benchmark(b, l.name+"/layer_plane", backend.Desc{Op: backend.LayerNorm{Axis: 2, Epsilon: 1e-5}, In: []backend.TensorDesc{x, m, m}})
		w := backend.F32(64, 56, 56)
		benchmark(b, l.name+"/layer_image", backend.Desc{Op: backend.LayerNorm{Axis: 1, Epsilon: 1e-5}, In: []backend.TensorDesc{x, w, w}})
		d := backend.F32(768)
		benchmark(b, l.name+"/layer_tokens", backend.Desc{Op: backend.LayerNorm{Axis: -1, Epsilon: 1e-5}, In: []backend.TensorDesc{in(l.layout, backend.F32(1, 197, 768)), d, d}})
	}
}

func BenchmarkLRN(b *testing.B) {
	for _, l := range layouts {
		for _, beta := range []float32{0.75, 0.6} {
			benchmark(b, fmt.Sprintf("%s/size5_beta%v", l.name, beta), backend.Desc{Op: backend.LRN{Size: 5, Alpha: 1e-4, Beta: beta, K: 1}, In: []backend.TensorDesc{in(l.layout, backend.F32(1, 96, 55, 55))}})
		}
	}
}

func BenchmarkPad(b *testing.B) {
	for _, l := range layouts {
		for _, m := range []backend.PadMode{backend.PadConstant, backend.PadReflect} {
			for _, x := range [][]int{{1, 64, 56, 56}, {1, 3, 224, 224}} {
				benchmark(b, fmt.Sprintf("%s/%v/%v", l.name, m, x), backend.Desc{Op: backend.Pad{Pads: []int{0, 0, 1, 1, 0, 0, 1, 1}, Mode: m}, In: []backend.TensorDesc{in(l.layout, backend.F32(x...))}})
			}
		}
	}
}

func BenchmarkResizeLayouts(b *testing.B) {
	for _, l := range layouts {
		for _, m := range []backend.ResizeMode{backend.ResizeNearest, backend.ResizeLinear} {
			for _, scale := range []float64{2, 1.5, 0.5} {
				for _, x := range [][]int{{1, 64, 64, 64}, {1, 3, 224, 224}} {
					benchmark(b, fmt.Sprintf("%s/%v/%v/%v", l.name, m, scale, x), backend.Desc{Op: backend.Resize{Scales: []float64{scale, scale}, Mode: m}, In: []backend.TensorDesc{in(l.layout, backend.F32(x...))}})
				}
			}
		}
	}
}
