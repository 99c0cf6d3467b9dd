package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { families["interleave"] = interleaves }

// moveShapes are the numbers of planes and the pitches of pixels that kernels are
// made for.
var moveShapes = []struct{ planes, pitch int }{{1, 4}, {2, 2}, {2, 4}, {3, 3}, {3, 4}, {4, 4}}

func interleaves() {
	for _, s := range moveShapes {
		interleave512(s.planes, s.pitch)
		interleave256(s.planes, s.pitch)
		deinterleave512(s.planes, s.pitch)
		deinterleave256(s.planes, s.pitch)
	}
}

// indexTable returns 16 indices as bytes, the same constant for equal contents.
func indexTable(v []uint32) Mem {
	key := fmt.Sprint(v)
	if m, ok := indexTables[key]; ok {
		return m
	}
	m := GLOBL(fmt.Sprintf("indices%d", len(indexTables)), RODATA|NOPTR)
	var bytes [2]uint64
	for i, x := range v {
		bytes[i/8] |= uint64(x) << (i % 8 * 8)
	}
	DATA(0, U64(bytes[0]))
	DATA(8, U64(bytes[1]))
	indexTables[key] = m
	return m
}

var indexTables = map[string]Mem{}

// indexRegs keeps the indexTables that a function uses in registers.
type indexRegs map[string]reg.VecVirtual

func (r indexRegs) get(v []uint32) reg.VecVirtual {
	key := fmt.Sprint(v)
	if z, ok := r[key]; ok {
		return z
	}
	z := ZMM()
	VPMOVZXBD(indexTable(v), z)
	r[key] = z
	return z
}

// permutation is one output of a permutation of two vectors: element e comes from element
// at[e] of a, of b where that is 16 or more, or is zero where it is negative.
type permutation struct {
	a, b int // by number
	at   [16]int
}

// permute emits out = p of vectors.
func permute(r indexRegs, masks map[uint16]reg.Register, vs []reg.VecVirtual, p permutation) reg.VecVirtual {
	idx, keep := indicesOf(p)
	out := ZMM()
	VMOVAPS(vs[p.a], out)
	if keep == 0xffff {
		VPERMT2PS(vs[p.b], r.get(idx), out)
	} else {
		VPERMT2PS_Z(vs[p.b], r.get(idx), masks[keep], out)
	}
	return out
}

func indicesOf(p permutation) (idx []uint32, keep uint16) {
	idx = make([]uint32, 16)
	for e, at := range p.at {
		if at >= 0 {
			idx[e] = uint32(at)
			keep |= 1 << e
		}
	}
	return idx, keep
}

// loadIndices loads the indexTables and masks of permutations before a loop.
func loadIndices(stages ...[]permutation) (indexRegs, map[uint16]reg.Register) {
	r, masks := indexRegs{}, map[uint16]reg.Register{}
	for _, ps := range stages {
		for _, p := range ps {
			idx, keep := indicesOf(p)
			r.get(idx)
			if _, ok := masks[keep]; !ok && keep != 0xffff {
				g, k := GP32(), K()
				MOVL(U32(keep), g)
				KMOVW(g, k)
				masks[keep] = k
			}
		}
	}
	return r, masks
}

func permuteAll(r indexRegs, masks map[uint16]reg.Register, vs []reg.VecVirtual, ps []permutation) []reg.VecVirtual {
	out := make([]reg.VecVirtual, len(ps))
	for i, p := range ps {
		out[i] = permute(r, masks, vs, p)
	}
	return out
}

