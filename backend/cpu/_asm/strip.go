package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { families["strip"] = strips }

func strips() {
	for _, streams := range []bool{false, true} {
		kind, doc := "", ""
		if streams {
			kind, doc = "Stream", ", past the caches; rows of dst begin at multiples of 64 bytes and n is a multiple of 16"
		}
		strip("transposeStrip16"+kind+"AVX512", 16, doc, streams, func(s *stripRegs) { s.tile512(streams) })
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

// tile512 transposes 16×16 elements. It loads a line of memory at once: half a line
// for one half of the tile each would do with fewer shuffles, but rows a power of two
// apart push each other out of the cache between the halves.
func (s *stripRegs) tile512(streams bool) {
	four := func(p, step reg.Register) [4]reg.Register {
		q := below(p, step, 8)
		return [4]reg.Register{p, below(p, step, 4), q, below(q, step, 4)}
	}
	var cols [4][]reg.VecVirtual // of four rows: columns j, 4+j, 8+j and 12+j, a lane each
	for g, p := range four(s.src, s.sc) {
		z := make([]reg.VecVirtual, 4)
		for i := range z {
			z[i] = ZMM()
			VMOVUPS(s.from(p, i, 0), z[i])
		}
		cols[g] = transposeLanes(ZMM, z)
	}
	lanes := func(sel uint8, a, b reg.VecVirtual) reg.VecVirtual {
		out := ZMM()
		VSHUFF32X4(U8(sel), b, a, out)
		return out
	}
	dst := four(s.dst, s.dr)
	for j := range 4 {
		a, b := lanes(0x44, cols[0][j], cols[1][j]), lanes(0x44, cols[2][j], cols[3][j])
		c, d := lanes(0xee, cols[0][j], cols[1][j]), lanes(0xee, cols[2][j], cols[3][j])
		for i, v := range []reg.VecVirtual{lanes(0x88, a, b), lanes(0xdd, a, b), lanes(0x88, c, d), lanes(0xdd, c, d)} {
			storeVector(v, s.to(dst[i], j, 0), streams)
		}
	}
}

// tile256 transposes blocks × blocks squares of 8×8 elements, so that each line of
// dst is written at once. A vector of rows i and i+4, half of each, lets two stages of
// shuffles do.
func (s *stripRegs) tile256(blocks int, streams bool) {
	dst := reg.Register(s.dst)
	for four := range 2 * blocks { // rows of dst
		if four > 0 {
			dst = below(dst, s.dr, 4)
		}
		left := columns256(s, s.src, 16*four)
		if blocks == 1 {
			for i, v := range left {
				storeVector(v, s.to(dst, i, 0), streams)
			}
			continue
		}
		for i, v := range columns256(s, below(s.src, s.sc, 8), 16*four) {
			storeVector(left[i], s.to(dst, i, 0), streams)
			storeVector(v, s.to(dst, i, 32), streams)
		}
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
