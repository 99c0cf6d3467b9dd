package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
)

// The sizes of rows: within the first and second level of cache, and beyond all.
var benchRows = []struct {
	name string
	n    int
}{{"L1", 2 << 10}, {"L2", 64 << 10}, {"memory", 16 << 20}}

// benchRow reports the best rate of fn, which moves so many bytes an element, and its
// least time for an element.
func benchRow(b *testing.B, name string, n, bytes int, fn func(lo, hi int)) {
	b.Run(name, func(b *testing.B) {
		best := time.Duration(math.MaxInt64)
		passes := max(1, 1<<15/n)
		for b.Loop() {
			start := time.Now()
			for range passes {
				for lo := 0; lo < n; lo += rowChunk {
					fn(lo, min(lo+rowChunk, n))
				}
			}
			best = min(best, time.Since(start))
		}
		ns := float64(best.Nanoseconds()) / float64(passes) / float64(n)
		b.ReportMetric(float64(bytes)/ns, "GB/s")
		b.ReportMetric(ns, "ns/element")
	})
}

// BenchmarkRows holds functions on rows beside copy, which sets the pace where they
// are bound by memory.
func BenchmarkRows(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, size := range benchRows {
		n := size.n
		x, y, z := f32(alignedBytes(4*n)), f32(alignedBytes(4*n)), f32(alignedBytes(4*n))
		for i := range x {
			x[i], y[i], z[i] = float32(r.NormFloat64()), float32(r.NormFloat64()), float32(r.NormFloat64())
		}
		benchRow(b, "copy/"+size.name, n, 8, func(lo, hi int) { copy(z[lo:hi], x[lo:hi]) })
		for _, set := range isas(b) {
			fns := pick(set, rowImpls)
			name := fmt.Sprintf("/%s/%v", size.name, set)
			benchRow(b, "add"+name, n, 12, func(lo, hi int) { fns.add(z[lo:hi], x[lo:hi]) })
			benchRow(b, "scaleShift"+name, n, 8, func(lo, hi int) { fns.scaleShiftAll(z[lo:hi], x[lo:hi], 0.5, 0.25) })
			benchRow(b, "addVV"+name, n, 12, func(lo, hi int) {
				fns.binary[backend.Add][formVV](z[lo:hi], x[lo:hi], y[lo:hi], hi-lo, 1, 0, 0, 0)
			})
			for _, k := range backend.ActKinds() {
				act := newActivation(fns, backend.Act{Kind: k, Alpha: 0.1, Beta: 0.5})
				benchRow(b, k.String()+name, n, 8, func(lo, hi int) { act.apply(z[lo:hi], x[lo:hi]) })
			}
		}
	}
}

// BenchmarkBinary has the broadcasts of networks.
func BenchmarkBinary(b *testing.B) {
	x := backend.F32(1, 64, 112, 112)
	for _, l := range []backend.Layout{cl, plain} {
		for name, y := range map[string]backend.TensorDesc{"same": x, "channels": backend.F32(64, 1, 1), "scalar": backend.F32()} {
			benchmark(b, fmt.Sprintf("%v_%s", l, name), backend.Desc{Op: backend.Binary{Fn: backend.Mul}, In: []backend.TensorDesc{in(l, x), y}})
		}
	}
	benchmark(b, "rgb", backend.Desc{Op: backend.Binary{Fn: backend.Mul}, In: []backend.TensorDesc{in(cl, backend.F32(1, 3, 512, 512)), backend.F32(3, 1, 1)}})
	benchmark(b, "planes_7x7", backend.Desc{Op: backend.Binary{Fn: backend.Mul}, In: []backend.TensorDesc{in(plain, backend.F32(8, 512, 7, 7)), backend.F32(512, 1, 1)}})
	benchmark(b, "gates", backend.Desc{Op: backend.Binary{Fn: backend.Mul}, In: []backend.TensorDesc{in(cl, backend.F32(1, 480, 14, 14)), in(cl, backend.F32(1, 480, 1, 1))}})
}

// BenchmarkActivation runs whole kernels.
func BenchmarkActivation(b *testing.B) {
	for _, k := range []backend.ActKind{backend.Relu, backend.Silu, backend.Gelu} {
		benchmark(b, k.String(), backend.Desc{Op: backend.Activation{Act: backend.Act{Kind: k}}, In: []backend.TensorDesc{backend.F32(1, 64, 112, 112)}})
	}
}

// BenchmarkSoftmax has classes, pixels and heads of attention.
func BenchmarkSoftmax(b *testing.B) {
	for _, log := range []bool{false, true} {
		for _, c := range []struct {
			name string
			axis int
			x    backend.TensorDesc
		}{
			{"classes_1000", -1, backend.F32(64, 1000)},
			{"classes_10", -1, backend.F32(4096, 10)},
			{"pixels_21_channels_last", 1, in(cl, backend.F32(1, 21, 128, 128))},
			{"pixels_21_plain", 1, in(plain, backend.F32(1, 21, 128, 128))},
			{"pixels_150_plain", 1, in(plain, backend.F32(1, 150, 64, 64))},
			{"attention_197", -1, in(plain, backend.F32(12, 197, 197))},
		} {
			benchmark(b, fmt.Sprintf("%s/log=%v", c.name, log), backend.Desc{Op: backend.Softmax{Axis: c.axis, Log: log}, In: []backend.TensorDesc{c.x}})
		}
	}
}
