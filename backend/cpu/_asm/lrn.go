package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/convgl/convgl/backend/cpu/_asm/fit"
)

func init() { families["lrn"] = lrns }

func lrns() {
	for _, w := range wides("lrn") {
		w.sumSquares()
	}
	for _, s := range []*simd{avx512, avx2} {
		d := doubles{s}
		d.scale("lrnPower", "lrnPowerGeneric", d.power)
		d.scale("lrnThreeQuarters", "lrnPowerGeneric for k[2] = −¾", d.threeQuarters)
	}
}

// sumSquares emits sums of squares over rows.
func (w *wide) sumSquares() {
	w.function("sumSquares", "(d []float64, x []float32, rows, pitch int)", "is sumSquaresGeneric; rows is 1 or more.")
	d, lanes := Load(Param("d").Base(), GP64()), loadLen("d")
	x, pitch := Load(Param("x").Base(), GP64()), Load(Param("pitch"), GP64())
	SHLQ(operand.U8(2), pitch)
	p := GP64()
	rowsLoop(w.n, w.tail, lanes, []int{4, 1}, func(groups int, t *laneMask) (row, end func()) {
		sum := w.zeros(groups)
		MOVQ(x, p)
		return func() {
				for i := range groups {
					v := w.load(elem(p, 4, i*w.n), t)
					VFMADD231PD(v, v, sum[i])
				}
				ADDQ(pitch, p)
			}, func() {
				for i := range groups {
					w.store64(sum[i], elem(d, 8, i*w.n), t)
				}
			}
	}, func(groups int) {
		ADDQ(operand.U32(4*groups*w.n), x)
		ADDQ(operand.U32(8*groups*w.n), d)
	})
	VZEROUPPER()
	RET()
}

// scale emits y = x·f(k[1] + k[0]·d).
func (d doubles) scale(name, what string, before func(factor, plus, beta reg.VecVirtual) func(sum val) val) {
	TEXT(name+d.name, NOSPLIT, "func(y, x []float32, d []float64, k *[3]float64)")
	Doc(name + d.name + " is " + what + "; d has whole vectors.")
	Pragma("noescape")
	y, n := Load(Param("y").Base(), GP64()), Load(Param("y").Len(), GP64()).(reg.GPVirtual)
	x, sums, k := Load(Param("x").Base(), GP64()), Load(Param("d").Base(), GP64()), Load(Param("k"), GP64())
	f := before(d.param(k, 0).reg, d.param(k, 1).reg, d.param(k, 2).reg)
	unroll := 1 // the next vectors overlap in time all the same
	if d.wide {
		unroll = doubleUnroll
	}
	d.sweep("v", n, d.lanes(), unroll, func(i reg.GPVirtual, vectors int, mask reg.Register) {
		s := val(d.vecs(vectors))
		for j := range s {
			VMOVUPD(operand.Mem{Base: sums, Index: i, Scale: 8, Disp: 8 * j * d.lanes()}, s[j])
		}
		p := f(s)
		for j := range p {
			v := d.vec()
			d.load(d.at(x, i, 4*j*d.lanes()), v, mask)
			VMULPD(v, p[j], p[j])
			d.store(p[j], d.at(y, i, 4*j*d.lanes()), mask)
		}
	})
	d.ret()
}

// Comparisons of VCMPPD.
const (
	equalOrdered      = 0
	notEqualUnordered = 4
	notLess           = 0x1d // greater or equal; false for NaN
)

// choice is a mask of lanes.
type choice struct{ k, v reg.Register }

// operand returns a constant as an operand: in memory only with AVX2.
func (d doubles) operand(c cst) operand.Op {
	if c.reg == nil {
		return c.mem
	}
	return c.reg
}

// compare returns which lanes of x are in that relation to a near constant.
func (d doubles) compare(relation uint8, c cst, x reg.VecVirtual) choice {
	if d.wide {
		k := K()
		VCMPPD(operand.U8(relation), d.operand(c), x, k)
		return choice{k: k}
	}
	v := d.vec()
	VCMPPD(operand.U8(relation), d.operand(c), x, v)
	return choice{v: v}
}

// either returns the union of two choices, and overwrites the first.
func (d doubles) either(a, b choice) choice {
	if d.wide {
		KORW(a.k, b.k, a.k)
	} else {
		VORPD(b.v, a.v, a.v)
	}
	return a
}

// put replaces lanes of x by a near constant.
func (d doubles) put(x reg.VecVirtual, m choice, c cst) {
	if d.wide {
		VMOVAPD(d.operand(c), m.k, x)
	} else {
		VBLENDVPD(m.v, d.operand(c), x, x)
	}
}

