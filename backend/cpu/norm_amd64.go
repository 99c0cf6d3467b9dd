//go:build !noasm

package cpu

var normArch = []impl[*normKernels]{
	{isaAVX512, &normKernels{
		momentsAVX512, rowMomentsAVX512, affineAVX512, affineEachAVX512, affineRowsAVX512, affineSlicesAVX512,
		singleAffineAVX512, singleAffineEachAVX512, singleAffineRowsAVX512, singleAffineSlicesAVX512,
	}},
	{isaAVX2, &normKernels{
		momentsAVX2, rowMomentsAVX2, affineAVX2, affineEachAVX2, affineRowsAVX2, affineSlicesAVX2,
		singleAffineAVX2, singleAffineEachAVX2, singleAffineRowsAVX2, singleAffineSlicesAVX2,
	}},
}
