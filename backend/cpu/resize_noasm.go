//go:build !amd64 || noasm

package cpu

var resizeArch []impl[*resizeKernels]
