package main

import (
	"fmt"
	"math"
	"math/big"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/convgl/convgl/backend/cpu/_asm/fit"
)

func init() { families["vecmath"] = vecmath }

// doubleUnroll is how many vectors of float64 are under way at once.
const doubleUnroll = 2

// doubles emits arithmetic on vectors of float64, several at once, of values that are
// loaded from and stored to float32.
type doubles struct{ *simd }

// lanes is the number of float64 in a vector.
func (d doubles) lanes() int { return d.bytes / 8 }

// val is a value of every element that is under way: a vector each.
type val []reg.VecVirtual

// cst is a constant of all lanes, in a register or in memory.
type cst struct {
	reg reg.VecVirtual // nil for none
	mem operand.Mem
}

// doubleConsts are the constants in memory, the widest vector of each.
var doubleConsts = map[uint64]operand.Mem{}

func doubleConst(v float64) operand.Mem {
	b := math.Float64bits(v)
	m, ok := doubleConsts[b]
	if !ok {
		m = GLOBL(fmt.Sprintf("f64n%d", len(doubleConsts)), attr.RODATA|attr.NOPTR)
		for i := range 4 { // AVX2 has no operand that is broadcast
			DATA(8*i, operand.U64(b))
		}
		doubleConsts[b] = m
	}
	return m
}

// held returns a constant in a register, where it stays.
func (d doubles) held(v float64) cst {
	c := cst{d.vec(), doubleConst(v)}
	VBROADCASTSD(c.mem, c.reg)
	return c
}

// near returns a constant in a register where there are many, else in memory.
func (d doubles) near(v float64) cst {
	if d.wide {
		return d.held(v)
	}
	return cst{nil, doubleConst(v)}
}

// nears returns constants for a polynomial.
func (d doubles) nears(vs []float64) []cst {
	cs := make([]cst, len(vs))
	for i, v := range vs {
		cs[i] = d.near(v)
	}
	return cs
}

// fars returns constants in memory.
func (d doubles) fars(vs []float64) []cst {
	cs := make([]cst, len(vs))
	for i, v := range vs {
		cs[i] = cst{nil, doubleConst(v)}
	}
	return cs
}

// param returns element i of the constants of a function, in a register.
func (d doubles) param(k reg.Register, i int) cst {
	c := cst{reg: d.vec()}
	VBROADCASTSD(operand.Mem{Base: k, Disp: 8 * i}, c.reg)
	return c
}

// op emits an instruction whose first operand may be a constant in memory.
func (d doubles) op(plain, bcst func(ops ...operand.Op), c cst, ops ...operand.Op) {
	switch {
	case c.reg != nil:
		plain(append([]operand.Op{c.reg}, ops...)...)
	case d.wide:
		bcst(append([]operand.Op{c.mem}, ops...)...)
	default:
		plain(append([]operand.Op{c.mem}, ops...)...)
	}
}

func (d doubles) each(v val, fn func(i int)) {
	for i := range v {
		fn(i)
	}
}

func (d doubles) like(v val) val { return d.vecs(len(v)) }

// copy returns a copy of v, to be overwritten.
func (d doubles) copy(v val) val {
	w := d.like(v)
	d.each(v, func(i int) { VMOVAPD(v[i], w[i]) })
	return w
}

// fill returns the constant in len(like) registers, to be overwritten.
func (d doubles) fill(c cst, like val) val {
	w := d.like(like)
	d.each(w, func(i int) {
		if c.reg != nil {
			VMOVAPD(c.reg, w[i])
		} else {
			VBROADCASTSD(c.mem, w[i])
		}
	})
	return w
}

// What follows overwrites its first argument, except where it returns a value.

func (d doubles) mulAddC(x, y val, c cst) { // x·y + c
	d.each(x, func(i int) { d.op(VFMADD213PD, VFMADD213PD_BCST, c, y[i], x[i]) })
}

