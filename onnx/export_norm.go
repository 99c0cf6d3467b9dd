package onnx

import (
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// repeated writes a vector of n times v.
func (e *exporter) repeated(v float32, n int) string {
	t, err := tensor.From(slices.Repeat([]float32{v}, n), n)
	return e.constant("values", t, err)
}

// restored gives y, of as many elements as v, the shape of v, whose first dim y has too.
func (e *exporter) restored(y string, v *graph.Value) string {
	shape := []int{0}
	open := 0
	for _, d := range v.Shape()[1:] {
		n, static := d.Size()
		if !static {
			n = -1
			open++
		}
		shape = append(shape, n)
	}
	if open > 1 || slices.Contains(shape[1:], 0) {
		return e.op("Reshape", []string{y, e.op("Shape", []string{e.value(v)})}, intAttr("allowzero", 1))
	}
	return e.op("Reshape", []string{y, e.ints(shape...)})
}

// groupNorm normalises the groups as instances, without scale and bias, which follow by channel.
func (e *exporter) groupNorm(op backend.GroupNorm) string {
	x := e.node.In()[0]
	y := e.op("Reshape", []string{e.in(0), e.ints(0, op.Groups, -1)})
	y = e.op("InstanceNormalization", []string{y, e.repeated(1, op.Groups), e.repeated(0, op.Groups)}, floatAttr("epsilon", op.Epsilon))
	y = e.restored(y, x)
	y = e.op("Mul", []string{y, e.perChannel(1, 1, len(x.Shape()))})
	return e.op("Add", []string{y, e.perChannel(2, 1, len(x.Shape()))})
}

// instanceNorm gives a tensor without spatial dims one, which ONNX Runtime wants.
func (e *exporter) instanceNorm(op backend.InstanceNorm) string {
	in, epsilon := e.inputs(), floatAttr("epsilon", op.Epsilon)
	if len(e.node.In()[0].Shape()) > 2 {
		return e.op("InstanceNormalization", in, epsilon)
	}
	axes := e.ints(2)
	in[0] = e.op("Unsqueeze", []string{in[0], axes})
	return e.op("Squeeze", []string{e.op("InstanceNormalization", in, epsilon), axes})
}

// lrn is ONNX's op where ONNX Runtime has it: of images with an odd size. Otherwise the mean of the
// squares is an average pooling along the channels.
func (e *exporter) lrn(op backend.LRN) string {
	x := e.node.In()[0]
	if op.Size%2 == 1 && len(x.Shape()) == 4 {
		return e.op("LRN", e.inputs(), intAttr("size", op.Size), floatAttr("alpha", op.Alpha), floatAttr("beta", op.Beta), floatAttr("bias", op.K))
	}
	channels, static := x.Shape()[1].Size()
	if !static {
		return e.fail("channels of open size %v", x.Shape())
	}
	d := e.op("Mul", []string{e.in(0), e.in(0)})
	d = e.op("Reshape", []string{d, e.ints(0, 1, channels, -1)})
	// Padding is less than the kernel: zeros that no window needs are not pooled.
	before, after := (op.Size-1)/2, op.Size/2
	d = e.op("AveragePool", []string{d}, intsAttr("kernel_shape", []int{op.Size, 1}), intsAttr("strides", []int{1, 1}),
		intsAttr("pads", []int{before, 0, after, 0}), intAttr("count_include_pad", 1))
	d = e.restored(d, x)
	d = e.op("Add", []string{e.scaled(d, float64(op.Alpha)), e.float(op.K)})
	return e.op("Div", []string{e.in(0), e.op("Pow", []string{d, e.float(op.Beta)})})
}
