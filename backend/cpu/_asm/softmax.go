package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/convgl/convgl/backend/cpu/_asm/fit"
)

func init() { families["softmax"] = softmax }

func softmax() {
	for _, s := range []*simd{avx512, avx2} {
		d := doubles{s}
		for _, lanes := range []bool{false, true} {
			d.softmaxMax(lanes)
			d.softmaxExp(lanes, true)
			d.softmaxExp(lanes, false)
			d.softmaxScale(lanes)
			d.softmaxShift(lanes)
		}
		d.logarithms()
	}
}

// pass emits a kernel of count rows of n elements. The parameters named by float32s
// and float64s belong to the rows, one element each, or to the lanes of all rows, n
// elements; x and y are the rows.
func (d doubles) pass(name string, lanes bool, signature string, body func(p *pass)) {
	form := "Rows"
	if lanes {
		form = "Lanes"
	}
	TEXT(name+form+d.name, NOSPLIT, "func("+signature+")")
	Doc(name + form + d.name + " is a function of softmaxPass.")
	Pragma("noescape")
	p := &pass{doubles: d, perLane: lanes, base: map[string]reg.Register{}}
	p.n = Load(Param("n"), GP64()).(reg.GPVirtual)
	p.count = Load(Param("count"), GP64()).(reg.GPVirtual)
	body(p)
	d.ret()
}

type pass struct {
	doubles
	perLane  bool
	n, count reg.GPVirtual
	base     map[string]reg.Register
	next     []func() // what goes on to the next row
}

// row loads the pointer of x or y.
func (p *pass) row(name string) reg.Register {
	base, step := Load(Param(name).Base(), GP64()), Load(Param("l"+name), GP64())
	SHLQ(operand.U8(2), step)
	p.next = append(p.next, func() { ADDQ(step, base) })
	return base
}

// per loads the pointer of what belongs to rows or lanes, of size bytes each.
func (p *pass) per(name string, size int) reg.Register {
	base := Load(Param(name).Base(), GP64())
	if !p.perLane {
		p.next = append(p.next, func() { ADDQ(operand.Imm(uint64(size)), base) })
	}
	return base
}

// rows emits the loop.
func (p *pass) rows(body func()) {
	Label("row")
	body()
	for _, next := range p.next {
		next()
	}
	DECQ(p.count)
	JNZ(operand.LabelRef("row"))
}

// at64 is the address of element i of float64, offset bytes on.
func at64(base, i reg.Register, offset int) operand.Mem {
	return operand.Mem{Base: base, Index: i, Scale: 8, Disp: offset}
}

// load64 and store64 move float64 lanes of the mask of their float32.
func (d doubles) load64(m operand.Mem, v reg.VecVirtual, mask reg.Register) {
	switch {
	case mask == nil:
		VMOVUPD(m, v)
	case d.wide:
		VMOVUPD_Z(m, mask, v)
	default:
		VMASKMOVPD(m, d.mask64(mask), v)
	}
}

func (d doubles) store64(v reg.VecVirtual, m operand.Mem, mask reg.Register) {
	switch {
	case mask == nil:
		VMOVUPD(v, m)
	case d.wide:
		VMOVUPD(v, mask, m)
	default:
		VMASKMOVPD(v, d.mask64(mask), m)
	}
}

// mask64 widens a mask of AVX2.
func (d doubles) mask64(mask reg.Register) reg.VecVirtual {
	m := YMM()
	VPMOVSXDQ(mask.(reg.VecVirtual).AsX(), m)
	return m
}

// horizontal returns the sum of the lanes of v, in lane 0.
func (d doubles) horizontal(v reg.VecVirtual) reg.Register {
	y := v.AsY()
	if d.wide {
		h := YMM()
		VEXTRACTF64X4(operand.U8(1), v, h)
		VADDPD(h, y, h)
		y = h
	}
	x, t := XMM(), XMM()
	VEXTRACTF128(operand.U8(1), y, x)
	VADDPD(y.(reg.Vec).AsX(), x, x)
	VPERMILPD(operand.U8(1), x, t)
	VADDSD(t, x, x)
	return x
}

