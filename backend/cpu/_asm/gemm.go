package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets of the fields of cpu.tile, which a test of package cpu compares with the
// compiler's.
const (
	tileX        = 0
	tileZero     = 24
	tileOff      = 48
	tileB        = 72
	tileAcc      = 96
	tileY        = 120
	tileDst      = 144
	tileBias     = 168
	tileScale    = 192
	tileShift    = 216
	tileResidual = 240
	tileMask     = 264
	tileBase     = 288
	tileTaps     = 296
	tileKC       = 304
	tileBStep    = 312
	tileMR       = 320
	tileAhead    = 328
	tileLo       = 336
	tileHi       = 340
	tileFirst    = 344
	tileLast     = 345
	tileFull     = 346
	tileAtLeast  = 347
	tileAtMost   = 348
	tileStream   = 349
)

func init() { families["gemm"] = gemms }

// gemmShapes are the tiles of each width of vectors: rows × vectors. As many sums as
// the registers hold beside a row of weights and a broadcast value; a broadcast of
// one column alone is folded into the multiply-add.
var (
	gemmShapes512 = [][2]int{{6, 4}, {8, 3}, {12, 2}, {12, 1}}
	gemmShapes256 = [][2]int{{4, 3}, {6, 2}, {12, 1}}
)

func gemms() {
	for _, s := range gemmShapes512 {
		(&gemm{isa: "AVX512", lanes: 16, mr: s[0], nv: s[1]}).emit()
	}
	for _, s := range gemmShapes256 {
		(&gemm{isa: "AVX2", lanes: 8, mr: s[0], nv: s[1]}).emit()
	}
}

// gemm emits one microkernel: see cpu.tile for what it computes.
type gemm struct {
	isa           string
	lanes, mr, nv int
}

var generalRegs = []reg.Register{reg.RAX, reg.RBX, reg.RCX, reg.RDX, reg.RSI, reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13, reg.R15}

func (g *gemm) wide() bool { return g.lanes == 16 }

func (g *gemm) vec(i int) reg.Register {
	if g.wide() {
		return []reg.VecPhysical{reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
			reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31}[i]
	}
	return []reg.VecPhysical{reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15}[i]
}

