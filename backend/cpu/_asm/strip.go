package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { families["strip"] = strips }

func strips() {
	idx := laneIndices()
	for _, streams := range []bool{false, true} {
		kind, doc := "", ""
		if streams {
			kind, doc = "Stream", ", past the caches; rows of dst begin at multiples of 64 bytes and n is a multiple of 16"
		}
		strip("transposeStrip16"+kind+"AVX512", 16, doc, streams, func(s *stripRegs) { s.tile512(idx, streams) })
		strip("transposeStrip16"+kind+"AVX2", 16, doc, streams, func(s *stripRegs) { s.tile256(2, streams) })
	}
	strip("transposeStrip8AVX2", 8, "", false, func(s *stripRegs) { s.tile256(1, false) })
	strip("transposeStrip4AVX2", 4, "", false, func(s *stripRegs) { s.tile128() })
}

// stripRegs are the registers of a strip. Distances are in bytes.
type stripRegs struct {
	dst, src         reg.Register // of the tile
	dr, dr3, sc, sc3 reg.Register // once and three times
	// rows are filled half by half, which keeps them alive all through the loop: there
	// must be few.
	rows []reg.VecVirtual
}

func (s *stripRegs) row(i int, vec func() reg.VecVirtual) reg.VecVirtual {
	for i >= len(s.rows) {
		s.rows = append(s.rows, vec())
	}
	return s.rows[i]
}

// strip emits a loop over square tiles. What is left in the end is done by a tile
// that overlaps the one before it.
func strip(name string, edge int, doc string, whole bool, tile func(s *stripRegs)) {
	TEXT(name, NOSPLIT, "func(dst, src []uint32, n, dr, sc, ds, ss int)")
	Doc(fmt.Sprintf("%s is a stripFunc of width %d%s.", name, edge, doc))
	Pragma("noescape")
	s := &stripRegs{dst: Load(Param("dst").Base(), GP64()), src: Load(Param("src").Base(), GP64())}
	distance := func(param string) reg.Register {
		r := Load(Param(param), GP64())
		SHLQ(U8(2), r)
		return r
	}
	thrice := func(r reg.Register) reg.Register {
		r3 := GP64()
		LEAQ(Mem{Base: r, Index: r, Scale: 2}, r3)
		return r3
	}
	n := Load(Param("n"), GP64())
	s.dr, s.sc = distance("dr"), distance("sc")
	s.dr3, s.sc3 = thrice(s.dr), thrice(s.sc)
	Label("loop")
	tile(s)
	left := GP64()
	SUBQ(U32(uint32(edge)), n)
	JE(LabelRef("done"))
	MOVQ(U32(uint32(edge)), left)
	if !whole {
		CMPQ(n, left)
		CMOVQLT(n, left)
		e := GP64()
		MOVQ(U32(uint32(edge)), e)
		CMPQ(n, e)
		CMOVQLT(e, n)
	}
	for _, p := range []struct {
		param string
		at    reg.Register
	}{{"ds", s.dst}, {"ss", s.src}} {
		d := distance(p.param)
		IMULQ(left, d)
		ADDQ(d, p.at)
	}
	JMP(LabelRef("loop"))
	Label("done")
	if whole {
		SFENCE()
	}
	VZEROUPPER()
	RET()
}

// stripRow is row i, below 4, from p on.
func stripRow(p, step, step3 reg.Register, i, disp int) Mem {
	switch i {
	case 0:
		return Mem{Base: p, Disp: disp}
	case 3:
		return Mem{Base: p, Index: step3, Scale: 1, Disp: disp}
	}
	return Mem{Base: p, Index: step, Scale: uint8(i), Disp: disp}
}

func (s *stripRegs) from(p reg.Register, i, disp int) Mem { return stripRow(p, s.sc, s.sc3, i, disp) }
func (s *stripRegs) to(p reg.Register, i, disp int) Mem   { return stripRow(p, s.dr, s.dr3, i, disp) }

// below returns p + times·step.
func below(p, step reg.Register, times uint8) reg.Register {
	q := GP64()
	LEAQ(Mem{Base: p, Index: step, Scale: times}, q)
	return q
}

// storeVector stores v.
func storeVector(v reg.Register, m Mem, streams bool) {
	if streams {
		VMOVNTPS(v, m)
	} else {
		VMOVUPS(v, m)
	}
}

// laneIndices are those that put lanes 0 and 2 of two vectors next to each other, and
// then lanes 1 and 3, in pairs of float64.
func laneIndices() Mem {
	m := GLOBL("lanes", RODATA|NOPTR)
	for i, v := range []uint64{0, 1, 8, 9, 4, 5, 12, 13, 2, 3, 10, 11, 6, 7, 14, 15} {
		DATA(8*i, U64(v))
	}
	return m
}

