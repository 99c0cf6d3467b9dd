//go:build !amd64 || noasm

package cpu

var normArch []impl[*normKernels]
