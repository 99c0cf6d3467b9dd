package cpu

import (
	"fmt"
	"testing"

	"github.com/convgl/convgl/backend"
)

// conv2 describes a square convolution: batch, channels, size, filters, kernel,
// stride, padding, groups.
func conv2(n, c, hw, o, k, s, p, g int) backend.Desc {
	op := backend.Conv{Window: backend.Window{Strides: []int{s, s}, Pads: []int{p, p, p, p}}, Groups: g, Bias: true,
		Epilogue: backend.Epilogue{{Kind: backend.Activate, Act: backend.Act{Kind: backend.Relu}}}}
	return backend.Desc{Op: op, In: []backend.TensorDesc{backend.F32(n, c, hw, hw), constant(backend.F32(o, c/g, k, k)), constant(backend.F32(o))}}
}

func pool2(c, hw, k, s, p int) backend.Desc {
	op := backend.MaxPool{Window: backend.Window{Kernel: []int{k, k}, Strides: []int{s, s}, Pads: []int{p, p, p, p}}}
	return backend.Desc{Op: op, In: []backend.TensorDesc{backend.F32(1, c, hw, hw)}}
}

// benchmark runs d on 1 and 2 threads and reports rates.
func benchmark(b *testing.B, name string, d backend.Desc) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("%s/threads=%d", name, threads), func(b *testing.B) {
			be := open(b, "cpu", backend.WithThreads(threads))
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
			for range 2 {
				if err := inst.Run(ctx); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := inst.Run(ctx); err != nil {
					b.Fatal(err)
				}
			}
			cost := inst.Kernel.Info().Cost
			s := b.Elapsed().Seconds() / float64(b.N) * 1e9
			b.ReportMetric(float64(cost.FLOPs)/s, "GFLOP/s")
			b.ReportMetric(float64(cost.Bytes)/s, "GB/s")
		})
	}
}

func BenchmarkConv(b *testing.B) {
	benchmark(b, "mb1_ic3ih224oc64kh7sh2ph3", conv2(1, 3, 224, 64, 7, 2, 3, 1))
	benchmark(b, "mb1_ic64ih56oc64kh3ph1", conv2(1, 64, 56, 64, 3, 1, 1, 1))
	benchmark(b, "mb1_ic512ih7oc512kh3ph1", conv2(1, 512, 7, 512, 3, 1, 1, 1))
	benchmark(b, "mb1_ic64ih56oc256kh1", conv2(1, 64, 56, 256, 1, 1, 0, 1))
	benchmark(b, "mb1_g32ic32ih112oc32kh3ph1", conv2(1, 32, 112, 32, 3, 1, 1, 32))
	benchmark(b, "mb1_ic3ih32oc16kh3ph1", conv2(1, 3, 32, 16, 3, 1, 1, 1))
}

func BenchmarkConvBackwardWeights(b *testing.B) {
	d := conv2(1, 64, 56, 64, 3, 1, 1, 1)
	op := d.Op.(backend.Conv)
	x, y := backend.F32(1, 64, 56, 56), backend.F32(1, 64, 56, 56)
	benchmark(b, "mb1_ic64ih56oc64kh3ph1", backend.Desc{Op: op, Pass: backend.BackwardWeights, In: []backend.TensorDesc{x, y}, Out: []backend.TensorDesc{backend.F32(64, 64, 3, 3), backend.F32(64)}})
}

func BenchmarkDense(b *testing.B) {
	for _, n := range []int{1, 16} {
		benchmark(b, fmt.Sprintf("mb%d_ic4096oc4096", n), backend.Desc{Op: backend.Dense{}, In: []backend.TensorDesc{backend.F32(n, 4096), constant(backend.F32(4096, 4096))}})
	}
}

func BenchmarkMaxPool(b *testing.B) {
	benchmark(b, "ic64ih112kh3sh2ph1", pool2(64, 112, 3, 2, 1))
	benchmark(b, "ic64ih112kh2sh2", pool2(64, 112, 2, 2, 0))
}

func BenchmarkReorder(b *testing.B) {
	x := backend.F32(1, 64, 112, 112)
	benchmark(b, "plain_to_channels_last", backend.Desc{Op: backend.Reorder{}, In: []backend.TensorDesc{in(plain, x)}, Out: []backend.TensorDesc{in(cl, x)}})
}

func BenchmarkPeaks(b *testing.B) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			be := open(b, "cpu", backend.WithThreads(threads))
			var p backend.Peaks
			for b.Loop() {
				var err error
				if p, err = be.(backend.Prober).Peaks(ctx); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(p.FLOPS/1e9, "GFLOP/s")
			b.ReportMetric(p.CopyBytes/1e9, "GB/s")
		})
	}
}

func BenchmarkConcat(b *testing.B) {
	benchmark(b, "fire_64_64_55", backend.Desc{Op: backend.Concat{Axis: 1, Inputs: 2}, In: []backend.TensorDesc{backend.F32(1, 64, 55, 55), backend.F32(1, 64, 55, 55)}})
	benchmark(b, "unet_64_64_256", backend.Desc{Op: backend.Concat{Axis: 1, Inputs: 2}, In: []backend.TensorDesc{backend.F32(1, 64, 256, 256), backend.F32(1, 64, 256, 256)}})
}

func BenchmarkResize(b *testing.B) {
	for _, m := range []backend.ResizeMode{backend.ResizeNearest, backend.ResizeLinear} {
		benchmark(b, fmt.Sprintf("%v_64_128", m), backend.Desc{Op: backend.Resize{Scales: []float64{2, 2}, Mode: m}, In: []backend.TensorDesc{backend.F32(1, 64, 128, 128)}})
	}
}

func BenchmarkTranspose(b *testing.B) {
	benchmark(b, "plain_nchw_to_nhwc", backend.Desc{Op: backend.Transpose{Perm: []int{0, 2, 3, 1}}, In: []backend.TensorDesc{in(plain, backend.F32(1, 64, 112, 112))}})
	benchmark(b, "plain_reversed", backend.Desc{Op: backend.Transpose{}, In: []backend.TensorDesc{in(plain, backend.F32(16, 64, 28, 28))}})
}
