package cpu

import (
	"fmt"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
)

// fastest runs fn again and again and reports the rate of the fastest of the runs for
// so many bytes, which says more than the mean on a machine that does other things
// too.
func fastest(b *testing.B, bytes int64, fn func()) {
	b.ReportAllocs()
	best := time.Duration(1 << 62)
	for b.Loop() {
		start := time.Now()
		fn()
		best = min(best, time.Since(start))
	}
	b.ReportMetric(float64(bytes)/float64(best.Nanoseconds()), "best-GB/s")
}

// layoutBenchmark runs d on 1 and 2 threads.
func layoutBenchmark(b *testing.B, name string, d backend.Desc) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("%s/threads=%d", name, threads), func(b *testing.B) {
			inst, err := backend.NewInstance(ctx, open(b, "cpu", backend.WithThreads(threads)), d)
			if err != nil {
				b.Fatal(err)
			}
			defer inst.Close()
			for i, x := range inputs(1, d) {
				if err := inst.SetInput(ctx, i, x); err != nil {
					b.Fatal(err)
				}
			}
			info := inst.Kernel.Info()
			fastest(b, info.InBytes(0)+info.OutBytes(0), func() {
				if err := inst.Run(ctx); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkLayout copies between layouts, beside plain copies of the same size: both
// count bytes read and written.
func BenchmarkLayout(b *testing.B) {
	for _, s := range [][]int{
		{1, 64, 56, 56}, {1, 64, 112, 112}, {1, 3, 224, 224}, {1, 3, 32, 32}, {1, 16, 32, 32}, {1, 128, 28, 28}, {1, 512, 7, 7},
		{1, 512, 14, 14}, {1, 256, 56, 56}, {1, 10, 32, 32}, {1, 64, 64, 64}, {1, 1024, 14, 14}, {8, 64, 112, 112}, {1, 4, 256, 256},
		{1, 2, 256, 256}, {1, 32, 16, 56, 56}, {1, 1024, 32, 32}, {1, 6, 100, 100},
	} {
		x := backend.F32(s...)
		for _, c := range []struct {
			name     string
			from, to backend.Layout
		}{{"copy", plain, plain}, {"to_channels_last", plain, cl}, {"to_plain", cl, plain}} {
			layoutBenchmark(b, fmt.Sprintf("%v/%s", x.Shape, c.name), backend.Desc{Op: backend.Reorder{}, In: []backend.TensorDesc{in(c.from, x)}, Out: []backend.TensorDesc{in(c.to, x)}})
		}
	}
	picture := backend.F32(1, 3, 224, 224)
	for _, c := range []struct{ from, to backend.Layout }{{plain, cl4}, {cl4, plain}, {cl, cl4}, {cl4, cl}} {
		layoutBenchmark(b, fmt.Sprintf("%v/%v_to_%v", picture.Shape, c.from, c.to), backend.Desc{Op: backend.Reorder{}, In: []backend.TensorDesc{in(c.from, picture)}, Out: []backend.TensorDesc{in(c.to, picture)}})
	}
}

// BenchmarkPadCopy fills the pictures of first layers, by rows.
func BenchmarkPadCopy(b *testing.B) {
	for _, k := range []struct{ c, hw, k, pad int }{{3, 224, 7, 3}, {3, 32, 3, 1}, {1, 28, 5, 2}, {4, 224, 3, 1}, {16, 56, 3, 1}} {
		g, err := backend.Window{Kernel: []int{k.k, k.k}, Pads: []int{k.pad, k.pad, k.pad, k.pad}}.Geometry("Conv", []int{k.hw, k.hw}, false)
		if err != nil {
			b.Fatal(err)
		}
		for _, l := range []backend.Layout{plain, cl, cl4} {
			x := in(l, backend.F32(1, k.c, k.hw, k.hw))
			for _, set := range isas(b) {
				b.Run(fmt.Sprintf("%v/%v", x, set), func(b *testing.B) {
					p, size := newPadCopy(set, x, g.To3())
					src, dst := f32(alignedBytes(int(x.Bytes()))), f32(alignedBytes(int(size)))
					rows, _ := p.rows()
					fastest(b, x.Bytes()+size, func() { p.fill(dst, src, 0, rows) })
				})
			}
		}
	}
}

// BenchmarkTranspose permutes dims within a layout.
func BenchmarkTransposeOp(b *testing.B) {
	for _, c := range []struct {
		shape, perm []int
		l           backend.Layout
	}{
		{[]int{1024, 1024}, nil, plain}, {[]int{1000, 1000}, nil, plain}, {[]int{1, 64, 112, 112}, []int{0, 2, 3, 1}, plain}, {[]int{16, 64, 28, 28}, nil, plain},
		{[]int{1, 64, 56, 56}, []int{0, 1, 3, 2}, cl}, {[]int{1, 7, 100, 100}, []int{0, 1, 3, 2}, cl}, {[]int{8, 2, 58, 28, 28}, []int{0, 2, 1, 3, 4}, plain},
		{[]int{2000, 7, 7}, []int{0, 2, 1}, plain}, {[]int{2000, 3, 5}, []int{0, 2, 1}, plain}, {[]int{500, 600, 3}, []int{1, 0, 2}, plain},
	} {
		layoutBenchmark(b, fmt.Sprintf("%v_%v_%v", c.shape, c.perm, c.l), backend.Desc{Op: backend.Transpose{Perm: c.perm}, In: []backend.TensorDesc{in(c.l, backend.F32(c.shape...))}})
	}
}