func (d doubles) softmaxMax(lanes bool) {
	d.pass("softmaxMax", lanes, "m, x []float32, n, count, lx int", func(p *pass) {
		m, x := p.per("m", 4), p.row("x")
		if lanes {
			p.rows(func() {
				p.sweep("v", p.n, p.floats(), rowUnroll, func(i reg.GPVirtual, vectors int, mask reg.Register) {
					v, w := p.vecs(vectors), p.vec()
					for j := range v {
						p.simd.load(p.at(x, i, j*p.bytes), v[j], mask)
					}
					for j := range v {
						p.simd.load(p.at(m, i, j*p.bytes), w, mask)
						VMAXPS(w, v[j], v[j])
					}
					for j := range v {
						p.simd.storeRow(v[j], p.at(m, i, j*p.bytes), mask)
					}
				})
			})
			return
		}
		acc := p.vecs(rowUnroll)
		p.rows(func() {
			for _, a := range acc {
				VBROADCASTSS(operand.Mem{Base: m}, a)
			}
			p.sweep("v", p.n, p.floats(), rowUnroll, func(i reg.GPVirtual, vectors int, mask reg.Register) {
				for j := range vectors {
					at := p.at(x, i, j*p.bytes)
					switch {
					case mask == nil:
						VMAXPS(at, acc[j], acc[j])
					case p.wide:
						VMAXPS(at, acc[j], mask, acc[j])
					default:
						v := p.vec()
						p.simd.load(at, v, mask)
						VBLENDVPS(mask, v, acc[j], v)
						VMAXPS(v, acc[j], acc[j])
					}
				}
			})
			VMAXPS(acc[1], acc[0], acc[0])
			VMAXPS(acc[3], acc[2], acc[2])
			VMAXPS(acc[2], acc[0], acc[0])
			y := acc[0].AsY()
			if p.wide {
				h := YMM()
				VEXTRACTF64X4(operand.U8(1), acc[0], h)
				VMAXPS(h, y, h)
				y = h
			}
			h, t := XMM(), XMM()
			VEXTRACTF128(operand.U8(1), y, h)
			VMAXPS(y.(reg.Vec).AsX(), h, h)
			VPERMILPS(operand.U8(0b01001110), h, t)
			VMAXPS(t, h, h)
			VPERMILPS(operand.U8(0b10110001), h, t)
			VMAXSS(t, h, h)
			VMOVSS(h, operand.Mem{Base: m})
		})
	})
}

// softmaxExp sums exponentials, and stores them or not.
func (d doubles) softmaxExp(lanes, store bool) {
	name, signature := "softmaxSum", "x, m []float32, sum []float64, n, count, lx int"
	if store {
		name, signature = "softmaxExp", "y, x, m []float32, sum []float64, n, count, ly, lx int"
	}
	d.pass(name, lanes, signature, func(p *pass) {
		x, m, sum := p.row("x"), p.per("m", 4), p.per("sum", 8)
		var y reg.Register
		if store {
			y = p.row("y")
		}
		lo, e := p.held(expLeast), p.newExponential(1)
		exps := func(v val, i reg.GPVirtual, shift func(j int) reg.VecVirtual, mask reg.Register) val {
			for j := range v {
				p.load(p.at(x, i, 4*j*p.doubles.lanes()), v[j], mask)
				VSUBPD(shift(j), v[j], v[j])
			}
			p.atLeast(v, lo)
			v = e.exp(v)
			if store {
				for j := range v {
					p.store(v[j], p.at(y, i, 4*j*p.doubles.lanes()), mask)
				}
			}
			return v
		}
		if lanes {
			p.rows(func() {
				p.sweep("v", p.n, p.doubles.lanes(), doubleUnroll, func(i reg.GPVirtual, vectors int, mask reg.Register) {
					v := exps(p.vecs(vectors), i, func(j int) reg.VecVirtual {
						s := p.vec()
						p.load(p.at(m, i, 4*j*p.doubles.lanes()), s, mask)
						return s
					}, mask)
					for j := range v {
						s := p.vec()
						at := at64(sum, i, 8*j*p.doubles.lanes())
						p.load64(at, s, mask)
						VADDPD(s, v[j], v[j])
						p.store64(v[j], at, mask)
					}
				})
			})
			return
		}
		acc, shift := p.vecs(doubleUnroll), p.vec()
		p.rows(func() {
			h := XMM()
			VXORPS(h, h, h)
			VCVTSS2SD(operand.Mem{Base: m}, h, h)
			VBROADCASTSD(h, shift)
			for _, a := range acc {
				p.clear(a)
			}
			p.sweep("v", p.n, p.doubles.lanes(), doubleUnroll, func(i reg.GPVirtual, vectors int, mask reg.Register) {
				v := exps(p.vecs(vectors), i, func(int) reg.VecVirtual { return shift }, mask)
				for j := range v {
					switch {
					case mask == nil:
						VADDPD(v[j], acc[j], acc[j])
					case p.wide:
						VADDPD(v[j], acc[j], mask, acc[j])
					default:
						VANDPD(p.mask64(mask), v[j], v[j])
						VADDPD(v[j], acc[j], acc[j])
					}
				}
			})
			VADDPD(acc[1], acc[0], acc[0])
			s := p.horizontal(acc[0])
			VADDSD(operand.Mem{Base: sum}, s, s)
			VMOVSD(s, operand.Mem{Base: sum})
		})
	})
}

