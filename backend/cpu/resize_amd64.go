//go:build !noasm

package cpu

var resizeArch = []impl[*resizeKernels]{
	{isaAVX512, &resizeKernels{
		16, blend2AVX512, blend4AVX512, [2]lineKernels{
			{
				[2]permuteFn{permuteNearAVX512, permuteAVX512}, [2]permuteBlendFn{permuteBlendNearAVX512, permuteBlendAVX512},
				pixelsAVX512, pixelsBlendAVX512,
			}, {
				[2]permuteFn{permuteNearStreamAVX512, permuteStreamAVX512}, [2]permuteBlendFn{permuteBlendNearStreamAVX512, permuteBlendStreamAVX512},
				pixelsStreamAVX512, pixelsBlendStreamAVX512,
			},
		},
	}},
	{isaAVX2, &resizeKernels{
		8, blend2AVX2, blend4AVX2, [2]lineKernels{
			{
				[2]permuteFn{permuteNearAVX2, permuteAVX2}, [2]permuteBlendFn{permuteBlendNearAVX2, permuteBlendAVX2},
				pixelsAVX2, pixelsBlendAVX2,
			}, {
				[2]permuteFn{permuteNearStreamAVX2, permuteStreamAVX2}, [2]permuteBlendFn{permuteBlendNearStreamAVX2, permuteBlendStreamAVX2},
				pixelsStreamAVX2, pixelsBlendStreamAVX2,
			},
		},
	}},
}
