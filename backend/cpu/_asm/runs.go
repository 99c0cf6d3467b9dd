package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { families["runs"] = copyRuns }

// copyRuns emits a loop for each class of lengths. What a run has beyond whole
// vectors is copied by vectors that end with it and overlap those before.
func copyRuns() {
	TEXT("copyRunsAVX2", NOSPLIT, "func(dst, src []uint32, runs, n, ds, ss int)")
	Doc("copyRunsAVX2 is a runsFunc.")
	Pragma("noescape")
	dst, src := Load(Param("dst").Base(), GP64()), Load(Param("src").Base(), GP64())
	runs, n := Load(Param("runs"), GP64()), Load(Param("n"), GP64())
	ds, ss := Load(Param("ds"), GP64()), Load(Param("ss"), GP64())
	TESTQ(runs, runs)
	JE(LabelRef("done"))
	SHLQ(U8(2), n)
	SHLQ(U8(2), ds)
	SHLQ(U8(2), ss)
	for _, c := range []struct {
		below int
		label string
	}{{1, "done"}, {2, "one"}, {3, "two"}, {4, "three"}, {8, "four"}, {16, "eight"}, {32, "sixteen"}} {
		CMPQ(n, U32(uint32(4*c.below)))
		JLT(LabelRef(c.label))
	}
	each := func(label string, body func()) {
		Label(label)
		body()
		ADDQ(ds, dst)
		ADDQ(ss, src)
		DECQ(runs)
		JNE(LabelRef(label))
		JMP(LabelRef("done"))
	}
	// ends copies the first and the last count vectors of a run.
	ends := func(vec func() reg.VecVirtual, bytes, count int) {
		vs := make([]reg.VecVirtual, 2*count)
		at := func(p reg.Register, i int) Mem {
			if i < count {
				return Mem{Base: p, Disp: bytes * i}
			}
			return Mem{Base: p, Index: n, Scale: 1, Disp: -bytes * (2*count - i)}
		}
		for i := range vs {
			vs[i] = vec()
			VMOVUPS(at(src, i), vs[i])
		}
		for i, v := range vs {
			VMOVUPS(v, at(dst, i))
		}
	}
	last := GP64()
	LEAQ(Mem{Base: n, Disp: -128}, last) // where the last four vectors begin
	each("run", func() {
		i := GP64()
		XORQ(i, i)
		four := func() {
			vs := make([]reg.VecVirtual, 4)
			for j := range vs {
				vs[j] = YMM()
				VMOVUPS(Mem{Base: src, Index: i, Scale: 1, Disp: 32 * j}, vs[j])
			}
			for j, v := range vs {
				VMOVUPS(v, Mem{Base: dst, Index: i, Scale: 1, Disp: 32 * j})
			}
		}
		CMPQ(i, last)
		JGE(LabelRef("end"))
		Label("vectors")
		four()
		ADDQ(U32(128), i)
		CMPQ(i, last)
		JLT(LabelRef("vectors"))
		Label("end")
		MOVQ(last, i)
		four()
	})
	each("sixteen", func() { ends(YMM, 32, 2) })
	each("eight", func() { ends(YMM, 32, 1) })
	each("four", func() { ends(XMM, 16, 1) })
	a, b := GP64(), GP32()
	each("three", func() {
		MOVQ(Mem{Base: src}, a)
		MOVL(Mem{Base: src, Disp: 8}, b)
		MOVQ(a, Mem{Base: dst})
		MOVL(b, Mem{Base: dst, Disp: 8})
	})
	each("two", func() {
		MOVQ(Mem{Base: src}, a)
		MOVQ(a, Mem{Base: dst})
	})
	each("one", func() {
		MOVL(Mem{Base: src}, b)
		MOVL(b, Mem{Base: dst})
	})
	Label("done")
	VZEROUPPER()
	RET()
}
