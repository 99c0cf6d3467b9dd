package main

import (
	"fmt"
	"strings"
)

func init() { texts["neon"] = neons }

// The assembler of avo writes amd64 alone, and Go's has no word for most vector
// arithmetic of arm64: kernels for it are written as text, with such instructions
// as numbers.

// arm64 collects the text of functions.
type arm64 struct{ asm, stubs strings.Builder }

// function begins a function; args are its parameters as in Go.
func (a *arm64) function(name, args, doc string, bytes int) {
	fmt.Fprintf(&a.asm, "\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", name, args, name, bytes)
	pragma := "//\n//go:noescape\n"
	if bytes == 0 {
		pragma = ""
	}
	fmt.Fprintf(&a.stubs, "\n// %s\n%sfunc %s(%s)\n", doc, pragma, name, args)
}

// op writes one instruction.
func (a *arm64) op(format string, args ...any) { fmt.Fprintf(&a.asm, "\t"+format+"\n", args...) }

// label writes a label.
func (a *arm64) label(format string, args ...any) {
	fmt.Fprintf(&a.asm, "\n"+format+":\n", args...)
}

// word writes an instruction on vectors of four float32, and what it is.
func (a *arm64) word(code uint32, text string, d, n, m int) {
	fmt.Fprintf(&a.asm, "\tWORD $0x%08x // %s\n", code|uint32(m)<<16|uint32(n)<<5|uint32(d), text)
}

func (a *arm64) fadd(d, n, m int) {
	a.word(0x4e20d400, fmt.Sprintf("fadd v%d.4s, v%d.4s, v%d.4s", d, n, m), d, n, m)
}
func (a *arm64) fmul(d, n, m int) {
	a.word(0x6e20dc00, fmt.Sprintf("fmul v%d.4s, v%d.4s, v%d.4s", d, n, m), d, n, m)
}
func (a *arm64) fmax(d, n, m int) {
	a.word(0x4e20f400, fmt.Sprintf("fmax v%d.4s, v%d.4s, v%d.4s", d, n, m), d, n, m)
}
func (a *arm64) fmin(d, n, m int) {
	a.word(0x4ea0f400, fmt.Sprintf("fmin v%d.4s, v%d.4s, v%d.4s", d, n, m), d, n, m)
}

// fmla adds to vector d the product of n and element i of m.
func (a *arm64) fmla(d, n, m, i int) {
	code := uint32(0x4f801000) | uint32(i&1)<<21 | uint32(i>>1)<<11
	a.word(code, fmt.Sprintf("fmla v%d.4s, v%d.4s, v%d.s[%d]", d, n, m, i), d, n, m)
}

// neons emits the kernels for arm64.
func neons() (asm, stubs string) {
	a := &arm64{}
	a.gemm()
	a.peak()
	a.function("pause", "", "pause is a step of a loop that waits for another thread: it slows this one down.", 0)
	a.op("ISB $15")
	a.op("RET")
	head := "\n//go:build !noasm\n\n"
	return head + "#include \"textflag.h\"\n" + a.asm.String(), head + "package cpu\n" + a.stubs.String()
}

// Registers of gemm: 0 to 7 point at the rows of x.
const (
	armTile, armOff, armB, armK, armKC, armTaps  = "R8", "R9", "R10", "R11", "R12", "R13"
	armZero, armX, armStep, armMR, armAhead      = "R14", "R15", "R16", "R17", "R19"
	armFirst, armLast, armNoRow, armTmp, armTmp2 = "R20", "R21", "R22", "R23", "R24"
	armRows, armVecs, armValues, armRHS          = 8, 2, 16, 24 // vectors: sums, four values of each row, four rows of b
)

