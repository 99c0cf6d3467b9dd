package onnx

import (
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

func (e *exporter) transpose(op backend.Transpose) string {
	if op.Perm == nil {
		return e.op("Transpose", e.inputs())
	}
	return e.op("Transpose", e.inputs(), intsAttr("perm", op.Perm))
}

// slice leaves out the dims that are taken whole. Positions before the end count from there in ONNX, too.
func (e *exporter) slice(op backend.Slice) string {
	var starts, ends, axes, steps []int
	steps1 := fill(op.Steps, len(op.Starts), 1)
	for d, s := range op.Starts {
		if s == 0 && op.Ends[d] == backend.SliceEnd && steps1[d] == 1 {
			continue
		}
		start, end := onnxPosition(s), onnxPosition(op.Ends[d])
		starts, ends, axes, steps = append(starts, start), append(ends, end), append(axes, d), append(steps, steps1[d])
	}
	if axes == nil {
		return e.op("Identity", e.inputs())
	}
	return e.op("Slice", []string{e.in(0), e.ints(starts...), e.ints(ends...), e.ints(axes...), e.ints(steps...)})
}

// onnxPosition turns a position of a Slice into ONNX's: −1, before the first, becomes the least number.
func onnxPosition(p int) int {
	switch {
	case p == -1:
		return math.MinInt
	case p > backend.SliceEnd/2 && p != backend.SliceEnd:
		return p - backend.SliceEnd
	}
	return p
}

// pad wraps around, which ONNX does from opset 19 on only, by gathering.
func (e *exporter) pad(op backend.Pad) string {
	n := len(op.Pads) / 2
	x := e.in(0)
	if op.Mode != backend.PadWrap {
		in := []string{x, e.ints(op.Pads...)}
		if op.Mode == backend.PadConstant {
			in = append(in, e.float(op.Value))
		}
		return e.op("Pad", in, stringAttr("mode", op.Mode.String()))
	}
	for d := range n {
		begin, end := op.Pads[d], op.Pads[n+d]
		if begin == 0 && end == 0 {
			continue
		}
		size, static := e.node.In()[0].Shape()[d].Size()
		if !static || size == 0 {
			return e.fail("a dim of open size, %v, that is padded by mode %v", e.node.In()[0].Shape(), op.Mode)
		}
		index := make([]int, begin+size+end)
		for i := range index {
			index[i] = ((i-begin)%size + size) % size
		}
		x = e.op("Gather", []string{x, e.ints(index...)}, intAttr("axis", d))
	}
	return x
}

// oneHot has indices of 64 bits, as every program takes them.
func (e *exporter) oneHot(op backend.OneHot) string {
	index := e.op("Cast", []string{e.in(0)}, intAttr("to", int(pb.Int64)))
	t, err := tensor.From([]float32{0, 1}, 2)
	return e.op("OneHot", []string{index, e.int(op.Depth), e.constant("values", t, err)}, intAttr("axis", op.Axis))
}

// gathered returns elements of x along axis, an index of 0 or more for each place of a table
// [m,t]: the dim of the axis is replaced by both.
func (e *exporter) gathered(x string, axis int, index []int64, m, t int) string {
	table, err := tensor.From(index, m, t)
	return e.op("Gather", []string{x, e.constant("index", table, err)}, intAttr("axis", axis))
}

// weighted is Σ_t weight[o,t]·x[index[o,t]] along axis of x, of the given rank. A weight of 0
// takes no part, not even of what is no number.
func (e *exporter) weighted(x string, rank, axis int, index []int64, weight []float32, m, t int) string {
	y := e.gathered(x, axis, index, m, t)
	shape := append([]int{m, t}, slices.Repeat([]int{1}, rank-1-axis)...)
	w, err := tensor.From(weight, shape...)
	y = e.op("Mul", []string{y, e.constant("weight", w, err)})
	if slices.Contains(weight, 0) {
		mask := make([]bool, len(weight))
		for i, v := range weight {
			mask[i] = v != 0
		}
		b, err := tensor.From(mask, shape...)
		y = e.op("Where", []string{e.constant("mask", b, err), y, e.float(0)})
	}
	return e.op("ReduceSum", []string{y, e.ints(axis + 1)}, intAttr("keepdims", 0))
}

// resampleNode is a table of constants in ONNX.
func (e *exporter) resampleNode(op backend.Resample) string {
	in := e.node.In()
	rank := len(in[0].Shape())
	axis, err := backend.ResolveAxis("Resample", op.Axis, rank)
	if err != nil {
		return e.fail("%v", err)
	}
	if in[1].Const() == nil || in[2].Const() == nil {
		return e.fail("index and weight that are not constant")
	}
	n, static := in[0].Shape()[axis].Size()
	if !static {
		return e.fail("an axis of open size, %v", in[0].Shape())
	}
	index, err := tensor.Data[int32](in[1].Const())
	if err != nil {
		return e.fail("index: %v", err)
	}
	weight, err := tensor.Data[float32](in[2].Const())
	if err != nil {
		return e.fail("weight: %v", err)
	}
	long, used := make([]int64, len(index)), slices.Clone(weight)
	for i, v := range index {
		if v < 0 || int(v) >= n {
			used[i] = 0 // takes no part
			continue
		}
		long[i] = int64(v)
	}
	s := in[1].Const().Shape()
	if n == 0 || s[1] == 0 {
		return e.fail("an empty sum")
	}
	return e.weighted(e.in(0), rank, axis, long, used, s[0], s[1])
}
