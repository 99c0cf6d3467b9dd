package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lines emits code on n float32 lanes.
type lines struct {
	name  string
	n     int
	vec   func() reg.VecVirtual
	masks operand.Mem // AVX2: words of ones before words of zeros
}

// lineSets returns both instruction sets, with a table of masks called after prefix.
func lineSets(prefix string) []*lines {
	wide := &lines{name: "AVX512", n: 16, vec: func() reg.VecVirtual { return ZMM() }}
	narrow := &lines{name: "AVX2", n: 8, vec: func() reg.VecVirtual { return YMM() }}
	narrow.masks = GLOBL(prefix+"Masks", RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, operand.U32(uint32(0)-uint32((15-i)/8)))
	}
	return []*lines{wide, narrow}
}

func (l *lines) evex() bool { return l.n == 16 }

func (l *lines) function(name, signature string) {
	TEXT(name+l.name, NOSPLIT, "func"+signature)
	Doc(name + l.name + " is " + name + "Generic.")
	Pragma("noescape")
}

func (l *lines) broadcast(name string) reg.VecVirtual {
	v := l.vec()
	m, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(m.Addr, v)
	return v
}

// mask returns the mask of the first count lanes, 0 to n.
func (l *lines) mask(count reg.GPVirtual) reg.Register {
	if l.evex() {
		ones, k := GP32(), K()
		MOVL(operand.U32(0xffffffff), ones)
		BZHIL(count.As32(), ones, ones)
		KMOVW(ones, k)
		return k
	}
	base, back, v := GP64(), GP64(), YMM()
	LEAQ(l.masks, base)
	MOVQ(count, back)
	NEGQ(back)
	VMOVUPS(operand.Mem{Base: base, Index: back, Scale: 4, Disp: 32}, v)
	return v
}

// load reads a vector, or only the lanes of the mask and zeros.
func (l *lines) load(m operand.Mem, mask reg.Register) reg.VecVirtual {
	v := l.vec()
	switch {
	case mask == nil:
		VMOVUPS(m, v)
	case l.evex():
		VMOVUPS_Z(m, mask, v)
	default:
		VMASKMOVPS(m, mask, v)
	}
	return v
}

// storeTail writes the first count lanes, fewer than n. With AVX2 it writes four,
// two and one: a masked store takes longer than all three on some processors.
func (l *lines) storeTail(v reg.VecVirtual, to reg.Register, count reg.GPVirtual, mask reg.Register, id string) {
	if l.evex() {
		VMOVUPS(v, mask, operand.Mem{Base: to})
		return
	}
	p, x := GP64(), v.AsX()
	MOVQ(to, p)
	for _, part := range []int{4, 2, 1} {
		skip := fmt.Sprintf("%s%d", id, part)
		TESTB(operand.U8(part), count.As8())
		JEQ(operand.LabelRef(skip))
		switch part {
		case 4:
			VMOVUPS(x, operand.Mem{Base: p})
			VEXTRACTF128(operand.U8(1), v, x)
		case 2:
			VMOVLPS(x, operand.Mem{Base: p})
			VPERMILPS(operand.U8(0b1110), x, x)
		case 1:
			VMOVSS(x, operand.Mem{Base: p})
		}
		if part > 1 {
			ADDQ(operand.U8(4*part), p)
		}
		Label(skip)
	}
}

func (l *lines) ret() {
	VZEROUPPER()
	RET()
}

// line runs body for the vectors of a line of n elements; step moves the pointers on
// by lanes.
func (l *lines) line(n reg.GPVirtual, unroll int, step func(lanes int), body func(i int, mask reg.Register) reg.VecVirtual, y reg.Register) {
	for _, u := range []int{unroll, 1} {
		loop, end := fmt.Sprintf("loop%d", u), fmt.Sprintf("end%d", u)
		SUBQ(operand.U32(u*l.n), n)
		JLT(operand.LabelRef(end))
		Label(loop)
		for i := range u {
			VMOVUPS(body(i, nil), elem(y, 4, i*l.n))
		}
		step(u * l.n)
		SUBQ(operand.U32(u*l.n), n)
		JGE(operand.LabelRef(loop))
		Label(end)
		ADDQ(operand.U32(u*l.n), n)
	}
	TESTQ(n, n)
	JEQ(operand.LabelRef("done"))
	mask := l.mask(n)
	l.storeTail(body(0, mask), y, n, mask, "tail")
	Label("done")
}