// keep makes the other lanes of x 0.
func (d doubles) keep(x reg.VecVirtual, m choice) {
	if d.wide {
		VMOVAPD_Z(x, m.k, x)
	} else {
		VANDPD(m.v, x, x)
	}
}

// logDegree is the degree of the polynomial for log₂(1+r)/r, √½ ≤ 1+r ≤ √2: the
// logarithm is off by 2⁻³⁰ of itself, and less.
const logDegree = 10

// power is D^−β = 2^(−β·(n + log₂ m)), D = m·2ⁿ. It leaves float64 where y does float32,
// and comes to 0 for an infinite D and to infinity for 0.
func (d doubles) power(factor, plus, beta reg.VecVirtual) func(sum val) val {
	one, zero, inf := d.near(1), d.near(0), d.near(math.Inf(1))
	lo, hi, top := d.held(-1020), d.held(1020), d.near(1024)
	tail := d.fars(fit.Polynomial(fit.Log1pRatio, math.Sqrt2/2-1, math.Sqrt2-1, logDegree))
	// Added to the bits of D the shift makes n + 1023 of the exponent.
	far := d.fars([]float64{math.Float64frombits(math.Float64bits(1) - math.Float64bits(math.Sqrt2/2)), 0x1p52, 0x1p52 + 1023, math.Log2E})
	shift, exponent, huge, log2e := far[0], far[1], far[2], far[3]
	e := d.newExponential(math.Ln2)
	return func(sum val) val {
		d.each(sum, func(i int) { VFMADD213PD(plus, factor, sum[i]) })
		n, r := d.copy(sum), d.copy(sum)
		d.each(n, func(i int) {
			d.op(VPADDQ, VPADDQ_BCST, shift, n[i], n[i])
			VPSRLQ(operand.U8(52), n[i], n[i])
			m := d.vec()
			VPSLLQ(operand.U8(52), n[i], m)
			VPSUBQ(m, r[i], r[i])
			d.op(VPADDQ, VPADDQ_BCST, one, r[i], r[i])
		})
		d.or(n, exponent)
		d.subC(n, huge)
		d.subC(r, one)
		t := d.poly(tail, r)
		d.mul(t, r)
		d.mulCAdd(t, log2e, n)
		d.each(t, func(i int) { VMULPD(beta, t[i], t[i]) })
		infinite := make([]choice, len(t))
		d.each(t, func(i int) {
			infinite[i] = d.either(d.compare(notLess, top, t[i]), d.compare(equalOrdered, zero, sum[i]))
		})
		d.atLeast(t, lo)
		d.atMost(t, hi)
		p := e.exp(t)
		d.each(p, func(i int) {
			VSUBPD(sum[i], sum[i], t[i]) // 0; NaN, which the bits have lost
			VADDPD(t[i], p[i], p[i])
			d.put(p[i], infinite[i], inf)
			d.keep(p[i], d.compare(notEqualUnordered, inf, sum[i]))
		})
		return p
	}
}

// threeQuarters is D^−¾ = z³, z = D^−¼ by Newton's method: z·(5 − D·z⁴)/4. The first
// z divides the exponent by −4, and its mantissa with it, which is 3.1 % off; after
// three steps it is 2⁻³⁰.
func (d doubles) threeQuarters(factor, plus, _ reg.VecVirtual) func(sum val) val {
	zero, inf, quarter, c := d.near(0), d.near(math.Inf(1)), d.near(0.25), d.held(1.25)
	first := d.held(math.Float64frombits(0x4feb0c0000000000 - 1<<51)) // of D/4
	d.mulC(val{factor, plus}, quarter)
	return func(sum val) val {
		z := d.like(sum)
		d.each(sum, func(i int) {
			VFMADD213PD(plus, factor, sum[i])
			VPSRLQ(operand.U8(2), sum[i], z[i])
			VPSUBQ(z[i], first.reg, z[i])
		})
		t := d.like(z)
		for range 3 {
			d.each(z, func(i int) { VMULPD(z[i], z[i], t[i]) })
			d.mul(t, t)
			d.each(z, func(i int) { VFNMADD213PD(c.reg, sum[i], t[i]) })
			d.mul(z, t)
		}
		d.each(z, func(i int) { VMULPD(z[i], z[i], t[i]) })
		d.mul(z, t)
		d.each(z, func(i int) {
			d.put(z[i], d.compare(equalOrdered, zero, sum[i]), inf)
			d.keep(z[i], d.compare(notEqualUnordered, inf, sum[i]))
		})
		return z
	}
}
