//go:build !noasm

package cpu

//go:generate go -C _asm run . -family pause -out ../pause_amd64.s -stubs ../zpause_amd64.go -pkg cpu
