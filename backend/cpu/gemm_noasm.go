//go:build (!amd64 && !arm64) || noasm

package cpu

// gemmArch lists the assembly microkernels: none.
var gemmArch []microkernel
