package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The offsets of the fields of the structs that package cpu hands to the kernels:
// its TestDepthwiseOffsets holds them together.
const (
	dwX      = 0
	dwW      = 24
	dwY      = 48
	dwBias   = 72
	dwScale  = 96
	dwShift  = 120
	dwRes    = 144
	dwRows   = 168
	dwCols   = 192
	dwMasks  = 216
	dwLines  = 240
	dwStrips = 264
	dwCh     = 288
	dwXStep  = 296
	dwYStep  = 304
	dwWStep  = 312
	dwBlock  = 320
	dwLo     = 328
	dwHi     = 332
	dwHasLo  = 336
	dwHasHi  = 344

	dwSlide   = 352
	dwPerm    = 360
	dwSources = 384
	dwStream  = 408

	dwSourceX    = 0
	dwSourceN    = 8
	dwSourceSize = 16

	dwRowX    = 0
	dwRowW    = 8
	dwRowT0   = 16
	dwRowT1   = 24
	dwRowSize = 32

	dwColX    = 0
	dwColW    = 8
	dwColSize = 16

	dwLineX    = 0
	dwLineY    = 8
	dwLineR0   = 16
	dwLineR1   = 24
	dwLineSize = 32

	dwStripX    = 0
	dwStripY    = 8
	dwStripN    = 16
	dwStripMask = 24
	dwStripSize = 32
)

// dwOutputs is the number of neighbouring outputs that are computed together: the
// sizes of the usual networks are multiples of it.
const dwOutputs = 7

// slideTaps is the number of taps of a table that share loads where they can.
const slideTaps = 3

// depthwiseGroup is the bytes of channels that are computed for a strip before the next one:
// two cache lines, which are what processors like to fetch together.
const depthwiseGroup = 128

// dwKernel is one kernel: for rows of taps of a width and stride that are known, or
// for any table of taps where width is 0.
type dwKernel struct {
	*simd
	width, stride int
	many          bool // output channels a group

	a               reg.GPVirtual
	xstep, xstep3   reg.GPVirtual
	w, co           reg.GPVirtual // weights of this vector; its first channel, in bytes
	mask            reg.Register  // of a vector that has fewer channels than lanes
	xmask           reg.Register  // of the channels of x where there are many of y
	perm            reg.VecVirtual
	acc             []reg.VecVirtual
	lineEnd         Mem
	stripEnd        Mem
	from, fromW, to Mem // co and w at the beginning of the group, co at its end
	total           Mem // sums of the blocks before
	flushed         Mem // 0 where there are none
	flushAt         Mem // where the next block begins
	saved           [3]Mem
	line, strip, r  reg.GPVirtual
}

func init() {
	families["depthwise"] = func() {
		for _, s := range []*simd{avx512, avx2} {
			for _, k := range [][2]int{{3, 1}, {3, 2}, {5, 1}, {5, 2}, {7, 1}, {0, 0}} {
				(&dwKernel{simd: s, width: k[0], stride: k[1]}).emit()
			}
			(&dwKernel{simd: s, many: true}).emit()
		}
	}
}

// cols is the number of columns that a strip of a known width reads.
func (k *dwKernel) cols() int { return (dwOutputs-1)*k.stride + k.width }

func (k *dwKernel) at(disp int) Mem { return Mem{Base: k.a, Disp: disp} }

// load loads a vector of channels, of which those beyond the last are 0.
func (k *dwKernel) load(m Mem, v reg.VecVirtual) { k.simd.load(m, v, k.mask) }

// walker addresses places that lie a step apart.
type walker struct {
	base, step, step3 reg.GPVirtual
	i                 int
}

// next returns the next place.
func (w *walker) next() Mem {
	if w.i == 4 {
		LEAQ(Mem{Base: w.base, Index: w.step, Scale: 4}, w.base)
		w.i = 0
	}
	m := Mem{Base: w.base}
	switch w.i {
	case 1:
		m.Index, m.Scale = w.step, 1
	case 2:
		m.Index, m.Scale = w.step, 2
	case 3:
		m.Index, m.Scale = w.step3, 1
	}
	w.i++
	return m
}

