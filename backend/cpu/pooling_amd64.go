//go:build !noasm

package cpu

var poolArch = []impl[*poolKernels]{
	{isaAVX512, &poolKernels{16, maxBoxAVX512, [2]maxBoxFunc{maxSlide1AVX512, maxSlide2AVX512}, maxPickAVX512, [2]maxHalveFunc{maxHalveAVX512, maxHalveRowAVX512}, maxIndexAVX512,
		meanBoxAVX512, sumBoxAVX512, meanSumsAVX512, maxRowsAVX512, sumRowsAVX512}},
	{isaAVX2, &poolKernels{8, maxBoxAVX2, [2]maxBoxFunc{maxSlide1AVX2, maxSlide2AVX2}, maxPickAVX2, [2]maxHalveFunc{maxHalveAVX2, maxHalveRowAVX2}, maxIndexAVX2,
		meanBoxAVX2, sumBoxAVX2, meanSumsAVX2, maxRowsAVX2, sumRowsAVX2}},
}
