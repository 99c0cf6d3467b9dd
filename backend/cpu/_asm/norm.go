package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { families["norm"] = norms }

// wide emits code on n float64 lanes, which are loaded from and stored to float32.
type wide struct {
	name string
	n    int
	reg  func() reg.VecVirtual // n float64
	half func() reg.VecVirtual // n float32
	mask operand.Mem           // the masks of lanes, a table that tail indexes

	stores int // of tails so far
}

// wides returns both instruction sets, with tables of masks called prefix.
func wides(prefix string) []*wide {
	w512 := &wide{name: "AVX512", n: 8, reg: func() reg.VecVirtual { return ZMM() }, half: func() reg.VecVirtual { return YMM() }}
	w512.mask = GLOBL(prefix+"Mask8", RODATA|NOPTR)
	for i := range 9 {
		DATA(i, operand.U8(1<<i-1))
	}
	w2 := &wide{name: "AVX2", n: 4, reg: func() reg.VecVirtual { return YMM() }, half: func() reg.VecVirtual { return XMM() }}
	w2.mask = GLOBL(prefix+"Mask4", RODATA|NOPTR)
	for i := range 4 {
		DATA(4*i, operand.U32(0xffffffff))
	}
	for i := range 4 {
		DATA(16+4*i, operand.U32(0))
	}
	return []*wide{w512, w2}
}

func (w *wide) evex() bool { return w.n == 8 }

// zeros returns k registers of zeros.
func (w *wide) zeros(k int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, k)
	for i := range v {
		v[i] = w.reg()
		if w.evex() {
			VPXORQ(v[i], v[i], v[i])
		} else {
			VXORPD(v[i], v[i], v[i])
		}
	}
	return v
}

// laneMask is a mask of the first lanes.
type laneMask struct {
	k     reg.OpmaskVirtual // AVX-512
	lanes reg.VecVirtual    // AVX2: a word a float32
	quads reg.VecVirtual    // AVX2: a word a float64
	count reg.GPVirtual
}

// tail makes the mask of the first count lanes, 0 to n of them.
func (w *wide) tail(count reg.GPVirtual) (t laneMask) {
	base := GP64()
	LEAQ(w.mask, base)
	t.count = count
	if w.evex() {
		t.k = K()
		KMOVB(operand.Mem{Base: base, Index: count, Scale: 1}, t.k)
		return t
	}
	back := GP64()
	MOVQ(count, back)
	NEGQ(back)
	t.lanes, t.quads = w.half(), w.reg()
	VMOVDQU(operand.Mem{Base: base, Index: back, Scale: 4, Disp: 16}, t.lanes)
	VPMOVSXDQ(t.lanes, t.quads)
	return t
}

// load converts n float32, or those of the mask and zeros; it reads no others.
func (w *wide) load(m operand.Mem, t *laneMask) reg.VecVirtual {
	d := w.reg()
	switch {
	case t == nil:
		VCVTPS2PD(m, d)
	case w.evex():
		VCVTPS2PD_Z(m, t.k, d)
	default:
		h := w.half()
		VMASKMOVPS(m, t.lanes, h)
		VCVTPS2PD(h, d)
	}
	return d
}

// load64 loads n float64, or those of the mask and zeros.
func (w *wide) load64(m operand.Mem, t *laneMask) reg.VecVirtual {
	d := w.reg()
	switch {
	case t == nil:
		VMOVUPD(m, d)
	case w.evex():
		VMOVUPD_Z(m, t.k, d)
	default:
		VMASKMOVPD(m, t.quads, d)
	}
	return d
}

func (w *wide) store64(v reg.VecVirtual, m operand.Mem, t *laneMask) {
	switch {
	case t == nil:
		VMOVUPD(v, m)
	case w.evex():
		VMOVUPD(v, t.k, m)
	default:
		VMASKMOVPD(v, t.quads, m)
	}
}

