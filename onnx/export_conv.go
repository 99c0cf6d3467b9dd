package onnx

import (
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// spatial returns the sizes of the spatial dims of v, and false when one is open.
func spatial(v *graph.Value) (tensor.Shape, bool) { return v.Shape()[2:].Static() }

// fill returns v, or n times def where it is nil.
func fill(v []int, n, def int) []int {
	if v == nil {
		return slices.Repeat([]int{def}, n)
	}
	return v
}

// window writes the attributes of a window; padding that depends on the sizes becomes
// numbers where these are known.
func (e *exporter) window(w backend.Window, n int, geometry func() (backend.Geometry, error)) []*pb.Attr {
	attrs := []*pb.Attr{
		intsAttr("kernel_shape", w.Kernel),
		intsAttr("strides", fill(w.Strides, n, 1)),
	}
	if w.Dilations != nil {
		attrs = append(attrs, intsAttr("dilations", w.Dilations))
	}
	switch {
	case w.AutoPad == backend.PadExplicit:
		return append(attrs, intsAttr("pads", fill(w.Pads, 2*n, 0)))
	case w.AutoPad == backend.Valid:
		return append(attrs, intsAttr("pads", make([]int, 2*n)))
	case geometry == nil:
		return append(attrs, stringAttr("auto_pad", w.AutoPad.String()))
	}
	g, err := geometry()
	if err != nil {
		e.fail("%v", err)
	}
	return append(attrs, intsAttr("pads", append(slices.Clone(g.Begin), g.End...)))
}

// epilogue writes the steps behind y; the channel is the dim of that number, operands are the
// inputs from next on.
func (e *exporter) epilogue(y string, steps backend.Epilogue, next, channel int) string {
	rank := len(e.node.Out()[0].Shape())
	for _, s := range steps {
		switch s.Kind {
		case backend.ScaleShift:
			y = e.op("Mul", []string{y, e.perChannel(next, channel, rank)})
			y = e.op("Add", []string{y, e.perChannel(next+1, channel, rank)})
			next += 2
		case backend.Residual:
			y = e.op("Add", []string{y, e.in(next)})
			next++
		case backend.Activate:
			y = e.act(y, s.Act)
		default:
			e.fail("an epilogue's step of kind %d", s.Kind)
		}
	}
	return y
}

// perChannel returns input i, of shape [C], for a product with a tensor of that rank.
func (e *exporter) perChannel(i, channel, rank int) string {
	if channel == rank-1 {
		return e.in(i)
	}
	v := e.node.In()[i]
	shape := slices.Repeat([]int{1}, rank-channel)
	if t := v.Const(); t != nil {
		shape[0] = t.Size()
		return e.weight(v.Name(), t, shape)
	}
	shape[0] = -1
	return e.op("Reshape", []string{e.in(i), e.ints(shape...)})
}

func (e *exporter) conv(op backend.Conv) string {
	x, w := e.node.In()[0], e.node.In()[1]
	n := len(x.Shape()) - 2
	win := op.Window
	if win.Kernel == nil {
		win.Kernel = e.kernel(w)
	}
	var geometry func() (backend.Geometry, error)
	if size, ok := spatial(x); ok {
		geometry = func() (backend.Geometry, error) { return win.Geometry("Conv", size, false) }
	}
	return e.convolve("Conv", op.Bias, op.Epilogue, append(e.window(win, n, geometry), intAttr("group", op.GroupCount())))
}

// convolve writes a convolution of one kind or the other.
func (e *exporter) convolve(kind string, bias bool, steps backend.Epilogue, attrs []*pb.Attr) string {
	in := []string{e.in(0), e.in(1)}
	if bias {
		in = append(in, e.in(2))
	}
	return e.epilogue(e.op(kind, in, attrs...), steps, len(in), 1)
}

// kernel returns the sizes of a kernel from the weights.
func (e *exporter) kernel(w *graph.Value) []int {
	k, ok := spatial(w)
	if !ok {
		e.fail("weights of open size %v", w.Shape())
	}
	return k
}

// convTranspose writes paddings as numbers: for this op they do not depend on the input's size.
func (e *exporter) convTranspose(op backend.ConvTranspose) string {
	x, w := e.node.In()[0], e.node.In()[1]
	n := len(x.Shape()) - 2
	win := op.Window
	if win.Kernel == nil {
		win.Kernel = e.kernel(w)
	}
	if e.err != nil {
		return ""
	}
	more := fill(op.OutputPadding, n, 0)
	if win.AutoPad == backend.SameUpper || win.AutoPad == backend.SameLower {
		more = slices.Clone(more)
		pads := make([]int, 2*n)
		for i := range n {
			stride, dilation := fill(win.Strides, n, 1)[i], fill(win.Dilations, n, 1)[i]
			total := more[i] + dilation*(win.Kernel[i]-1) + 1 - stride
			if total < 0 { // longer than what the inputs reach
				more[i] -= total
				total = 0
			}
			pads[i], pads[n+i] = total/2, total-total/2
			if win.AutoPad == backend.SameLower {
				pads[i], pads[n+i] = pads[n+i], pads[i]
			}
		}
		win.AutoPad, win.Pads = backend.PadExplicit, pads
	}
	attrs := append(e.window(win, n, nil), intAttr("group", op.GroupCount()))
	if slices.Max(more) > 0 {
		attrs = append(attrs, intsAttr("output_padding", more))
	}
	return e.convolve("ConvTranspose", op.Bias, op.Epilogue, attrs)
}

// dense is Gemm for matrices, and otherwise a MatMul with the weights transposed.
func (e *exporter) dense(op backend.Dense) string {
	next := 2
	if op.Bias {
		next = 3
	}
	rank := len(e.node.In()[0].Shape())
	var y string
	if rank == 2 {
		y = e.op("Gemm", e.inputs()[:next], intAttr("transB", 1))
	} else {
		w := e.op("Transpose", []string{e.in(1)}, intsAttr("perm", []int{1, 0}))
		y = e.op("MatMul", []string{e.in(0), w})
		if op.Bias {
			y = e.op("Add", []string{y, e.in(2)})
		}
	}
	return e.epilogue(y, op.Epilogue, next, rank-1)
}
