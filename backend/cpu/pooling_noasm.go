//go:build !amd64 || noasm

package cpu

var poolArch []impl[*poolKernels]
