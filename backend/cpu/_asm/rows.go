package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { families["rows"] = rowKernels }

// rowUnroll is how many vectors of a row are under way at once.
const rowUnroll = 4

func rowKernels() {
	for _, s := range []*simd{avx512, avx2} {
		s.addRow()
		s.scaleShiftRow()
		s.scaleShiftScalar()
		for _, streamed := range []bool{false, true} {
			s.activations(streamed)
			for _, op := range binaryOps {
				for _, form := range binaryForms {
					if form != "SV" || !op.commutes {
						s.binary(op, form, streamed)
					}
				}
			}
		}
		for _, form := range whereForms {
			s.where(form)
		}
	}
}

func (s *simd) addRow() {
	TEXT("addRow"+s.name, NOSPLIT, "func(dst, b []float32)")
	Doc("addRow" + s.name + " is add.")
	Pragma("noescape")
	dst, b := Load(Param("dst").Base(), GP64()), Load(Param("b").Base(), GP64())
	n := Load(Param("dst").Len(), GP64()).(reg.GPVirtual)
	s.sweep("v", n, s.floats(), rowUnroll, func(i reg.GPVirtual, vectors int, mask reg.Register) {
		v, w := s.vecs(vectors), s.vec()
		for j := range v {
			s.load(s.at(dst, i, j*s.bytes), v[j], mask)
		}
		for j := range v {
			if mask != nil {
				s.load(s.at(b, i, j*s.bytes), w, mask)
				VADDPS(w, v[j], v[j])
			} else {
				VADDPS(s.at(b, i, j*s.bytes), v[j], v[j])
			}
		}
		for j := range v {
			s.storeRow(v[j], s.at(dst, i, j*s.bytes), mask)
		}
	})
	s.ret()
}

func (s *simd) scaleShiftRow() {
	TEXT("scaleShiftRow"+s.name, NOSPLIT, "func(dst, src, scale, shift []float32)")
	Doc("scaleShiftRow" + s.name + " is scaleShiftRow, rounded once.")
	Pragma("noescape")
	dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
	scale, shift := Load(Param("scale").Base(), GP64()), Load(Param("shift").Base(), GP64())
	n := Load(Param("dst").Len(), GP64()).(reg.GPVirtual)
	s.sweep("v", n, s.floats(), rowUnroll, func(i reg.GPVirtual, vectors int, mask reg.Register) {
		x, a, b := s.vecs(vectors), s.vecs(vectors), s.vec()
		for j := range x {
			s.load(s.at(src, i, j*s.bytes), x[j], mask)
			s.load(s.at(scale, i, j*s.bytes), a[j], mask)
		}
		for j := range x {
			if mask != nil {
				s.load(s.at(shift, i, j*s.bytes), b, mask)
				VFMADD213PS(b, a[j], x[j])
			} else {
				VFMADD213PS(s.at(shift, i, j*s.bytes), a[j], x[j])
			}
		}
		for j := range x {
			s.storeRow(x[j], s.at(dst, i, j*s.bytes), mask)
		}
	})
	s.ret()
}

func (s *simd) scaleShiftScalar() {
	TEXT("scaleShiftAll"+s.name, NOSPLIT, "func(dst, src []float32, scale, shift float32)")
	Doc("scaleShiftAll" + s.name + " is scaleShiftAll, rounded once.")
	Pragma("noescape")
	dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
	n := Load(Param("dst").Len(), GP64()).(reg.GPVirtual)
	a, b := s.param("scale"), s.param("shift")
	s.map1(dst, src, n, false, func(v reg.VecVirtual) { VFMADD213PS(b, a, v) })
	s.ret()
}

// kernelName is the name of a kernel, which may store past the caches.
func (s *simd) kernelName(name string, streamed bool) string {
	if streamed {
		name += "Stream"
	}
	return name + s.name
}

// map1 sets dst to fn of src, which works in place.
func (s *simd) map1(dst, src reg.Register, n reg.GPVirtual, streamed bool, fn func(v reg.VecVirtual)) {
	store := s.storeRow
	if streamed {
		store = s.stream
	}
	s.sweep("v", n, s.floats(), rowUnroll, func(i reg.GPVirtual, vectors int, mask reg.Register) {
		v := s.vecs(vectors)
		for j := range v {
			s.load(s.at(src, i, j*s.bytes), v[j], mask)
		}
		for j := range v {
			fn(v[j])
		}
		for j := range v {
			store(v[j], s.at(dst, i, j*s.bytes), mask)
		}
	})
}

