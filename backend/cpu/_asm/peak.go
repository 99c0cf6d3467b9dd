package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const peakUnroll = 4

// peak emits a loop of fused multiply-adds on registers alone: chains
// independent ones, so that their latency is hidden.
func peak(name, doc string, chains int, vec func(i int) reg.VecVirtual, zero func(v reg.Register), fma func(a, b, c operand.Op)) {
	TEXT(name, NOSPLIT, "func(n int)")
	Doc(doc)
	Pragma("noescape")
	n := Load(Param("n"), GP64())
	a := vec(0)
	zero(a)
	acc := make([]reg.VecVirtual, chains)
	for i := range acc {
		acc[i] = vec(i)
		zero(acc[i])
	}
	Label("loop")
	for range peakUnroll {
		for _, c := range acc {
			fma(a, a, c)
		}
	}
	DECQ(n)
	JNE(operand.LabelRef("loop"))
	VZEROUPPER()
	RET()
}

func init() { families["peak"] = peaks }

func peaks() {
	peak("peakAVX2",
		fmt.Sprintf("peakAVX2 does n × %d fused multiply-adds of 8 float32; n is 1 or more.", peakUnroll*12), 12,
		func(int) reg.VecVirtual { return YMM() },
		func(v reg.Register) { VXORPS(v.(reg.VecVirtual), v.(reg.VecVirtual), v.(reg.VecVirtual)) },
		func(a, b, c operand.Op) { VFMADD231PS(a, b, c) })
	peak("peakAVX512",
		fmt.Sprintf("peakAVX512 does n × %d fused multiply-adds of 16 float32; n is 1 or more.", peakUnroll*24), 24,
		func(int) reg.VecVirtual { return ZMM() },
		func(v reg.Register) { VPXORD(v.(reg.VecVirtual), v.(reg.VecVirtual), v.(reg.VecVirtual)) },
		func(a, b, c operand.Op) { VFMADD231PS(a, b, c) })
}
