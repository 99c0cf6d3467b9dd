package onnx

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx/internal/pb"
)

// reduce has its axes as an input for sums, as an attribute for the others.
func (e *exporter) reduce(op backend.Reduce) string {
	in, attrs := e.inputs(), []*pb.Attr{boolAttr("keepdims", op.KeepDims)}
	switch {
	case len(op.Axes) == 0:
	case op.Fn == backend.ReduceSum:
		in = append(in, e.ints(op.Axes...))
	default:
		attrs = append(attrs, intsAttr("axes", op.Axes))
	}
	return e.op(op.Fn.String(), in, attrs...)
}

// int32 makes an index, which is int64 in ONNX, one of the graph's.
func (e *exporter) int32(y string) string {
	return e.op("Cast", []string{y}, intAttr("to", int(pb.Int32)))
}

func (e *exporter) argMax(op backend.ArgMax) string {
	kind := "ArgMax"
	if op.Min {
		kind = "ArgMin"
	}
	return e.int32(e.op(kind, e.inputs(), intAttr("axis", op.Axis), boolAttr("keepdims", op.KeepDims), boolAttr("select_last_index", op.Last)))
}

func (e *exporter) topK(op backend.TopK) []string {
	y := e.ops("TopK", 2, []string{e.in(0), e.ints(op.K)}, intAttr("axis", op.Axis), boolAttr("largest", !op.Smallest), intAttr("sorted", 1))
	return []string{y[0], e.int32(y[1])}
}
