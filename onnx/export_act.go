package onnx

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// act writes an activation function of x.
func (e *exporter) act(x string, a backend.Act) string {
	in := []string{x}
	switch a.Kind {
	case backend.LeakyRelu, backend.Elu, backend.Celu, backend.ThresholdedRelu:
		return e.op(a.Kind.String(), in, floatAttr("alpha", a.Alpha))
	case backend.HardSigmoid:
		return e.op("HardSigmoid", in, floatAttr("alpha", a.Alpha), floatAttr("beta", a.Beta))
	case backend.Selu:
		return e.op("Selu", in, floatAttr("alpha", float32(backend.SeluAlpha)), floatAttr("gamma", float32(backend.SeluLambda)))
	case backend.Clip:
		low, high := "", ""
		if !math.IsInf(float64(a.Alpha), -1) {
			low = e.float(a.Alpha)
		}
		if !math.IsInf(float64(a.Beta), 1) {
			high = e.float(a.Beta)
		}
		switch {
		case high != "":
			in = append(in, low, high)
		case low != "":
			in = append(in, low)
		}
		return e.op("Clip", in)
	case backend.Silu:
		return e.op("Mul", []string{x, e.op("Sigmoid", in)})
	case backend.Mish:
		return e.op("Mul", []string{x, e.op("Tanh", []string{e.op("Softplus", in)})})
	case backend.Gelu: // x/2·(1 + erf(x/√2))
		erf := e.op("Erf", []string{e.scaled(x, 1/math.Sqrt2)})
		return e.halfTimesOnePlus(x, erf)
	case backend.GeluTanh: // x/2·(1 + tanh(√(2/π)·(x + 0.044715x³)))
		cube := e.op("Mul", []string{e.op("Mul", []string{x, x}), x})
		inner := e.op("Add", []string{x, e.scaled(cube, 0.044715)})
		return e.halfTimesOnePlus(x, e.op("Tanh", []string{e.scaled(inner, math.Sqrt(2/math.Pi))}))
	case backend.Relu, backend.Sigmoid, backend.Tanh, backend.Softplus, backend.Softsign, backend.HardSwish, backend.Exp,
		backend.Abs, backend.Neg, backend.Ceil, backend.Floor, backend.Round, backend.Sign, backend.Sqrt, backend.Reciprocal,
		backend.Log, backend.Erf, backend.Sin, backend.Cos:
		return e.op(a.Kind.String(), in)
	}
	return e.fail("there is no ONNX op for the function %v", a.Kind)
}

// scaled is x·v.
func (e *exporter) scaled(x string, v float64) string {
	return e.op("Mul", []string{x, e.float(float32(v))})
}

// halfTimesOnePlus is x/2·(1 + f).
func (e *exporter) halfTimesOnePlus(x, f string) string {
	return e.op("Mul", []string{e.scaled(x, 0.5), e.op("Add", []string{f, e.float(1)})})
}