// activations emits those that are not transcendental and rounded at most once.
// VMAXPS and VMINPS return their first operand here, x, where one is NaN.
func (s *simd) activations(streamed bool) {
	act := func(name string, consts int, make func(p []reg.VecVirtual) func(x reg.VecVirtual)) {
		full := s.kernelName(name, streamed)
		TEXT(full, NOSPLIT, "func(dst, src []float32, k *[3]float64)")
		Doc(full + " is " + name + ".")
		Pragma("noescape")
		dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
		n := Load(Param("src").Len(), GP64()).(reg.GPVirtual)
		k := Load(Param("k"), GP64())
		var p []reg.VecVirtual
		for i := range consts {
			v, x := s.vec(), XMM()
			VXORPS(x, x, x)
			VCVTSD2SS(operand.Mem{Base: k, Disp: 8 * i}, x, x)
			VBROADCASTSS(x, v)
			p = append(p, v)
		}
		s.map1(dst, src, n, streamed, make(p))
		if streamed {
			SFENCE()
		}
		s.ret()
	}
	act("relu", 0, func([]reg.VecVirtual) func(x reg.VecVirtual) {
		zero := s.zero()
		return func(x reg.VecVirtual) { VMAXPS(x, zero, x) }
	})
	act("leakyRelu", 1, func(p []reg.VecVirtual) func(x reg.VecVirtual) {
		zero := s.zero()
		return func(x reg.VecVirtual) { s.prelu(x, p[0], zero) }
	})
	act("clip", 2, func(p []reg.VecVirtual) func(x reg.VecVirtual) {
		return func(x reg.VecVirtual) {
			VMAXPS(x, p[0], x)
			VMINPS(x, p[1], x)
		}
	})
	act("hardSigmoid", 2, func(p []reg.VecVirtual) func(x reg.VecVirtual) {
		zero, one := s.zero(), s.vec()
		VBROADCASTSS(s.constant(1), one)
		return func(x reg.VecVirtual) {
			VFMADD213PS(p[1], p[0], x)
			VMAXPS(x, zero, x)
			VMINPS(x, one, x)
		}
	})
	s.choices(act)
}

// Immediate operands of VROUNDPS and VRNDSCALEPS, without an exception for inexact.
var roundings = []struct {
	name string
	imm  operand.U8
}{{"round", 8}, {"floor", 9}, {"ceil", 10}}

// choices emits activations that choose, round to integers or are one
// instruction.
func (s *simd) choices(act func(name string, consts int, make func(p []reg.VecVirtual) func(x reg.VecVirtual))) {
	act("abs", 0, func([]reg.VecVirtual) func(x reg.VecVirtual) {
		return func(x reg.VecVirtual) {
			VPSLLD(operand.U8(1), x, x)
			VPSRLD(operand.U8(1), x, x)
		}
	})
	act("neg", 0, func([]reg.VecVirtual) func(x reg.VecVirtual) {
		sign := s.vec()
		VPBROADCASTD(s.signBit(), sign)
		return func(x reg.VecVirtual) { VXORPS(sign, x, x) }
	})
	for _, r := range roundings {
		act(r.name, 0, func([]reg.VecVirtual) func(x reg.VecVirtual) {
			return func(x reg.VecVirtual) {
				if s.wide {
					VRNDSCALEPS(r.imm, x, x)
				} else {
					VROUNDPS(r.imm, x, x)
				}
			}
		})
	}
	act("sign", 0, func([]reg.VecVirtual) func(x reg.VecVirtual) {
		zero, one, minus := s.zero(), s.vec(), s.vec()
		VBROADCASTSS(s.constant(1), one)
		VBROADCASTSS(s.constant(-1), minus)
		return func(x reg.VecVirtual) {
			above, below := s.compare(lessThan, zero, x), s.compare(lessThan, x, zero)
			s.blend(above, one, x)
			s.blend(below, minus, x)
		}
	})
	act("sqrt", 0, func([]reg.VecVirtual) func(x reg.VecVirtual) {
		return func(x reg.VecVirtual) { VSQRTPS(x, x) }
	})
	act("reciprocal", 0, func([]reg.VecVirtual) func(x reg.VecVirtual) {
		one := s.vec()
		VBROADCASTSS(s.constant(1), one)
		return func(x reg.VecVirtual) { VDIVPS(x, one, x) }
	})
	act("thresholdedRelu", 1, func(p []reg.VecVirtual) func(x reg.VecVirtual) {
		zero := s.zero()
		return func(x reg.VecVirtual) { s.blend(s.compare(lessOrEqual, x, p[0]), zero, x) }
	})
}

