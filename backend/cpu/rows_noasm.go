//go:build !amd64 || noasm

package cpu

var rowsArch []impl[*rowFns]
