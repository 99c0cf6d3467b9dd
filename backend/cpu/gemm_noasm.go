//go:build !amd64 || noasm

package cpu

// gemmArch lists the assembly microkernels: none.
var gemmArch []microkernel
