package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { families["pooling"] = poolings }

func poolings() {
	for _, s := range []*simd{avx512, avx2} {
		maxBox(s)
		maxPick(s)
	}
}

// nanMask returns a register for the lanes in which something was NaN, none so far: a
// mask of AVX-512 or a vector.
func (s *simd) nanMask() reg.Register {
	if !s.wide {
		return s.zero()
	}
	k := K()
	KXORW(reg.K0, reg.K0, k) // avo would take an XOR of k with itself for a use of k
	return k
}

// unordered adds to m the lanes where a or b is NaN.
func (s *simd) unordered(a, b Op, m reg.Register) {
	if s.wide {
		t := K()
		VCMPPS(U8(unordered), b, a, t)
		KORW(t, m, m)
		return
	}
	t := s.vec()
	VCMPPS(U8(unordered), b, a, t)
	VORPS(t, m, m)
}

// unordered is a comparison of VCMPPS: true where an operand is NaN.
const unordered = 3

// setNaN makes the lanes of v in m NaN.
func (s *simd) setNaN(m, v reg.Register) {
	if s.wide {
		VPTERNLOGD(U8(0xff), v, v, m, v)
		return
	}
	VORPS(m, v, v)
}

var poolLabels int

// newLabel returns a name that is new in the file.
func newLabel(what string) string {
	poolLabels++
	return fmt.Sprintf("%s%d", what, poolLabels)
}