// store rounds v to float32 and stores it, or the lanes of the mask.
func (w *wide) store(v reg.VecVirtual, m operand.Mem, t *laneMask) {
	h := w.half()
	if w.evex() {
		VCVTPD2PS(v, h)
	} else {
		VCVTPD2PSY(v, h)
	}
	switch {
	case t == nil:
		VMOVUPS(h, m)
	case w.evex():
		VMOVUPS(h, t.k, m)
	default: // a masked store takes longer on some processors than one of 2 and one of 1
		two, one := fmt.Sprintf("store%dtwo", w.stores), fmt.Sprintf("store%done", w.stores)
		w.stores++
		TESTB(operand.U8(2), t.count.As8())
		JEQ(operand.LabelRef(two))
		VMOVLPS(h, m)
		VPERMILPS(operand.U8(0b1110), h, h)
		Label(two)
		TESTB(operand.U8(1), t.count.As8())
		JEQ(operand.LabelRef(one))
		at := GP64()
		MOVQ(t.count, at)
		ANDQ(operand.U8(2), at)
		m.Index, m.Scale = at, 4
		VMOVSS(h, m)
		Label(one)
	}
}

// clear makes the lanes of v that are not in the mask 0.
func (w *wide) clear(v reg.VecVirtual, t *laneMask) {
	switch {
	case t == nil:
	case w.evex():
		VMOVAPD_Z(v, t.k, v)
	default:
		VANDPD(t.quads, v, v)
	}
}

// total adds the lanes of v and returns the sum in the lowest one.
func (w *wide) total(v reg.VecVirtual) reg.VecVirtual {
	if w.evex() {
		h := YMM()
		VEXTRACTF64X4(operand.U8(1), v, h)
		VADDPD(h, v.AsY(), v.AsY())
	}
	h := XMM()
	VEXTRACTF128(operand.U8(1), v.AsY(), h)
	VADDPD(h, v.AsX(), v.AsX())
	VPERMILPD(operand.U8(1), v.AsX(), h)
	VADDSD(h, v.AsX(), v.AsX())
	return v
}

// broadcast returns a float64 argument in all lanes.
func (w *wide) broadcast(name string) reg.VecVirtual {
	v := w.reg()
	m, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSD(m.Addr, v)
	return v
}

// function begins a function of that name for w.
func (w *wide) function(name, signature, doc string) {
	TEXT(name+w.name, NOSPLIT, "func"+signature)
	Doc(name + w.name + " " + doc)
	Pragma("noescape")
}

// elem is the element i, of the given size, after base.
func elem(base reg.Register, size, i int) operand.Mem { return operand.Mem{Base: base, Disp: size * i} }

// each runs body on all n elements: unroll groups of lanes, then one, then a masked
// one. The pointers move on by their element's size.
func (w *wide) each(n reg.GPVirtual, unroll int, move map[reg.Register]int, body func(groups int, t *laneMask)) {
	next := func(groups int) {
		for _, p := range pointers(move) {
			ADDQ(operand.U32(move[p]*groups*w.n), p)
		}
	}
	for _, groups := range []int{unroll, 1} {
		loop, end := fmt.Sprintf("loop%d", groups), fmt.Sprintf("end%d", groups)
		Label(loop)
		CMPQ(n, operand.U32(groups*w.n))
		JLT(operand.LabelRef(end))
		body(groups, nil)
		next(groups)
		SUBQ(operand.U32(groups*w.n), n)
		JMP(operand.LabelRef(loop))
		Label(end)
	}
	TESTQ(n, n)
	JEQ(operand.LabelRef("done"))
	t := w.tail(n)
	body(1, &t)
	Label("done")
}

// pointers returns the keys in a fixed order.
func pointers(m map[reg.Register]int) []reg.Register {
	var ps []reg.Register
	for p := range m {
		ps = append(ps, p)
	}
	for i := range ps {
		for j := i + 1; j < len(ps); j++ {
			if ps[j].(reg.Virtual).VirtualIndex() < ps[i].(reg.Virtual).VirtualIndex() {
				ps[i], ps[j] = ps[j], ps[i]
			}
		}
	}
	return ps
}

// loadLen returns the length of a slice.
func loadLen(name string) reg.GPVirtual {
	n := GP64()
	Load(Param(name).Len(), n)
	return n
}

func norms() {
	for _, w := range wides("norm") {
		w.moments()
		w.rowMoments()
		w.affine()
		w.affineEach()
		w.affineRows()
		w.affineSlices()
	}
	for _, l := range lineSets("normLine") {
		l.affine()
		l.affineEach()
		l.affineRows()
		l.affineSlices()
	}
}

