package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { families["resize"] = resizes }

func resizes() {
	for _, l := range lineSets("resize") {
		l.blend2()
		l.blend4()
		for _, stream := range []bool{false, true} {
			for _, vectors := range []int{1, 2} {
				l.permute(false, vectors, stream)
				l.permute(true, vectors, stream)
			}
			l.pixels(false, stream)
			l.pixels(true, stream)
		}
	}
}

// blend2 emits y = wa·a + wb·b.
func (l *lines) blend2() {
	l.function("blend2", "(y, a, b []float32, wa, wb float32)")
	y, n := Load(Param("y").Base(), GP64()), Load(Param("y").Len(), GP64()).(reg.GPVirtual)
	a, b := Load(Param("a").Base(), GP64()), Load(Param("b").Base(), GP64())
	wa, wb := l.broadcast("wa"), l.broadcast("wb")
	l.line(n, 4, func(lanes int) {
		for _, p := range []reg.Register{y, a, b} {
			ADDQ(operand.U32(4*lanes), p)
		}
	}, func(i int, mask reg.Register) reg.VecVirtual {
		v, u := l.load(elem(a, 4, i*l.n), mask), l.load(elem(b, 4, i*l.n), mask)
		VMULPS(wa, v, v)
		VFMADD231PS(wb, u, v)
		return v
	}, y)
	l.ret()
}

// blend4 emits y = (wa·a + wb·b) + (wc·c + wd·d).
func (l *lines) blend4() {
	l.function("blend4", "(y, a, b, c, d []float32, wa, wb, wc, wd float32)")
	y, n := Load(Param("y").Base(), GP64()), Load(Param("y").Len(), GP64()).(reg.GPVirtual)
	var src []reg.Register
	var w []reg.VecVirtual
	for _, name := range []string{"a", "b", "c", "d"} {
		src = append(src, Load(Param(name).Base(), GP64()))
		w = append(w, l.broadcast("w"+name))
	}
	l.line(n, 2, func(lanes int) {
		for _, p := range append([]reg.Register{y}, src...) {
			ADDQ(operand.U32(4*lanes), p)
		}
	}, func(i int, mask reg.Register) reg.VecVirtual {
		var v []reg.VecVirtual
		for _, p := range src {
			v = append(v, l.load(elem(p, 4, i*l.n), mask))
		}
		for i := 0; i < 4; i += 2 {
			VMULPS(w[i], v[i], v[i])
			VFMADD231PS(w[i+1], v[i+1], v[i])
		}
		VADDPS(v[2], v[0], v[0])
		return v[0]
	}, y)
	l.ret()
}

// variant begins a function that stores past the caches or not.
func (l *lines) variant(name, signature, doc string, stream bool) (store func(v reg.VecVirtual, m operand.Mem)) {
	store = func(v reg.VecVirtual, m operand.Mem) { VMOVUPS(v, m) }
	if stream {
		name += "Stream"
		doc += " It stores past the caches: see storeFence."
		store = func(v reg.VecVirtual, m operand.Mem) { VMOVNTPS(v, m) }
	}
	TEXT(name+l.name, NOSPLIT, "func"+signature)
	Doc(name + l.name + " is " + doc)
	Pragma("noescape")
	return store
}

// permute emits lines whose elements come from near places of x: a vector of y from
// two of x at a base, or from one.
func (l *lines) permute(blend bool, vectors int, stream bool) {
	name, signature := "permute", "(y, x []float32, base, index []int32)"
	if blend {
		name, signature = "permuteBlend", "(y, x []float32, base, index []int32, w0, w1 []float32, step int)"
	}
	doc := fmt.Sprintf("%sGeneric, of elements that are within %d of the base.", name, vectors*l.n)
	store := l.variant(name+[]string{"", "Near", ""}[vectors], signature, doc, stream)
	y, left := Load(Param("y").Base(), GP64()), loadLen("y")
	x, width := Load(Param("x").Base(), GP64()), loadLen("x")
	base, index := Load(Param("base").Base(), GP64()), Load(Param("index").Base(), GP64())
	var w0, w1 reg.Register
	var step, zero reg.VecVirtual
	if blend {
		w0, w1 = Load(Param("w0").Base(), GP64()), Load(Param("w1").Base(), GP64())
		m, err := Param("step").Resolve()
		if err != nil {
			panic(err)
		}
		step = l.vec()
		VPBROADCASTD(m.Addr, step)
		if !l.evex() {
			zero = l.vec()
			VXORPS(zero, zero, zero)
		}
	}
	// What of the vectors is there, where x is shorter.
	none, most := GP64(), GP64()
	XORQ(none, none)
	MOVQ(operand.U32(l.n), most)
	masks := make([]reg.Register, vectors)
	for i := range masks {
		n := GP64()
		MOVQ(width, n)
		SUBQ(operand.U32(i*l.n), n)
		CMOVQLT(none, n)
		CMPQ(n, most)
		CMOVQGT(most, n)
		masks[i] = l.mask(n)
	}
	at := GP64() // of the vector, in bytes
	XORQ(at, at)
	here := func(p reg.Register) operand.Mem { return operand.Mem{Base: p, Index: at, Scale: 1} }
	value := func() reg.VecVirtual {
		from := GP64()
		MOVLQSX(operand.Mem{Base: base}, from)
		src := make([]reg.VecVirtual, vectors)
		for i := range src {
			src[i] = l.load(operand.Mem{Base: x, Index: from, Scale: 4, Disp: 4 * i * l.n}, masks[i])
		}
		pick := func(idx reg.VecVirtual) reg.VecVirtual {
			a := l.vec()
			switch {
			case vectors == 1:
				VPERMPS(src[0], idx, a)
			case l.evex():
				VPERMI2PS(src[1], src[0], idx)
				return idx
			default:
				b := l.vec()
				VPERMPS(src[0], idx, a)
				VPERMPS(src[1], idx, b)
				VPSLLD(operand.U8(28), idx, idx)
				VBLENDVPS(idx, b, a, a)
			}
			return a
		}
		idx := l.vec()
		VMOVUPS(here(index), idx)
		if !blend {
			return pick(idx)
		}
		next, w := l.vec(), l.vec()
		VPADDD(step, idx, next)
		a, b := pick(idx), pick(next)
		VMULPS(here(w0), a, a)
		VMOVUPS(here(w1), w)
		// What has weight 0 takes no part, as it may not be finite.
		if l.evex() {
			k := K()
			VPTESTMD(w, w, k)
			VFMADD231PS(w, b, k, a)
		} else {
			m := l.vec()
			VCMPPS(operand.U8(notEqualUnordered), zero, w, m)
			VANDPS(m, b, b)
			VFMADD231PS(w, b, a)
		}
		return a
	}
	SUBQ(operand.U32(l.n), left)
	JLT(operand.LabelRef("tail"))
	Label("loop")
	store(value(), here(y))
	ADDQ(operand.U8(4*l.n), at)
	ADDQ(operand.U8(4), base)
	SUBQ(operand.U32(l.n), left)
	JGE(operand.LabelRef("loop"))
	Label("tail")
	ADDQ(operand.U32(l.n), left)
	JEQ(operand.LabelRef("done"))
	var mask reg.Register
	if l.evex() {
		mask = l.mask(left)
	}
	v := value()
	ADDQ(at, y)
	l.storeTail(v, y, left, mask, "tail")
	Label("done")
	l.ret()
}