// interleaveStages returns the permutations from 16 pixels of planes to pixels.
// Those of each stage number the vectors of the stage before.
func interleaveStages(planes, pitch int) [][]permutation {
	from := func(fn func(e int) int) (at [16]int) {
		for e := range at {
			at[e] = fn(e)
		}
		return at
	}
	// two planes a and b into pixels 8·half and on, or zeros
	two := func(a, b, half int) permutation {
		return permutation{a, b, from(func(e int) int { return 8*half + e/2 + 16*(e%2) })}
	}
	switch {
	case planes == 2 && pitch == 2:
		return [][]permutation{{two(0, 1, 0), two(0, 1, 1)}}
	case planes <= 2: // pitch 4
		var ps []permutation
		for j := range 4 {
			ps = append(ps, permutation{0, planes - 1, from(func(e int) int {
				if e%4 >= planes {
					return -1
				}
				return 4*j + e/4 + 16*(e%4)
			})})
		}
		return [][]permutation{ps}
	case pitch == 3:
		var ps, qs []permutation
		for j := range 3 {
			ps = append(ps, permutation{0, 1, from(func(e int) int { e += 16 * j; return e/3 + 16*(e%3&1) })})
			qs = append(qs, permutation{j, 3, from(func(e int) int {
				if (e+16*j)%3 == 2 {
					return 16 + (e+16*j)/3
				}
				return e
			})})
		}
		return [][]permutation{ps, qs}
	}
	ps := []permutation{two(0, 1, 0), two(0, 1, 1), two(2, planes-1, 0), two(2, planes-1, 1)}
	var qs []permutation
	for j := range 4 {
		qs = append(qs, permutation{j / 2, 2 + j/2, from(func(e int) int {
			if e%4 >= planes {
				return -1
			}
			return 8*(j%2) + e/4*2 + e%2 + 16*(e%4/2)
		})})
	}
	return [][]permutation{ps, qs}
}

// interleave512 emits dst[i·pitch+k] = src[k·plane+i].
func interleave512(planes, pitch int) {
	TEXT(fmt.Sprintf("interleave%dx%dAVX512", planes, pitch), NOSPLIT, "func(dst, src []uint32, plane, n int)")
	Doc(fmt.Sprintf("interleave%dx%dAVX512 is an interleaver of %d planes into pixels of %d.", planes, pitch, planes, pitch))
	Pragma("noescape")
	dst, n := Load(Param("dst").Base(), GP64()), Load(Param("n"), GP64())
	src := planePointers(Load(Param("src").Base(), GP64()), Load(Param("plane"), GP64()), planes)
	stages := interleaveStages(planes, pitch)
	idx, masks := loadIndices(stages...)
	compute := func(vs []reg.VecVirtual) []reg.VecVirtual {
		out := permuteAll(idx, masks, vs, stages[0])
		if len(stages) == 2 {
			if pitch == 3 {
				out = append(out, vs[2])
			}
			out = permuteAll(idx, masks, out, stages[1])
		}
		return out
	}
	moveBlocks(16, n, append(moveSteps(src, 1), moveStep{dst, pitch}), func() {
		for j, v := range compute(loadPlanes(src, ZMM)) {
			VMOVUPS(v, Mem{Base: dst, Disp: 64 * j})
		}
	}, func() {
		in, out := moveMasks(n, 1), moveMasks(n, pitch)
		vs := make([]reg.VecVirtual, planes)
		for k := range vs {
			vs[k] = ZMM()
			VMOVUPS_Z(Mem{Base: src[k]}, in[0], vs[k])
		}
		for j, v := range compute(vs) {
			VMOVUPS(v, out[j], Mem{Base: dst, Disp: 64 * j})
		}
	})
}

// deinterleaveStages is the way back: pixels to 16 pixels of planes.
func deinterleaveStages(planes, pitch int) [][]permutation {
	from := func(fn func(e int) int) (at [16]int) {
		for e := range at {
			at[e] = fn(e)
		}
		return at
	}
	if pitch == 2 {
		return [][]permutation{{
			{0, 1, from(func(e int) int { return 2 * e })},
			{0, 1, from(func(e int) int { return 2*e + 1 })},
		}}
	}
	if pitch == 3 {
		var ps, qs []permutation
		for k := range 3 {
			ps = append(ps, permutation{0, 1, from(func(e int) int { return min(3*e+k, 31) })})
			qs = append(qs, permutation{k, 3, from(func(e int) int {
				if at := 3*e + k; at >= 32 {
					return at - 16
				}
				return e
			})})
		}
		return [][]permutation{ps, qs}
	}
	// Two planes of 8 pixels in a vector, then halves of two vectors.
	var ps, qs []permutation
	for k := range (planes + 1) / 2 {
		two := from(func(e int) int { return 4*(e%8) + e/8 + 2*k })
		ps = append(ps, permutation{0, 1, two}, permutation{2, 3, two})
	}
	for k := range planes {
		qs = append(qs, permutation{k / 2 * 2, k/2*2 + 1, from(func(e int) int { return e%8 + e/8*16 + k%2*8 })})
	}
	return [][]permutation{ps, qs}
}