// moments emits the sums of a contiguous slice.
func (w *wide) moments() {
	w.function("moments", "(x []float32, shift float64) (sum, square float64)", "is momentsGeneric.")
	x, n := Load(Param("x").Base(), GP64()), loadLen("x")
	shift := w.broadcast("shift")
	const unroll = 4
	sum, square := w.zeros(unroll), w.zeros(unroll)
	w.each(n, unroll, map[reg.Register]int{x: 4}, func(groups int, t *laneMask) {
		for i := range groups {
			d := w.load(elem(x, 4, i*w.n), t)
			VSUBPD(shift, d, d)
			w.clear(d, t)
			VADDPD(d, sum[i], sum[i])
			VFMADD231PD(d, d, square[i])
		}
	})
	for _, s := range [][]reg.VecVirtual{sum, square} {
		VADDPD(s[1], s[0], s[0])
		VADDPD(s[3], s[2], s[2])
		VADDPD(s[2], s[0], s[0])
		w.total(s[0])
	}
	VZEROUPPER() // before what is not VEX code
	Store(sum[0].AsX(), Return("sum"))
	Store(square[0].AsX(), Return("square"))
	RET()
}

// rowsLoop runs body for blocks of groups of n lanes, wider ones first, and within
// each over all rows. Prepare loads what belongs to a block, of which tail makes the
// mask if it is not whole, and returns the body of a row, and what ends the block;
// step moves on to the next block.
func rowsLoop[T any](n int, tail func(count reg.GPVirtual) T, lanes reg.GPVirtual, blocks []int, prepare func(groups int, t *T) (row, end func()), step func(groups int)) {
	block := func(loop string, groups int, t *T) {
		row, end := prepare(groups, t)
		count := GP64()
		Load(Param("rows"), count)
		Label(loop)
		row()
		DECQ(count)
		JNE(operand.LabelRef(loop))
		if end != nil {
			end()
		}
	}
	for _, groups := range blocks {
		loop, end := fmt.Sprintf("block%d", groups), fmt.Sprintf("blockEnd%d", groups)
		Label(loop)
		CMPQ(lanes, operand.U32(groups*n))
		JLT(operand.LabelRef(end))
		block(fmt.Sprintf("rows%d", groups), groups, nil)
		step(groups)
		SUBQ(operand.U32(groups*n), lanes)
		JMP(operand.LabelRef(loop))
		Label(end)
	}
	TESTQ(lanes, lanes)
	JEQ(operand.LabelRef("done"))
	t := tail(lanes)
	block("rowsTail", 1, &t)
	Label("done")
}

// rowMoments emits sums of lanes over rows.
func (w *wide) rowMoments() {
	w.function("rowMoments", "(x []float32, rows, pitch int, shift, sum, square []float64)", "is rowMomentsGeneric; rows is 1 or more.")
	x, pitch := Load(Param("x").Base(), GP64()), Load(Param("pitch"), GP64())
	shift, lanes := Load(Param("shift").Base(), GP64()), loadLen("shift")
	sum, square := Load(Param("sum").Base(), GP64()), Load(Param("square").Base(), GP64())
	SHLQ(operand.U8(2), pitch)
	p := GP64()
	rowsLoop(w.n, w.tail, lanes, []int{4, 1}, func(groups int, t *laneMask) (row, end func()) {
		var s, a, q []reg.VecVirtual
		for i := range groups {
			if t != nil || w.evex() {
				s = append(s, w.load64(elem(shift, 8, i*w.n), t))
			}
			a = append(a, w.load64(elem(sum, 8, i*w.n), t))
			q = append(q, w.load64(elem(square, 8, i*w.n), t))
		}
		MOVQ(x, p)
		return func() {
				for i := range groups {
					d := w.load(elem(p, 4, i*w.n), t)
					if s != nil {
						VSUBPD(s[i], d, d)
					} else { // AVX2 has no registers to spare
						VSUBPD(elem(shift, 8, i*w.n), d, d)
					}
					VADDPD(d, a[i], a[i])
					VFMADD231PD(d, d, q[i])
				}
				ADDQ(pitch, p)
			}, func() {
				for i := range groups {
					w.store64(a[i], elem(sum, 8, i*w.n), t)
					w.store64(q[i], elem(square, 8, i*w.n), t)
				}
			}
	}, func(groups int) {
		ADDQ(operand.U32(4*groups*w.n), x)
		for _, r := range []reg.Register{shift, sum, square} {
			ADDQ(operand.U32(8*groups*w.n), r)
		}
	})
	VZEROUPPER()
	RET()
}

