//go:build !noasm

package cpu

// dwArch lists the kernels in assembly, best first.
var dwArch = []impl[[]dwKernel]{
	{isaAVX512, []dwKernel{
		{16, 3, 1, depthwise3S1AVX512},
		{16, 3, 2, depthwise3S2AVX512},
		{16, 5, 1, depthwise5S1AVX512},
		{16, 5, 2, depthwise5S2AVX512},
		{16, 7, 1, depthwise7S1AVX512},
		{16, 0, 0, depthwiseManyAVX512},
		{16, 0, 0, depthwiseAnyAVX512},
	}},
	{isaAVX2, []dwKernel{
		{8, 3, 1, depthwise3S1AVX2},
		{8, 3, 2, depthwise3S2AVX2},
		{8, 5, 1, depthwise5S1AVX2},
		{8, 5, 2, depthwise5S2AVX2},
		{8, 7, 1, depthwise7S1AVX2},
		{8, 0, 0, depthwiseManyAVX2},
		{8, 0, 0, depthwiseAnyAVX2},
	}},
}