func (k *dwKernel) emit() {
	kind, what := "Any", "any taps"
	if k.width > 0 {
		kind = fmt.Sprintf("%dS%d", k.width, k.stride)
		what = fmt.Sprintf("rows of %d taps and stride %d", k.width, k.stride)
	}
	if k.many {
		kind, what = "Many", "any taps and several output channels a group"
	}
	TEXT("depthwise"+kind+k.name, NOSPLIT, "func(a *byte)")
	Doc(fmt.Sprintf("depthwise%s%s is depthwiseGeneric for %s, with %d lanes.", kind, k.name, what, k.floats()))
	Pragma("noescape")
	k.a = GP64()
	Load(Param("a"), k.a)
	k.lineEnd, k.stripEnd = AllocLocal(8), AllocLocal(8)
	k.from, k.fromW, k.to = AllocLocal(8), AllocLocal(8), AllocLocal(8)
	if k.width == 0 {
		k.total = AllocLocal(dwOutputs * k.bytes)
		k.flushed, k.flushAt = AllocLocal(8), AllocLocal(8)
		for i := range k.saved {
			k.saved[i] = AllocLocal(8)
		}
	}
	t := GP64()
	MOVQ(k.at(dwLines+8), t)
	SHLQ(Imm(5), t)
	ADDQ(k.at(dwLines), t)
	MOVQ(t, k.lineEnd)
	MOVQ(k.at(dwStrips+8), t)
	SHLQ(Imm(5), t)
	ADDQ(k.at(dwStrips), t)
	MOVQ(t, k.stripEnd)
	k.xstep, k.xstep3 = GP64(), GP64()
	MOVQ(k.at(dwXStep), k.xstep)
	SHLQ(Imm(2), k.xstep)
	LEAQ(Mem{Base: k.xstep, Index: k.xstep, Scale: 2}, k.xstep3)
	k.w, k.co = GP64(), GP64()
	MOVQ(k.at(dwW), k.w)
	XORQ(k.co, k.co)

	Label("vector")
	left := GP64()
	MOVQ(k.at(dwCh), left)
	SHLQ(Imm(2), left)
	SUBQ(k.co, left)
	JZ(LabelRef("done"))
	CMPQ(left, Imm(uint64(k.bytes)))
	JLT(LabelRef("tail"))
	MOVQ(k.co, k.from)
	MOVQ(k.w, k.fromW)
	group := GP64()
	MOVQ(U32(depthwiseGroup), group)
	ANDQ(I32(-k.bytes), left)
	CMPQ(left, group)
	CMOVQGT(group, left)
	ADDQ(k.co, left)
	MOVQ(left, k.to)
	k.body()
	JMP(LabelRef("vector"))

	Label("tail")
	SHRQ(Imm(2), left)
	k.mask = k.simd.mask(left)
	k.body()
	Label("done")
	k.ret()
}