func (d doubles) softmaxScale(lanes bool) {
	d.pass("softmaxScale", lanes, "y, x []float32, f []float64, n, count, ly, lx int", func(p *pass) {
		y, x, f := p.row("y"), p.row("x"), p.per("f", 8)
		all := p.vec()
		p.rows(func() {
			if !lanes {
				VBROADCASTSD(operand.Mem{Base: f}, all)
			}
			p.sweep("v", p.n, p.doubles.lanes(), rowUnroll, func(i reg.GPVirtual, vectors int, mask reg.Register) {
				v := p.vecs(vectors)
				for j := range v {
					p.load(p.at(x, i, 4*j*p.doubles.lanes()), v[j], mask)
				}
				for j := range v {
					if lanes {
						w := p.vec()
						p.load64(at64(f, i, 8*j*p.doubles.lanes()), w, mask)
						VMULPD(w, v[j], v[j])
					} else {
						VMULPD(all, v[j], v[j])
					}
				}
				for j := range v {
					p.store(v[j], p.at(y, i, 4*j*p.doubles.lanes()), mask)
				}
			})
		})
	})
}

func (d doubles) softmaxShift(lanes bool) {
	d.pass("softmaxShift", lanes, "y, x, m []float32, ln []float64, n, count, ly, lx int", func(p *pass) {
		y, x, m, ln := p.row("y"), p.row("x"), p.per("m", 4), p.per("ln", 8)
		a, b := p.vec(), p.vec()
		p.rows(func() {
			if !lanes {
				h := XMM()
				VXORPS(h, h, h)
				VCVTSS2SD(operand.Mem{Base: m}, h, h)
				VBROADCASTSD(h, a)
				VBROADCASTSD(operand.Mem{Base: ln}, b)
			}
			p.sweep("v", p.n, p.doubles.lanes(), doubleUnroll, func(i reg.GPVirtual, vectors int, mask reg.Register) {
				v := p.vecs(vectors)
				for j := range v {
					p.load(p.at(x, i, 4*j*p.doubles.lanes()), v[j], mask)
				}
				for j := range v {
					if lanes {
						p.load(p.at(m, i, 4*j*p.doubles.lanes()), a, mask)
						p.load64(at64(ln, i, 8*j*p.doubles.lanes()), b, mask)
					}
					VSUBPD(a, v[j], v[j])
					VSUBPD(b, v[j], v[j])
				}
				for j := range v {
					p.store(v[j], p.at(y, i, 4*j*p.doubles.lanes()), mask)
				}
			})
		})
	})
}

// sumLogDegree is the degree of the polynomial of s² for ln m = 2·atanh s,
// s = (m−1)/(m+1), √½ ≤ m < √2, which is off by 2⁻⁴⁰ of itself.
const sumLogDegree = 5

// logarithms emits the natural logarithm of normal numbers from 1 on: s = m·2ⁿ, where
// the bits of √½ below those of s are n and those of m. NaN stays.
func (d doubles) logarithms() {
	TEXT("logRow"+d.name, NOSPLIT, "func(s []float64)")
	Doc("logRow" + d.name + " is logRow.")
	Pragma("noescape")
	base := Load(Param("s").Base(), GP64())
	n := Load(Param("s").Len(), GP64()).(reg.GPVirtual)
	root, magic := d.near(math.Sqrt2/2), d.near(0x1p52)
	one, ln2, zero := d.near(1), d.near(math.Ln2), d.near(0)
	c := fit.Polynomial(fit.AtanhRoot, 0, math.Pow((math.Sqrt2-1)/(math.Sqrt2+1), 2), sumLogDegree)
	for i := range c {
		c[i] *= 2
	}
	tail := d.nears(c)
	d.sweep("v", n, d.lanes(), 1, func(i reg.GPVirtual, vectors int, mask reg.Register) {
		s := val(d.vecs(vectors))
		d.each(s, func(j int) { d.load64(at64(base, i, 8*j*d.lanes()), s[j], mask) })
		k := d.copy(s)
		d.each(k, func(j int) {
			d.op(VPSUBQ, VPSUBQ_BCST, root, k[j], k[j])
			VPSRLQ(operand.U8(52), k[j], k[j]) // n ≥ 0
		})
		m := d.like(s)
		d.each(m, func(j int) {
			VPSLLQ(operand.U8(52), k[j], m[j])
			VPSUBQ(m[j], s[j], m[j])
		})
		d.each(k, func(j int) { d.op(VPADDQ, VPADDQ_BCST, magic, k[j], k[j]) })
		d.subC(k, magic) // float64 of n
		u := d.copy(m)
		d.subC(m, one)
		d.addC(u, one)
		d.div(m, u)
		d.each(u, func(j int) { VMULPD(m[j], m[j], u[j]) })
		p := d.poly(tail, u)
		d.mul(p, m)
		d.each(p, func(j int) { d.op(VFMADD231PD, VFMADD231PD_BCST, ln2, k[j], p[j]) })
		d.each(p, func(j int) { d.op(VFMADD231PD, VFMADD231PD_BCST, zero, s[j], p[j]) })
		d.each(p, func(j int) { d.store64(p[j], at64(base, i, 8*j*d.lanes()), mask) })
	})
	d.ret()
}
