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
		maxSlide(s, 1)
		maxSlide(s, 2)
		maxPick(s)
		maxHalve(s)
		maxHalveRow(s)
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
	m := s.newMask()
	s.clearMask(m)
	return m
}

func (s *simd) newMask() reg.Register {
	if s.wide {
		return K()
	}
	return YMM()
}

func (s *simd) clearMask(m reg.Register) {
	if s.wide {
		KXORW(reg.K0, reg.K0, m) // avo would take an XOR of m with itself for a use of m
	} else {
		VXORPS(m, m, m)
	}
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
	boxLines
	boxYLine
	boxXLine
	boxNZ
	boxNY
	boxNX
	boxSZ
	boxSY
	boxSX
	boxClean
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
	cols, nz Mem           // counters
	line     [3]Mem        // number of lines left, and where this one begins in y and x
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
	b.loops()
	b.s.ret()
}

// loops emits all but the return.
func (b *boxLoops) loops() {
	s := b.s
	b.y, b.x = Load(Param("y").Base(), GP64()).(reg.GPVirtual), Load(Param("x").Base(), GP64()).(reg.GPVirtual)
	b.sx = GP64()
	MOVQ(arg(boxSX), b.sx)
	SHLQ(U8(b.xs/4+1), b.sx)
	// Counters that are seldom used lie on the stack: there are too few registers.
	if b.nz == (Mem{}) {
		b.cols, b.nz, b.line = AllocLocal(8), AllocLocal(8), [3]Mem{AllocLocal(8), AllocLocal(8), AllocLocal(8)}
	}
	cols := b.cols
	rem, t := GP64(), GP64()
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
	lineLoop := newLabel("line")
	MOVQ(arg(boxLines), t)
	MOVQ(t, b.line[0])
	Label(lineLoop)
	MOVQ(b.y, b.line[1])
	MOVQ(b.x, b.line[2])
	MOVQ(arg(boxCols), t)
	MOVQ(t, cols)
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
	b.nextLine(t, lineLoop)
}

