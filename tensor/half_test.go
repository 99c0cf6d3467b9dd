package tensor

import (
	"math"
	"testing"
)

// Every float16 against its definition, (-1)^s · 2^(e-15) · 1.f.
func TestFloat16frombits(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		e, f := int(h>>10&31), float64(h&1023)
		want := math.Ldexp(1+f/1024, e-15)
		switch {
		case e == 0:
			want = math.Ldexp(f/1024, -14)
		case e == 31 && f == 0:
			want = math.Inf(1)
		case e == 31:
			want = math.NaN()
		}
		want = math.Copysign(want, 1-2*float64(h>>15))
		got := float64(Float16frombits(h))
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) || math.Signbit(got) != math.Signbit(want) {
			t.Fatalf("half %#04x: got %v, want %v", h, got, want)
		}
	}
}

// Every bfloat16 is the float32 with the same upper half, by the definition
// (-1)^s · 2^(e-127) · 1.f with seven bits of f.
func TestBFloat16frombits(t *testing.T) {
	for i := range 1 << 16 {
		b := uint16(i)
		e, f := int(b>>7&255), float64(b&127)
		want := math.Ldexp(1+f/128, e-127)
		switch {
		case e == 0:
			want = math.Ldexp(f/128, -126)
		case e == 255 && f == 0:
			want = math.Inf(1)
		case e == 255:
			want = math.NaN()
		}
		want = math.Copysign(want, 1-2*float64(b>>15))
		got := float64(BFloat16frombits(b))
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) || math.Signbit(got) != math.Signbit(want) {
			t.Fatalf("bfloat16 %#04x: got %v, want %v", b, got, want)
		}
	}
}
