package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	families["stream"] = func() {
		streamRuns()
		storeFence()
	}
}

// storeFence emits what makes stores past the caches visible to other threads.
func storeFence() {
	TEXT("storeFenceAVX2", NOSPLIT, "func()")
	Doc("storeFenceAVX2 orders stores past the caches before those that follow.")
	Pragma("noescape")
	SFENCE()
	RET()
}

// streamRuns emits copies of runs past the caches.
func streamRuns() {
	TEXT("streamRunsAVX2", NOSPLIT, "func(dst, src []uint32, runs, n, ds, ss int)")
	Doc("streamRunsAVX2 is a runsFunc of runs that begin and end at multiples of 64 bytes", "in dst, which it stores past the caches: see storeFence. There is at least one run,", "not empty.")
	Pragma("noescape")
	dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
	runs, n := Load(Param("runs"), GP64()), Load(Param("n"), GP64())
	ds, ss := Load(Param("ds"), GP64()), Load(Param("ss"), GP64())
	SHLQ(U8(2), n)
	SHLQ(U8(2), ds)
	SHLQ(U8(2), ss)
	i, pairs := GP64(), GP64()
	lines := func(count int) {
		vs := make([]reg.VecVirtual, 2*count)
		for j := range vs {
			vs[j] = YMM()
			VMOVUPS(Mem{Base: src, Index: i, Scale: 1, Disp: 32 * j}, vs[j])
		}
		for j, v := range vs {
			VMOVNTPS(v, Mem{Base: dst, Index: i, Scale: 1, Disp: 32 * j})
		}
	}
	MOVQ(n, pairs)
	ANDQ(I32(-128), pairs)
	Label("run")
	XORQ(i, i)
	TESTQ(pairs, pairs)
	JE(LabelRef("last"))
	Label("pair")
	lines(2)
	ADDQ(U32(128), i)
	CMPQ(i, pairs)
	JLT(LabelRef("pair"))
	Label("last")
	CMPQ(i, n)
	JEQ(LabelRef("next"))
	lines(1)
	Label("next")
	ADDQ(ds, dst)
	ADDQ(ss, src)
	DECQ(runs)
	JNE(LabelRef("run"))
	VZEROUPPER()
	RET()
}
