//go:build !amd64 || noasm

package cpu

var softmaxArch []impl[*softmaxFns]
