//go:build !amd64 || noasm

package cpu

var stripArch []stripKernel