// affine emits (x − mean)·factor + bias with the same three for all elements.
func (w *wide) affine() {
	w.function("affine", "(y, x []float32, mean, factor, bias float64)", "is affineGeneric.")
	y, x, n := Load(Param("y").Base(), GP64()), Load(Param("x").Base(), GP64()), loadLen("y")
	mean, factor, bias := w.broadcast("mean"), w.broadcast("factor"), w.broadcast("bias")
	w.each(n, 4, map[reg.Register]int{x: 4, y: 4}, func(groups int, t *laneMask) {
		for i := range groups {
			d := w.load(elem(x, 4, i*w.n), t)
			VSUBPD(mean, d, d)
			VFMADD213PD(bias, factor, d)
			w.store(d, elem(y, 4, i*w.n), t)
		}
	})
	VZEROUPPER()
	RET()
}

// affineEach emits (x − mean)·(inv·scale) + bias with a scale and bias an element.
func (w *wide) affineEach() {
	w.function("affineEach", "(y, x, scale, bias []float32, mean, inv float64)", "is affineEachGeneric.")
	y, x, n := Load(Param("y").Base(), GP64()), Load(Param("x").Base(), GP64()), loadLen("y")
	scale, bias := Load(Param("scale").Base(), GP64()), Load(Param("bias").Base(), GP64())
	mean, inv := w.broadcast("mean"), w.broadcast("inv")
	w.each(n, 2, map[reg.Register]int{x: 4, y: 4, scale: 4, bias: 4}, func(groups int, t *laneMask) {
		for i := range groups {
			d, s, b := w.load(elem(x, 4, i*w.n), t), w.load(elem(scale, 4, i*w.n), t), w.load(elem(bias, 4, i*w.n), t)
			VSUBPD(mean, d, d)
			VMULPD(inv, s, s)
			VFMADD213PD(b, s, d)
			w.store(d, elem(y, 4, i*w.n), t)
		}
	})
	VZEROUPPER()
	RET()
}

// affineRows emits (x − mean)·factor + bias with the three for each lane of rows.
func (w *wide) affineRows() {
	w.function("affineRows", "(y, x []float32, rows, pitch int, mean, factor, bias []float64)", "is affineRowsGeneric; rows is 1 or more.")
	y, x, pitch := Load(Param("y").Base(), GP64()), Load(Param("x").Base(), GP64()), Load(Param("pitch"), GP64())
	mean, lanes := Load(Param("mean").Base(), GP64()), loadLen("mean")
	factor, bias := Load(Param("factor").Base(), GP64()), Load(Param("bias").Base(), GP64())
	SHLQ(operand.U8(2), pitch)
	blocks := []int{4, 1} // three registers a group
	if w.evex() {
		blocks = []int{8, 4, 1}
	}
	px, py := GP64(), GP64()
	rowsLoop(w.n, w.tail, lanes, blocks, func(groups int, t *laneMask) (row, end func()) {
		var m, f, b []reg.VecVirtual
		for i := range groups {
			m = append(m, w.load64(elem(mean, 8, i*w.n), t))
			f = append(f, w.load64(elem(factor, 8, i*w.n), t))
			b = append(b, w.load64(elem(bias, 8, i*w.n), t))
		}
		MOVQ(x, px)
		MOVQ(y, py)
		return func() {
			for i := range groups {
				d := w.load(elem(px, 4, i*w.n), t)
				VSUBPD(m[i], d, d)
				VFMADD213PD(b[i], f[i], d)
				w.store(d, elem(py, 4, i*w.n), t)
			}
			ADDQ(pitch, px)
			ADDQ(pitch, py)
		}, nil
	}, func(groups int) {
		ADDQ(operand.U32(4*groups*w.n), x)
		ADDQ(operand.U32(4*groups*w.n), y)
		for _, r := range []reg.Register{mean, factor, bias} {
			ADDQ(operand.U32(8*groups*w.n), r)
		}
	})
	VZEROUPPER()
	RET()
}