// pixels emits lines of pixels of some channels, each a copy of a pixel of x or a
// blend of two that follow each other.
func (l *lines) pixels(blend, stream bool) {
	name, signature := "pixels", "(y, x []float32, at []int32, channels, pitch, step int)"
	if blend {
		name, signature = "pixelsBlend", "(y, x []float32, at []int32, w0, w1 []float32, channels, pitch, step int)"
	}
	store := l.variant(name, signature, name+"Generic.", stream)
	y, x := Load(Param("y").Base(), GP64()), Load(Param("x").Base(), GP64())
	at, pixels := Load(Param("at").Base(), GP64()), Load(Param("at").Len(), GP64())
	pitch, step := Load(Param("pitch"), GP64()), Load(Param("step"), GP64())
	SHLQ(operand.U8(2), pitch)
	SHLQ(operand.U8(2), step)
	var w0, w1 reg.Register
	if blend {
		w0, w1 = Load(Param("w0").Base(), GP64()), Load(Param("w1").Base(), GP64())
	}
	channels := GP64()
	Load(Param("channels"), channels)
	rest := GP64()
	MOVQ(channels, rest)
	ANDQ(operand.U8(l.n-1), rest)
	mask := l.mask(rest)
	TESTQ(pixels, pixels)
	JEQ(operand.LabelRef("done"))
	src, dst, n := GP64(), GP64(), GP64()
	// row copies or blends the channels of a pixel.
	row := func(id string, value func(i int, mask reg.Register) reg.VecVirtual) {
		MOVQ(channels, n)
		for _, u := range []int{4, 1} {
			loop, end := fmt.Sprintf("%s%d", id, u), fmt.Sprintf("%sEnd%d", id, u)
			SUBQ(operand.U32(u*l.n), n)
			JLT(operand.LabelRef(end))
			Label(loop)
			for i := range u {
				store(value(i, nil), elem(dst, 4, i*l.n))
			}
			ADDQ(operand.U32(4*u*l.n), src)
			ADDQ(operand.U32(4*u*l.n), dst)
			SUBQ(operand.U32(u*l.n), n)
			JGE(operand.LabelRef(loop))
			Label(end)
			ADDQ(operand.U32(u*l.n), n)
		}
		TESTQ(n, n)
		JEQ(operand.LabelRef("next"))
		l.storeTail(value(0, mask), dst, n, mask, id+"Tail")
	}
	Label("pixel")
	MOVLQSX(operand.Mem{Base: at}, src)
	IMULQ(step, src)
	ADDQ(x, src)
	MOVQ(y, dst)
	if blend {
		CMPL(operand.Mem{Base: w1}, operand.U8(0))
		JEQ(operand.LabelRef("copy"))
		a, b := l.vec(), l.vec()
		VBROADCASTSS(operand.Mem{Base: w0}, a)
		VBROADCASTSS(operand.Mem{Base: w1}, b)
		row("blend", func(i int, mask reg.Register) reg.VecVirtual {
			v := l.load(elem(src, 4, i*l.n), mask)
			u := l.load(operand.Mem{Base: src, Index: step, Scale: 1, Disp: 4 * i * l.n}, mask)
			VMULPS(a, v, v)
			VFMADD231PS(b, u, v)
			return v
		})
		JMP(operand.LabelRef("next"))
		Label("copy")
	}
	row("copy", func(i int, mask reg.Register) reg.VecVirtual { return l.load(elem(src, 4, i*l.n), mask) })
	Label("next")
	ADDQ(operand.U8(4), at)
	ADDQ(pitch, y)
	if blend {
		ADDQ(operand.U8(4), w0)
		ADDQ(operand.U8(4), w1)
	}
	DECQ(pixels)
	JNE(operand.LabelRef("pixel"))
	Label("done")
	l.ret()
}
