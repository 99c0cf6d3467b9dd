// Package fit finds polynomials for functions, in arithmetic that gives the same
// coefficients on every machine.
package fit

import (
	"math"
	"math/big"
)

// bits is the precision of functions and coefficients: far more than the 151 that
// MillsRatio loses.
const bits = 512

func num(v float64) *big.Float { return new(big.Float).SetPrec(bits).SetFloat64(v) }

// Polynomial returns the coefficients of the polynomial that equals f at the Chebyshev
// nodes of [lo, hi], the constant first. Its error is little above that of the best one.
func Polynomial(f func(x *big.Float) *big.Float, lo, hi float64, degree int) []float64 {
	n := degree + 1
	x, d := make([]*big.Float, n), make([]*big.Float, n)
	for i := range n {
		c := math.Round(math.Cos(math.Pi*(float64(i)+0.5)/float64(n))*(1<<30)) / (1 << 30)
		x[i] = num((lo+hi)/2 + float64((hi-lo)/2*c)) // no fused multiply-add
		d[i] = f(x[i])
	}
	for k := 1; k < n; k++ { // divided differences
		for i := n - 1; i >= k; i-- {
			d[i] = quo(sub(d[i], d[i-1]), sub(x[i], x[i-k]))
		}
	}
	c := make([]*big.Float, n) // of powers of x, by Horner's rule
	for i := range c {
		c[i] = num(0)
	}
	for k := n - 1; k >= 0; k-- {
		for i := n - 1; i > 0; i-- {
			c[i] = sub(c[i-1], mul(c[i], x[k]))
		}
		c[0] = add(d[k], mul(num(-1), mul(c[0], x[k])))
	}
	out := make([]float64, n)
	for i := range c {
		out[i], _ = c[i].Float64()
	}
	return out
}

func add(a, b *big.Float) *big.Float { return num(0).Add(a, b) }
func sub(a, b *big.Float) *big.Float { return num(0).Sub(a, b) }
func mul(a, b *big.Float) *big.Float { return num(0).Mul(a, b) }
func quo(a, b *big.Float) *big.Float { return num(0).Quo(a, b) }

// series is Σ term(0)·…·term(k) until the sum no longer changes; the terms fall.
func series(term func(k int) *big.Float) *big.Float {
	t, sum := num(1), num(0)
	for k := 0; ; k++ {
		t = mul(t, term(k))
		next := add(sum, t)
		if next.Cmp(sum) == 0 {
			return sum
		}
		sum = next
	}
}

// ExpTail is (eˣ − 1 − x)/x².
func ExpTail(x *big.Float) *big.Float {
	return series(func(k int) *big.Float {
		if k == 0 {
			return num(0.5)
		}
		return quo(x, num(float64(k+2)))
	})
}

// exp is eˣ.
func exp(x *big.Float) *big.Float {
	return series(func(k int) *big.Float {
		if k == 0 {
			return num(1)
		}
		return quo(x, num(float64(k)))
	})
}

// AtanhRoot is atanh(√z)/√z.
func AtanhRoot(z *big.Float) *big.Float {
	sum := num(0)
	for k := 600; k >= 0; k-- { // z ≤ 1/9, so 3⁻¹²⁰⁰
		sum = add(mul(sum, z), quo(num(1), num(float64(2*k+1))))
	}
	return sum
}

// ErfRoot is erf(√z)/√z.
func ErfRoot(z *big.Float) *big.Float {
	power, sum := num(1), num(0) // (−z)ⁿ/n!
	for n := 0; n < 200; n++ {
		if n > 0 {
			power = quo(mul(power, z), num(float64(-n)))
		}
		sum = add(sum, quo(power, num(float64(2*n+1))))
	}
	return quo(mul(num(2), sum), num(0).Sqrt(pi()))
}

// pi by Machin's formula.
func pi() *big.Float {
	arctan := func(inverse float64) *big.Float {
		sum := num(0)
		for k := 400; k >= 0; k-- {
			sum = sub(quo(num(1), num(float64(2*k+1))), quo(sum, num(inverse*inverse)))
		}
		return quo(sum, num(inverse))
	}
	return mul(num(4), sub(mul(num(4), arctan(5)), arctan(239)))
}

// MillsRatio is Φ(−a)·e^(a²/2), a ≥ 0: of Φ = ½ − φ(a)·Σ a^(2k+1)/(2k+1)!!.
func MillsRatio(a *big.Float) *big.Float {
	square := mul(a, a)
	odd := series(func(k int) *big.Float {
		if k == 0 {
			return a
		}
		return quo(square, num(float64(2*k+1)))
	})
	root := num(0).Sqrt(mul(num(2), pi()))
	return sub(quo(exp(quo(square, num(2))), num(2)), quo(odd, root))
}

// Log1pRatio is ln(1+r)/r = 2·atanh(s)/r, s = r/(2+r), |s| ≤ 1/3.
func Log1pRatio(r *big.Float) *big.Float {
	t := add(num(2), r)
	s := quo(r, t)
	return mul(quo(num(2), t), AtanhRoot(mul(s, s)))
}
