//go:build !amd64 && !arm64

package cpu

var isaNames = []string{"generic"}

// detectISA returns the best instruction set that kernels are written for.
func detectISA() isa { return isaGeneric }

// cpuFeatures names the vector extensions of the processor.
func cpuFeatures() string { return "" }