func (d doubles) mulAdd(x, y, z val) { // x·y + z
	d.each(x, func(i int) { VFMADD213PD(z[i], y[i], x[i]) })
}

func (d doubles) mulCAdd(x val, c cst, z val) { // x·c + z
	d.each(x, func(i int) { d.op(VFMADD132PD, VFMADD132PD_BCST, c, z[i], x[i]) })
}

func (d doubles) mulCAddC(x val, c, z cst) { // x·c + z; c is in a register
	d.each(x, func(i int) { d.op(VFMADD213PD, VFMADD213PD_BCST, z, c.reg, x[i]) })
}

func (d doubles) subMulC(x, y val, c cst) { // x − y·c
	d.each(x, func(i int) { d.op(VFNMADD231PD, VFNMADD231PD_BCST, c, y[i], x[i]) })
}

func (d doubles) mul(x, y val) { d.each(x, func(i int) { VMULPD(y[i], x[i], x[i]) }) }
func (d doubles) add(x, y val) { d.each(x, func(i int) { VADDPD(y[i], x[i], x[i]) }) }
func (d doubles) div(x, y val) { d.each(x, func(i int) { VDIVPD(y[i], x[i], x[i]) }) }

func (d doubles) mulC(x val, c cst) {
	d.each(x, func(i int) { d.op(VMULPD, VMULPD_BCST, c, x[i], x[i]) })
}
func (d doubles) addC(x val, c cst) {
	d.each(x, func(i int) { d.op(VADDPD, VADDPD_BCST, c, x[i], x[i]) })
}
func (d doubles) subC(x val, c cst) {
	d.each(x, func(i int) { d.op(VSUBPD, VSUBPD_BCST, c, x[i], x[i]) })
}
func (d doubles) and(x val, c cst) {
	d.each(x, func(i int) { d.op(VANDPD, VANDPD_BCST, c, x[i], x[i]) })
}
func (d doubles) or(x val, c cst) {
	d.each(x, func(i int) { d.op(VORPD, VORPD_BCST, c, x[i], x[i]) })
}

// addBits adds the bits of a constant to those of x, as integers.
func (d doubles) addBits(x val, c cst) {
	d.each(x, func(i int) { d.op(VPADDQ, VPADDQ_BCST, c, x[i], x[i]) })
}

// atMost and atLeast keep a NaN of x, which the instructions return since it is their
// first operand. The bound is in a register.
func (d doubles) atMost(x val, c cst)  { d.each(x, func(i int) { VMINPD(x[i], c.reg, x[i]) }) }
func (d doubles) atLeast(x val, c cst) { d.each(x, func(i int) { VMAXPD(x[i], c.reg, x[i]) }) }

// whereNegative replaces x by y where s is below 0; a negative zero or NaN is either.
func (d doubles) whereNegative(x, y, s val) {
	d.each(x, func(i int) {
		if d.wide {
			k := K()
			VPMOVQ2M(s[i], k)
			VMOVAPD(y[i], k, x[i])
		} else {
			VBLENDVPD(s[i], y[i], x[i], x[i])
		}
	})
}

// over returns c/x, which overwrites nothing. The constant is in a register.
func (d doubles) over(c cst, x val) val {
	q := d.like(x)
	d.each(x, func(i int) { VDIVPD(x[i], c.reg, q[i]) })
	return q
}

// poly returns the polynomial of x with the coefficients c, the constant first.
func (d doubles) poly(c []cst, x val) val {
	n := len(c) - 1
	p := d.fill(c[n], x)
	for i := n - 1; i >= 0; i-- {
		d.mulAddC(p, x, c[i])
	}
	return p
}

// expDegree is the degree of the polynomial for (eˣ − 1 − x)/x², |x| ≤ ln 2/2. With
// 5 the exponential is off by 2⁻³² of itself.
const expDegree = 5

