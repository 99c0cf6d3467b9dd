package cpu

import (
	"strings"

	"golang.org/x/sys/cpu"
)

var isaNames = []string{"generic", "avx2", "avx512"}

// detectISA returns the best instruction set that the processor, the system and
// the build support.
func detectISA() isa {
	x := &cpu.X86
	switch {
	case !assembly:
		return isaGeneric
	case x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX2 && x.HasFMA && x.HasBMI2:
		return isaAVX512
	case x.HasAVX2 && x.HasFMA && x.HasBMI2:
		return isaAVX2
	}
	return isaGeneric
}

// cpuFeatures names the vector extensions of the processor.
func cpuFeatures() string {
	var f []string
	for _, e := range []struct {
		name string
		has  bool
	}{
		{"sse4.2", cpu.X86.HasSSE42}, {"avx", cpu.X86.HasAVX}, {"avx2", cpu.X86.HasAVX2}, {"fma", cpu.X86.HasFMA},
		{"avx512f", cpu.X86.HasAVX512F}, {"avx512dq", cpu.X86.HasAVX512DQ}, {"avx512bw", cpu.X86.HasAVX512BW},
		{"avx512vl", cpu.X86.HasAVX512VL}, {"avx512vnni", cpu.X86.HasAVX512VNNI}, {"avx512bf16", cpu.X86.HasAVX512BF16},
	} {
		if e.has {
			f = append(f, e.name)
		}
	}
	return strings.Join(f, " ")
}
