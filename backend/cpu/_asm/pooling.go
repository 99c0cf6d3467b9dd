package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { families["pooling"] = poolings }

func poolings() {
	for _, s := range []*simd{avx512, avx2} {
		maxBox(s)
		maxPick(s)
		sumBox(s, "meanBox", 4, 4)
		sumBox(s, "sumBox", 4, 8)
		sumBox(s, "meanSums", 8, 4)
		maxIndex(s)
		rowReduce(s, false)
		rowReduce(s, true)
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
	shift    reg.GPVirtual // by how much of float32 the last vector is away from its place where it overlaps
	block    func(b *boxLoops, nv int, kind tailKind)
	maxNV    int // vectors of float32 in a full block
	xs, ys   int // bytes of an element
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
	SHLQ(U8(b.xs/4+1), b.sx)
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
	LEAQ(Mem{Base: b.y, Index: t, Scale: uint8(b.ys)}, b.y)
	MOVQ(arg(boxXStep), t)
	LEAQ(Mem{Base: b.x, Index: t, Scale: uint8(b.xs)}, b.x)
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
	LEAQ(Mem{Base: b.x, Index: b.off, Scale: uint8(b.xs / 4)}, pz)
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
	LEAQ(Mem{Base: py, Index: t, Scale: uint8(b.xs)}, py)
	DECQ(ny)
	JNE(LabelRef(ly))
	MOVQ(arg(boxSZ), t)
	LEAQ(Mem{Base: pz, Index: t, Scale: uint8(b.xs)}, pz)
	DECQ(nz)
	JNE(LabelRef(lz))
}

// findShift fills in b.shift for a block.
func (b *boxLoops) findShift(nv int, kind tailKind) {
	if kind != overlap {
		return
	}
	b.shift = GP64()
	MOVQ(arg(boxN), b.shift)
	SHLQ(U8(2), b.shift)
	SUBQ(b.off, b.shift)
	SUBQ(I32(nv*b.s.bytes), b.shift)
}

// shifted returns p for the last vector of a block, whose elements have size bytes.
func (b *boxLoops) shifted(p reg.Register, kind tailKind, size int) reg.Register {
	if kind != overlap {
		return p
	}
	q := GP64()
	LEAQ(Mem{Base: p, Index: b.shift, Scale: uint8(size / 4)}, q)
	return q
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
	b := &boxLoops{s: s, maxNV: 4, xs: 4, ys: 4}
	b.block = func(b *boxLoops, nv int, kind tailKind) {
		acc, nan := s.vecs(nv), make([]reg.Register, nv)
		for i := range acc {
			VMOVAPS(ninf, acc[i])
			nan[i] = s.nanMask()
		}
		b.findShift(nv, kind)
		b.taps(func(p reg.Register) {
			q := reg.Register(b.sx)
			lp := b.shifted(p, kind, 4)
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
			lp := b.shifted(p, kind, 4)
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
		lp := b.shifted(p, kind, 4)
		for i := range acc {
			s.setNaN(nan[i], acc[i])
			base := reg.Register(p)
			if i == nv-1 {
				base = lp
			}
			s.store(acc[i], mem(i*s.bytes, base), b.mask(i, nv, kind))
		}
	}
	b.emit()
}

// Words of an entry of a pattern and fields of picked, as in pooling.go of package cpu.
const (
	pickMask    = 4
	pickCount   = 5
	pickAdvance = 6
	pickPlaces  = 7
	pickPlace   = 8
	pickWords   = 16

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

// half returns the lower or upper half of a vector.
func (s *simd) half(v reg.VecVirtual, upper bool) reg.Register {
	switch {
	case s.wide && upper:
		h := YMM()
		VEXTRACTF64X4(U8(1), v, h)
		return h
	case s.wide:
		return v.AsY()
	case upper:
		h := XMM()
		VEXTRACTF128(U8(1), v, h)
		return h
	}
	return v.AsX()
}

// doubleMask returns the mask of the lower or upper half of the lanes of a mask, for
// float64.
func (s *simd) doubleMask(m reg.Register, upper bool) reg.Register {
	if s.wide {
		if !upper {
			return m // whose upper bits do not matter
		}
		k := K()
		KSHIFTRW(U8(8), m, k)
		return k
	}
	d := YMM()
	VPMOVSXDQ(s.half(m.(reg.VecVirtual), upper), d)
	return d
}

// sumBox emits a kernel of sums in float64 over a box, of elements of xs bytes into
// ones of ys bytes: sums of 8, or of 4 the sums times a factor.
func sumBox(s *simd, what string, xs, ys int) {
	name := what + s.name
	types := map[int]string{4: "float32", 8: "float64"}
	scale := ""
	if ys == 4 {
		scale = ", factor float64"
	}
	TEXT(name, NOSPLIT, fmt.Sprintf("func(y []%s, x []%s, g [10]int%s)", types[ys], types[xs], scale))
	Doc(name + " is " + what + "Generic.")
	Pragma("noescape")
	var factor reg.VecVirtual
	if ys == 4 {
		factor = s.vec()
		f, err := Param("factor").Resolve()
		if err != nil {
			panic(err)
		}
		VBROADCASTSD(f.Addr, factor)
	}
	b := &boxLoops{s: s, maxNV: 4, xs: xs, ys: ys}
	b.block = func(b *boxLoops, nv int, kind tailKind) {
		acc := s.vecs(2 * nv)
		for _, v := range acc {
			s.clear(v)
		}
		b.findShift(nv, kind)
		var halves, narrows [2]reg.Register // masks of float64, and of float32 in half a vector
		if kind == masked {
			halves = [2]reg.Register{s.doubleMask(b.tail, false), s.doubleMask(b.tail, true)}
			if narrows = halves; !s.wide {
				narrows = [2]reg.Register{s.half(b.tail.(reg.VecVirtual), false), s.half(b.tail.(reg.VecVirtual), true)}
			}
		}
		// One tap, at p or at p+q.
		tap := func(p ...reg.Register) {
			place := func(last bool) []reg.Register {
				if !last || kind != overlap {
					return p
				}
				return append([]reg.Register{b.shifted(p[0], kind, xs)}, p[1:]...)
			}
			for i := range nv {
				at, m := place(i == nv-1), b.mask(i, nv, kind)
				switch {
				case xs == 8 && m != nil:
					for h := range 2 {
						v := s.vec()
						s.loadDoubles(mem((2*i+h)*s.bytes, at...), v, halves[h])
						VADDPD(v, acc[2*i+h], acc[2*i+h])
					}
				case xs == 8:
					for h := range 2 {
						VADDPD(mem((2*i+h)*s.bytes, at...), acc[2*i+h], acc[2*i+h])
					}
				case m != nil:
					f := s.vec()
					s.load(mem(i*s.bytes, at...), f, m)
					for h := range 2 {
						v := s.vec()
						VCVTPS2PD(s.half(f, h == 1), v)
						VADDPD(v, acc[2*i+h], acc[2*i+h])
					}
				default:
					for h := range 2 {
						v := s.vec()
						VCVTPS2PD(mem(i*s.bytes+h*s.bytes/2, at...), v)
						VADDPD(v, acc[2*i+h], acc[2*i+h])
					}
				}
			}
		}
		b.taps(func(p reg.Register) {
			tap(p)
			tap(p, b.sx)
		}, func(p reg.Register) { tap(p) })
		p := GP64()
		LEAQ(Mem{Base: b.y, Index: b.off, Scale: uint8(ys / 4)}, p)
		lp := b.shifted(p, kind, ys)
		for i := range nv {
			base, m := reg.Register(p), b.mask(i, nv, kind)
			if i == nv-1 {
				base = lp
			}
			if ys == 8 {
				for h := range 2 {
					s.storeDoubles(acc[2*i+h], mem((2*i+h)*s.bytes, base), halves[h], m != nil)
				}
				continue
			}
			for h := range 2 {
				VMULPD(factor, acc[2*i+h], acc[2*i+h])
				if m != nil {
					m = narrows[h]
				}
				s.storeNarrow(acc[2*i+h], mem(i*s.bytes+h*s.bytes/2, base), m)
			}
		}
	}
	b.emit()
}

// storeNarrow rounds float64 to float32 and stores them, under a mask of the lanes of
// float64 or of float32.
func (s *simd) storeNarrow(v reg.VecVirtual, m Mem, mask reg.Register) {
	if s.wide {
		f := YMM()
		VCVTPD2PS(v, f)
		if mask != nil {
			VMOVUPS(f, mask, m)
		} else {
			VMOVUPS(f, m)
		}
		return
	}
	f := XMM()
	VCVTPD2PSY(v, f)
	if mask != nil {
		VMASKMOVPS(f, mask, m)
	} else {
		VMOVUPS(f, m)
	}
}

func (s *simd) loadDoubles(m Mem, v, mask reg.Register) {
	if s.wide {
		VMOVUPD_Z(m, mask, v)
		return
	}
	VMASKMOVPD(m, mask, v)
}

func (s *simd) storeDoubles(v reg.Register, m Mem, mask reg.Register, masked bool) {
	switch {
	case !masked:
		VMOVUPD(v, m)
	case s.wide:
		VMOVUPD(v, mask, m)
	default:
		VMASKMOVPD(v, mask, m)
	}
}

// Fields of indexed that picked lacks, as in pooling.go of package cpu.
const (
	indexN = iota
	indexRows
	indexYStep
	indexXStep
	indexNZ
	indexNY
	indexNX
	indexSZ
	indexSY
	indexSX
	indexPlace
	indexRow
	indexZ
	indexY
	indexX
)

func maxIndex(s *simd) {
	name := "maxIndex" + s.name
	TEXT(name, NOSPLIT, "func(y []float32, index []int32, x []float32, g [15]int, pattern []int64)")
	Doc(name + " is maxIndexGeneric.")
	Pragma("noescape")
	ninf := s.vec()
	VBROADCASTSS(s.constant(float32(math.Inf(-1))), ninf)
	// Pointers and counters that are seldom used lie on the stack.
	frame := AllocLocal(72)
	slot := func(i int) Mem { return frame.Offset(8 * i) }
	yRow, iRow, xRow, rows, nz, place, rowPlace, qz, taken := slot(0), slot(1), slot(2), slot(3), slot(4), slot(5), slot(6), slot(7), slot(8)
	t := GP64()
	keep := func(from, to Op) {
		MOVQ(from, t)
		MOVQ(t, to)
	}
	addr := func(c string) Mem {
		b, err := Param(c).Base().Resolve()
		if err != nil {
			panic(err)
		}
		return b.Addr
	}
	keep(addr("y"), yRow)
	keep(addr("index"), iRow)
	keep(addr("x"), xRow)
	keep(arg(indexRows), rows)
	keep(arg(indexPlace), rowPlace)
	row, group, lz, ly, lx, part, whole := newLabel("row"), newLabel("group"), newLabel("z"), newLabel("y"), newLabel("x"), newLabel("part"), newLabel("whole")

	Label(row)
	y, ix, x, n, e := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(yRow, y)
	MOVQ(iRow, ix)
	MOVQ(xRow, x)
	MOVQ(arg(indexN), n)
	MOVQ(addr("pattern"), e)
	keep(rowPlace, place)

	Label(group)
	// The first count lanes of the mask are wanted, n at most.
	count, bits := GP64(), GP64()
	MOVQ(mem(8*pickCount, e), count)
	MOVQ(mem(8*pickMask, e), bits)
	CMPQ(n, count)
	JGE(LabelRef(whole))
	MOVQ(n, count)
	MOVQ(I32(-1), t)
	BZHIQ(count, t, t)
	PDEPQ(bits, t, bits)
	Label(whole)
	MOVQ(count, taken)
	var lanes reg.Register
	if s.wide {
		lanes = K()
		KMOVW(bits.As32(), lanes)
	} else {
		lanes = s.bitMask(bits)
	}
	acc, idx := s.vec(), s.vec()
	VMOVAPS(ninf, acc)
	pos := GP64()
	MOVQ(place, pos)
	s.broadcastInt(pos, idx)
	pz, py, p := GP64(), GP64(), GP64()
	qy := GP64() // place
	ny, nx := GP64(), GP64()
	MOVQ(x, pz)
	MOVQ(pos, qz)
	keep(arg(indexNZ), nz)
	Label(lz)
	MOVQ(pz, py)
	MOVQ(qz, qy)
	MOVQ(arg(indexNY), ny)
	Label(ly)
	MOVQ(py, p)
	MOVQ(qy, pos)
	MOVQ(arg(indexNX), nx)
	Label(lx)
	v := s.vec()
	s.load(mem(0, p), v, lanes)
	if s.wide {
		k, l := K(), K()
		VCMPPS(U8(greater), acc, v, k)
		VCMPPS(U8(unordered), v, v, l)
		KORW(l, k, k)
		VMOVAPS(v, k, acc)
		VPBROADCASTD(pos.As32(), k, idx)
	} else {
		k, l := s.vec(), s.vec()
		VCMPPS(U8(greater), acc, v, k)
		VCMPPS(U8(unordered), v, v, l)
		VORPS(l, k, k)
		VBLENDVPS(k, v, acc, acc)
		s.broadcastInt(pos, l)
		VBLENDVPS(k, l, idx, idx)
	}
	MOVQ(arg(indexSX), t)
	LEAQ(Mem{Base: p, Index: t, Scale: 4}, p)
	ADDQ(arg(indexX), pos)
	DECQ(nx)
	JNE(LabelRef(lx))
	MOVQ(arg(indexSY), t)
	LEAQ(Mem{Base: py, Index: t, Scale: 4}, py)
	ADDQ(arg(indexY), qy)
	DECQ(ny)
	JNE(LabelRef(ly))
	MOVQ(arg(indexSZ), t)
	LEAQ(Mem{Base: pz, Index: t, Scale: 4}, pz)
	MOVQ(arg(indexZ), t)
	ADDQ(t, qz)
	DECQ(nz)
	JNE(LabelRef(lz))

	if s.wide {
		VPADDD(mem(8*pickPlace, e), idx, idx)
		VCOMPRESSPS_Z(acc, lanes, acc)
		VPCOMPRESSD_Z(idx, lanes, idx)
	} else {
		VPADDD(mem(8*pickPlace, e), idx, idx)
		perm := s.vec()
		VMOVUPS(mem(0, e), perm)
		VPERMPS(acc, perm, acc)
		VPERMD(idx, perm, idx)
	}
	CMPQ(n, I32(s.floats()))
	JLT(LabelRef(part))
	VMOVUPS(acc, mem(0, y))
	VMOVUPS(idx, mem(0, ix))
	next := newLabel("next")
	Label(next)
	MOVQ(taken, count)
	LEAQ(Mem{Base: y, Index: count, Scale: 4}, y)
	LEAQ(Mem{Base: ix, Index: count, Scale: 4}, ix)
	MOVQ(mem(8*pickAdvance, e), t)
	LEAQ(Mem{Base: x, Index: t, Scale: 4}, x)
	MOVQ(mem(8*pickPlaces, e), t)
	ADDQ(t, place)
	ADDQ(I32(8*pickWords), e)
	patternLen, err := Param("pattern").Len().Resolve()
	if err != nil {
		panic(err)
	}
	first := GP64()
	MOVQ(addr("pattern"), first)
	MOVQ(patternLen.Addr, t)
	LEAQ(Mem{Base: first, Index: t, Scale: 8}, t)
	CMPQ(e, t)
	CMOVQEQ(first, e)
	SUBQ(count, n)
	JGT(LabelRef(group))
	MOVQ(arg(indexYStep), t)
	SHLQ(U8(2), t)
	ADDQ(t, yRow)
	ADDQ(t, iRow)
	MOVQ(arg(indexXStep), t)
	SHLQ(U8(2), t)
	ADDQ(t, xRow)
	MOVQ(arg(indexRow), t)
	ADDQ(t, rowPlace)
	DECQ(rows)
	JNE(LabelRef(row))
	s.ret()

	Label(part)
	MOVQ(taken, count)
	m := s.mask(count)
	s.store(acc, mem(0, y), m)
	s.store(idx, mem(0, ix), m)
	JMP(LabelRef(next))
}

// greater is a comparison of VCMPPS: false where an operand is NaN.
const greater = 0x1e

// broadcastInt fills a vector with the int32 in a register.
func (s *simd) broadcastInt(r reg.GPVirtual, v reg.VecVirtual) {
	if s.wide {
		VPBROADCASTD(r.As32(), v)
		return
	}
	VMOVD(r.As32(), v.AsX())
	VPBROADCASTD(v.AsX(), v)
}

var laneBits Mem

// bitMask returns a vector mask of the lanes whose bits are set.
func (s *simd) bitMask(bits reg.GPVirtual) reg.VecVirtual {
	if laneBits == (Mem{}) {
		laneBits = GLOBL("poolLaneBits", attr.RODATA|attr.NOPTR)
		for i := range 8 {
			DATA(4*i, U32(1<<i))
		}
	}
	v, b := s.vec(), s.vec()
	s.broadcastInt(bits, v)
	VMOVUPS(laneBits, b)
	VPAND(b, v, v)
	VPCMPEQD(b, v, v)
	return v
}

// rowReduce emits a kernel that reduces rows of x to an element each: to a maximum, or
// to a sum in float64.
func rowReduce(s *simd, sums bool) {
	what, result := "maxRows", "float32"
	if sums {
		what, result = "sumRows", "float64"
	}
	name := what + s.name
	TEXT(name, NOSPLIT, fmt.Sprintf("func(y []%s, x []float32, n, step int)", result))
	Doc(name + " is " + what + "Generic.")
	Pragma("noescape")
	y, rows := Load(Param("y").Base(), GP64()), Load(Param("y").Len(), GP64())
	x, n := Load(Param("x").Base(), GP64()), Load(Param("n"), GP64())
	step := Load(Param("step"), GP64())
	row, four, one, tail, end := newLabel("row"), newLabel("four"), newLabel("one"), newLabel("tail"), newLabel("end")
	ones, fours := newLabel("ones"), newLabel("fours")
	const unroll = 4
	var ninf reg.VecVirtual
	acc := s.vecs(unroll * map[bool]int{false: 1, true: 2}[sums])
	nan := make([]reg.Register, unroll)
	if !sums {
		ninf = s.vec()
		VBROADCASTSS(s.constant(float32(math.Inf(-1))), ninf)
	}

	Label(row)
	p, left := GP64(), GP64()
	MOVQ(x, p)
	MOVQ(n, left)
	for i := range acc {
		if sums {
			s.clear(acc[i])
		} else {
			VMOVAPS(ninf, acc[i])
			nan[i] = s.nanMask()
		}
	}
	add := func(i int, m Mem) {
		if sums {
			for h := range 2 {
				v := s.vec()
				h2 := m
				h2.Disp += h * s.bytes / 2
				VCVTPS2PD(h2, v)
				VADDPD(v, acc[2*i+h], acc[2*i+h])
			}
			return
		}
		v := s.vec()
		VMOVUPS(m, v)
		s.unordered(v, v, nan[i])
		VMAXPS(v, acc[i], acc[i])
	}
	SUBQ(I32(unroll*s.floats()), left)
	JLT(LabelRef(fours))
	Label(four)
	for i := range unroll {
		add(i, mem(i*s.bytes, p))
	}
	ADDQ(I32(unroll*s.bytes), p)
	SUBQ(I32(unroll*s.floats()), left)
	JGE(LabelRef(four))
	Label(fours)
	ADDQ(I32((unroll-1)*s.floats()), left)
	JLT(LabelRef(ones))
	Label(one)
	add(0, mem(0, p))
	ADDQ(I32(s.bytes), p)
	SUBQ(I32(s.floats()), left)
	JGE(LabelRef(one))
	Label(ones)
	ADDQ(I32(s.floats()), left)
	JE(LabelRef(tail))
	m, f := s.mask(left), s.vec()
	s.load(mem(0, p), f, m)
	if sums {
		for h := range 2 {
			v := s.vec()
			VCVTPS2PD(s.half(f, h == 1), v)
			VADDPD(v, acc[h], acc[h])
		}
	} else {
		s.unordered(f, f, nan[0])
		if s.wide {
			VMAXPS(f, acc[0], m, acc[0])
		} else {
			v := s.vec()
			VBLENDVPS(m, f, ninf, v)
			VMAXPS(v, acc[0], acc[0])
		}
	}
	Label(tail)
	if sums {
		for i := 4; i > 0; i /= 2 {
			for j := range i {
				VADDPD(acc[j+i], acc[j], acc[j])
			}
		}
		h := acc[0]
		if s.wide {
			h = YMM()
			VEXTRACTF64X4(U8(1), acc[0], h)
			VADDPD(acc[0].AsY(), h, h)
		}
		q := XMM()
		VEXTRACTF128(U8(1), h.AsY(), q)
		VADDPD(h.AsX(), q, q)
		r := XMM()
		VPERMILPD(U8(1), q, r)
		VADDSD(r, q, q)
		VMOVSD(q, mem(0, y))
		ADDQ(I32(8), y)
	} else {
		for i := unroll / 2; i > 0; i /= 2 {
			for j := range i {
				VMAXPS(acc[j+i], acc[j], acc[j])
				if s.wide {
					KORW(nan[j+i], nan[j], nan[j])
				} else {
					VORPS(nan[j+i], nan[j], nan[j])
				}
			}
		}
		h := acc[0]
		if s.wide {
			h = YMM()
			VEXTRACTF64X4(U8(1), acc[0], h)
			VMAXPS(acc[0].AsY(), h, h)
		}
		q, r := XMM(), XMM()
		VEXTRACTF128(U8(1), h.AsY(), q)
		VMAXPS(h.AsX(), q, q)
		VPERMILPS(U8(0x4e), q, r)
		VMAXPS(r, q, q)
		VPERMILPS(U8(0xb1), q, r)
		VMAXPS(r, q, q)
		VMOVSS(q, mem(0, y))
		bits := GP32()
		if s.wide {
			KMOVW(nan[0], bits)
		} else {
			VMOVMSKPS(nan[0], bits)
		}
		TESTL(bits, bits)
		JE(LabelRef(end))
		MOVL(I32(0x7fc00000), mem(0, y))
		Label(end)
		ADDQ(I32(4), y)
	}
	LEAQ(Mem{Base: x, Index: step, Scale: 4}, x)
	DECQ(rows)
	JNE(LabelRef(row))
	s.ret()
}