// gemm emits the microkernel of 8×8 tiles: see cpu.tile for what it computes. The
// caller sees to panels with fewer columns.
func (a *arm64) gemm() {
	a.function("gemmNEON_8x8", "t *tile", "gemmNEON_8x8 is the microkernel of tiles of up to 8 rows and of 8 columns: all, or sums for acc without a bias.", 8)
	a.op("MOVD t+0(FP), %s", armTile)
	for _, f := range []struct {
		op  string
		off int
		reg string
	}{
		{"MOVD", tileKC, armKC}, {"MOVD", tileTaps, armTaps}, {"MOVD", tileZero, armZero}, {"MOVD", tileX, armX}, {"MOVD", tileBase, armTmp},
		{"MOVD", tileOff, armOff}, {"MOVD", tileB, armB}, {"MOVD", tileBStep, armStep}, {"MOVD", tileMR, armMR}, {"MOVD", tileAhead, armAhead},
		{"MOVBU", tileFirst, armFirst}, {"MOVBU", tileLast, armLast}, {"MOVD", tileBias, armTmp2},
	} {
		a.op("%s %d(%s), %s", f.op, f.off, armTile, f.reg)
	}
	a.op("ADD %s<<2, %s, %s", armTmp, armX, armX)
	a.op("LSL $2, %s, %s", armStep, armStep)
	a.op("MOVD $-2147483648, %s", armNoRow)
	// The first block of a sum begins with the bias.
	a.op("CBZ %s, zeros", armFirst)
	a.op("CBZ %s, zeros", armTmp2)
	a.op("VLD1 (%s), [V0.S4, V1.S4]", armTmp2)
	a.op("B begin")
	a.label("zeros")
	a.op("VEOR V0.B16, V0.B16, V0.B16")
	a.op("VEOR V1.B16, V1.B16, V1.B16")
	a.label("begin")
	for mr := armRows; mr > 1; mr-- {
		a.op("CMP $%d, %s", mr, armMR)
		a.op("BEQ mr%d", mr)
	}
	for mr := 1; mr <= armRows; mr++ {
		a.label("mr%d", mr)
		a.product(mr)
		if mr < armRows {
			a.op("B summed")
		}
	}
	a.label("summed")
	a.finish()
}

func armSum(r, j int) int { return r*armVecs + j }

// product emits the sums of a tile of mr rows: four terms at a time, and then one.
func (a *arm64) product(mr int) {
	for r := 1; r < mr; r++ {
		for j := range armVecs {
			a.op("VMOV V%d.B16, V%d.B16", j, armSum(r, j))
		}
	}
	a.label("tap%d", mr)
	for r := range mr {
		a.op("MOVW %d(%s), R%d", 4*r, armOff, r)
		a.op("CMP %s, R%d", armNoRow, r)
		a.op("ADD R%d<<2, %s, R%d", r, armX, r)
		a.op("CSEL EQ, %s, R%d, R%d", armZero, r, r)
	}
	a.op("ADD $%d, %s", 4*mr, armOff)
	a.op("SUBS $4, %s, %s", armKC, armK)
	a.op("BLT few%d", mr)
	a.label("four%d", mr)
	for r := range mr {
		a.op("VLD1.P 16(R%d), [V%d.S4]", r, armValues+r)
	}
	for i := 0; i < 8; i += 4 {
		a.op("VLD1.P 64(%s), [V%d.S4, V%d.S4, V%d.S4, V%d.S4]", armB, armRHS+i, armRHS+i+1, armRHS+i+2, armRHS+i+3)
	}
	// A line for each row of b, of which two make a line.
	a.op("ADD %s<<1, %s, %s", armAhead, armB, armTmp)
	a.op("PRFM (%s), PLDL2KEEP", armTmp)
	a.op("PRFM 64(%s), PLDL2KEEP", armTmp)
	for k := range 4 {
		for r := range mr {
			for j := range armVecs {
				a.fmla(armSum(r, j), armRHS+armVecs*k+j, armValues+r, k)
			}
		}
	}
	a.op("SUBS $4, %s", armK)
	a.op("BGE four%d", mr)
	a.label("few%d", mr)
	a.op("ADDS $4, %s", armK)
	a.op("BEQ next%d", mr)
	a.label("one%d", mr)
	for r := range mr {
		a.op("FMOVS.P 4(R%d), F%d", r, armValues+r)
	}
	a.op("VLD1.P 32(%s), [V%d.S4, V%d.S4]", armB, armRHS, armRHS+1)
	for r := range mr {
		for j := range armVecs {
			a.fmla(armSum(r, j), armRHS+j, armValues+r, 0)
		}
	}
	a.op("SUBS $1, %s", armK)
	a.op("BNE one%d", mr)
	a.label("next%d", mr)
	a.op("ADD %s, %s", armStep, armB)
	a.op("SUBS $1, %s", armTaps)
	a.op("BNE tap%d", mr)
}

