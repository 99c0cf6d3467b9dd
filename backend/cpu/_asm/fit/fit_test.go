package fit

import (
	"math"
	"math/big"
	"testing"
)

// The functions have the values of package math, and their polynomials are near them.
func TestPolynomial(t *testing.T) {
	for _, c := range []struct {
		name   string
		f      func(x *big.Float) *big.Float
		want   func(x float64) float64
		lo, hi float64
		degree int
		most   float64 // relative error of the polynomial
	}{
		{"ExpTail", ExpTail, func(x float64) float64 { return (math.Expm1(x) - x) / (x * x) }, -math.Ln2 / 2, math.Ln2 / 2, 5, 0x1p-28},
		{"AtanhRoot", AtanhRoot, func(x float64) float64 { return math.Atanh(math.Sqrt(x)) / math.Sqrt(x) }, 0, 1. / 9, 7, 0x1p-32},
		{"ErfRoot", ErfRoot, func(x float64) float64 { return math.Erf(math.Sqrt(x)) / math.Sqrt(x) }, 0, 1, 8, 0x1p-38},
		{"Log1pRatio", Log1pRatio, func(x float64) float64 { return math.Log1p(x) / x }, math.Sqrt2/2 - 1, math.Sqrt2 - 1, 10, 0x1p-30},
		{"MillsRatio", MillsRatio, func(x float64) float64 { return math.Erfc(x/math.Sqrt2) / 2 * math.Exp(x*x/2) }, 0, 4, 14, 0x1p-27},
	} {
		p := Polynomial(c.f, c.lo, c.hi, c.degree)
		for i := 1; i < 50; i++ {
			x := c.lo + (c.hi-c.lo)*float64(i)/50 + 1e-3
			want, _ := c.f(num(x)).Float64()
			if w := c.want(x); math.Abs(w/want-1) > 1e-11 {
				t.Errorf("%s(%v) = %v, want %v", c.name, x, want, w)
			}
			y := 0.0
			for k := c.degree; k >= 0; k-- {
				y = y*x + p[k]
			}
			if e := math.Abs(y/want - 1); e > c.most {
				t.Errorf("polynomial for %s at %v: relative error %g, want at most %g", c.name, x, e, c.most)
			}
		}
	}
}