// body computes all lines for one vector of channels.
func (k *dwKernel) body() {
	suffix := ""
	if k.mask != nil {
		suffix = "Tail"
	}
	l := func(s string) string { return s + suffix }
	k.line, k.strip = GP64(), GP64()
	MOVQ(k.at(dwLines), k.line)
	Label(l("line"))
	MOVQ(k.at(dwStrips), k.strip)
	Label(l("strip"))
	k.acc = k.vecs(dwOutputs)
	xb := GP64()
	MOVQ(Mem{Base: k.strip, Disp: dwStripX}, xb)
	ADDQ(Mem{Base: k.line, Disp: dwLineX}, xb)
	if k.many {
		k.source(xb)
	} else {
		LEAQ(Mem{Base: k.co, Index: xb, Scale: 4}, xb)
	}
	ADDQ(k.at(dwX), xb)
	k.begin(l)
	r, rEnd := GP64(), GP64()
	MOVQ(Mem{Base: k.line, Disp: dwLineR0}, r)
	MOVQ(Mem{Base: k.line, Disp: dwLineR1}, rEnd)
	SHLQ(Imm(5), r)
	SHLQ(Imm(5), rEnd)
	ADDQ(k.at(dwRows), r)
	ADDQ(k.at(dwRows), rEnd)
	CMPQ(r, rEnd)
	JGE(LabelRef(l("rowsDone")))
	mask := GP64()
	MOVQ(Mem{Base: k.strip, Disp: dwStripMask}, mask)
	if k.width > 0 {
		CMPQ(mask, U32(1<<k.cols()-1))
		JNE(LabelRef(l("rowMasked")))
		k.row(l("row"), xb, r, rEnd, nil)
		JMP(LabelRef(l("rowsDone")))
		k.row(l("rowMasked"), xb, r, rEnd, mask)
	} else {
		k.any(l, xb, r, rEnd, mask)
	}
	Label(l("rowsDone"))
	k.end(l)
	if k.mask == nil {
		k.next(l)
	}
	ADDQ(Imm(dwStripSize), k.strip)
	CMPQ(k.strip, k.stripEnd)
	JLT(LabelRef(l("strip")))
	ADDQ(Imm(dwLineSize), k.line)
	CMPQ(k.line, k.lineEnd)
	JLT(LabelRef(l("line")))
}

// next goes to the next vector of the group for the same strip, or to the first one
// for the next strip; in the end co and w are those of the next group.
func (k *dwKernel) next(l func(string) string) {
	wstep := GP64()
	MOVQ(k.at(dwWStep), wstep)
	LEAQ(Mem{Base: k.w, Index: wstep, Scale: 4}, k.w)
	ADDQ(Imm(uint64(k.bytes)), k.co)
	CMPQ(k.co, k.to)
	JLT(LabelRef(l("strip")))
	end := GP64()
	LEAQ(Mem{Base: k.strip, Disp: dwStripSize}, end)
	CMPQ(end, k.stripEnd)
	JLT(LabelRef(l("again")))
	LEAQ(Mem{Base: k.line, Disp: dwLineSize}, end)
	CMPQ(end, k.lineEnd)
	JGE(LabelRef(l("last")))
	Label(l("again"))
	MOVQ(k.from, k.co)
	MOVQ(k.fromW, k.w)
	Label(l("last"))
}

// source prepares the loads of the channels that a vector of outputs reads; xb is the
// place of the strip, in elements, and then in bytes that of the channels.
func (k *dwKernel) source(xb reg.GPVirtual) {
	s, n := GP64(), GP64()
	MOVQ(k.co, s)
	SHRQ(Imm(map[bool]uint64{true: 2, false: 1}[k.wide]), s) // a vector has dwSourceSize bytes
	ADDQ(k.at(dwSources), s)
	ADDQ(Mem{Base: s, Disp: dwSourceX}, xb)
	SHLQ(Imm(2), xb)
	MOVQ(Mem{Base: s, Disp: dwSourceN}, n)
	k.xmask = k.simd.mask(n)
	MOVQ(k.at(dwPerm), s)
	k.perm = k.vec()
	VMOVUPS(Mem{Base: s, Index: k.co, Scale: 1}, k.perm)
}

// begin sets the sums to the bias, or 0.
func (k *dwKernel) begin(l func(string) string) {
	b := GP64()
	MOVQ(k.at(dwBias), b)
	TESTQ(b, b)
	JZ(LabelRef(l("noBias")))
	k.load(Mem{Base: b, Index: k.co, Scale: 1}, k.acc[0])
	JMP(LabelRef(l("biasDone")))
	Label(l("noBias"))
	k.clear(k.acc[0])
	Label(l("biasDone"))
	for _, a := range k.acc[1:] {
		VMOVAPS(k.acc[0], a)
	}
}