// compare returns the lanes in which a is as the predicate says of b.
func (s *simd) compare(predicate operand.U8, a, b reg.VecVirtual) reg.Register {
	if s.wide {
		k := K()
		VCMPPS(predicate, b, a, k)
		return k
	}
	m := s.vec()
	VCMPPS(predicate, b, a, m)
	return m
}

// blend sets the lanes of x to those of y.
func (s *simd) blend(lanes reg.Register, y, x reg.VecVirtual) {
	if s.wide {
		VMOVAPS(y, lanes, x)
	} else {
		VBLENDVPS(lanes, y, x, x)
	}
}

// prelu multiplies x by slope where it is below 0.
func (s *simd) prelu(x, slope, zero reg.VecVirtual) {
	if s.wide {
		k := K()
		VCMPPS(operand.U8(lessThan), zero, x, k)
		VMULPS(slope, x, k, x)
		return
	}
	m, p := s.vec(), s.vec()
	VCMPPS(operand.U8(lessThan), zero, x, m)
	VMULPS(slope, x, p)
	VBLENDVPS(m, p, x, x)
}

type binaryOp struct {
	name     string
	commutes bool
	emit     func(s *simd, y, a, b, held reg.VecVirtual) // y = a op b; y may be a
	hold     func(s *simd) reg.VecVirtual                // what stays in a register, nil for none
}

var binaryOps = []binaryOp{
	{"add", true, func(_ *simd, y, a, b, _ reg.VecVirtual) { VADDPS(b, a, y) }, nil},
	{"sub", false, func(_ *simd, y, a, b, _ reg.VecVirtual) { VSUBPS(b, a, y) }, nil},
	{"mul", true, func(_ *simd, y, a, b, _ reg.VecVirtual) { VMULPS(b, a, y) }, nil},
	{"div", false, func(_ *simd, y, a, b, _ reg.VecVirtual) { VDIVPS(b, a, y) }, nil},
	{"prelu", false, func(s *simd, y, a, b, zero reg.VecVirtual) {
		if y != a {
			VMOVAPS(a, y)
		}
		s.prelu(y, b, zero)
	}, (*simd).zero},
	{"max", true, extremum(VMAXPS), nil},
	{"min", true, extremum(VMINPS), nil},
	// The others are these with operands that have changed places.
	{"less", false, comparison(lessThan), (*simd).one},
	{"lessOrEqual", false, comparison(lessOrEqual), (*simd).one},
	{"equal", true, comparison(equal), (*simd).one},
}

// extremum is a maximum or minimum. The instruction returns b where one operand is NaN.
func extremum(op func(ops ...operand.Op)) func(s *simd, y, a, b, _ reg.VecVirtual) {
	return func(s *simd, y, a, b, _ reg.VecVirtual) {
		v := s.vec()
		op(b, a, v)
		nan := s.compare(unordered, a, a)
		s.blend(nan, a, v)
		VMOVAPS(v, y)
	}
}

// comparison is 1 where the predicate holds of a and b, and 0 where not.
func comparison(predicate operand.U8) func(s *simd, y, a, b, one reg.VecVirtual) {
	return func(s *simd, y, a, b, one reg.VecVirtual) {
		m := s.compare(predicate, a, b)
		if s.wide {
			VMOVAPS_Z(one, m, y)
		} else {
			VANDPS(one, m.(reg.VecVirtual), y)
		}
	}
}

// one returns a register of ones.
func (s *simd) one() reg.VecVirtual {
	v := s.vec()
	VBROADCASTSS(s.constant(1), v)
	return v
}

// binaryForms say which operand is a vector and which a scalar in each row.
var binaryForms = []string{"VV", "VS", "SV"}