// deinterleave512 emits dst[k·plane+i] = src[i·pitch+k].
func deinterleave512(planes, pitch int) {
	TEXT(fmt.Sprintf("deinterleave%dx%dAVX512", planes, pitch), NOSPLIT, "func(dst, src []uint32, plane, n int)")
	Doc(fmt.Sprintf("deinterleave%dx%dAVX512 is a deinterleaver of pixels of %d into %d planes.", planes, pitch, pitch, planes))
	Pragma("noescape")
	src, n := Load(Param("src").Base(), GP64()), Load(Param("n"), GP64())
	dst := planePointers(Load(Param("dst").Base(), GP64()), Load(Param("plane"), GP64()), planes)
	stages := deinterleaveStages(planes, pitch)
	idx, masks := loadIndices(stages...)
	compute := func(vs []reg.VecVirtual) []reg.VecVirtual {
		out := permuteAll(idx, masks, vs, stages[0])
		if len(stages) == 2 {
			if pitch == 3 {
				out = append(out, vs[2])
			}
			out = permuteAll(idx, masks, out, stages[1])
		}
		return out
	}
	moveBlocks(16, n, append(moveSteps(dst, 1), moveStep{src, pitch}), func() {
		vs := make([]reg.VecVirtual, pitch)
		for j := range vs {
			vs[j] = ZMM()
			VMOVUPS(Mem{Base: src, Disp: 64 * j}, vs[j])
		}
		for k, v := range compute(vs) {
			VMOVUPS(v, Mem{Base: dst[k]})
		}
	}, func() {
		in, out := moveMasks(n, pitch), moveMasks(n, 1)
		vs := make([]reg.VecVirtual, pitch)
		for j := range vs {
			vs[j] = ZMM()
			VMOVUPS_Z(Mem{Base: src, Disp: 64 * j}, in[j], vs[j])
		}
		for k, v := range compute(vs) {
			VMOVUPS(v, out[0], Mem{Base: dst[k]})
		}
	})
}

// planePointers returns pointers to planes, plane elements apart.
func planePointers(base, plane reg.Register, planes int) []reg.Register {
	ps := []reg.Register{base}
	for k := 1; k < planes; k++ {
		p := GP64()
		LEAQ(Mem{Base: ps[k-1], Index: plane, Scale: 4}, p)
		ps = append(ps, p)
	}
	return ps
}

func loadPlanes(src []reg.Register, vec func() reg.VecVirtual) []reg.VecVirtual {
	vs := make([]reg.VecVirtual, len(src))
	for k := range vs {
		vs[k] = vec()
		VMOVUPS(Mem{Base: src[k]}, vs[k])
	}
	return vs
}

// moveStep is a pointer that advances by so many elements a pixel.
type moveStep struct {
	p     reg.Register
	pitch int
}

func moveSteps(ps []reg.Register, pitch int) (s []moveStep) {
	for _, p := range ps {
		s = append(s, moveStep{p, pitch})
	}
	return s
}

// moveBlocks emits a loop over n pixels: whole blocks, the last one ending at n and
// overlapping the one before; tail does n < block pixels.
func moveBlocks(block int, n reg.Register, steps []moveStep, whole, tail func()) {
	CMPQ(n, U32(uint32(block)))
	JL(LabelRef("tail"))
	Label("loop")
	whole()
	for _, s := range steps {
		ADDQ(U32(uint32(4*block*s.pitch)), s.p)
	}
	SUBQ(U32(uint32(block)), n)
	CMPQ(n, U32(uint32(block)))
	JGE(LabelRef("loop"))
	TESTQ(n, n)
	JE(LabelRef("done"))
	SUBQ(U32(uint32(block)), n) // step back
	for _, s := range steps {
		p := GP64()
		if s.pitch == 3 {
			LEAQ(Mem{Base: n, Index: n, Scale: 2}, p)
			LEAQ(Mem{Base: s.p, Index: p, Scale: 4}, s.p)
		} else {
			MOVQ(n, p)
			SHLQ(Imm(map[int]uint64{1: 2, 2: 3, 4: 4}[s.pitch]), p)
			ADDQ(p, s.p)
		}
	}
	MOVQ(U32(uint32(block)), n)
	JMP(LabelRef("loop"))
	Label("tail")
	TESTQ(n, n)
	JE(LabelRef("done"))
	tail()
	Label("done")
	VZEROUPPER()
	RET()
}