// exponential is e^(rate·x) = 2ⁿ·e^(rate·r), r = x − n·ln 2/rate. Adding 1.5·2⁵² to
// x·rate/ln 2 rounds it to an integer, which the low bits then are; it is NaN for NaN,
// and those bits are 0.
type exponential struct {
	d                 doubles
	log2e, ln2, magic cst
	tail              []cst // of (e^(rate·r) − 1 − rate·r)/r²
	rate, one         cst
}

func (d doubles) newExponential(rate float64) *exponential {
	e := &exponential{d: d, log2e: d.near(math.Log2E * rate), ln2: d.near(math.Ln2 / rate), magic: d.held(0x1.8p52)}
	c := fit.Polynomial(fit.ExpTail, -math.Ln2/2, math.Ln2/2, expDegree)
	power := rate * rate
	for i := range c {
		c[i] *= power
		power *= rate
	}
	e.tail, e.rate, e.one = d.nears(c), d.near(rate), d.near(1)
	return e
}

// reduce turns x into r and returns n, in the low bits.
func (e *exponential) reduce(x val) (n val) {
	n = e.d.fill(e.magic, x)
	e.d.each(x, func(i int) { e.d.op(VFMADD231PD, VFMADD231PD_BCST, e.log2e, x[i], n[i]) })
	k := e.d.copy(n)
	e.d.subC(k, e.magic)
	e.d.subMulC(x, k, e.ln2)
	return n
}

// exp returns e^(rate·x) of |rate·x| ≤ 700, and overwrites x.
func (e *exponential) exp(x val) val {
	n := e.reduce(x)
	p := e.d.poly(e.tail, x)
	e.d.mulAddC(p, x, e.rate)
	e.d.mulAddC(p, x, e.one)
	e.d.each(n, func(i int) {
		VPSLLQ(operand.U8(52), n[i], n[i])
		VPADDQ(n[i], p[i], p[i])
	})
	return p
}

// expm1 returns e^(rate·x) − 1, relative to which the error is small also where it is
// near 0, of |rate·x| ≤ 700, and overwrites x. The constant 1 is in memory or not.
func (e *exponential) expm1(x val) val {
	n := e.reduce(x)
	p := e.d.poly(e.tail, x)
	e.d.mulAddC(p, x, e.rate)
	e.d.mul(p, x)
	e.d.each(n, func(i int) { VPSLLQ(operand.U8(52), n[i], n[i]) })
	e.d.each(n, func(i int) { e.d.op(VPADDQ, VPADDQ_BCST, e.one, n[i], n[i]) }) // 2ⁿ
	m := e.d.copy(n)
	e.d.subC(m, e.one)
	e.d.mulAdd(p, n, m)
	return p
}

// function is an activation: before emits what stands before the loop, and returns
// what computes a value.
type function struct {
	name   string
	before func(d doubles, k reg.Register) func(x val) val
}

// The exponential of less than expLeast is 0 in float32, also times 110, and that of
// more than expMost is infinite.
const (
	expLeast = -110
	expMost  = 110
)

