package cpu

import "golang.org/x/sys/cpu"

// Instruction sets of arm64.
const isaNEON isa = 1 // Advanced SIMD

var isaNames = []string{"generic", "neon"}

// detectISA returns the best instruction set that the processor, the system and
// the build support.
func detectISA() isa {
	if assembly && cpu.ARM64.HasASIMD {
		return isaNEON
	}
	return isaGeneric
}

// cpuFeatures names the vector extensions of the processor.
func cpuFeatures() string {
	if cpu.ARM64.HasASIMD {
		return "asimd"
	}
	return ""
}
