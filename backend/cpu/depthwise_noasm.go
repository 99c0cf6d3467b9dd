//go:build !amd64 || noasm

package cpu

// dwArch lists the kernels in assembly: there are none.
var dwArch []impl[[]dwKernel]
