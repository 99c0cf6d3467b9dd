package onnx

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// binary writes an elementwise op of two values. A comparison makes bools, which become
// float32 when somebody asks for that.
func (e *exporter) binary(op backend.Binary) []string {
	in := e.inputs()
	switch op.Fn {
	case backend.Less, backend.LessOrEqual, backend.Greater, backend.GreaterOrEqual, backend.Equal:
		y := e.op(op.Fn.String(), in)
		e.bools[e.node.Out()[0]] = y
		return []string{y}
	case backend.PRelu:
		if a, y := e.node.In()[0].Shape(), e.node.Out()[0].Shape(); a.String() != y.String() {
			// ONNX stretches the slope only. Where a < 0 the slope takes part, else a.
			product := e.op("Mul", in)
			return []string{e.op("Where", []string{e.op("Less", []string{in[0], e.float(0)}), product, in[0]})}
		}
	case backend.Add, backend.Sub, backend.Mul, backend.Div, backend.Maximum, backend.Minimum, backend.Power:
	default:
		return []string{e.fail("there is no ONNX op for the function %v", op.Fn)}
	}
	return []string{e.op(op.Fn.String(), in)}
}

// cond returns input i as bools.
func (e *exporter) cond(i int) string {
	v := e.node.In()[i]
	if b, ok := e.bools[v]; ok {
		return b
	}
	if t := v.Const(); t != nil {
		if x, err := tensor.Data[float32](t); err == nil {
			mask := make([]bool, len(x))
			for k, f := range x {
				mask[k] = f != 0
			}
			b, err := tensor.From(mask, t.Shape()...)
			return e.constant("cond", b, err)
		}
	}
	return e.op("Cast", []string{e.in(i)}, intAttr("to", int(pb.Bool)))
}