var functions = []function{
	{"exp", func(d doubles, _ reg.Register) func(x val) val {
		lo, hi, e := d.held(expLeast), d.held(expMost), d.newExponential(1)
		return func(x val) val {
			d.atLeast(x, lo)
			d.atMost(x, hi)
			return e.exp(x)
		}
	}},
	{"sigmoid", func(d doubles, _ reg.Register) func(x val) val {
		lo, hi, one, e := d.held(expLeast), d.held(expMost), d.held(1), d.newExponential(-1)
		return func(x val) val {
			d.atLeast(x, lo)
			d.atMost(x, hi)
			y := e.exp(x)
			d.addC(y, one)
			return d.over(one, y)
		}
	}},
	{"tanh", func(d doubles, _ reg.Register) func(x val) val { // t/(t+2), t = e^2x − 1
		lo, hi, two, e := d.held(-20), d.held(20), d.near(2), d.newExponential(2)
		return func(x val) val {
			d.atLeast(x, lo)
			d.atMost(x, hi)
			t := e.expm1(x)
			s := d.copy(t)
			d.addC(s, two)
			d.div(t, s)
			return t
		}
	}},
	{"elu", func(d doubles, k reg.Register) func(x val) val {
		slope, scale, rate := d.param(k, 0), d.param(k, 1), d.param(k, 2)
		lo, e := d.held(-50), d.newExponential(1)
		return func(x val) val {
			y := d.copy(x)
			d.mulC(y, rate)
			d.atLeast(y, lo)
			y = e.expm1(y)
			d.mulC(y, scale)
			z := d.copy(x)
			d.mulC(z, slope)
			d.whereNegative(z, y, x)
			return z
		}
	}},
	{"softplus", func(d doubles, _ reg.Register) func(x val) val {
		// ln(1+e) = 2·atanh s, s = e/(2+e)
		lo, zero, two, sign := d.held(expLeast), d.held(0), d.near(2), d.near(math.Copysign(0, -1))
		e := d.newExponential(1)
		c := fit.Polynomial(fit.AtanhRoot, 0, 1./9, softplusDegree)
		for i := range c {
			c[i] *= 2
		}
		tail := d.nears(c)
		return func(x val) val {
			t := d.copy(x)
			d.or(t, sign)
			d.atLeast(t, lo)
			s := e.exp(t)
			u := d.copy(s)
			d.addC(u, two)
			d.div(s, u)
			d.each(u, func(i int) { VMULPD(s[i], s[i], u[i]) })
			p := d.poly(tail, u)
			d.atLeast(x, zero)
			d.mulAdd(p, s, x)
			return p
		}
	}},
	{"softsign", func(d doubles, _ reg.Register) func(x val) val { // 2⁶⁰ is far beyond where y rounds to 1
		lo, hi, one, abs := d.held(-0x1p60), d.held(0x1p60), d.near(1), d.near(math.Float64frombits(1<<63-1))
		return func(x val) val {
			d.atLeast(x, lo)
			d.atMost(x, hi)
			y := d.copy(x)
			d.and(y, abs)
			d.addC(y, one)
			d.div(x, y)
			return x
		}
	}},
	{"silu", func(d doubles, _ reg.Register) func(x val) val {
		lo, hi, one, e := d.held(expLeast), d.held(expMost), d.near(1), d.newExponential(-1)
		return func(x val) val {
			d.atLeast(x, lo)
			t := d.copy(x)
			d.atMost(t, hi)
			y := e.exp(t)
			d.addC(y, one)
			d.div(x, y)
			return x
		}
	}},
	{"hardSwish", func(d doubles, _ reg.Register) func(x val) val {
		lo, hi, three, sixth := d.held(-3), d.held(6), d.near(3), d.near(1./6)
		return func(x val) val {
			d.atLeast(x, lo)
			y := d.copy(x)
			d.addC(y, three)
			d.atMost(y, hi)
			d.mulC(y, sixth)
			d.mul(y, x)
			return y
		}
	}},
	{"mish", func(d doubles, _ reg.Register) func(x val) val { // x·n/(n+2), n = e(e+2)
		lo, hi, two, e := d.held(expLeast), d.held(40), d.near(2), d.newExponential(1)
		return func(x val) val {
			d.atLeast(x, lo)
			t := d.copy(x)
			d.atMost(t, hi)
			n := e.exp(t)
			u := d.copy(n)
			d.addC(u, two)
			d.mul(n, u)
			d.mul(x, n)
			d.addC(n, two)
			d.div(x, n)
			return x
		}
	}},
	{"gelu", func(d doubles, _ reg.Register) func(x val) val {
		// Φ(−a) = e^(−a²/2)·w·G(w), w = 1/(a + geluShift)
		lo, hi, abs, shift := d.held(-geluMost), d.held(geluMost), d.near(math.Float64frombits(1<<63-1)), d.near(geluShift)
		one, e := d.held(1), d.newExponential(-0.5)
		tail := d.fars(normalTail())
		return func(x val) val {
			d.atLeast(x, lo)
			a := d.copy(x)
			d.and(a, abs)
			d.atMost(a, hi)
			w := d.copy(a)
			d.addC(w, shift)
			w = d.over(one, w)
			d.mul(a, a)
			q := e.exp(a)
			d.mul(q, w)
			p := d.poly(tail, w)
			d.mul(q, p) // Φ(−a)
			r := d.fill(one, q)
			d.each(r, func(i int) { VSUBPD(q[i], r[i], r[i]) })
			d.whereNegative(r, q, x)
			d.mul(r, x)
			return r
		}
	}},
	{"log", func(d doubles, _ reg.Register) func(x val) val {
		// x = 2ᵏ·(1+f), 1+f in [√½, √2); ln(1+f) = 2·atanh s, s = f/(2+f)
		one, two, ln2 := d.near(1), d.near(2), d.near(math.Ln2)
		half := d.near(math.Float64frombits(math.Float64bits(1) - math.Float64bits(math.Sqrt2/2)))
		units, bias, zero := d.near(0x1p52), d.near(0x1p52+1023), d.near(0)
		up, least, most, nan := d.held(0x1p300), d.near(-0x1p140), d.near(0x1p200), d.near(math.NaN())
		c := fit.Polynomial(fit.AtanhRoot, 0, 0.02944, logTailDegree)
		for i := range c {
			c[i] *= 2
		}
		tail := d.nears(c)
		return func(x val) val {
			d.addC(x, zero) // of −0
			n, f := d.copy(x), d.copy(x)
			d.addBits(n, half)
			d.each(n, func(i int) {
				VPSRLQ(operand.U8(52), n[i], n[i])
				e := d.vec()
				VPSLLQ(operand.U8(52), n[i], e)
				VPSUBQ(e, f[i], f[i])
			})
			d.addBits(f, one)
			d.subC(f, one)
			d.or(n, units) // an integer below 2⁵²
			d.subC(n, bias)
			s := d.copy(f)
			d.addC(s, two)
			d.div(f, s)
			d.each(s, func(i int) { VMULPD(f[i], f[i], s[i]) })
			p := d.poly(tail, s)
			d.mul(p, f)
			d.mulCAdd(n, ln2, p)
			// Of 0 it is below every float32, of ∞ that, of NaN and of what is below 0 NaN:
			// min and max return their second operand, the first here, where one is NaN.
			end := d.copy(x)
			d.mulCAddC(end, up, least)
			d.each(n, func(i int) { VMINPD(end[i], n[i], n[i]) })
			end = d.copy(x)
			d.subC(end, most)
			d.each(n, func(i int) { VMAXPD(end[i], n[i], n[i]) })
			d.whereNegative(n, d.fill(nan, n), x)
			return n
		}
	}},
	{"erf", func(d doubles, _ reg.Register) func(x val) val {
		// Below 1 x·P(x²); above 1 − 2Φ(−√2·a) as in gelu
		hi, abs, sign := d.held(geluMost/math.Sqrt2), d.near(math.Float64frombits(1<<63-1)), d.near(math.Copysign(0, -1))
		root, shift, one, e := d.held(math.Sqrt2), d.near(geluShift), d.held(1), d.newExponential(-1)
		near := d.fars(fit.Polynomial(fit.ErfRoot, 0, 1, erfDegree))
		c := normalTail()
		for i := range c {
			c[i] *= 2
		}
		tail := d.fars(c)
		return func(x val) val {
			a := d.copy(x)
			d.and(a, abs)
			d.atMost(a, hi)
			w := d.copy(a)
			d.mulCAddC(w, root, shift)
			w = d.over(one, w)
			q := d.copy(a)
			d.mul(q, q)
			q = e.exp(q)
			d.mul(q, w)
			p := d.poly(tail, w)
			d.mul(q, p)
			r := d.fill(one, q)
			d.each(r, func(i int) { VSUBPD(q[i], r[i], r[i]) })
			s := d.copy(x)
			d.and(s, sign)
			d.each(r, func(i int) { VORPD(s[i], r[i], r[i]) })
			z := d.copy(x)
			d.mul(z, z)
			y := d.poly(near, z)
			d.mul(y, x)
			d.subC(a, one)
			d.whereNegative(r, y, a)
			return r
		}
	}},
	{"geluTanh", func(d doubles, _ reg.Register) func(x val) val { // x·σ(u), u = x·(a + b·x²)
		a, b := d.near(math.Sqrt(8/math.Pi)), d.held(0.044715*math.Sqrt(8/math.Pi))
		lo, hi, one, e := d.held(expLeast), d.held(expMost), d.near(1), d.newExponential(-1)
		return func(x val) val {
			u := d.copy(x)
			d.mul(u, x)
			d.mulCAddC(u, b, a)
			d.mul(u, x)
			d.atLeast(u, lo)
			d.atMost(u, hi)
			y := e.exp(u)
			d.addC(y, one)
			d.atLeast(x, lo)
			d.div(x, y)
			return x
		}
	}},
}

