package ref

import (
	"math"
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestGroupNorm(t *testing.T) {
	// Two images of four channels of two pixels. Groups of two have mean 2.5 and
	// variance 1.25, or 10 and 25 with ε = 0.
	x := from(f32(1, 2, 3, 4, 5, 15, 5, 15, 4, 3, 2, 1, 7, 7, 7, 7), 2, 4, 2)
	scale, bias := from(f32(2, 4, 5, -10), 4), from(f32(0, 1, 0, 3), 4)
	s := float32(1 / math.Sqrt(1.25))
	got := run(t, backend.GroupNorm{Groups: 2}, x, scale, bias)[0]
	near(t, "two groups", got, f32(-3*s, -s, 1+2*s, 1+6*s, -5, 5, 13, -7, 3*s, s, 1-2*s, 1-6*s, nan, nan, nan, nan), ulp, 0)
	got = run(t, backend.GroupNorm{Groups: 2, Epsilon: 1e-5}, x, scale, bias)[0]
	same(t, "equal elements", from(got.Float32s()[12:], 4), f32(0, 0, 3, 3))
	// one channel each: mean and distance ±½ or ±5, ε = ¾ makes σ 1 for the former
	got = run(t, backend.InstanceNorm{Epsilon: 0.75}, from(x.Float32s()[:4], 1, 2, 2), from(f32(2, 4), 2), from(f32(0, 1), 2))[0]
	same(t, "instances", got, f32(-1, 1, -1, 3))
	// one pixel is its own mean
	same(t, "one pixel", run(t, backend.InstanceNorm{Epsilon: 1e-5}, from(f32(9, 1e30), 1, 2), from(f32(5, 5), 2), from(f32(1, -2), 2))[0], f32(1, -2))
	for _, v := range []float32{nan, inf, -inf} {
		got := run(t, backend.GroupNorm{Groups: 2, Epsilon: 1}, from(f32(1, v, 3, 3), 1, 4), from(f32(1, 1, 1, 1), 4), from(f32(0, 0, 2, 2), 4))[0]
		same(t, "special value", got, f32(nan, nan, 2, 2))
	}
}

func TestLayerNorm(t *testing.T) {
	x := from(f32(1, 3, 10, 20, 5, 5, 2, 8), 2, 2, 2)
	got := run(t, backend.LayerNorm{Axis: -1, Epsilon: 1e-5}, x, from(f32(2, 3), 2), from(f32(1, 0), 2))[0]
	near(t, "last axis", got, f32(-1, 3, -1, 3, 1, 0, -1, 3), 1e-4, 0)
	// slices of four with mean 8.5 and 5, variance 55.25 and 4.5
	a, b := float32(1/math.Sqrt(55.25)), float32(1/math.Sqrt(4.5))
	got = run(t, backend.LayerNorm{Axis: 1}, x, from(f32(1, 2, 1, 1), 2, 2), from(f32(0, 0, 0, 5), 2, 2))[0]
	near(t, "two axes", got, f32(-7.5*a, -11*a, 1.5*a, 5+11.5*a, 0, 0, -3*b, 5+3*b), ulp, 0)
	// The mean is a million times σ: what float32 would make of the squares is noise.
	got = run(t, backend.LayerNorm{}, from(f32(1e6+1, 1e6-1), 2), from(f32(1, 1), 2), from(f32(0, 0), 2))[0]
	same(t, "large mean", got, f32(1, -1))
}

func TestLRN(t *testing.T) {
	// Five channels, one pixel: D = 1 + Σ x² of the window with α = size.
	x := from(f32(1, 2, -1, 3, 0), 1, 5, 1)
	for _, c := range []struct {
		size int
		d    []float32
	}{
		{1, f32(2, 5, 2, 10, 1)},
		{2, f32(6, 6, 11, 10, 1)}, // an even window has one channel more above
		{3, f32(6, 7, 15, 11, 10)},
		{4, f32(7, 16, 15, 11, 10)},
		{9, f32(16, 16, 16, 16, 16)},
		{1000, f32(16, 16, 16, 16, 16)},
	} {
		want := make([]float32, 5)
		for i, d := range c.d {
			want[i] = x.Float32s()[i] / d
		}
		near(t, "y", run(t, backend.LRN{Size: c.size, Alpha: float32(c.size), Beta: 1, K: 1}, x)[0], want, ulp, 0)
	}
	same(t, "a power", run(t, backend.LRN{Size: 1, Alpha: 1, Beta: 0.5}, from(f32(-3, 0), 1, 2))[0], f32(-1, nan))
	same(t, "to the power of 0", run(t, backend.LRN{Size: 1, Alpha: 1}, from(f32(-3, 0), 1, 2))[0], f32(-3, 0))
	same(t, "special values", run(t, backend.LRN{Size: 1, Alpha: 1, Beta: 0.75, K: 1}, from(f32(nan, inf, 0), 1, 3))[0], f32(nan, nan, 0))
	same(t, "beside infinity", run(t, backend.LRN{Size: 3, Alpha: 1, Beta: 0.75, K: 1}, from(f32(5, -inf, 7), 1, 3))[0], f32(0, nan, 0))
}