func (s *simd) binary(op binaryOp, form string, streamed bool) {
	name := s.kernelName(op.name+form, streamed)
	TEXT(name, NOSPLIT, "func(y, a, b []float32, n, rows, ly, la, lb int)")
	Doc(name + " is binaryRows of " + op.name + ", with a vector (V) or a scalar (S) of a and b in each row.")
	Pragma("noescape")
	y := Load(Param("y").Base(), GP64())
	a, b := Load(Param("a").Base(), GP64()), Load(Param("b").Base(), GP64())
	n := Load(Param("n"), GP64()).(reg.GPVirtual)
	count := Load(Param("rows"), GP64())
	ly, la, lb := Load(Param("ly"), GP64()), Load(Param("la"), GP64()), Load(Param("lb"), GP64())
	for _, l := range []reg.Register{ly, la, lb} {
		SHLQ(operand.U8(2), l)
	}
	var held reg.VecVirtual
	if op.hold != nil {
		held = op.hold(s)
	}
	store := s.storeRow
	if streamed {
		store = s.stream
	}
	Label("row")
	var scalar reg.VecVirtual
	if form != "VV" {
		scalar = s.vec()
		from := b
		if form == "SV" {
			from = a
		}
		VBROADCASTSS(operand.Mem{Base: from}, scalar)
	}
	s.sweep("v", n, s.floats(), rowUnroll, func(i reg.GPVirtual, vectors int, mask reg.Register) {
		va, vb := s.vecs(vectors), s.vecs(vectors)
		for j := range va {
			if form == "SV" {
				va[j] = scalar
			} else {
				s.load(s.at(a, i, j*s.bytes), va[j], mask)
			}
			if form == "VS" {
				vb[j] = scalar
			} else {
				s.load(s.at(b, i, j*s.bytes), vb[j], mask)
			}
		}
		out := make([]reg.VecVirtual, vectors)
		for j := range va {
			out[j] = va[j]
			if form == "SV" {
				out[j] = s.vec()
			}
			op.emit(s, out[j], va[j], vb[j], held)
		}
		for j := range va {
			store(out[j], s.at(y, i, j*s.bytes), mask)
		}
	})
	ADDQ(ly, y)
	ADDQ(la, a)
	ADDQ(lb, b)
	DECQ(count)
	JNZ(operand.LabelRef("row"))
	if streamed {
		SFENCE()
	}
	s.ret()
}

// whereForms say which of x and y is a vector and which a scalar in each row.
var whereForms = []string{"VV", "VS", "SV", "SS"}

func (s *simd) where(form string) {
	name := "where" + form + s.name
	TEXT(name, NOSPLIT, "func(z, c, x, y []float32, n, rows, lz, lc, lx, ly int)")
	Doc(name + " is whereRows, with a vector (V) or a scalar (S) of x and y in each row.")
	Pragma("noescape")
	z, c := Load(Param("z").Base(), GP64()), Load(Param("c").Base(), GP64())
	x, y := Load(Param("x").Base(), GP64()), Load(Param("y").Base(), GP64())
	n := Load(Param("n"), GP64()).(reg.GPVirtual)
	zero := s.zero()
	Label("row")
	scalar := func(i int, from reg.Register) reg.VecVirtual {
		if form[i] == 'V' {
			return nil
		}
		v := s.vec()
		VBROADCASTSS(operand.Mem{Base: from}, v)
		return v
	}
	sx, sy := scalar(0, x), scalar(1, y)
	s.sweep("v", n, s.floats(), rowUnroll, func(i reg.GPVirtual, vectors int, mask reg.Register) {
		fetch := func(from reg.Register, j int) reg.VecVirtual {
			v := s.vec()
			s.load(s.at(from, i, j*s.bytes), v, mask)
			return v
		}
		out := make([]reg.VecVirtual, vectors)
		for j := range out {
			chosen := s.compare(notEqual, fetch(c, j), zero)
			vx := sx
			if vx == nil {
				vx = fetch(x, j)
			}
			if sy == nil {
				out[j] = fetch(y, j)
			} else {
				out[j] = s.vec()
				VMOVAPS(sy, out[j])
			}
			s.blend(chosen, vx, out[j])
		}
		for j := range out {
			s.storeRow(out[j], s.at(z, i, j*s.bytes), mask)
		}
	})
	for _, l := range []struct {
		name string
		at   reg.Register
	}{{"lz", z}, {"lc", c}, {"lx", x}, {"ly", y}} {
		step := Load(Param(l.name), GP64())
		SHLQ(operand.U8(2), step)
		ADDQ(step, l.at)
	}
	count := Load(Param("rows"), GP64())
	DECQ(count)
	rows, err := Param("rows").Resolve()
	if err != nil {
		panic(err)
	}
	MOVQ(count, rows.Addr)
	JNZ(operand.LabelRef("row"))
	s.ret()
}
