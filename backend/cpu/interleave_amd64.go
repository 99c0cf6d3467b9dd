//go:build !noasm

package cpu

var interleaveArch = map[moveShape][]impl[moveFunc]{
	{1, 4}: {{isaAVX512, interleave1x4AVX512}, {isaAVX2, interleave1x4AVX2}},
	{2, 2}: {{isaAVX512, interleave2x2AVX512}, {isaAVX2, interleave2x2AVX2}},
	{2, 4}: {{isaAVX512, interleave2x4AVX512}, {isaAVX2, interleave2x4AVX2}},
	{3, 3}: {{isaAVX512, interleave3x3AVX512}, {isaAVX2, interleave3x3AVX2}},
	{3, 4}: {{isaAVX512, interleave3x4AVX512}, {isaAVX2, interleave3x4AVX2}},
	{4, 4}: {{isaAVX512, interleave4x4AVX512}, {isaAVX2, interleave4x4AVX2}},
}

var deinterleaveArch = map[moveShape][]impl[moveFunc]{
	{1, 4}: {{isaAVX512, deinterleave1x4AVX512}, {isaAVX2, deinterleave1x4AVX2}},
	{2, 2}: {{isaAVX512, deinterleave2x2AVX512}, {isaAVX2, deinterleave2x2AVX2}},
	{2, 4}: {{isaAVX512, deinterleave2x4AVX512}, {isaAVX2, deinterleave2x4AVX2}},
	{3, 3}: {{isaAVX512, deinterleave3x3AVX512}, {isaAVX2, deinterleave3x3AVX2}},
	{3, 4}: {{isaAVX512, deinterleave3x4AVX512}, {isaAVX2, deinterleave3x4AVX2}},
	{4, 4}: {{isaAVX512, deinterleave4x4AVX512}, {isaAVX2, deinterleave4x4AVX2}},
}