// row adds rows of taps, of which mask tells the columns inside x; nil for all.
func (k *dwKernel) row(label string, xb, r, rEnd, mask reg.GPVirtual) {
	Label(label)
	x, w := GP64(), GP64()
	MOVQ(Mem{Base: r, Disp: dwRowX}, x)
	LEAQ(Mem{Base: xb, Index: x, Scale: 4}, x)
	MOVQ(Mem{Base: r, Disp: dwRowW}, w)
	LEAQ(Mem{Base: k.w, Index: w, Scale: 4}, w)
	weights := k.vecs(k.width)
	for i, v := range weights {
		VMOVUPS(Mem{Base: w, Disp: i * k.bytes}, v)
	}
	at := walker{base: x, step: k.xstep, step3: k.xstep3}
	k.columns(label, at, weights, mask)
	ADDQ(Imm(dwRowSize), r)
	CMPQ(r, rEnd)
	JLT(LabelRef(label))
}

// columns adds the columns one after the other.
func (k *dwKernel) columns(label string, at walker, weights []reg.VecVirtual, mask reg.GPVirtual) {
	for j := range k.cols() {
		skip := fmt.Sprintf("%s%d", label, j)
		m := at.next()
		if mask != nil {
			TESTL(U32(1<<j), mask.As32())
			JZ(LabelRef(skip))
		}
		v := k.vec()
		k.load(m, v)
		for i := dwOutputs - 1; i >= 0; i-- {
			if t := j - i*k.stride; t >= 0 && t < k.width {
				VFMADD231PS(v, weights[t], k.acc[i])
			}
		}
		if mask != nil {
			Label(skip)
		}
	}
}

// any adds the taps of tables. Its loops need the registers of those around them.
func (k *dwKernel) any(l func(string) string, xb, r, rEnd, mask reg.GPVirtual) {
	outer := []reg.GPVirtual{k.line, k.strip, k.co}
	for i, o := range outer {
		MOVQ(o, k.saved[i])
	}
	block := GP64()
	MOVQ(k.at(dwBlock), block)
	SHLQ(Imm(5), block)
	ADDQ(r, block)
	MOVQ(block, k.flushAt)
	MOVQ(U32(0), k.flushed)

	Label(l("row"))
	x, w, col, colEnd, table, bits := GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(Mem{Base: r, Disp: dwRowX}, x)
	LEAQ(Mem{Base: xb, Index: x, Scale: 4}, x)
	MOVQ(Mem{Base: r, Disp: dwRowW}, w)
	LEAQ(Mem{Base: k.w, Index: w, Scale: 4}, w)
	MOVQ(Mem{Base: r, Disp: dwRowT0}, col)
	MOVQ(Mem{Base: r, Disp: dwRowT1}, colEnd)
	Load(Param("a"), table)
	LEAQ(Mem{Base: mask, Index: col, Scale: 1}, bits)
	SHLQ(Imm(2), bits)
	ADDQ(Mem{Base: table, Disp: dwMasks}, bits)
	SHLQ(Imm(4), col)
	SHLQ(Imm(4), colEnd)
	ADDQ(Mem{Base: table, Disp: dwCols}, col)
	ADDQ(Mem{Base: table, Disp: dwCols}, colEnd)
	CMPQ(mask, Imm(0))
	JGE(LabelRef(l("tapMasked")))
	k.taps(l("tap"), x, w, col, colEnd, nil)
	JMP(LabelRef(l("rowEnd")))
	k.taps(l("tapMasked"), x, w, col, colEnd, bits)

	Label(l("rowEnd"))
	ADDQ(Imm(dwRowSize), r)
	CMPQ(r, rEnd)
	JGE(LabelRef(l("rowsEnd")))
	CMPQ(r, k.flushAt)
	JLT(LabelRef(l("row")))
	k.flush(l)
	JMP(LabelRef(l("row")))

	Label(l("rowsEnd"))
	CMPQ(k.flushed, Imm(0))
	JE(LabelRef(l("oneBlock")))
	for i, acc := range k.acc {
		VADDPS(k.total.Offset(i*k.bytes), acc, acc)
	}
	Label(l("oneBlock"))
	Load(Param("a"), k.a)
	for i, o := range outer {
		MOVQ(k.saved[i], o)
	}
}

