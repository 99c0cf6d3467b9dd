//go:build !noasm

package cpu

import "github.com/convgl/convgl/backend"

var rowsArch = []impl[*rowFns]{{isaAVX512, &rowsAVX512}, {isaAVX2, &rowsAVX2}}

var rowsAVX512 = rowFns{
	streamed:      &rowsStreamAVX512,
	add:           addRowAVX512,
	scaleShift:    scaleShiftRowAVX512,
	scaleShiftAll: scaleShiftAllAVX512,
	act: [len(genericActs)]actFn{
		backend.Relu:        reluAVX512,
		backend.LeakyRelu:   leakyReluAVX512,
		backend.Clip:        clipAVX512,
		backend.Sigmoid:     sigmoidAVX512,
		backend.Tanh:        tanhAVX512,
		backend.Elu:         eluAVX512,
		backend.Selu:        eluAVX512,
		backend.Celu:        eluAVX512,
		backend.HardSigmoid: hardSigmoidAVX512,
		backend.Softplus:    softplusAVX512,
		backend.Softsign:    softsignAVX512,
		backend.Silu:        siluAVX512,
		backend.HardSwish:   hardSwishAVX512,
		backend.Mish:        mishAVX512,
		backend.Gelu:        geluAVX512,
		backend.GeluTanh:    geluTanhAVX512,
		backend.Exp:         expAVX512,
	},
	binary: [binaryKinds][3]binaryFn{
		backend.Add:   {addVVAVX512, addVSAVX512, swapped(addVSAVX512)},
		backend.Sub:   {subVVAVX512, subVSAVX512, subSVAVX512},
		backend.Mul:   {mulVVAVX512, mulVSAVX512, swapped(mulVSAVX512)},
		backend.Div:   {divVVAVX512, divVSAVX512, divSVAVX512},
		backend.PRelu: {preluVVAVX512, preluVSAVX512, preluSVAVX512},
	},
}

var rowsAVX2 = rowFns{
	streamed:      &rowsStreamAVX2,
	add:           addRowAVX2,
	scaleShift:    scaleShiftRowAVX2,
	scaleShiftAll: scaleShiftAllAVX2,
	act: [len(genericActs)]actFn{
		backend.Relu:        reluAVX2,
		backend.LeakyRelu:   leakyReluAVX2,
		backend.Clip:        clipAVX2,
		backend.Sigmoid:     sigmoidAVX2,
		backend.Tanh:        tanhAVX2,
		backend.Elu:         eluAVX2,
		backend.Selu:        eluAVX2,
		backend.Celu:        eluAVX2,
		backend.HardSigmoid: hardSigmoidAVX2,
		backend.Softplus:    softplusAVX2,
		backend.Softsign:    softsignAVX2,
		backend.Silu:        siluAVX2,
		backend.HardSwish:   hardSwishAVX2,
		backend.Mish:        mishAVX2,
		backend.Gelu:        geluAVX2,
		backend.GeluTanh:    geluTanhAVX2,
		backend.Exp:         expAVX2,
	},
	binary: [binaryKinds][3]binaryFn{
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

var rowsStreamAVX512 = streamedFns{
	act: [len(genericActs)]actFn{
		backend.Relu: reluStreamAVX512, backend.LeakyRelu: leakyReluStreamAVX512,
		backend.Clip: clipStreamAVX512, backend.HardSigmoid: hardSigmoidStreamAVX512,
	},
	binary: [binaryKinds][3]binaryFn{
		backend.Add:   {addVVStreamAVX512, addVSStreamAVX512, swapped(addVSStreamAVX512)},
		backend.Sub:   {subVVStreamAVX512, subVSStreamAVX512, subSVStreamAVX512},
		backend.Mul:   {mulVVStreamAVX512, mulVSStreamAVX512, swapped(mulVSStreamAVX512)},
		backend.Div:   {divVVStreamAVX512, divVSStreamAVX512, divSVStreamAVX512},
		backend.PRelu: {preluVVStreamAVX512, preluVSStreamAVX512, preluSVStreamAVX512},
	},
}

var rowsStreamAVX2 = streamedFns{
	act: [len(genericActs)]actFn{
		backend.Relu: reluStreamAVX2, backend.LeakyRelu: leakyReluStreamAVX2,
		backend.Clip: clipStreamAVX2, backend.HardSigmoid: hardSigmoidStreamAVX2,
	},
	binary: [binaryKinds][3]binaryFn{
		backend.Add:   {addVVStreamAVX2, addVSStreamAVX2, swapped(addVSStreamAVX2)},
		backend.Sub:   {subVVStreamAVX2, subVSStreamAVX2, subSVStreamAVX2},
		backend.Mul:   {mulVVStreamAVX2, mulVSStreamAVX2, swapped(mulVSStreamAVX2)},
		backend.Div:   {divVVStreamAVX2, divVSStreamAVX2, divSVStreamAVX2},
		backend.PRelu: {preluVVStreamAVX2, preluVSStreamAVX2, preluSVStreamAVX2},
	},
}
