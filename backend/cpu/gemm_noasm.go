package cpu

// gemmArch lists the assembly microkernels, best first. There are none yet for
// any processor; the first one brings gemm_amd64.go with a list of its own, and
// this file the tag !amd64 || noasm.
var gemmArch []microkernel
