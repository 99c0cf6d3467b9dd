//go:build !noasm

package cpu

var lrnArch = []impl[*lrnKernels]{
	{isaAVX512, &lrnKernels{sumSquaresAVX512, lrnPowerAVX512, lrnThreeQuartersAVX512}},
	{isaAVX2, &lrnKernels{sumSquaresAVX2, lrnPowerAVX2, lrnThreeQuartersAVX2}},
}
