//go:build !amd64 || noasm

package cpu

var lrnArch []impl[*lrnKernels]