// finish adds the sums to those of earlier blocks, and either keeps them or applies
// the epilogue and stores them.
func (a *arm64) finish() {
	const acc, y, res, dst = "R0", "R1", "R2", "R3"
	all := func(do func(d int)) {
		for d := range armRows * armVecs {
			do(d)
		}
	}
	// rows emits do for each row that is there.
	rows := func(end string, do func(r int)) {
		for r := range armRows {
			if r > 0 {
				a.op("CMP $%d, %s", r, armMR)
				a.op("BLE %s", end)
			}
			do(r)
		}
		a.label(end)
	}
	a.op("CBNZ %s, added", armFirst)
	a.op("MOVD %d(%s), %s", tileAcc, armTile, acc)
	rows("added", func(r int) {
		a.op("VLD1.P 32(%s), [V%d.S4, V%d.S4]", acc, armRHS, armRHS+1)
		for j := range armVecs {
			a.fadd(armSum(r, j), armSum(r, j), armRHS+j)
		}
	})
	a.op("CBNZ %s, final", armLast)
	a.op("MOVD %d(%s), %s", tileAcc, armTile, acc)
	rows("kept", func(r int) {
		a.op("VST1.P [V%d.S4, V%d.S4], 32(%s)", armSum(r, 0), armSum(r, 1), acc)
	})
	a.op("RET")

	a.label("final")
	a.op("MOVD %d(%s), %s", tileDst, armTile, dst)
	a.op("MOVD %d(%s), %s", tileScale, armTile, armTmp)
	a.op("CBZ %s, scaled", armTmp)
	a.op("MOVD %d(%s), %s", tileShift, armTile, armTmp2)
	a.op("VLD1 (%s), [V24.S4, V25.S4]", armTmp)
	a.op("VLD1 (%s), [V26.S4, V27.S4]", armTmp2)
	all(func(d int) { a.fmul(d, d, 24+d%armVecs) })
	all(func(d int) { a.fadd(d, d, 26+d%armVecs) })
	a.label("scaled")
	at := func(r int, base string) {
		a.op("MOVW %d(%s), %s", 4*r, dst, armTmp)
		a.op("ADD %s<<2, %s, %s", armTmp, base, armTmp)
	}
	a.op("MOVD %d(%s), %s", tileResidual, armTile, res)
	a.op("CBZ %s, residual", res)
	rows("residual", func(r int) {
		at(r, res)
		a.op("VLD1 (%s), [V24.S4, V25.S4]", armTmp)
		for j := range armVecs {
			a.fadd(armSum(r, j), armSum(r, j), 24+j)
		}
	})
	// Both give NaN where an operand is.
	for _, b := range []struct {
		flag, value int
		name        string
		op          func(d, n, m int)
	}{{tileAtLeast, tileLo, "atLeast", a.fmax}, {tileAtMost, tileHi, "atMost", a.fmin}} {
		a.op("MOVBU %d(%s), %s", b.flag, armTile, armTmp)
		a.op("CBZ %s, %s", armTmp, b.name)
		a.op("ADD $%d, %s, %s", b.value, armTile, armTmp)
		a.op("VLD1R (%s), [V24.S4]", armTmp)
		all(func(d int) { b.op(d, d, 24) })
		a.label(b.name)
	}
	a.op("MOVD %d(%s), %s", tileY, armTile, y)
	rows("stored", func(r int) {
		at(r, y)
		a.op("VST1 [V%d.S4, V%d.S4], (%s)", armSum(r, 0), armSum(r, 1), armTmp)
	})
	a.op("RET")
}

// peak emits a loop of fused multiply-adds on registers alone.
func (a *arm64) peak() {
	const chains, unroll = 24, 2
	a.function("peakNEON", "n int", fmt.Sprintf("peakNEON does n × %d fused multiply-adds of 4 float32; n is 1 or more.", chains*unroll), 8)
	a.op("MOVD n+0(FP), R0")
	for d := range chains + 1 {
		a.op("VEOR V%d.B16, V%d.B16, V%d.B16", d, d, d)
	}
	a.label("loop")
	for range unroll {
		for d := range chains {
			a.fmla(d, chains, chains, 0)
		}
	}
	a.op("SUBS $1, R0")
	a.op("BNE loop")
	a.op("RET")
}
