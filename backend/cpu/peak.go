package cpu

import (
	"context"
	"math"
	"time"

	"github.com/convgl/convgl/backend"
)

//go:generate go -C _asm run . -family peak -out ../peak_amd64.s -stubs ../zpeak_amd64.go -pkg cpu

// peakLoop is a loop of fused multiply-adds on registers, with what one
// iteration does.
type peakLoop struct {
	needs isa
	fn    func(n int)
	flops float64
}

// How long and how often a peak is measured: the best of several short runs is
// what the machine can do; the rest is what it was doing besides.
const (
	peakRuns  = 12
	peakTime  = 25 * time.Millisecond
	copyBytes = 64 << 20 // a thread: beyond any last-level cache
	copyRuns  = 6
)

// Peaks implements backend.Prober. All threads of the backend compute at once,
// with the widest instructions that CONVGL_CPU allows.
func (d *device) Peaks(ctx context.Context) (backend.Peaks, error) {
	if err := d.ready(ctx); err != nil {
		return backend.Peaks{}, err
	}
	p, err := d.peakFLOPS(ctx)
	if err != nil {
		return backend.Peaks{}, err
	}
	b, err := d.peakCopy(ctx)
	return backend.Peaks{FLOPS: p, CopyBytes: b}, err
}

func (d *device) peakFLOPS(ctx context.Context) (float64, error) {
	loop := peakLoops[0]
	for _, l := range peakLoops {
		if l.needs <= d.isa {
			loop = l
		}
	}
	n := 1000
	for loopTime(loop, n) < peakTime && n < math.MaxInt32 {
		n *= 2
	}
	all := d.pool.threads()
	flops := loop.flops * float64(n) * float64(all)
	best, err := d.bestTime(ctx, peakRuns, func(*call, int, int) { loop.fn(n) })
	return flops / best.Seconds(), err
}

func loopTime(l peakLoop, n int) time.Duration {
	start := time.Now()
	l.fn(n)
	return time.Since(start)
}

// peakCopy copies memory on all threads; bytes read and bytes written both count.
func (d *device) peakCopy(ctx context.Context) (float64, error) {
	n := d.pool.threads()
	// All threads together need no more than an eighth of the memory.
	size := min(copyBytes, int(d.memory/8)/(2*n))
	src, dst := alignedBytes(n*size), alignedBytes(n*size)
	best, err := d.bestTime(ctx, copyRuns, func(_ *call, part, _ int) {
		copy(dst[part*size:(part+1)*size], src[part*size:(part+1)*size])
	})
	return 2 * float64(n*size) / best.Seconds(), err
}

// bestTime returns the shortest of several runs of fn on every thread.
func (d *device) bestTime(ctx context.Context, runs int, fn func(c *call, part, thread int)) (time.Duration, error) {
	best := time.Duration(math.MaxInt64)
	for i := 0; i <= runs; i++ {
		if err := ctx.Err(); err != nil {
			return best, err
		}
		c := &call{op: "Peaks"}
		start := time.Now()
		if err := d.pool.run(fn, c, d.pool.threads()); err != nil {
			return best, err
		}
		if c.err != nil {
			return best, c.err
		}
		if i > 0 { // the first one touches the memory
			best = min(best, time.Since(start))
		}
	}
	return best, nil
}

// peakGenericSteps is the number of multiply-adds of one iteration of
// peakGeneric.
const peakGenericSteps = 8

// peakGeneric does n × peakGenericSteps multiply-adds as the compiler makes them
// of plain Go, in eight chains: what the generic kernels could reach.
func peakGeneric(n int) {
	var s [peakGenericSteps]float32
	peakChains(&s, n, 1, 0.5) // the sums grow to infinity, which costs no more
	if s[0] < 0 {
		panic("cpu: a sum of squares is negative") // keeps the sums in use
	}
}

//go:noinline
func peakChains(s *[peakGenericSteps]float32, n int, a, b float32) {
	s0, s1, s2, s3, s4, s5, s6, s7 := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	// Each product is another, so that none serves two sums.
	for range n {
		s0 += a * b
		s1 += s0 * b
		s2 += s1 * b
		s3 += s2 * b
		s4 += s3 * b
		s5 += s4 * b
		s6 += s5 * b
		s7 += s6 * b
	}
	*s = [peakGenericSteps]float32{s0, s1, s2, s3, s4, s5, s6, s7}
}
