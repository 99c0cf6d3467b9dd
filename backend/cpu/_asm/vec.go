package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// simd is an instruction set that one description of a kernel is emitted for.
type simd struct {
	name  string // suffix of functions
	wide  bool   // AVX-512: opmasks and vectors of 512 bits, instead of 256
	bytes int    // of a vector
	// rest is the number of elements that sweep leaves to a vector with a mask.
	rest  reg.GPVirtual
	rests int // so far, for labels
}

var (
	avx2   = &simd{name: "AVX2", bytes: 32}
	avx512 = &simd{name: "AVX512", wide: true, bytes: 64}
)

// floats is the number of float32 in a vector.
func (s *simd) floats() int { return s.bytes / 4 }

// vec returns a new register of the full width.
func (s *simd) vec() reg.VecVirtual {
	if s.wide {
		return ZMM()
	}
	return YMM()
}

// vecs returns n of them.
func (s *simd) vecs(n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = s.vec()
	}
	return v
}

// param returns a register with a float32 parameter in all lanes.
func (s *simd) param(name string) reg.VecVirtual {
	a, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	v := s.vec()
	VBROADCASTSS(a.Addr, v)
	return v
}

// zero returns a register of zeros.
func (s *simd) zero() reg.VecVirtual {
	v := s.vec()
	s.clear(v)
	return v
}