func (g *gemm) sum(r, j int) reg.Register { return g.vec(r*g.nv + j) }
func (g *gemm) clear(v reg.Register) {
	if g.wide() {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
}

func at(base reg.Register, disp int) operand.Mem { return operand.Mem{Base: base, Disp: disp} }

// The registers that are not rows.
var (
	gemmB, gemmK, gemmOff = reg.RDI, reg.RBP, reg.R14
	gemmNext              = reg.R15 // of kernels with fewer rows than registers
)

// ahead reports whether there is a register for the distance to prefetch at.
func (g *gemm) ahead() bool { return g.mr < len(generalRegs) }

func (g *gemm) emit() {
	TEXT(fmt.Sprintf("gemm%s_%dx%d", g.isa, g.mr, g.nv*g.lanes), NOSPLIT, "func(t *byte)")
	Doc(fmt.Sprintf("gemm%s_%dx%d is the microkernel of tiles of up to %d rows and %d columns.", g.isa, g.mr, g.nv*g.lanes, g.mr, g.nv*g.lanes))
	Pragma("noescape")
	local := AllocLocal(32)
	zero, taps, kc, step := local, local.Offset(8), local.Offset(16), local.Offset(24)
	t := operand.NewParamAddr("t", 0)
	tile := generalRegs[0]
	MOVQ(t, tile)
	// zero and x point at the end of the first kc terms, and the index counts up to 0.
	a, b := generalRegs[1], generalRegs[2]
	MOVQ(at(tile, tileKC), a)
	SHLQ(operand.Imm(2), a)
	MOVQ(at(tile, tileZero), b)
	ADDQ(a, b)
	MOVQ(b, zero)
	MOVQ(at(tile, tileTaps), b)
	MOVQ(b, taps)
	MOVQ(a, kc)
	MOVQ(at(tile, tileBStep), b)
	SHLQ(operand.Imm(2), b)
	MOVQ(b, step)
	MOVQ(at(tile, tileB), gemmB)
	MOVQ(at(tile, tileOff), gemmOff)
	// The first block of a sum begins with the bias.
	bias := generalRegs[3]
	MOVQ(at(tile, tileBias), bias)
	TESTQ(bias, bias)
	JEQ(operand.LabelRef("zeros"))
	CMPB(at(tile, tileFirst), operand.Imm(0))
	JEQ(operand.LabelRef("zeros"))
	CMPB(at(tile, tileFull), operand.Imm(0))
	JEQ(operand.LabelRef("biasTail"))
	for j := range g.nv {
		VMOVUPS(at(bias, 4*g.lanes*j), g.sum(0, j))
	}
	JMP(operand.LabelRef("begin"))
	Label("biasTail")
	masks := generalRegs[4]
	MOVQ(at(tile, tileMask), masks)
	for j := range g.nv {
		mask := g.vec(g.mr * g.nv)
		VMOVUPS(at(masks, 4*g.lanes*j), mask)
		if g.wide() {
			VPMOVD2M(mask, reg.K1)
			VMOVUPS_Z(at(bias, 64*j), reg.K1, g.sum(0, j))
		} else {
			VMASKMOVPS(at(bias, 32*j), mask, g.sum(0, j))
		}
	}
	JMP(operand.LabelRef("begin"))
	Label("zeros")
	for j := range g.nv {
		g.clear(g.sum(0, j))
	}
	Label("begin")
	MOVQ(at(tile, tileMR), a)
	if g.ahead() {
		MOVQ(at(tile, tileAhead), gemmNext)
	}
	for mr := g.mr; mr > 1; mr-- {
		CMPQ(a, operand.Imm(uint64(mr)))
		JEQ(operand.LabelRef(fmt.Sprintf("mr%d", mr)))
	}
	for mr := 1; mr <= g.mr; mr++ {
		Label(fmt.Sprintf("mr%d", mr))
		g.product(mr, t, zero, taps, kc, step)
		if mr < g.mr {
			JMP(operand.LabelRef("summed"))
		}
	}
	Label("summed")
	g.finish(t)
}

// product emits the sums of a tile of mr rows.
func (g *gemm) product(mr int, t, zero, taps, kc, step operand.Mem) {
	for r := 1; r < mr; r++ {
		for j := range g.nv {
			VMOVAPS(g.sum(0, j), g.sum(r, j))
		}
	}
	tap, loop := fmt.Sprintf("tap%d", mr), fmt.Sprintf("loop%d", mr)
	rows := generalRegs[:mr]
	Label(tap)
	// The index register holds the address of x while the rows are set up.
	MOVQ(t, rows[0])
	MOVQ(at(rows[0], tileBase), gemmK)
	MOVQ(at(rows[0], tileX), rows[0])
	LEAQ(operand.Mem{Base: rows[0], Index: gemmK, Scale: 4}, gemmK)
	ADDQ(kc, gemmK)
	for r := range mr {
		MOVLQSX(at(gemmOff, 4*r), rows[r])
		CMPQ(rows[r], operand.I32(math.MinInt32))
		LEAQ(operand.Mem{Base: gemmK, Index: rows[r], Scale: 4}, rows[r])
		CMOVQEQ(zero, rows[r])
	}
	ADDQ(operand.I32(4*mr), gemmOff)
	XORQ(gemmK, gemmK)
	SUBQ(kc, gemmK)
	Label(loop)
	first := g.mr * g.nv
	for j := range g.nv {
		VMOVUPS(at(gemmB, 4*g.lanes*j), g.vec(first+j))
	}
	if g.ahead() {
		PREFETCHT1(operand.Mem{Base: gemmB, Index: gemmNext, Scale: 1})
	}
	for r := range mr {
		x := operand.Mem{Base: rows[r], Index: gemmK, Scale: 1}
		if g.wide() && g.nv == 1 {
			VFMADD231PS_BCST(x, g.vec(first), g.sum(r, 0))
			continue
		}
		v := g.vec(first + g.nv + r%(g.vecs()-first-g.nv))
		VBROADCASTSS(x, v)
		for j := range g.nv {
			VFMADD231PS(g.vec(first+j), v, g.sum(r, j))
		}
	}
	ADDQ(operand.I32(4*g.lanes*g.nv), gemmB)
	ADDQ(operand.Imm(4), gemmK)
	JNE(operand.LabelRef(loop))
	ADDQ(step, gemmB)
	DECQ(taps)
	JNE(operand.LabelRef(tap))
}

func (g *gemm) vecs() int {
	if g.wide() {
		return 32
	}
	return 16
}

// finish adds the sums to those of earlier blocks, and either keeps them or applies
// the epilogue and stores them. The rows from the last to the first share this code,
// whatever the number of them.
func (g *gemm) finish(t operand.Mem) {
	tile, mr, acc, dst := generalRegs[0], generalRegs[1], generalRegs[2], generalRegs[3]
	MOVQ(t, tile)
	MOVQ(at(tile, tileMR), mr)
	MOVQ(at(tile, tileAcc), acc)
	row := 4 * g.lanes * g.nv
	g.unless(tile, tileFirst, "added", func() {
		for r := g.mr - 1; r >= 0; r-- {
			skip := g.skipRow(mr, r, "add")
			for j := range g.nv {
				VADDPS(at(acc, row*r+4*g.lanes*j), g.sum(r, j), g.sum(r, j))
			}
			Label(skip)
		}
	})
	CMPB(at(tile, tileLast), operand.Imm(0))
	JNE(operand.LabelRef("final"))
	for r := g.mr - 1; r >= 0; r-- {
		skip := g.skipRow(mr, r, "keep")
		for j := range g.nv {
			VMOVUPS(g.sum(r, j), at(acc, row*r+4*g.lanes*j))
		}
		Label(skip)
	}
	VZEROUPPER()
	RET()

	Label("final")
	free := g.mr * g.nv
	lo, hi := g.vec(free), g.vec(free+1)
	VBROADCASTSS(at(tile, tileLo), lo)
	VBROADCASTSS(at(tile, tileHi), hi)
	MOVQ(at(tile, tileDst), dst)
	CMPB(at(tile, tileFull), operand.Imm(0))
	JEQ(operand.LabelRef("tail"))
	g.store("", tile, mr, dst, lo, hi, false)
	Label("tail")
	g.store("Tail", tile, mr, dst, lo, hi, true)
}

// store emits the epilogue and the stores of all rows; masked where some columns are
// not there.
func (g *gemm) store(name string, tile, mr, dst, lo, hi reg.Register, masked bool) {
	free := g.mr * g.nv
	tmp, mask := g.vec(free+2), g.vec(free+3)
	y, scale, shift, res, masks, o, p := generalRegs[4], generalRegs[6], generalRegs[7], generalRegs[8], generalRegs[9], generalRegs[10], generalRegs[11]
	for _, f := range []struct {
		off int
		r   reg.Register
	}{{tileY, y}, {tileScale, scale}, {tileShift, shift}, {tileResidual, res}, {tileMask, masks}} {
		MOVQ(at(tile, f.off), f.r)
	}
	ks := []reg.Register{reg.K1, reg.K2, reg.K3, reg.K4}
	if masked && g.wide() {
		for j := range g.nv {
			VMOVUPS(at(masks, 64*j), tmp)
			VPMOVD2M(tmp, ks[j])
		}
	}
	// load returns an operand of what is at m, and zeros where the column is not there.
	load := func(m operand.Mem, j int, v reg.Register) operand.Op {
		switch {
		case !masked:
			return m
		case g.wide():
			VMOVUPS_Z(m, ks[j], v)
		default:
			VMOVUPS(at(masks, 32*j), mask)
			VMASKMOVPS(m, mask, v)
		}
		return v
	}
	for r := g.mr - 1; r >= 0; r-- {
		skip := g.skipRow(mr, r, "store"+name)
		sum := func(j int) reg.Register { return g.sum(r, j) }
		each := func(label string, skip func(end operand.LabelRef), do func(j int)) {
			label = fmt.Sprintf("%s%s%d", label, name, r)
			skip(operand.LabelRef(label))
			for j := range g.nv {
				do(j)
			}
			Label(label)
		}
		absent := func(base reg.Register) func(operand.LabelRef) {
			return func(end operand.LabelRef) {
				TESTQ(base, base)
				JEQ(end)
			}
		}
		unset := func(off int) func(operand.LabelRef) {
			return func(end operand.LabelRef) {
				CMPB(at(tile, off), operand.Imm(0))
				JEQ(end)
			}
		}
		MOVLQSX(at(dst, 4*r), o)
		LEAQ(operand.Mem{Base: y, Index: o, Scale: 4}, p)
		each("scale", absent(scale), func(j int) {
			VMULPS(load(at(scale, 4*g.lanes*j), j, tmp), sum(j), sum(j))
			VADDPS(load(at(shift, 4*g.lanes*j), j, tmp), sum(j), sum(j))
		})
		each("residual", absent(res), func(j int) {
			VADDPS(load(operand.Mem{Base: res, Index: o, Scale: 4, Disp: 4 * g.lanes * j}, j, tmp), sum(j), sum(j))
		})
		// The second source of max and min, first in this order, passes on as NaN.
		each("atLeast", unset(tileAtLeast), func(j int) { VMAXPS(sum(j), lo, sum(j)) })
		each("atMost", unset(tileAtMost), func(j int) { VMINPS(sum(j), hi, sum(j)) })
		if !masked {
			past := fmt.Sprintf("past%d", r)
			CMPB(at(tile, tileStream), operand.Imm(0))
			JNE(operand.LabelRef(past))
			for j := range g.nv {
				VMOVUPS(sum(j), at(p, 4*g.lanes*j))
			}
			JMP(operand.LabelRef(skip))
			Label(past)
			for j := range g.nv {
				VMOVNTPS(sum(j), at(p, 4*g.lanes*j))
			}
			Label(skip)
			continue
		}
		for j := range g.nv {
			m := at(p, 4*g.lanes*j)
			switch {
			case g.wide():
				VMOVUPS(sum(j), ks[j], m)
			default:
				VMOVUPS(at(masks, 32*j), mask)
				VMASKMOVPS(sum(j), mask, m)
			}
		}
		Label(skip)
	}
	VZEROUPPER()
	RET()
}

// unless emits do, which runs where the byte at the offset is 0.
func (g *gemm) unless(tile reg.Register, off int, end string, do func()) {
	CMPB(at(tile, off), operand.Imm(0))
	JNE(operand.LabelRef(end))
	do()
	Label(end)
}

// skipRow emits a jump past row r where there are no more than r rows.
func (g *gemm) skipRow(mr reg.Register, r int, name string) string {
	label := fmt.Sprintf("%s%d", name+"Row", r)
	CMPQ(mr, operand.Imm(uint64(r)))
	JLE(operand.LabelRef(label))
	return label
}