// arg is field i of the array g of the function's arguments.
func arg(i int) Mem {
	b, err := Param("g").Index(i).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// Fields of a box, as in pooling.go of package cpu.
const (
	boxN = iota
	boxCols
	boxYStep
	boxXStep
	boxNZ
	boxNY
	boxNX
	boxSZ
	boxSY
	boxSX
)

// mem is the memory disp bytes behind p, and with a second register behind p+q.
func mem(disp int, p ...reg.Register) Mem {
	m := Mem{Base: p[0], Disp: disp}
	if len(p) > 1 {
		m.Index, m.Scale = p[1], 1
	}
	return m
}

// boxLoops emits the loops over the columns and, in each, over the blocks of lanes
// of a box. Block gets the pointers into x and y of a block of up to four vectors.
type boxLoops struct {
	s        *simd
	y, x, sx reg.GPVirtual // of a column; step between taps of a row in bytes
	off      reg.GPVirtual // of a block in a column
	nz       Mem           // counter of taps
	tail     reg.Register  // mask of the last vector
	block    func(b *boxLoops, nv int, kind tailKind)
	maxNV    int // vectors of a full block
}

// tailKind is how the last vector of a block lies.
type tailKind int

const (
	full    tailKind = iota
	masked           // lanes beyond the end are masked out
	overlap          // it ends with the last lane, so that it repeats some
)

func (b *boxLoops) emit() {
	s := b.s
	b.y, b.x = Load(Param("y").Base(), GP64()).(reg.GPVirtual), Load(Param("x").Base(), GP64()).(reg.GPVirtual)
	b.sx = GP64()
	MOVQ(arg(boxSX), b.sx)
	SHLQ(U8(2), b.sx)
	// Counters that are seldom used lie on the stack: there are too few registers.
	frame := AllocLocal(16)
	cols := frame
	b.nz = frame.Offset(8)
	rem, t := GP64(), GP64()
	MOVQ(arg(boxCols), t)
	MOVQ(t, cols)
	b.off = GP64()
	block := b.maxNV * s.floats()
	if s.wide {
		// Lanes of the last vector: 1 to 16 bits.
		MOVQ(arg(boxN), t)
		DECQ(t)
		ANDQ(U8(15), t)
		INCQ(t)
		b.tail = s.mask(t)
	}
	colLoop, blockLoop, tail, next := newLabel("column"), newLabel("block"), newLabel("tail"), newLabel("next")
	small := newLabel("small")
	Label(colLoop)
	XORQ(b.off, b.off)
	MOVQ(arg(boxN), rem)
	Label(blockLoop)
	CMPQ(rem, I32(block))
	JLT(LabelRef(tail))
	b.block(b, b.maxNV, full)
	ADDQ(I32(4*block), b.off)
	SUBQ(I32(block), rem)
	JMP(LabelRef(blockLoop))
	Label(tail)
	TESTQ(rem, rem)
	JE(LabelRef(next))
	kind := masked
	if !s.wide {
		kind = overlap
		CMPQ(arg(boxN), I32(s.floats()))
		JLT(LabelRef(small))
	}
	tails := make([]string, b.maxNV+1)
	for nv := 2; nv <= b.maxNV; nv++ {
		tails[nv] = newLabel("tail")
		if nv == b.maxNV {
			CMPQ(rem, I32((nv-1)*s.floats()))
			JGT(LabelRef(tails[nv]))
		}
	}
	for nv := b.maxNV - 1; nv >= 2; nv-- {
		CMPQ(rem, I32((nv-1)*s.floats()))
		JGT(LabelRef(tails[nv]))
	}
	b.block(b, 1, kind)
	JMP(LabelRef(next))
	for nv := 2; nv <= b.maxNV; nv++ {
		Label(tails[nv])
		b.block(b, nv, kind)
		JMP(LabelRef(next))
	}
	if !s.wide {
		Label(small)
		b.tail = s.mask(rem)
		b.block(b, 1, masked)
	}
	Label(next)
	t = GP64()
	MOVQ(arg(boxYStep), t)
	LEAQ(Mem{Base: b.y, Index: t, Scale: 4}, b.y)
	MOVQ(arg(boxXStep), t)
	LEAQ(Mem{Base: b.x, Index: t, Scale: 4}, b.x)
	DECQ(cols)
	JNE(LabelRef(colLoop))
	VZEROUPPER()
	RET()
}

// taps emits the loops over the taps of a block that begins at p: pair for two
// neighbours of a row at p and p+sx, then single for an odd one.
func (b *boxLoops) taps(pair, single func(p reg.Register)) {
	pz, py, p, t := GP64(), GP64(), GP64(), GP64()
	nz, ny, nx := b.nz, GP64(), GP64()
	lz, ly, lx, odd, end := newLabel("z"), newLabel("y"), newLabel("x"), newLabel("odd"), newLabel("end")
	LEAQ(mem(0, b.x, b.off), pz)
	MOVQ(arg(boxNZ), t)
	MOVQ(t, nz)
	Label(lz)
	MOVQ(pz, py)
	MOVQ(arg(boxNY), ny)
	Label(ly)
	MOVQ(py, p)
	MOVQ(arg(boxNX), nx)
	SUBQ(I32(2), nx)
	JLT(LabelRef(odd))
	Label(lx)
	pair(p)
	LEAQ(Mem{Base: p, Index: b.sx, Scale: 2}, p)
	SUBQ(I32(2), nx)
	JGE(LabelRef(lx))
	Label(odd)
	CMPQ(nx, I8(-1))
	JNE(LabelRef(end))
	single(p)
	Label(end)
	MOVQ(arg(boxSY), t)
	LEAQ(Mem{Base: py, Index: t, Scale: 4}, py)
	DECQ(ny)
	JNE(LabelRef(ly))
	MOVQ(arg(boxSZ), t)
	LEAQ(Mem{Base: pz, Index: t, Scale: 4}, pz)
	DECQ(nz)
	JNE(LabelRef(lz))
}

// mask is the mask of vector i of nv, nil for none.
func (b *boxLoops) mask(i, nv int, kind tailKind) reg.Register {
	if kind == masked && i == nv-1 {
		return b.tail
	}
	return nil
}

func maxBox(s *simd) {
	name := "maxBox" + s.name
	TEXT(name, NOSPLIT, "func(y, x []float32, g [10]int)")
	Doc(name + " is maxBoxGeneric.")
	Pragma("noescape")
	ninf := s.vec()
	VBROADCASTSS(s.constant(float32(math.Inf(-1))), ninf)
	b := &boxLoops{s: s, maxNV: 4}
	b.block = func(b *boxLoops, nv int, kind tailKind) {
		acc, nan := s.vecs(nv), make([]reg.Register, nv)
		for i := range acc {
			VMOVAPS(ninf, acc[i])
			nan[i] = s.nanMask()
		}
		// The last vector overlaps the one before it: shift says by how much.
		shift := GP64()
		if kind == overlap {
			MOVQ(arg(boxN), shift)
			SHLQ(U8(2), shift)
			SUBQ(b.off, shift)
			SUBQ(I32(nv*s.bytes), shift)
		}
		b.taps(func(p reg.Register) {
			q := reg.Register(b.sx)
			lp := p
			if kind == overlap {
				lp = GP64()
				LEAQ(mem(0, p, shift), lp)
			}
			for i := range acc {
				base := p
				if i == nv-1 {
					base = lp
				}
				a, m := s.vec(), s.vec()
				s.load(mem(i*s.bytes, base), a, b.mask(i, nv, kind))
				c := s.vec()
				s.load(mem(i*s.bytes, base, q), c, b.mask(i, nv, kind))
				s.unordered(a, c, nan[i])
				VMAXPS(c, a, m)
				VMAXPS(m, acc[i], acc[i])
			}
		}, func(p reg.Register) {
			lp := p
			if kind == overlap {
				lp = GP64()
				LEAQ(mem(0, p, shift), lp)
			}
			for i := range acc {
				base := p
				if i == nv-1 {
					base = lp
				}
				a := s.vec()
				s.load(mem(i*s.bytes, base), a, b.mask(i, nv, kind))
				s.unordered(a, a, nan[i])
				VMAXPS(a, acc[i], acc[i])
			}
		})
		p := GP64()
		LEAQ(mem(0, b.y, b.off), p)
		for i := range acc {
			s.setNaN(nan[i], acc[i])
			if kind == overlap && i == nv-1 {
				ADDQ(shift, p)
			}
			s.store(acc[i], mem(i*s.bytes, p), b.mask(i, nv, kind))
		}
	}
	b.emit()
}

// Words of an entry of a pattern and fields of picked, as in pooling.go of package cpu.
const (
	pickMask    = 4
	pickCount   = 5
	pickAdvance = 6
	pickWords   = 8

	pickN     = 0
	pickRows  = 1
	pickYStep = 2
	pickXStep = 3
	pickTaps  = 4
	pickStep  = 5
)

func maxPick(s *simd) {
	name := "maxPick" + s.name
	TEXT(name, NOSPLIT, "func(y, x []float32, g [6]int, pattern []int64)")
	Doc(name + " is maxPickGeneric.")
	Pragma("noescape")
	yRow, xRow := Load(Param("y").Base(), GP64()), Load(Param("x").Base(), GP64())
	step, rows := GP64(), GP64()
	MOVQ(arg(pickStep), step)
	SHLQ(U8(2), step)
	MOVQ(arg(pickRows), rows)
	first, end := Load(Param("pattern").Base(), GP64()), Load(Param("pattern").Len(), GP64())
	LEAQ(Mem{Base: first, Index: end, Scale: 8}, end)
	ninf := s.vec()
	VBROADCASTSS(s.constant(float32(math.Inf(-1))), ninf)
	row, group, pair, odd, done, last, stored := newLabel("row"), newLabel("group"), newLabel("pair"), newLabel("odd"), newLabel("done"), newLabel("last"), newLabel("stored")

	Label(row)
	y, x, n, e := GP64(), GP64(), GP64(), GP64()
	MOVQ(yRow, y)
	MOVQ(xRow, x)
	MOVQ(arg(pickN), n)
	MOVQ(first, e)

	Label(group)
	acc, nan := s.vec(), s.nanMask()
	VMOVAPS(ninf, acc)
	p, t := GP64(), GP64()
	MOVQ(x, p)
	MOVQ(arg(pickTaps), t)
	SUBQ(I32(2), t)
	JLT(LabelRef(odd))
	Label(pair)
	a, b := s.vec(), s.vec()
	VMOVUPS(mem(0, p), a)
	VMOVUPS(mem(0, p, step), b)
	s.unordered(a, b, nan)
	VMAXPS(b, a, a)
	VMAXPS(a, acc, acc)
	LEAQ(Mem{Base: p, Index: step, Scale: 2}, p)
	SUBQ(I32(2), t)
	JGE(LabelRef(pair))
	Label(odd)
	CMPQ(t, I8(-1))
	JNE(LabelRef(done))
	a = s.vec()
	VMOVUPS(mem(0, p), a)
	s.unordered(a, a, nan)
	VMAXPS(a, acc, acc)
	Label(done)
	s.setNaN(nan, acc)
	count := GP64()
	MOVQ(mem(8*pickCount, e), count)
	if s.wide {
		k := K()
		KMOVW(mem(8*pickMask, e), k)
		VCOMPRESSPS_Z(acc, k, acc)
	} else {
		perm := YMM()
		VMOVUPS(mem(0, e), perm)
		VPERMPS(acc, perm, acc)
	}
	// A whole vector may be stored where the rest of the row has room for it.
	CMPQ(n, I32(s.floats()))
	JLT(LabelRef(last))
	VMOVUPS(acc, mem(0, y))
	LEAQ(Mem{Base: y, Index: count, Scale: 4}, y)
	Label(stored)
	adv := GP64()
	MOVQ(mem(8*pickAdvance, e), adv)
	LEAQ(Mem{Base: x, Index: adv, Scale: 4}, x)
	ADDQ(I32(8*pickWords), e)
	CMPQ(e, end)
	CMOVQEQ(first, e)
	SUBQ(count, n)
	JGT(LabelRef(group))
	MOVQ(arg(pickYStep), t)
	LEAQ(Mem{Base: yRow, Index: t, Scale: 4}, yRow)
	MOVQ(arg(pickXStep), t)
	LEAQ(Mem{Base: xRow, Index: t, Scale: 4}, xRow)
	DECQ(rows)
	JNE(LabelRef(row))
	s.ret()

	Label(last)
	keep := GP64()
	MOVQ(count, keep)
	CMPQ(n, keep)
	CMOVQLT(n, keep)
	s.store(acc, mem(0, y), s.mask(keep))
	LEAQ(Mem{Base: y, Index: count, Scale: 4}, y)
	JMP(LabelRef(stored))
}