func (s *simd) clear(v reg.VecVirtual) {
	if s.wide {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
}

// Masks of tails, made when they are first used: of AVX-512 the low i bits for
// every i, of AVX2 a run of ones before one of zeros, to be read at an offset.
var (
	opmasks   operand.Mem
	lanemasks operand.Mem
	haveMasks = map[bool]bool{}
)

func (s *simd) masks() operand.Mem {
	if !haveMasks[s.wide] {
		haveMasks[s.wide] = true
		if s.wide {
			opmasks = GLOBL("opmasks", attr.RODATA|attr.NOPTR)
			for i := range 17 {
				DATA(2*i, operand.U16(1<<i-1))
			}
		} else {
			lanemasks = GLOBL("lanemasks", attr.RODATA|attr.NOPTR)
			for i := range 16 {
				DATA(4*i, operand.U32(uint32(0)-uint32((15-i)/8)))
			}
		}
	}
	if s.wide {
		return opmasks
	}
	return lanemasks
}

// mask returns the mask of the first n lanes of float32, where n, a register, is
// below the number of lanes of a vector.
func (s *simd) mask(n reg.GPVirtual) reg.Register {
	table := GP64()
	LEAQ(s.masks(), table)
	if s.wide {
		k := K()
		KMOVW(operand.Mem{Base: table, Index: n, Scale: 2}, k)
		return k
	}
	back := GP64()
	MOVQ(n, back)
	NEGQ(back)
	v := YMM()
	VMOVUPS(operand.Mem{Base: table, Disp: 32, Index: back, Scale: 4}, v)
	return v
}

// load reads a vector, the lanes of a mask only where it is not nil; the others are 0.
func (s *simd) load(m operand.Mem, v reg.VecVirtual, mask reg.Register) {
	switch {
	case mask == nil:
		VMOVUPS(m, v)
	case s.wide:
		VMOVUPS_Z(m, mask, v)
	default:
		VMASKMOVPS(m, mask, v)
	}
}

// stream is store past the caches; whole vectors are aligned to their size. A kernel
// that uses it ends with SFENCE.
func (s *simd) stream(v reg.VecVirtual, m operand.Mem, mask reg.Register) {
	if mask == nil {
		VMOVNTPS(v, m)
	} else {
		s.storeRest(v, m)
	}
}

// storeRow is store in the body of a sweep: see storeRest.
func (s *simd) storeRow(v reg.VecVirtual, m operand.Mem, mask reg.Register) {
	if mask == nil {
		VMOVUPS(v, m)
	} else {
		s.storeRest(v, m)
	}
}

// storeRest writes the first elements of v, a vector of float32 of any length, as many
// as sweep has left, in powers of two: a store with a mask would hold up the loads of
// what follows in memory, the next row. It overwrites v.
func (s *simd) storeRest(v reg.VecVirtual, m operand.Mem) {
	at := GP64()
	LEAQ(m, at)
	s.rests++
	step := func(lanes int, store, shift func()) {
		label := fmt.Sprintf("rest%dof%d", lanes, s.rests)
		TESTQ(operand.U32(uint32(lanes)), s.rest)
		JZ(operand.LabelRef(label))
		store()
		if lanes > 1 {
			ADDQ(operand.Imm(uint64(4*lanes)), at)
			shift()
		}
		Label(label)
	}
	to := operand.Mem{Base: at}
	x, y := v.AsX(), v.AsY()
	if v.Size() == 64 {
		step(8, func() { VMOVUPS(y, to) }, func() { VEXTRACTF64X4(operand.U8(1), v, y) })
	}
	if v.Size() >= 32 {
		step(4, func() { VMOVUPS(x, to) }, func() {
			if s.wide { // where the other one cannot name all registers
				VEXTRACTF32X4(operand.U8(1), y, x)
			} else {
				VEXTRACTF128(operand.U8(1), y, x)
			}
		})
	}
	step(2, func() { VMOVLPS(x, to) }, func() { VPERMILPD(operand.U8(1), x, x) })
	step(1, func() { VMOVSS(x, to) }, nil)
}

// store writes a vector, the lanes of a mask only where it is not nil.
func (s *simd) store(v reg.VecVirtual, m operand.Mem, mask reg.Register) {
	switch {
	case mask == nil:
		VMOVUPS(v, m)
	case s.wide:
		VMOVUPS(v, mask, m)
	default:
		VMASKMOVPS(v, mask, m)
	}
}

// Comparisons of VCMPPS and VCMPPD: the first three are false where an operand is NaN,
// the others true.
const (
	equal       = 0x00
	lessThan    = 0x11
	lessOrEqual = 0x12
	unordered   = 0x03
	notEqual    = 0x04
)

// sweep emits a loop over n elements, unroll vectors of width elements at once, then
// one, then the rest under a mask. n is left as it is. The index counts elements.
func (s *simd) sweep(label string, n reg.GPVirtual, width, unroll int, body func(i reg.GPVirtual, vectors int, mask reg.Register)) {
	i, left := GP64(), GP64()
	XORQ(i, i)
	MOVQ(n, left)
	for u := unroll; ; u = 1 {
		loop, end := fmt.Sprintf("%s%d", label, u), fmt.Sprintf("%s%dend", label, u)
		step := operand.Imm(uint64(u * width))
		SUBQ(step, left)
		JL(operand.LabelRef(end))
		Label(loop)
		body(i, u, nil)
		ADDQ(step, i)
		SUBQ(step, left)
		JGE(operand.LabelRef(loop))
		Label(end)
		ADDQ(step, left)
		if u == 1 {
			break
		}
	}
	TESTQ(left, left)
	JZ(operand.LabelRef(label + "done"))
	s.rest = left
	body(i, 1, s.mask(left))
	Label(label + "done")
}

// at is the address of element i of what base points to, offset bytes on.
func (*simd) at(base, i reg.Register, offset int) operand.Mem {
	return operand.Mem{Base: base, Index: i, Scale: 4, Disp: offset}
}

// ret ends a kernel.
func (*simd) ret() {
	VZEROUPPER()
	RET()
}

// floatConsts are the constants of kernels, in memory.
var floatConsts = map[float32]operand.Mem{}

// signBit returns the address of the bits of −0, of which floatConsts has none: it is
// equal to 0.
func (s *simd) signBit() operand.Mem {
	if sign.Symbol.Name == "" {
		sign = GLOBL("signbit", attr.RODATA|attr.NOPTR)
		DATA(0, operand.U32(1<<31))
	}
	return sign
}

var sign operand.Mem

// constant returns the address of a float32 of that value.
func (s *simd) constant(v float32) operand.Mem {
	m, ok := floatConsts[v]
	if !ok {
		m = GLOBL(fmt.Sprintf("const%d", len(floatConsts)), attr.RODATA|attr.NOPTR)
		DATA(0, operand.U32(math.Float32bits(v)))
		floatConsts[v] = m
	}
	return m
}