// moveMasks returns masks of pitch vectors of which the first n·pitch elements are set;
// n is below 16.
func moveMasks(n reg.Register, pitch int) []reg.Register {
	count, all := GP64(), GP64()
	if pitch == 3 {
		LEAQ(Mem{Base: n, Index: n, Scale: 2}, count)
	} else {
		MOVQ(n, count)
		if pitch > 1 {
			SHLQ(Imm(map[int]uint64{2: 1, 4: 2}[pitch]), count)
		}
	}
	MOVQ(I64(-1), all)
	BZHIQ(count, all, all)
	ks := make([]reg.Register, pitch)
	for j := range ks {
		k := K()
		KMOVW(all.(reg.GPVirtual).As32(), k)
		if j < pitch-1 {
			SHRQ(Imm(16), all)
		}
		ks[j] = k
	}
	return ks
}

// interleave256 is interleave512 for 8 pixels at once.
func interleave256(planes, pitch int) {
	TEXT(fmt.Sprintf("interleave%dx%dAVX2", planes, pitch), NOSPLIT, "func(dst, src []uint32, plane, n int)")
	Doc(fmt.Sprintf("interleave%dx%dAVX2 is an interleaver of %d planes into pixels of %d.", planes, pitch, planes, pitch))
	Pragma("noescape")
	dst, n := Load(Param("dst").Base(), GP64()), Load(Param("n"), GP64())
	src := planePointers(Load(Param("src").Base(), GP64()), Load(Param("plane"), GP64()), planes)
	var zero reg.VecVirtual
	if planes < pitch {
		zero = YMM()
		VXORPS(zero, zero, zero)
	}
	moveBlocks(8, n, append(moveSteps(src, 1), moveStep{dst, pitch}), func() {
		vs := loadPlanes(src, YMM)
		for len(vs) < pitch {
			vs = append(vs, zero)
		}
		var out []reg.VecVirtual
		switch pitch {
		case 2:
			lo, hi := binary256(VUNPCKLPS, vs[0], vs[1]), binary256(VUNPCKHPS, vs[0], vs[1])
			out = []reg.VecVirtual{lanes256(lo, hi, 0x20), lanes256(lo, hi, 0x31)}
		case 3: // x0 x2 y0 y2, and so on, then pixels 0 and 3 in part, and so on
			xy, yz, zx := shuffle256(vs[0], vs[1], 0, 2, 0, 2), shuffle256(vs[1], vs[2], 1, 3, 1, 3), shuffle256(vs[2], vs[0], 0, 2, 1, 3)
			a, b, c := shuffle256(xy, zx, 0, 2, 0, 2), shuffle256(yz, xy, 0, 2, 1, 3), shuffle256(zx, yz, 1, 3, 1, 3)
			out = []reg.VecVirtual{lanes256(a, b, 0x20), lanes256(c, a, 0x30), lanes256(b, c, 0x31)}
		case 4:
			t := transpose4(vs) // pixel i and pixel i+4
			out = []reg.VecVirtual{lanes256(t[0], t[1], 0x20), lanes256(t[2], t[3], 0x20), lanes256(t[0], t[1], 0x31), lanes256(t[2], t[3], 0x31)}
		}
		for j, v := range out {
			VMOVUPS(v, Mem{Base: dst, Disp: 32 * j})
		}
	}, func() { // element by element
		v, none := GP32(), GP32()
		if planes < pitch {
			XORL(none, none)
		}
		i := GP64()
		XORQ(i, i)
		Label("pixel")
		for k := range pitch {
			if k < planes {
				MOVL(Mem{Base: src[k], Index: i, Scale: 4}, v)
				MOVL(v, Mem{Base: dst, Disp: 4 * k})
			} else {
				MOVL(none, Mem{Base: dst, Disp: 4 * k})
			}
		}
		ADDQ(U32(uint32(4*pitch)), dst)
		INCQ(i)
		CMPQ(i, n)
		JL(LabelRef("pixel"))
	})
}

