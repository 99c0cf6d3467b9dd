//go:build !amd64

package cpu

import "golang.org/x/sys/cpu"

// detectISA returns the best instruction set that kernels are written for.
func detectISA() isa { return isaGeneric }

// cpuFeatures names the vector extensions of the processor.
func cpuFeatures() string {
	if cpu.ARM64.HasASIMD {
		return "asimd"
	}
	return ""
}
