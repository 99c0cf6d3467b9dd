//go:build cgo

package gl

import (
	"errors"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
)

// Slices around the length from which they are cut, narrow and wide groups, and
// every order of invocations, in every layout.
func TestNorms(t *testing.T) {
	families(t, func(t *testing.T, be *Backend) {
		for _, s := range [][]int{{3, 6}, {2, 8, 32}, {2, 8, 65}, {1, 30, 3, 5}, {1, 16, 9, 9}, {1, 20, 26, 5}, {2, 6, 3, 4, 5}} {
			c := backend.F32(s[1])
			for _, l := range append([]backend.Layout{backend.Any}, layouts...) {
				for _, groups := range []int{1, 2, s[1] / 2, s[1]} {
					d := backend.Desc{Op: backend.GroupNorm{Groups: groups, Epsilon: 1e-5}, In: []backend.TensorDesc{laid(l, s...), c, c}}
					judge(t, be, d, check.Exact, 1)
					judge(t, be, d, check.Adversarial, 2)
				}
				for axis := 1; axis < len(s); axis++ {
					a := backend.F32(s[axis:]...)
					d := backend.Desc{Op: backend.LayerNorm{Axis: axis, Epsilon: 1e-5}, In: []backend.TensorDesc{laid(l, s...), a, a}}
					judge(t, be, d, check.Exact, 3)
					judge(t, be, d, check.Adversarial, 4)
				}
			}
		}
	})
}

// BenchmarkNorm measures a run and its fence, at best: by wall time, and as ms-cpu by
// the CPU time used.
func BenchmarkNorm(b *testing.B) {
	x := func(shape ...int) backend.TensorDesc { return laid(backend.ChannelsLast4, shape...) }
	c := backend.F32(64)
	for _, k := range []struct {
		name string
		d    backend.Desc
	}{
		{"group", backend.Desc{Op: backend.GroupNorm{Groups: 8, Epsilon: 1e-5}, In: []backend.TensorDesc{x(1, 64, 56, 56), c, c}}},
		{"instance", backend.Desc{Op: backend.InstanceNorm{Epsilon: 1e-5}, In: []backend.TensorDesc{x(1, 64, 56, 56), c, c}}},
		{"layer", backend.Desc{Op: backend.LayerNorm{Axis: 1, Epsilon: 1e-5}, In: []backend.TensorDesc{x(1, 64, 56, 56), backend.F32(64, 56, 56), backend.F32(64, 56, 56)}}},
		{"tokens", backend.Desc{Op: backend.LayerNorm{Axis: -1, Epsilon: 1e-5}, In: []backend.TensorDesc{backend.F32(1, 196, 768), backend.F32(768), backend.F32(768)}}},
		{"lrn", backend.Desc{Op: backend.LRN{Size: 5, Alpha: 1e-4, Beta: 0.75, K: 2}, In: []backend.TensorDesc{x(1, 96, 55, 55)}}},
	} {
		b.Run(k.name, func(b *testing.B) {
			be := open(b)
			in, err := check.Inputs(k.d, check.Normal, 1)
			if err != nil {
				b.Fatal(err)
			}
			inst := instance(b, be, k.d, in)
			run := func() {
				if err := errors.Join(inst.Run(bg), be.Sync(bg)); err != nil {
					b.Fatal(err)
				}
			}
			run()
			best, cpu := time.Hour, time.Hour
			for b.Loop() {
				from, used := time.Now(), cpuTime()
				run()
				best, cpu = min(best, time.Since(from)), min(cpu, cpuTime()-used)
			}
			b.ReportMetric(1e3*best.Seconds(), "ms-best")
			b.ReportMetric(1e3*cpu.Seconds(), "ms-cpu")
		})
	}
}