// nextLine goes on with the next line, if there is one.
func (b *boxLoops) nextLine(t reg.GPVirtual, loop string) {
	MOVQ(arg(boxYLine), t)
	SHLQ(U8(b.ys/4+1), t)
	MOVQ(b.line[1], b.y)
	ADDQ(t, b.y)
	MOVQ(arg(boxXLine), t)
	SHLQ(U8(b.xs/4+1), t)
	MOVQ(b.line[2], b.x)
	ADDQ(t, b.x)
	DECQ(b.line[0])
	JNE(LabelRef(loop))
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

// maxBox emits two loops. The first one is fast: it does not mind NaN, which VMAXPS
// loses, but adds up products of taps on the side, in units that are idle. Only when
// their sum is NaN the second loop does it all again with a look at every tap.
func maxBox(s *simd) {
	name := "maxBox" + s.name
	TEXT(name, NOSPLIT, "func(y, x []float32, g [14]int) bool")
	Doc(name + " is maxBoxGeneric.")
	Pragma("noescape")
	ninf := s.vec()
	VBROADCASTSS(s.constant(float32(math.Inf(-1))), ninf)
	b := &boxLoops{s: s, maxNV: 4, xs: 4, ys: 4}
	sums := s.vecs(b.maxNV)
	for _, v := range sums {
		s.clear(v)
	}
	b.block = func(b *boxLoops, nv int, kind tailKind) { s.maxBlock(b, ninf, sums, nv, kind) }
	b.loops()
	s.onceMore(sums, func() {
		b.block = func(b *boxLoops, nv int, kind tailKind) { s.maxBlock(b, ninf, nil, nv, kind) }
		b.loops()
	})
}

// onceMore ends a kernel of maxima that has added up products of taps: with exact
// loops where they are NaN and x is not said to be clean. The result is whether.
func (s *simd) onceMore(sums []reg.VecVirtual, loops func()) {
	exact, end := newLabel("exact"), newLabel("end")
	result := GP8()
	s.jumpNaN(sums, exact)
	Label(end)
	XORB(result, result)
	Store(result, ReturnIndex(0))
	s.ret()
	Label(exact)
	CMPQ(arg(boxClean), I8(0))
	JNE(LabelRef(end))
	loops()
	result = GP8()
	MOVB(U8(1), result)
	Store(result, ReturnIndex(0))
	s.ret()
}

// jumpNaN jumps when a lane of one of the vectors is NaN, and perhaps when some are
// infinite.
func (s *simd) jumpNaN(v []reg.VecVirtual, to string) {
	for _, w := range v[1:] {
		VADDPS(w, v[0], v[0])
	}
	if s.wide {
		k := K()
		VCMPPS(U8(unordered), v[0], v[0], k)
		KORTESTW(k, k)
	} else {
		bits := GP32()
		VCMPPS(U8(unordered), v[0], v[0], v[0])
		VMOVMSKPS(v[0], bits)
		TESTL(bits, bits)
	}
	JNE(LabelRef(to))
}

// maxBlock emits the maxima of a block. Sums of products of the taps are added up, or
// NaN is looked for where they are nil.
func (s *simd) maxBlock(b *boxLoops, ninf reg.VecVirtual, sums []reg.VecVirtual, nv int, kind tailKind) {
	acc, nan := s.vecs(nv), make([]reg.Register, nv)
	for i := range acc {
		VMOVAPS(ninf, acc[i])
		if sums == nil {
			nan[i] = s.nanMask()
		}
	}
	look := func(i int, a, c reg.VecVirtual) {
		if sums == nil {
			s.unordered(a, c, nan[i])
		} else {
			VFMADD231PS(a, c, sums[i])
		}
	}
	b.findShift(nv, kind)
	b.taps(func(p reg.Register) {
		lp := b.shifted(p, kind, 4)
		for i := range acc {
			base := p
			if i == nv-1 {
				base = lp
			}
			a, c := s.vec(), s.vec()
			s.load(mem(i*s.bytes, base), a, b.mask(i, nv, kind))
			s.load(mem(i*s.bytes, base, b.sx), c, b.mask(i, nv, kind))
			look(i, a, c)
			VMAXPS(c, a, a)
			VMAXPS(a, acc[i], acc[i])
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
			look(i, a, a)
			VMAXPS(a, acc[i], acc[i])
		}
	})
	p := GP64()
	LEAQ(mem(0, b.y, b.off), p)
	lp := b.shifted(p, kind, 4)
	for i := range acc {
		if sums == nil {
			s.setNaN(nan[i], acc[i])
		}
		base := reg.Register(p)
		if i == nv-1 {
			base = lp
		}
		s.store(acc[i], mem(i*s.bytes, base), b.mask(i, nv, kind))
	}
}

// maxSlide emits maxBox for windows of 3 × 3 whose columns are stride taps apart, 1 or
// 2: the maxima of a column of taps serve all windows that share it.
func maxSlide(s *simd, stride int) {
	name := fmt.Sprintf("maxSlide%d%s", stride, s.name)
	TEXT(name, NOSPLIT, "func(y, x []float32, g [14]int) bool")
	Doc(fmt.Sprintf("%s is maxBoxGeneric for boxes of 1 × 3 × 3 taps, with xStep = %d·sx and n of %d or more.", name, stride, s.floats()))
	Pragma("noescape")
	b := &boxLoops{s: s, xs: 4, ys: 4}
	b.cols, b.line = AllocLocal(8), [3]Mem{AllocLocal(8), AllocLocal(8), AllocLocal(8)}
	maxNV := 4
	if !s.wide {
		maxNV = 2
	}
	sums := s.vecs(maxNV)
	for _, v := range sums {
		s.clear(v)
	}
	s.slideLoops(b, stride, maxNV, sums)
	s.onceMore(sums, func() { s.slideLoops(b, stride, maxNV, nil) })
}

func (s *simd) slideLoops(b *boxLoops, stride, maxNV int, sums []reg.VecVirtual) {
	b.y, b.x = Load(Param("y").Base(), GP64()).(reg.GPVirtual), Load(Param("x").Base(), GP64()).(reg.GPVirtual)
	b.sx, b.off = GP64(), GP64()
	MOVQ(arg(boxSX), b.sx)
	SHLQ(U8(2), b.sx)
	t, rem := GP64(), GP64()
	if s.wide {
		MOVQ(arg(boxN), t)
		DECQ(t)
		ANDQ(U8(15), t)
		INCQ(t)
		b.tail = s.mask(t)
	}
	MOVQ(arg(boxLines), t)
	MOVQ(t, b.line[0])
	lineLoop, next := newLabel("line"), newLabel("next")
	Label(lineLoop)
	MOVQ(b.y, b.line[1])
	MOVQ(b.x, b.line[2])
	XORQ(b.off, b.off)
	MOVQ(arg(boxN), rem)
	for nv := maxNV; nv >= 1; nv /= 2 {
		loop, end := newLabel("block"), newLabel("end")
		Label(loop)
		if nv > 1 {
			CMPQ(rem, I32(nv*s.floats()))
			JLT(LabelRef(end))
			s.slideBlock(b, stride, nv, nil, sums)
		} else {
			TESTQ(rem, rem)
			JLE(LabelRef(next))
			whole := newLabel("whole")
			if s.wide {
				// All blocks of one vector are under the mask of the last one.
				CMPQ(rem, I32(s.floats()))
				JLT(LabelRef(whole))
				s.slideBlock(b, stride, 1, nil, sums)
				ADDQ(I32(s.bytes), b.off)
				SUBQ(I32(s.floats()), rem)
				JMP(LabelRef(loop))
				Label(whole)
				s.slideBlock(b, stride, 1, b.tail, sums)
				JMP(LabelRef(next))
				break
			}
			// The last vector ends with the last lane.
			MOVQ(arg(boxN), t)
			SHLQ(U8(2), t)
			SUBQ(I32(s.bytes), t)
			CMPQ(t, b.off)
			CMOVQLT(t, b.off)
			s.slideBlock(b, stride, 1, nil, sums)
		}
		ADDQ(I32(nv*s.bytes), b.off)
		SUBQ(I32(nv*s.floats()), rem)
		JMP(LabelRef(loop))
		Label(end)
	}
	Label(next)
	b.nextLine(t, lineLoop)
}

// slideBlock emits the columns of a block of nv vectors.
func (s *simd) slideBlock(b *boxLoops, stride, nv int, mask reg.Register, sums []reg.VecVirtual) {
	var p [3]reg.Register
	t, yp := GP64(), GP64()
	for i := range p {
		r := GP64()
		if p[i] = r; i == 0 {
			LEAQ(mem(0, b.x, b.off), r)
			MOVQ(arg(boxSY), t)
		} else {
			LEAQ(Mem{Base: p[i-1], Index: t, Scale: 4}, r)
		}
	}
	LEAQ(mem(0, b.y, b.off), yp)
	MOVQ(arg(boxCols), t)
	MOVQ(t, b.cols)
	yStep := GP64()
	MOVQ(arg(boxYStep), yStep)
	SHLQ(U8(2), yStep)

	// column sets v to the maxima of a column of taps, NaN where one is.
	column := func(v []reg.VecVirtual) {
		for i := range v {
			a, c, d := v[i], s.vec(), s.vec()
			s.load(mem(i*s.bytes, p[0]), a, mask)
			s.load(mem(i*s.bytes, p[1]), c, mask)
			s.load(mem(i*s.bytes, p[2]), d, mask)
			if sums != nil {
				VFMADD231PS(a, c, sums[i])
				VFMADD231PS(d, d, sums[i])
				VMAXPS(c, a, a)
				VMAXPS(d, a, a)
				continue
			}
			nan := s.nanMask()
			s.unordered(a, c, nan)
			s.unordered(d, d, nan)
			VMAXPS(c, a, a)
			VMAXPS(d, a, a)
			s.setNaN(nan, a)
		}
		for i := range p {
			ADDQ(b.sx, p[i])
		}
	}
	held := make([][]reg.VecVirtual, 3-stride)
	for i := range held {
		held[i] = s.vecs(nv)
		column(held[i])
	}
	loop := newLabel("column")
	Label(loop)
	fresh := make([][]reg.VecVirtual, stride)
	for i := range fresh {
		fresh[i] = s.vecs(nv)
		column(fresh[i])
	}
	v := append(append([][]reg.VecVirtual{}, held...), fresh...)
	for i := range nv {
		m := s.vec()
		VMAXPS(v[1][i], v[0][i], m)
		VMAXPS(v[2][i], m, m)
		if sums == nil {
			nan := s.nanMask()
			s.unordered(v[0][i], v[1][i], nan)
			s.unordered(v[2][i], v[2][i], nan)
			s.setNaN(nan, m)
		}
		s.store(m, mem(i*s.bytes, yp), mask)
	}
	for h := range held {
		for i := range nv {
			VMOVAPS(v[h+stride][i], held[h][i])
		}
	}
	ADDQ(yStep, yp)
	DECQ(b.cols)
	JNE(LabelRef(loop))
}

// cleanOrNot emits the loops of a kernel that picks: once for x without NaN.
func (s *simd) cleanOrNot(loops func(clean bool)) {
	exact := newLabel("exact")
	CMPQ(arg(pickClean), I8(0))
	JE(LabelRef(exact))
	loops(true)
	s.ret()
	Label(exact)
	loops(false)
	s.ret()
}

// Fields of halved, as in pooling.go of package cpu.
const (
	halveN = iota
	halveLines
	halveYLine
	halveXLine
	halveNZ
	halveNY
	halveNX
	halveSZ
	halveSY
	halveLeft
	halveWidth
	halveClean
)

// maxHalve emits maxima of windows of one channel that are two elements apart. Even
// and odd elements of two vectors are taken apart by shuffles, once the maxima over the
// rows are there. Where a vector does not lie in the row, its lanes outside are masked.
func maxHalve(s *simd) {
	name := "maxHalve" + s.name
	TEXT(name, NOSPLIT, "func(y, x []float32, g [12]int)")
	Doc(name + " is maxHalveGeneric.")
	Pragma("noescape")
	h := newHalver(s)
	h.lines, h.nz = AllocLocal(8), AllocLocal(8)
	h.sums = s.vecs(2)
	for _, v := range h.sums {
		s.clear(v)
	}
	exact := newLabel("exact")
	h.loops(false)
	s.jumpNaN(h.sums, exact)
	s.ret()
	Label(exact)
	h.loops(true)
	s.ret()
}

// maxHalveRow is maxHalve of a row of taps alone, around which there is memory.
func maxHalveRow(s *simd) {
	name := "maxHalveRow" + s.name
	TEXT(name, NOSPLIT, "func(y, x []float32, g [12]int)")
	Doc(name + " is maxHalveGeneric for boxes of one row of taps that all count. It reads up to halveSlack elements beyond the last row.")
	Pragma("noescape")
	h := newHalver(s)
	h.row, h.lines = true, AllocLocal(8)
	exact := newLabel("exact")
	CMPQ(arg(halveClean), I8(0))
	JE(LabelRef(exact))
	h.loops(false)
	s.ret()
	Label(exact)
	h.loops(true)
	s.ret()
}

func newHalver(s *simd) *halver {
	h := &halver{s: s, order: s.vec(), ninf: s.vec()}
	VMOVUPS(s.halveOrder(), h.order)
	VBROADCASTSS(s.constant(float32(math.Inf(-1))), h.ninf)
	return h
}

var halveOrders = map[bool]Mem{}

// halveOrder is the order of pairs of elements that a shuffle of two vectors leaves.
func (s *simd) halveOrder() Mem {
	m, ok := halveOrders[s.wide]
	if !ok {
		m = GLOBL("halveOrder"+s.name, attr.RODATA|attr.NOPTR)
		n := s.floats() / 2
		for i := range n { // the halves of each 128 bits come of one vector
			from := 2*i%n + 2*i/n
			if s.wide {
				DATA(8*i, U64(from))
			} else {
				DATA(8*i, U32(2*from))
				DATA(8*i+4, U32(2*from+1))
			}
		}
		halveOrders[s.wide] = m
	}
	return m
}

type halver struct {
	s           *simd
	order, ninf reg.VecVirtual
	sums        []reg.VecVirtual // of squares of taps: NaN only where a tap is
	row         bool             // of taps alone, and no sums
	lines, nz   Mem              // counters
	e           reg.GPVirtual    // the element of the row at which a group begins
	x           reg.GPVirtual
}

// loops emits the loops over lines and groups. They mind NaN if exact.
func (h *halver) loops(exact bool) {
	s := h.s
	yLine := Load(Param("y").Base(), GP64())
	h.x = Load(Param("x").Base(), GP64()).(reg.GPVirtual)
	y, n, t, limit := GP64(), GP64(), GP64(), GP64()
	h.e = GP64()
	MOVQ(arg(halveLines), t)
	MOVQ(t, h.lines)
	if !h.row {
		// Groups from 0 to limit lie in the row, with the last pair of taps.
		MOVQ(arg(halveNX), t)
		DECQ(t)
		ANDQ(I8(-2), t)
		MOVQ(arg(halveWidth), limit)
		SUBQ(t, limit)
		SUBQ(I32(2*s.floats()), limit)
	}
	line, group, masked, store, part, next, end := newLabel("line"), newLabel("group"), newLabel("masked"), newLabel("store"), newLabel("part"), newLabel("next"), newLabel("end")
	Label(line)
	MOVQ(yLine, y)
	MOVQ(arg(halveN), n)
	MOVQ(arg(halveLeft), h.e)
	NEGQ(h.e)
	Label(group)
	acc := s.vec()
	VMOVAPS(h.ninf, acc)
	if !h.row {
		CMPQ(h.e, I8(0))
		JLT(LabelRef(masked))
		CMPQ(h.e, limit)
		JGT(LabelRef(masked))
	}
	h.group(acc, false, exact)
	if !h.row {
		JMP(LabelRef(store))
		Label(masked)
		h.group(acc, true, exact)
		Label(store)
	}
	if s.wide {
		VPERMQ(acc, h.order, acc)
	} else {
		VPERMPS(acc, h.order, acc)
	}
	SUBQ(I32(s.floats()), n)
	JLT(LabelRef(part))
	VMOVUPS(acc, mem(0, y))
	ADDQ(I32(s.bytes), y)
	ADDQ(I32(2*s.floats()), h.e)
	TESTQ(n, n)
	JNE(LabelRef(group))
	Label(next)
	MOVQ(arg(halveYLine), t)
	LEAQ(Mem{Base: yLine, Index: t, Scale: 4}, yLine)
	MOVQ(arg(halveXLine), t)
	LEAQ(Mem{Base: h.x, Index: t, Scale: 4}, h.x)
	DECQ(h.lines)
	JNE(LabelRef(line))
	JMP(LabelRef(end))
	Label(part)
	ADDQ(I32(s.floats()), n)
	s.store(acc, mem(0, y), s.mask(n))
	JMP(LabelRef(next))
	Label(end)
}

// group adds the taps of a group to acc.
func (h *halver) group(acc reg.VecVirtual, masked, exact bool) {
	s := h.s
	p, left := GP64(), GP64()
	LEAQ(Mem{Base: h.x, Index: h.e, Scale: 4}, p)
	MOVQ(arg(halveNX), left)
	var nan reg.Register
	if exact {
		nan = s.nanMask()
	}
	pair, next := newLabel("pair"), newLabel("next")
	var valid reg.GPVirtual // the elements from the current tap on that lie in the row
	if masked {
		valid = h.valid()
	}
	Label(pair)
	v, nans, masks := s.vecs(2), [2]reg.Register{}, [2]reg.Register{}
	for i := range v {
		if !h.row {
			VMOVAPS(h.ninf, v[i])
		}
		if exact && !h.row {
			nans[i] = s.nanMask()
		}
		if masked {
			bits := GP64()
			MOVQ(valid, bits)
			if i > 0 {
				SHRQ(U8(s.floats()), bits)
			}
			if s.wide {
				k := K()
				KMOVW(bits.As32(), k)
				masks[i] = k
			} else {
				masks[i] = s.bitMask(bits)
			}
		}
	}
	if h.row {
		for i := range v {
			VMOVUPS(mem(i*s.bytes, p), v[i])
		}
	} else {
		h.rows(p, v, nans, masks, masked, exact)
	}

	if exact && !h.row {
		s.setNaN(nans[0], v[0])
		s.setNaN(nans[1], v[1])
	}
	even, odd := s.vec(), s.vec()
	VSHUFPS(U8(0x88), v[1], v[0], even)
	if exact {
		s.unordered(even, even, nan)
	}
	VMAXPS(even, acc, acc)
	CMPQ(left, I8(1))
	JE(LabelRef(next))
	VSHUFPS(U8(0xdd), v[1], v[0], odd)
	if exact {
		s.unordered(odd, odd, nan)
	}
	VMAXPS(odd, acc, acc)
	ADDQ(I8(8), p)
	if masked {
		SHRQ(U8(2), valid)
	}
	SUBQ(I8(2), left)
	JNE(LabelRef(pair))
	Label(next)
	if exact {
		s.setNaN(nan, acc)
	}
}

// rows emits the loops over the rows of taps at p: their maxima go to v.
func (h *halver) rows(p reg.GPVirtual, v []reg.VecVirtual, nans, masks [2]reg.Register, masked, exact bool) {
	s := h.s
	pz, py, ny, t := GP64(), GP64(), GP64(), GP64()
	lz, ly := newLabel("z"), newLabel("y")
	MOVQ(p, pz)
	MOVQ(arg(halveNZ), t)
	MOVQ(t, h.nz)
	Label(lz)
	MOVQ(pz, py)
	MOVQ(arg(halveNY), ny)
	Label(ly)
	a := s.vecs(2)
	for i := range v {
		s.load(mem(i*s.bytes, py), a[i], masks[i])
		if exact {
			s.unordered(a[i], a[i], nans[i])
		} else {
			VFMADD231PS(a[i], a[i], h.sums[i])
		}
		switch {
		case !masked:
			VMAXPS(a[i], v[i], v[i])
		case s.wide:
			VMAXPS(a[i], v[i], masks[i], v[i])
		default:
			VBLENDVPS(masks[i], a[i], h.ninf, a[i])
			VMAXPS(a[i], v[i], v[i])
		}
	}
	MOVQ(arg(halveSY), t)
	LEAQ(Mem{Base: py, Index: t, Scale: 4}, py)
	DECQ(ny)
	JNE(LabelRef(ly))
	MOVQ(arg(halveSZ), t)
	LEAQ(Mem{Base: pz, Index: t, Scale: 4}, pz)
	DECQ(h.nz)
	JNE(LabelRef(lz))
}

// valid returns which elements of a group, and of those behind it, lie in the row.
func (h *halver) valid() reg.GPVirtual {
	bits, t, zero := GP64(), GP64(), GP64()
	XORQ(zero, zero)
	// The first width − e, of 64 at most,
	MOVQ(arg(halveWidth), t)
	SUBQ(h.e, t)
	CMOVQLT(zero, t)
	MOVQ(I32(64), bits)
	CMPQ(t, bits)
	CMOVQGT(bits, t)
	MOVQ(I32(-1), bits)
	BZHIQ(t, bits, bits)
	// but for the first −e.
	MOVQ(h.e, t)
	NEGQ(t)
	CMOVQLT(zero, t)
	SHRXQ(t, bits, bits)
	SHLXQ(t, bits, bits)
	return bits
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
	pickClean = 6
)

func maxPick(s *simd) {
	name := "maxPick" + s.name
	TEXT(name, NOSPLIT, "func(y, x []float32, g [7]int, pattern []int64)")
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
	s.cleanOrNot(func(clean bool) { s.pickLoops(yRow, xRow, step, rows, first, end, ninf, clean) })
}

func (s *simd) pickLoops(yRow, xRow, step, rows, first, end reg.Register, ninf reg.VecVirtual, clean bool) {
	row, group, pair, odd, done, last, stored := newLabel("row"), newLabel("group"), newLabel("pair"), newLabel("odd"), newLabel("done"), newLabel("last"), newLabel("stored")

	Label(row)
	y, x, n, e := GP64(), GP64(), GP64(), GP64()
	MOVQ(yRow, y)
	MOVQ(xRow, x)
	MOVQ(arg(pickN), n)
	MOVQ(first, e)

	Label(group)
	acc := s.vec()
	VMOVAPS(ninf, acc)
	var nan reg.Register
	if !clean {
		nan = s.nanMask()
	}
	p, t := GP64(), GP64()
	MOVQ(x, p)
	MOVQ(arg(pickTaps), t)
	SUBQ(I32(2), t)
	JLT(LabelRef(odd))
	Label(pair)
	a, b := s.vec(), s.vec()
	VMOVUPS(mem(0, p), a)
	VMOVUPS(mem(0, p, step), b)
	if !clean {
		s.unordered(a, b, nan)
	}
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
	if !clean {
		s.unordered(a, a, nan)
	}
	VMAXPS(a, acc, acc)
	Label(done)
	if !clean {
		s.setNaN(nan, acc)
	}
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
	finished := newLabel("finished")
	JMP(LabelRef(finished))

	Label(last)
	keep := GP64()
	MOVQ(count, keep)
	CMPQ(n, keep)
	CMOVQLT(n, keep)
	s.store(acc, mem(0, y), s.mask(keep))
	LEAQ(Mem{Base: y, Index: count, Scale: 4}, y)
	JMP(LabelRef(stored))
	Label(finished)
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
	TEXT(name, NOSPLIT, fmt.Sprintf("func(y []%s, x []%s, g [14]int%s)", types[ys], types[xs], scale))
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
	zero := s.zero()
	if xs == 4 && ys == 4 {
		s.fewTaps(b, factor, zero)
	}
	b.block = func(b *boxLoops, nv int, kind tailKind) {
		acc := s.vecs(2 * nv)
		for _, v := range acc {
			VMOVAPS(zero, v)
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

// fewTaps emits means with sums in float32, for x that is said to need no more. If one
// is not finite, as a sum may be whose mean is, what follows does it again in float64.
func (s *simd) fewTaps(b *boxLoops, factor, zero reg.VecVirtual) {
	double := newLabel("double")
	CMPQ(arg(boxClean), I8(0))
	JE(LabelRef(double))
	// The divisor is the reciprocal of the factor, rounded to an integer.
	q := XMM()
	bits := GP64()
	MOVQ(I64(int64(math.Float64bits(1))), bits)
	VMOVQ(bits, q)
	VDIVSD(factor.AsX(), q, q)
	VCVTSD2SS(q, q, q)
	divisor, check := s.vec(), s.vec()
	VBROADCASTSS(q, divisor)
	VMOVAPS(zero, check)
	b.block = func(b *boxLoops, nv int, kind tailKind) {
		acc := s.vecs(nv)
		for _, v := range acc {
			VMOVAPS(zero, v)
		}
		b.findShift(nv, kind)
		tap := func(last reg.Register, p ...reg.Register) {
			for i := range acc {
				m := b.mask(i, nv, kind)
				if i == nv-1 {
					p[0] = last
				}
				if m == nil {
					VADDPS(mem(i*s.bytes, p...), acc[i], acc[i])
					continue
				}
				v := s.vec()
				s.load(mem(i*s.bytes, p...), v, m)
				VADDPS(v, acc[i], acc[i])
			}
		}
		b.taps(func(p reg.Register) {
			last := b.shifted(p, kind, 4)
			tap(last, p)
			tap(last, p, b.sx)
		}, func(p reg.Register) { tap(b.shifted(p, kind, 4), p) })
		p := GP64()
		LEAQ(mem(0, b.y, b.off), p)
		last := b.shifted(p, kind, 4)
		for i := range acc {
			VDIVPS(divisor, acc[i], acc[i])
			VADDPS(acc[i], check, check)
			base := reg.Register(p)
			if i == nv-1 {
				base = last
			}
			s.store(acc[i], mem(i*s.bytes, base), b.mask(i, nv, kind))
		}
	}
	b.loops()
	VSUBPS(check, check, check) // NaN where it is not finite
	s.jumpNaN([]reg.VecVirtual{check}, double)
	s.ret()
	Label(double)
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
	indexLines
	indexYLine
	indexXLine
	indexNZ
	indexNY
	indexNX
	indexSZ
	indexSY
	indexSX
	indexPlace
	indexRow
	indexLine
	indexZ
	indexY
	indexX
)

func maxIndex(s *simd) {
	name := "maxIndex" + s.name
	TEXT(name, NOSPLIT, "func(y []float32, index []int32, x []float32, g [19]int, pattern []int64)")
	Doc(name + " is maxIndexGeneric.")
	Pragma("noescape")
	ninf := s.vec()
	VBROADCASTSS(s.constant(float32(math.Inf(-1))), ninf)
	// Pointers and counters that are seldom used lie on the stack.
	frame := AllocLocal(112)
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
	lines, yLine, iLine, xLine, linePlace := slot(9), slot(10), slot(11), slot(12), slot(13)
	keep(addr("y"), yLine)
	keep(addr("index"), iLine)
	keep(addr("x"), xLine)
	keep(arg(indexLines), lines)
	keep(arg(indexPlace), linePlace)
	line := newLabel("line")
	Label(line)
	keep(yLine, yRow)
	keep(iLine, iRow)
	keep(xLine, xRow)
	keep(linePlace, rowPlace)
	keep(arg(indexRows), rows)
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
	MOVQ(arg(indexYLine), t)
	SHLQ(U8(2), t)
	ADDQ(t, yLine)
	ADDQ(t, iLine)
	MOVQ(arg(indexXLine), t)
	SHLQ(U8(2), t)
	ADDQ(t, xLine)
	MOVQ(arg(indexLine), t)
	ADDQ(t, linePlace)
	DECQ(lines)
	JNE(LabelRef(line))
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
