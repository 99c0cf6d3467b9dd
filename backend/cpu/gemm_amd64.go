//go:build !noasm

package cpu

// gemmArch lists the assembly microkernels by instruction set, best first. The rates
// were measured on tiles in the first-level cache.
var gemmArch = []microkernel{
	{needs: isaAVX512, mr: 6, nr: 64, rate: 1, fn: gemmAVX512_6x64},
	{needs: isaAVX512, mr: 8, nr: 48, rate: 1, fn: gemmAVX512_8x48},
	{needs: isaAVX512, mr: 12, nr: 32, rate: 0.97, fn: gemmAVX512_12x32},
	{needs: isaAVX512, mr: 12, nr: 16, rate: 0.85, fn: gemmAVX512_12x16},
	{needs: isaAVX2, mr: 6, nr: 16, rate: 1, fn: gemmAVX2_6x16},
	{needs: isaAVX2, mr: 4, nr: 24, rate: 1, fn: gemmAVX2_4x24},
	{needs: isaAVX2, mr: 12, nr: 8, rate: 0.8, fn: gemmAVX2_12x8},
}
