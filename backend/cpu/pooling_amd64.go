//go:build !noasm

package cpu

var poolArch = []impl[*poolKernels]{
	{isaAVX512, &poolKernels{lanes: 16, maxBox: maxBoxAVX512, maxPick: maxPickAVX512}},
	{isaAVX2, &poolKernels{lanes: 8, maxBox: maxBoxAVX2, maxPick: maxPickAVX2}},
}