// taps adds a row of taps; bits, unless nil, tells the outputs for which each is
// inside x.
func (k *dwKernel) taps(label string, x, w, col, colEnd, bits reg.GPVirtual) {
	at, t := GP64(), GP64()
	if bits == nil {
		Load(Param("a"), t)
		CMPQ(Mem{Base: t, Disp: dwSlide}, Imm(0))
		JE(LabelRef(label))
		Label(label + "Slide")
		LEAQ(Mem{Base: col, Disp: slideTaps * dwColSize}, t)
		CMPQ(t, colEnd)
		JGT(LabelRef(label + "Rest"))
		k.slide(x, w, col)
		ADDQ(Imm(slideTaps*dwColSize), col)
		JMP(LabelRef(label + "Slide"))
		Label(label + "Rest")
		CMPQ(col, colEnd)
		JGE(LabelRef(label + "End"))
	}
	Label(label)
	if bits != nil {
		CMPL(Mem{Base: bits}, Imm(0))
		JE(LabelRef(label + "Next"))
	}
	weights := k.weights(x, w, col, at, 1)
	walk := walker{base: at, step: k.xstep, step3: k.xstep3}
	for i, acc := range k.acc {
		m := walk.next()
		skip := fmt.Sprintf("%s%d", label, i)
		if bits != nil {
			TESTL(U32(1<<i), Mem{Base: bits})
			JZ(LabelRef(skip))
		}
		if k.mask == nil && !k.many {
			VFMADD231PS(m, weights[0], acc)
		} else {
			VFMADD231PS(k.column(m), weights[0], acc)
		}
		if bits != nil {
			Label(skip)
		}
	}
	if bits != nil {
		Label(label + "Next")
		ADDQ(Imm(4), bits)
	}
	ADDQ(Imm(dwColSize), col)
	CMPQ(col, colEnd)
	JLT(LabelRef(label))
	if bits == nil {
		Label(label + "End")
	}
}

// weights loads those of n taps from col on, and the place of the first in x.
func (k *dwKernel) weights(x, w, col, at reg.GPVirtual, n int) []reg.VecVirtual {
	MOVQ(Mem{Base: col, Disp: dwColX}, at)
	LEAQ(Mem{Base: x, Index: at, Scale: 4}, at)
	vs := k.vecs(n)
	for i, v := range vs {
		t := GP64()
		MOVQ(Mem{Base: col, Disp: i*dwColSize + dwColW}, t)
		VMOVUPS(Mem{Base: w, Index: t, Scale: 4}, v)
	}
	return vs
}

// column loads a vector of x.
func (k *dwKernel) column(m Mem) reg.VecVirtual {
	v := k.vec()
	if k.many {
		k.simd.load(m, v, k.xmask)
		VPERMPS(v, k.perm, v)
	} else {
		k.load(m, v)
	}
	return v
}

// slide adds slideTaps taps that lie as far apart as the outputs: what one output
// reads with a tap, its neighbour reads with the tap before.
func (k *dwKernel) slide(x, w, col reg.GPVirtual) {
	at := GP64()
	weights := k.weights(x, w, col, at, slideTaps)
	walk := walker{base: at, step: k.xstep, step3: k.xstep3}
	for j := range dwOutputs + slideTaps - 1 {
		v := k.column(walk.next())
		for t := range slideTaps {
			if i := j - t; i >= 0 && i < dwOutputs {
				VFMADD231PS(v, weights[t], k.acc[i])
			}
		}
	}
}