const (
	softplusDegree = 7
	geluMost       = 14.5 // beyond it x·Φ(−x) is 0 in float32
	geluShift      = 3.5
	geluDegree     = 11
	logTailDegree  = 4
	erfDegree      = 8
)

// normalTail is the polynomial G of Φ(−a) = e^(−a²/2)·w·G(w), w = 1/(a + geluShift).
func normalTail() []float64 {
	return fit.Polynomial(func(w *big.Float) *big.Float {
		a := new(big.Float).Quo(big.NewFloat(1), w)
		a.Sub(a, big.NewFloat(geluShift))
		return a.Quo(fit.MillsRatio(a), w)
	}, 1./(geluMost+geluShift), 1./geluShift, geluDegree)
}

func vecmath() {
	for _, s := range []*simd{avx512, avx2} {
		d := doubles{s}
		for _, f := range functions {
			d.activation(f)
		}
	}
}

// activation emits dst = f(src).
func (d doubles) activation(f function) {
	TEXT(f.name+d.name, NOSPLIT, "func(dst, src []float32, k *[3]float64)")
	Doc(f.name + d.name + " is " + f.name + ", in float64.")
	Pragma("noescape")
	dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
	n := Load(Param("src").Len(), GP64()).(reg.GPVirtual)
	k := Load(Param("k"), GP64())
	fn := f.before(d, k)
	d.sweep("v", n, d.lanes(), doubleUnroll, func(i reg.GPVirtual, vectors int, mask reg.Register) {
		x := val(d.vecs(vectors))
		for j := range x {
			d.load(d.at(src, i, 4*j*d.lanes()), x[j], mask)
		}
		y := fn(x)
		for j := range y {
			d.store(y[j], d.at(dst, i, 4*j*d.lanes()), mask)
		}
	})
	d.ret()
}

// load reads float32 as float64, the lanes of a mask only where it is not nil.
func (d doubles) load(m operand.Mem, v reg.VecVirtual, mask reg.Register) {
	switch {
	case mask == nil:
		VCVTPS2PD(m, v)
	case d.wide:
		VCVTPS2PD_Z(m, mask, v)
	default:
		x := XMM()
		VMASKMOVPS(m, mask.(reg.VecVirtual).AsX(), x)
		VCVTPS2PD(x, v)
	}
}

// store rounds float64 to float32, in the body of a sweep.
func (d doubles) store(v reg.VecVirtual, m operand.Mem, mask reg.Register) {
	half := XMM()
	if d.wide {
		half = YMM()
		VCVTPD2PS(v, half)
	} else {
		VCVTPD2PSY(v, half)
	}
	d.storeRow(half, m, mask)
}
