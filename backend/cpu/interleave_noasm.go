//go:build !amd64 || noasm

package cpu

var interleaveArch, deinterleaveArch map[moveShape][]impl[moveFunc]