// affineSlices emits (x − mean)·(inv·scale) + bias with a mean and an inv a lane and
// a scale and a bias a row.
func (w *wide) affineSlices() {
	w.function("affineSlices", "(y, x []float32, rows, pitch int, mean, inv []float64, scale, bias []float32)", "is affineSlicesGeneric; rows is 1 or more.")
	y, x, pitch := Load(Param("y").Base(), GP64()), Load(Param("x").Base(), GP64()), Load(Param("pitch"), GP64())
	mean, lanes := Load(Param("mean").Base(), GP64()), loadLen("mean")
	inv := Load(Param("inv").Base(), GP64())
	SHLQ(operand.U8(2), pitch)
	px, py, ps, pb := GP64(), GP64(), GP64(), GP64()
	rowsLoop(w.n, w.tail, lanes, []int{4, 1}, func(groups int, t *laneMask) (row, end func()) {
		var m, f []reg.VecVirtual
		for i := range groups {
			m = append(m, w.load64(elem(mean, 8, i*w.n), t))
			f = append(f, w.load64(elem(inv, 8, i*w.n), t))
		}
		MOVQ(x, px)
		MOVQ(y, py)
		Load(Param("scale").Base(), ps)
		Load(Param("bias").Base(), pb)
		return func() {
			s, b := w.reg(), w.reg()
			for _, o := range []struct {
				p reg.Register
				v reg.VecVirtual
			}{{ps, s}, {pb, b}} {
				h := w.half()
				VBROADCASTSS(elem(o.p, 4, 0), h)
				VCVTPS2PD(h, o.v)
			}
			for i := range groups {
				d, e := w.load(elem(px, 4, i*w.n), t), w.reg()
				VSUBPD(m[i], d, d)
				VMULPD(s, f[i], e)
				VFMADD213PD(b, e, d)
				w.store(d, elem(py, 4, i*w.n), t)
			}
			ADDQ(pitch, px)
			ADDQ(pitch, py)
			ADDQ(operand.U8(4), ps)
			ADDQ(operand.U8(4), pb)
		}, nil
	}, func(groups int) {
		ADDQ(operand.U32(4*groups*w.n), x)
		ADDQ(operand.U32(4*groups*w.n), y)
		for _, r := range []reg.Register{mean, inv} {
			ADDQ(operand.U32(8*groups*w.n), r)
		}
	})
	VZEROUPPER()
	RET()
}

// What follows is in float32, with the mean as a sum of two.

// distance subtracts the mean.
func (l *lines) distance(v reg.VecVirtual, high, low operand.Op) {
	VSUBPS(high, v, v)
	VSUBPS(low, v, v)
}

// affine emits (x − mean)·factor + bias with the same for all elements.
func (l *lines) affine() {
	l.function("singleAffine", "(y, x []float32, high, low, factor, bias float32)")
	y, x, n := Load(Param("y").Base(), GP64()), Load(Param("x").Base(), GP64()), loadLen("y")
	high, low, factor, bias := l.broadcast("high"), l.broadcast("low"), l.broadcast("factor"), l.broadcast("bias")
	l.line(n, 4, func(lanes int) {
		ADDQ(operand.U32(4*lanes), x)
		ADDQ(operand.U32(4*lanes), y)
	}, func(i int, mask reg.Register) reg.VecVirtual {
		v := l.load(elem(x, 4, i*l.n), mask)
		l.distance(v, high, low)
		VFMADD213PS(bias, factor, v)
		return v
	}, y)
	l.ret()
}