// flush ends a block of terms: its sums go to the totals.
func (k *dwKernel) flush(l func(string) string) {
	t := GP64()
	CMPQ(k.flushed, Imm(0))
	JE(LabelRef(l("first")))
	for i, acc := range k.acc {
		VADDPS(k.total.Offset(i*k.bytes), acc, acc)
	}
	Label(l("first"))
	for i, acc := range k.acc {
		VMOVUPS(acc, k.total.Offset(i*k.bytes))
		k.clear(acc)
	}
	MOVQ(U32(1), k.flushed)
	Load(Param("a"), t)
	MOVQ(Mem{Base: t, Disp: dwBlock}, t)
	SHLQ(Imm(5), t)
	ADDQ(t, k.flushAt)
}

// end applies the rest of the epilogue and stores the outputs.
func (k *dwKernel) end(l func(string) string) {
	n, y, step, step3 := GP64(), GP64(), GP64(), GP64()
	// place returns the offset of the first output from the pointer at disp.
	MOVQ(k.at(dwYStep), step)
	SHLQ(Imm(2), step)
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, step3)
	MOVQ(Mem{Base: k.line, Disp: dwLineY}, y)
	ADDQ(Mem{Base: k.strip, Disp: dwStripY}, y)
	LEAQ(Mem{Base: k.co, Index: y, Scale: 4}, y)
	p := GP64()
	MOVQ(k.at(dwScale), p)
	TESTQ(p, p)
	JZ(LabelRef(l("noScale")))
	scale, shift := k.vec(), k.vec()
	k.load(Mem{Base: p, Index: k.co, Scale: 1}, scale)
	MOVQ(k.at(dwShift), p)
	k.load(Mem{Base: p, Index: k.co, Scale: 1}, shift)
	for _, a := range k.acc {
		VFMADD213PS(shift, scale, a)
	}
	Label(l("noScale"))

	MOVQ(k.at(dwRes), p)
	TESTQ(p, p)
	JZ(LabelRef(l("noRes")))
	ADDQ(y, p)
	MOVQ(Mem{Base: k.strip, Disp: dwStripN}, n)
	for i, a := range k.acc {
		t := k.vec()
		k.load(Mem{Base: p}, t)
		VADDPS(t, a, a)
		if i < dwOutputs-1 {
			ADDQ(step, p)
			DECQ(n)
			JZ(LabelRef(l("noRes")))
		}
	}
	Label(l("noRes"))

	for _, c := range []struct {
		name        string
		flag, bound int
		op          func(ops ...Op)
	}{{"noLo", dwHasLo, dwLo, VMAXPS}, {"noHi", dwHasHi, dwHi, VMINPS}} {
		CMPQ(k.at(c.flag), Imm(0))
		JE(LabelRef(l(c.name)))
		b := k.vec()
		VBROADCASTSS(k.at(c.bound), b)
		for _, a := range k.acc {
			c.op(a, b, a) // NaN in a, the second source, stays
		}
		Label(l(c.name))
	}

	ADDQ(k.at(dwY), y)
	MOVQ(Mem{Base: k.strip, Disp: dwStripN}, n)
	CMPQ(n, Imm(dwOutputs))
	JNE(LabelRef(l("few")))
	at := walker{base: y, step: step, step3: step3}
	if k.mask == nil {
		CMPQ(k.at(dwStream), Imm(0))
		JE(LabelRef(l("near")))
		for _, a := range k.acc {
			VMOVNTPS(a, at.next())
		}
		JMP(LabelRef(l("stored")))
		Label(l("near"))
		at = walker{base: y, step: step, step3: step3}
	}
	for _, a := range k.acc {
		k.store(a, at.next(), k.mask)
	}
	JMP(LabelRef(l("stored")))
	Label(l("few"))
	for _, a := range k.acc[:dwOutputs-1] {
		k.store(a, Mem{Base: y}, k.mask)
		ADDQ(step, y)
		DECQ(n)
		JZ(LabelRef(l("stored")))
	}
	Label(l("stored"))
}
