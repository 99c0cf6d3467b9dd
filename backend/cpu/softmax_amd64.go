//go:build !noasm

package cpu

var softmaxArch = []impl[*softmaxFns]{{isaAVX512, &softmaxAVX512}, {isaAVX2, &softmaxAVX2}}

var softmaxAVX512 = softmaxFns{
	rows:  softmaxPass{softmaxMaxRowsAVX512, softmaxExpRowsAVX512, softmaxSumRowsAVX512, softmaxScaleRowsAVX512, softmaxShiftRowsAVX512},
	lanes: softmaxPass{softmaxMaxLanesAVX512, softmaxExpLanesAVX512, softmaxSumLanesAVX512, softmaxScaleLanesAVX512, softmaxShiftLanesAVX512},
	logs:  logRowAVX512,
}

var softmaxAVX2 = softmaxFns{
	rows:  softmaxPass{softmaxMaxRowsAVX2, softmaxExpRowsAVX2, softmaxSumRowsAVX2, softmaxScaleRowsAVX2, softmaxShiftRowsAVX2},
	lanes: softmaxPass{softmaxMaxLanesAVX2, softmaxExpLanesAVX2, softmaxSumLanesAVX2, softmaxScaleLanesAVX2, softmaxShiftLanesAVX2},
	logs:  logRowAVX2,
}
