package cpu

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
)

// benchPool runs d on 1 and 2 threads and reports the least time of a run, which
// other work on the machine disturbs less than the mean, and the rate that it makes.
func benchPool(b *testing.B, name string, d backend.Desc) {
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
			best := time.Duration(math.MaxInt64)
			for b.Loop() {
				start := time.Now()
				if err := inst.Run(ctx); err != nil {
					b.Fatal(err)
				}
				best = min(best, time.Since(start))
			}
			b.ReportMetric(float64(best.Nanoseconds())/1e3, "best-us")
			b.ReportMetric(float64(inst.Kernel.Info().Cost.Bytes)/float64(best.Nanoseconds()), "best-GB/s")
		})
	}
}

// poolDesc describes a max pooling with a window that is equal in all dims.
func poolDesc(l backend.Layout, k, s, p int, x ...int) backend.Desc {
	dims := len(x) - 2
	w := backend.Window{}
	for range dims {
		w.Kernel, w.Strides, w.Pads = append(w.Kernel, k), append(w.Strides, s), append(w.Pads, p, p)
	}
	return backend.Desc{Op: backend.MaxPool{Window: w}, In: []backend.TensorDesc{in(l, backend.F32(x...))}}
}

// with replaces the op of a max pooling by one with the same window.
func with(d backend.Desc, kind string) backend.Desc {
	w := d.Op.(backend.MaxPool).Window
	switch kind {
	case "avg":
		d.Op = backend.AvgPool{Window: w}
	case "indices":
		d.Op = backend.MaxPool{Window: w, Indices: true}
	}
	return d
}

// BenchmarkPool runs the poolings on the peers' shapes and around them.
func BenchmarkPool(b *testing.B) {
	for _, kind := range []string{"max", "avg", "indices"} {
		for _, l := range []backend.Layout{cl, plain} {
			for _, n := range []int{1, 8} {
				for _, w := range []struct {
					name string
					d    backend.Desc
				}{
					{"mp2s2", poolDesc(l, 2, 2, 0, n, 64, 112, 112)},
					{"mp3s2", poolDesc(l, 3, 2, 1, n, 64, 112, 112)},
					{"mpseed", poolDesc(l, 4, 4, 0, n, 3, 427, 640)},
					{"mp3d", poolDesc(l, 2, 2, 0, n, 32, 32, 64, 64)},
					{"k3s1", poolDesc(l, 3, 1, 1, n, 192, 28, 28)},
					{"k5s1", poolDesc(l, 5, 1, 2, n, 256, 20, 20)},
					{"k2s2_14", poolDesc(l, 2, 2, 0, n, 512, 14, 14)},
					{"k3s2_rgb", poolDesc(l, 3, 2, 1, n, 3, 224, 224)},
					{"k2s2_1", poolDesc(l, 2, 2, 0, n, 1, 512, 512)},
					{"k4s4_1d", poolDesc(l, 4, 4, 0, n, 1, 1<<18)},
				} {
					benchPool(b, fmt.Sprintf("%s/%v/batch=%d/%s", kind, l, n, w.name), with(w.d, kind))
				}
			}
		}
	}
}

func BenchmarkGlobalPool(b *testing.B) {
	for _, kind := range []bool{false, true} {
		for _, l := range []backend.Layout{cl, plain} {
			for _, x := range [][]int{{1, 2048, 7, 7}, {1, 64, 112, 112}, {1, 3, 512, 512}} {
				benchPool(b, fmt.Sprintf("mean=%v/%v/%v", kind, l, x), backend.Desc{Op: backend.GlobalPool{Mean: kind}, In: []backend.TensorDesc{in(l, backend.F32(x...))}})
			}
		}
	}
}

func BenchmarkAdaptivePool(b *testing.B) {
	for _, mean := range []bool{false, true} {
		for _, l := range []backend.Layout{cl, plain} {
			benchPool(b, fmt.Sprintf("mean=%v/%v", mean, l), backend.Desc{Op: backend.AdaptivePool{Out: []int{6, 6}, Mean: mean}, In: []backend.TensorDesc{in(l, backend.F32(1, 64, 112, 112))}})
		}
	}
}
