//go:build !noasm

package cpu

var stripArch = []stripKernel{
	{isaAVX512, 16, transposeStrip16AVX512, transposeStrip16StreamAVX512},
	{isaAVX2, 16, transposeStrip16AVX2, transposeStrip16StreamAVX2},
	{isaAVX2, 8, transposeStrip8AVX2, nil},
	{isaAVX2, 4, transposeStrip4AVX2, nil},
}
