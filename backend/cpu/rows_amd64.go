//go:build !noasm

package cpu

import "github.com/convgl/convgl/backend"

var rowsArch = []impl[*rowFns]{{isaAVX512, &rowsAVX512}, {isaAVX2, &rowsAVX2}}

var rowsAVX512 = rowFns{
	add:           addRowAVX512,
	scaleShift:    scaleShiftRowAVX512,
	scaleShiftAll: scaleShiftAllAVX512,
	act:           actsAVX512(),
	binary: [...][3]binaryFn{
		backend.Add:   {addVVAVX512, addVSAVX512, swapped(addVSAVX512)},
		backend.Sub:   {subVVAVX512, subVSAVX512, subSVAVX512},
		backend.Mul:   {mulVVAVX512, mulVSAVX512, swapped(mulVSAVX512)},
		backend.Div:   {divVVAVX512, divVSAVX512, divSVAVX512},
		backend.PRelu: {preluVVAVX512, preluVSAVX512, preluSVAVX512},
	},
}

var rowsAVX2 = rowFns{
	add:           addRowAVX2,
	scaleShift:    scaleShiftRowAVX2,
	scaleShiftAll: scaleShiftAllAVX2,
	act:           actsAVX2(),
	binary: [...][3]binaryFn{
		backend.Add:   {addVVAVX2, addVSAVX2, swapped(addVSAVX2)},
		backend.Sub:   {subVVAVX2, subVSAVX2, subSVAVX2},
		backend.Mul:   {mulVVAVX2, mulVSAVX2, swapped(mulVSAVX2)},
		backend.Div:   {divVVAVX2, divVSAVX2, divSVAVX2},
		backend.PRelu: {preluVVAVX2, preluVSAVX2, preluSVAVX2},
	},
}

// swapped is fn, which commutes, of b and a.
func swapped(fn binaryFn) binaryFn {
	return func(y, a, b []float32, n, rows, ly, la, lb int) { fn(y, b, a, n, rows, ly, lb, la) }
}

func actsAVX512() [len(genericActs)]actFn {
	acts := genericActs
	acts[backend.Relu], acts[backend.LeakyRelu] = reluAVX512, leakyReluAVX512
	acts[backend.Clip], acts[backend.HardSigmoid] = clipAVX512, hardSigmoidAVX512
	return acts
}

func actsAVX2() [len(genericActs)]actFn {
	acts := genericActs
	acts[backend.Relu], acts[backend.LeakyRelu] = reluAVX2, leakyReluAVX2
	acts[backend.Clip], acts[backend.HardSigmoid] = clipAVX2, hardSigmoidAVX2
	return acts
}
