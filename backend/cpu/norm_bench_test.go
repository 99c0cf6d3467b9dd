package cpu

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
)

// benchmarkCopy runs d on one thread with the kernels of each instruction set, in
// turns with a copy of as many bytes, and reports the best rates of both: the mean
// tells little on a machine that does something else besides.
func benchmarkCopy(b *testing.B, name string, d backend.Desc) {
	for _, set := range isas(b) {
		b.Run(name+"/"+set.String(), func(b *testing.B) {
			be := open(b, "cpu", backend.WithThreads(1), backend.WithVariant(set.String()))
			inst, err := backend.NewInstance(ctx, be, d)
			if err != nil {
				b.Fatal(err)
			}
			defer inst.Close()
			for i, x := range inputs(1, d) {
				if err := inst.SetInput(ctx, i, x); err != nil {
					b.Fatal(err)
				}
			}
			bytes := inst.Kernel.Info().Cost.Bytes
			src, dst := alignedBytes(int(bytes/2)), alignedBytes(int(bytes/2))
			run, copied := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
			for b.Loop() {
				start := time.Now()
				if err := inst.Run(ctx); err != nil {
					b.Fatal(err)
				}
				run = min(run, time.Since(start))
				start = time.Now()
				copy(dst, src)
				copied = min(copied, time.Since(start))
			}
			b.ReportMetric(float64(run.Nanoseconds()), "best-ns")
			b.ReportMetric(float64(bytes)/float64(run.Nanoseconds()), "GB/s")
			b.ReportMetric(float64(bytes)/float64(copied.Nanoseconds()), "copy-GB/s")
		})
	}
}

// layouts are what the benchmarks of ops that take several run in.
var layouts = []struct {
	name   string
	layout backend.Layout
}{{"plain", plain}, {"last", cl}}

func BenchmarkBatchNorm(b *testing.B) {
	for _, l := range layouts {
		for _, x := range [][]int{{1, 64, 56, 56}, {1, 3, 224, 224}, {1, 512, 7, 7}} {
			c := backend.F32(x[1])
			benchmarkCopy(b, fmt.Sprintf("%s/%v", l.name, x), backend.Desc{Op: backend.BatchNorm{Epsilon: 1e-5}, In: []backend.TensorDesc{in(l.layout, backend.F32(x...)), c, c, c, c}})
		}
	}
}

func BenchmarkNorm(b *testing.B) {
	for _, l := range layouts {
		x := in(l.layout, backend.F32(1, 64, 56, 56))
		c, m := backend.F32(64), backend.F32(56, 56)
		benchmarkCopy(b, l.name+"/group8", backend.Desc{Op: backend.GroupNorm{Groups: 8, Epsilon: 1e-5}, In: []backend.TensorDesc{x, c, c}})
		benchmarkCopy(b, l.name+"/instance", backend.Desc{Op: backend.InstanceNorm{Epsilon: 1e-5}, In: []backend.TensorDesc{x, c, c}})
		three := backend.F32(3)
		benchmarkCopy(b, l.name+"/instance3", backend.Desc{Op: backend.InstanceNorm{Epsilon: 1e-5}, In: []backend.TensorDesc{in(l.layout, backend.F32(1, 3, 224, 224)), three, three}})
		benchmarkCopy(b, l.name+"/layer_plane", backend.Desc{Op: backend.LayerNorm{Axis: 2, Epsilon: 1e-5}, In: []backend.TensorDesc{x, m, m}})
		w := backend.F32(64, 56, 56)
		benchmarkCopy(b, l.name+"/layer_image", backend.Desc{Op: backend.LayerNorm{Axis: 1, Epsilon: 1e-5}, In: []backend.TensorDesc{x, w, w}})
		d := backend.F32(768)
		benchmarkCopy(b, l.name+"/layer_tokens", backend.Desc{Op: backend.LayerNorm{Axis: -1, Epsilon: 1e-5}, In: []backend.TensorDesc{in(l.layout, backend.F32(1, 197, 768)), d, d}})
	}
}

func BenchmarkLRN(b *testing.B) {
	for _, l := range layouts {
		for _, beta := range []float32{0.75, 0.6} {
			benchmarkCopy(b, fmt.Sprintf("%s/size5_beta%v", l.name, beta), backend.Desc{Op: backend.LRN{Size: 5, Alpha: 1e-4, Beta: beta, K: 1}, In: []backend.TensorDesc{in(l.layout, backend.F32(1, 96, 55, 55))}})
		}
	}
}

func BenchmarkPad(b *testing.B) {
	for _, l := range layouts {
		for _, m := range []backend.PadMode{backend.PadConstant, backend.PadReflect} {
			for _, x := range [][]int{{1, 64, 56, 56}, {1, 3, 224, 224}} {
				benchmarkCopy(b, fmt.Sprintf("%s/%v/%v", l.name, m, x), backend.Desc{Op: backend.Pad{Pads: []int{0, 0, 1, 1, 0, 0, 1, 1}, Mode: m}, In: []backend.TensorDesc{in(l.layout, backend.F32(x...))}})
			}
		}
	}
}

func BenchmarkResizeLayouts(b *testing.B) {
	for _, l := range layouts {
		for _, m := range []backend.ResizeMode{backend.ResizeNearest, backend.ResizeLinear} {
			for _, scale := range []float64{2, 1.5, 0.5} {
				for _, x := range [][]int{{1, 64, 64, 64}, {1, 3, 224, 224}} {
					benchmarkCopy(b, fmt.Sprintf("%s/%v/%v/%v", l.name, m, scale, x), backend.Desc{Op: backend.Resize{Scales: []float64{scale, scale}, Mode: m}, In: []backend.TensorDesc{in(l.layout, backend.F32(x...))}})
				}
			}
		}
	}
}

func BenchmarkConcatCopy(b *testing.B) {
	for _, c := range []int{3, 16, 64} {
		for _, hw := range []int{28, 128} {
			x := backend.F32(1, c, hw, hw)
			benchmarkCopy(b, fmt.Sprintf("last/%v", x.Shape), backend.Desc{Op: backend.Concat{Axis: 1, Inputs: 2}, In: []backend.TensorDesc{x, x}})
		}
	}
}

// Outputs that are stored past the caches.
func BenchmarkStreamed(b *testing.B) {
	x, small := backend.F32(1, 64, 256, 256), backend.F32(1, 64, 160, 160)
	benchmarkCopy(b, "concat", backend.Desc{Op: backend.Concat{Axis: 1, Inputs: 2}, In: []backend.TensorDesc{x, x}})
	benchmarkCopy(b, "pad", backend.Desc{Op: backend.Pad{Pads: []int{0, 0, 1, 1, 0, 0, 1, 1}}, In: []backend.TensorDesc{x}})
	for _, m := range []backend.ResizeMode{backend.ResizeNearest, backend.ResizeLinear} {
		benchmarkCopy(b, m.String(), backend.Desc{Op: backend.Resize{Scales: []float64{2, 2}, Mode: m}, In: []backend.TensorDesc{small}})
	}
}