// tile512 transposes 16×16 elements. A vector of rows i and i+8, half of each, lets
// three stages of shuffles do, and each column comes out whole.
func (s *stripRegs) tile512(idx Mem, streams bool) {
	even, odd := ZMM(), ZMM()
	VMOVDQU64(idx, even)
	VMOVDQU64(idx.Offset(64), odd)
	src := []reg.Register{s.src, below(s.src, s.sc, 4), below(s.src, s.sc, 8)}
	src = append(src, below(src[1], s.sc, 8))
	dst := reg.Register(s.dst)
	for half := range 2 {
		z := make([]reg.VecVirtual, 8)
		for i := range z {
			z[i] = s.row(i, ZMM)
			VMOVUPS(s.from(src[i/4], i%4, 32*half), z[i].AsY())
			VINSERTF64X4(U8(1), s.from(src[2+i/4], i%4, 32*half), z[i], z[i])
		}
		z = append(transposeLanes(ZMM, z[:4]), transposeLanes(ZMM, z[4:])...)
		for i := range 4 {
			a := ZMM()
			VMOVAPS(z[i], a)
			VPERMT2PD(z[i+4], even, a)
			VPERMT2PD(z[i+4], odd, z[i])
			z[i], z[i+4] = a, z[i]
		}
		for i, v := range z {
			if i == 4 || i == 0 && half == 1 {
				dst = below(dst, s.dr, 4)
			}
			storeVector(v, s.to(dst, i%4, 0), streams)
		}
	}
}

// tile256 transposes blocks × blocks squares of 8×8 elements, so that each line of
// memory is read and written at once. A vector of rows i and i+4, half of each, lets
// two stages of shuffles do.
func (s *stripRegs) tile256(blocks int, streams bool) {
	dst := reg.Register(s.dst)
	for r := range blocks {
		if r > 0 {
			dst = below(dst, s.dr, 4)
		}
		next := below(dst, s.dr, 4)
		if blocks == 1 {
			square256(s, s.src, dst, next, 0, 0)
			continue
		}
		// Streams want both halves of a line one after the other.
		src := reg.Register(s.src)
		left := make([][]reg.VecVirtual, 2)
		for half := range 2 {
			left[half] = columns256(s, src, 32*r+16*half)
		}
		src = below(src, s.sc, 8)
		for half := range 2 {
			to := []reg.Register{dst, next}[half]
			for i, v := range columns256(s, src, 32*r+16*half) {
				storeVector(left[half][i], s.to(to, i, 0), streams)
				storeVector(v, s.to(to, i, 32), streams)
			}
		}
		dst = next
	}
}

// columns256 returns four columns of eight rows from p on.
func columns256(s *stripRegs, p reg.Register, disp int) []reg.VecVirtual {
	q := below(p, s.sc, 4)
	z := make([]reg.VecVirtual, 4)
	for i := range z {
		z[i] = s.row(i, YMM)
		VMOVUPS(s.from(p, i, disp), z[i].AsX())
		VINSERTF128(U8(1), s.from(q, i, disp), z[i], z[i])
	}
	return transposeLanes(YMM, z)
}

// square256 transposes 8×8 elements.
func square256(s *stripRegs, src, dst, dst4 reg.Register, from, to int) {
	for half := range 2 {
		for i, v := range columns256(s, src, from+16*half) {
			storeVector(v, s.to([]reg.Register{dst, dst4}[half], i, to), false)
		}
	}
}

// tile128 transposes 4×4 elements.
func (s *stripRegs) tile128() {
	z := make([]reg.VecVirtual, 4)
	for i := range z {
		z[i] = XMM()
		VMOVUPS(s.from(s.src, i, 0), z[i])
	}
	for i, v := range transposeLanes(XMM, z) {
		VMOVUPS(v, s.to(s.dst, i, 0))
	}
}

// transposeLanes transposes the 4×4 elements of four vectors in each 128-bit lane.
func transposeLanes(vec func() reg.VecVirtual, v []reg.VecVirtual) []reg.VecVirtual {
	do := func(fn func(...Op), a, b reg.VecVirtual) reg.VecVirtual {
		out := vec()
		fn(b, a, out)
		return out
	}
	a, b := do(VUNPCKLPS, v[0], v[1]), do(VUNPCKLPS, v[2], v[3])
	c, d := do(VUNPCKHPS, v[0], v[1]), do(VUNPCKHPS, v[2], v[3])
	return []reg.VecVirtual{do(VUNPCKLPD, a, b), do(VUNPCKHPD, a, b), do(VUNPCKLPD, c, d), do(VUNPCKHPD, c, d)}
}