// affineEach emits (x − mean)·inv·scale + bias with a scale and bias an element.
func (l *lines) affineEach() {
	l.function("singleAffineEach", "(y, x, scale, bias []float32, high, low, inv float32)")
	y, x, n := Load(Param("y").Base(), GP64()), Load(Param("x").Base(), GP64()), loadLen("y")
	scale, bias := Load(Param("scale").Base(), GP64()), Load(Param("bias").Base(), GP64())
	high, low, inv := l.broadcast("high"), l.broadcast("low"), l.broadcast("inv")
	l.line(n, 4, func(lanes int) {
		for _, p := range []reg.Register{y, x, scale, bias} {
			ADDQ(operand.U32(4*lanes), p)
		}
	}, func(i int, mask reg.Register) reg.VecVirtual {
		v := l.load(elem(x, 4, i*l.n), mask)
		l.distance(v, high, low)
		VMULPS(inv, v, v)
		VFMADD213PS(l.load(elem(bias, 4, i*l.n), mask), l.load(elem(scale, 4, i*l.n), mask), v)
		return v
	}, y)
	l.ret()
}

// lineTail is what is left of a row.
type lineTail struct {
	count reg.GPVirtual
	mask  reg.Register
}

func (l *lines) tail(count reg.GPVirtual) lineTail { return lineTail{count, l.mask(count)} }

// affineRows emits (x − mean)·factor + bias with the values of each lane of rows.
func (l *lines) affineRows() {
	l.function("singleAffineRows", "(y, x []float32, rows, pitch int, high, low, factor, bias []float32)")
	l.laneRows([]string{"high", "low", "factor", "bias"}, nil, func(v reg.VecVirtual, lane, _ []reg.VecVirtual) {
		l.distance(v, lane[0], lane[1])
		VFMADD213PS(lane[3], lane[2], v)
	})
}

// affineSlices emits (x − mean)·inv·scale + bias with the mean and inv of each lane,
// the scale and bias of each row.
func (l *lines) affineSlices() {
	l.function("singleAffineSlices", "(y, x []float32, rows, pitch int, high, low, inv, scale, bias []float32)")
	l.laneRows([]string{"high", "low", "inv"}, []string{"scale", "bias"}, func(v reg.VecVirtual, lane, row []reg.VecVirtual) {
		l.distance(v, lane[0], lane[1])
		VMULPS(lane[2], v, v)
		VFMADD213PS(row[1], row[0], v)
	})
}

// laneRows emits a function of rows with values of each lane and of each row.
func (l *lines) laneRows(byLane, byRow []string, value func(v reg.VecVirtual, lane, row []reg.VecVirtual)) {
	y, x, pitch := Load(Param("y").Base(), GP64()), Load(Param("x").Base(), GP64()), Load(Param("pitch"), GP64())
	SHLQ(operand.U8(2), pitch)
	var tables, perRow []reg.Register
	for _, name := range byLane {
		tables = append(tables, Load(Param(name).Base(), GP64()))
	}
	for range byRow {
		perRow = append(perRow, GP64())
	}
	blocks := []int{2, 1} // three or four registers a group
	if l.evex() {
		blocks = []int{4, 1}
	}
	px, py := GP64(), GP64()
	rowsLoop(l.n, l.tail, loadLen(byLane[0]), blocks, func(groups int, t *lineTail) (row, end func()) {
		var mask reg.Register
		if t != nil {
			mask = t.mask
		}
		lane := make([][]reg.VecVirtual, groups)
		for i := range lane {
			for _, p := range tables {
				lane[i] = append(lane[i], l.load(elem(p, 4, i*l.n), mask))
			}
		}
		MOVQ(x, px)
		MOVQ(y, py)
		for i, name := range byRow {
			Load(Param(name).Base(), perRow[i])
		}
		return func() {
			var row []reg.VecVirtual
			for _, p := range perRow {
				v := l.vec()
				VBROADCASTSS(operand.Mem{Base: p}, v)
				row = append(row, v)
			}
			for i := range groups {
				v := l.load(elem(px, 4, i*l.n), mask)
				value(v, lane[i], row)
				if t != nil {
					l.storeTail(v, py, t.count, mask, "tail")
				} else {
					VMOVUPS(v, elem(py, 4, i*l.n))
				}
			}
			ADDQ(pitch, px)
			ADDQ(pitch, py)
			for _, p := range perRow {
				ADDQ(operand.U8(4), p)
			}
		}, nil
	}, func(groups int) {
		for _, p := range append([]reg.Register{x, y}, tables...) {
			ADDQ(operand.U32(4*groups*l.n), p)
		}
	})
	l.ret()
}