// deinterleave256 is deinterleave512 for 8 pixels at once.
func deinterleave256(planes, pitch int) {
	TEXT(fmt.Sprintf("deinterleave%dx%dAVX2", planes, pitch), NOSPLIT, "func(dst, src []uint32, plane, n int)")
	Doc(fmt.Sprintf("deinterleave%dx%dAVX2 is a deinterleaver of pixels of %d into %d planes.", planes, pitch, pitch, planes))
	Pragma("noescape")
	src, n := Load(Param("src").Base(), GP64()), Load(Param("n"), GP64())
	dst := planePointers(Load(Param("dst").Base(), GP64()), Load(Param("plane"), GP64()), planes)
	moveBlocks(8, n, append(moveSteps(dst, 1), moveStep{src, pitch}), func() {
		// Vector j holds the four elements from 4j on of pixels 0 to 3, and those of
		// pixels 4 to 7.
		vs := make([]reg.VecVirtual, pitch)
		for j := range vs {
			vs[j] = YMM()
			VMOVUPS(Mem{Base: src, Disp: 16 * j}, vs[j].AsX())
			VINSERTF128(Imm(1), Mem{Base: src, Disp: 16 * (j + pitch)}, vs[j], vs[j])
		}
		var out []reg.VecVirtual
		switch pitch {
		case 2:
			out = []reg.VecVirtual{shuffle256(vs[0], vs[1], 0, 2, 0, 2), shuffle256(vs[0], vs[1], 1, 3, 1, 3)}
		case 3:
			xy, yz := shuffle256(vs[1], vs[2], 2, 3, 1, 2), shuffle256(vs[0], vs[1], 1, 2, 0, 1)
			out = []reg.VecVirtual{shuffle256(vs[0], xy, 0, 3, 0, 2), shuffle256(yz, xy, 0, 2, 1, 3), shuffle256(yz, vs[2], 1, 3, 0, 3)}
		case 4:
			out = transpose4(vs)[:planes]
		}
		for k, v := range out {
			VMOVUPS(v, Mem{Base: dst[k]})
		}
	}, func() {
		v, i := GP32(), GP64()
		XORQ(i, i)
		Label("pixel")
		for k := range planes {
			MOVL(Mem{Base: src, Disp: 4 * k}, v)
			MOVL(v, Mem{Base: dst[k], Index: i, Scale: 4})
		}
		ADDQ(U32(uint32(4*pitch)), src)
		INCQ(i)
		CMPQ(i, n)
		JL(LabelRef("pixel"))
	})
}

// binary256 emits an instruction of two sources, a the first one.
func binary256(fn func(...Op), a, b reg.VecVirtual) reg.VecVirtual {
	out := YMM()
	fn(b, a, out)
	return out
}

// shuffle256 returns a[i], a[j], b[k], b[l] in each lane.
func shuffle256(a, b reg.VecVirtual, i, j, k, l int) reg.VecVirtual {
	out := YMM()
	VSHUFPS(Imm(uint64(i|j<<2|k<<4|l<<6)), b, a, out)
	return out
}

// lanes256 chooses two of the four 128-bit lanes of a and b.
func lanes256(a, b reg.VecVirtual, sel uint64) reg.VecVirtual {
	out := YMM()
	VPERM2F128(Imm(sel), b, a, out)
	return out
}

// transpose4 transposes the 4×4 elements of four vectors in each lane.
func transpose4(v []reg.VecVirtual) []reg.VecVirtual {
	a, b := binary256(VUNPCKLPS, v[0], v[1]), binary256(VUNPCKLPS, v[2], v[3])
	c, d := binary256(VUNPCKHPS, v[0], v[1]), binary256(VUNPCKHPS, v[2], v[3])
	return []reg.VecVirtual{binary256(VUNPCKLPD, a, b), binary256(VUNPCKHPD, a, b), binary256(VUNPCKLPD, c, d), binary256(VUNPCKHPD, c, d)}
}
