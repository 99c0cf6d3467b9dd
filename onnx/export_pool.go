package onnx

import (
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// pooling is a window of a pooling as opset 17 can have it. There, in ceil mode, a window may
// begin in the end padding, and then it counts; so where the sizes are known, ceil mode
// becomes more padding at the end.
type pooling struct {
	attrs []*pb.Attr
	begin []int // padding; nil where the sizes are open
	end   []int
	extra []int // end padding that ceil mode adds: it is outside the padded input
	ceil  bool
	wide  bool // a padding as long as the kernel, which ONNX Runtime refuses
	geo   *backend.Geometry
}

// pooling resolves a window over the first input.
func (e *exporter) pooling(kind string, w backend.Window, ceil bool) pooling {
	x := e.node.In()[0]
	n := len(x.Shape()) - 2
	p := pooling{attrs: []*pb.Attr{intsAttr("kernel_shape", w.Kernel), intsAttr("strides", fill(w.Strides, n, 1))}}
	dilations := fill(w.Dilations, n, 1)
	if slices.Max(dilations) > 1 {
		p.attrs = append(p.attrs, intsAttr("dilations", dilations))
	}
	size, static := spatial(x)
	if static {
		g, err := w.Geometry(kind, size, ceil)
		if err != nil {
			e.fail("%v", err)
			return p
		}
		p.geo, p.begin, p.end, p.extra = &g, g.Begin, g.End, make([]int, n)
		for i := range n {
			need := (g.Out[i]-1)*g.Stride[i] + g.Dilation[i]*(g.Kernel[i]-1) + 1 - g.In[i] - g.Begin[i]
			p.extra[i] = max(need-g.End[i], 0)
			p.wide = p.wide || max(g.Begin[i], g.End[i]+p.extra[i]) >= g.Kernel[i]
		}
		return p
	}
	if w.AutoPad == backend.SameUpper || w.AutoPad == backend.SameLower {
		p.attrs = append(p.attrs, stringAttr("auto_pad", w.AutoPad.String())) // the size is rounded up in either mode
		return p
	}
	pads := make([]int, 2*n)
	if w.AutoPad == backend.PadExplicit {
		pads = fill(w.Pads, 2*n, 0)
	}
	p.begin, p.end, p.ceil = pads[:n], pads[n:], ceil
	for i := range n {
		reach := dilations[i]*(w.Kernel[i]-1) + 1
		if ceil && (p.end[i] > 0 || fill(w.Strides, n, 1)[i] > reach) {
			e.fail("ceil mode with open sizes %v, where a window might begin in the end padding", x.Shape())
		}
		p.wide = p.wide || max(p.begin[i], p.end[i]) >= w.Kernel[i]
	}
	return p
}

// padded writes the window's padding as a Pad of x.
func (e *exporter) padded(x string, begin, end []int, value float32) string {
	pads := slices.Concat([]int{0, 0}, begin, []int{0, 0}, end)
	return e.op("Pad", []string{x, e.ints(pads...), e.float(value)}, stringAttr("mode", "constant"))
}

// padAttrs are the attributes of padding and ceil mode.
func (p pooling) padAttrs(begin, end []int) []*pb.Attr {
	attrs := p.attrs
	if begin != nil {
		attrs = append(attrs, intsAttr("pads", slices.Concat(begin, end)))
	}
	if p.ceil {
		attrs = append(attrs, intAttr("ceil_mode", 1))
	}
	return attrs
}

// sumInts adds up two paddings, of which the second may be missing.
func sumInts(a, b []int) []int {
	if b == nil {
		return a
	}
	s := make([]int, len(a))
	for i := range a {
		s[i] = a[i] + b[i]
	}
	return s
}

// maxPool has indices within the plane, where ONNX counts those of all planes.
func (e *exporter) maxPool(op backend.MaxPool) []string {
	p := e.pooling("MaxPool", op.Window, op.CeilMode)
	x := e.in(0)
	if e.err != nil {
		return []string{"", ""}[:len(e.node.Out())]
	}
	begin, end := p.begin, sumInts(p.end, p.extra)
	padding := begin != nil && max(slices.Max(begin), slices.Max(end)) > 0 || begin == nil
	if op.Indices && padding && slices.Max(fill(op.Dilations, 1, 1)) > 1 {
		e.fail("indices of dilated windows with padding: a window might hold nothing but padding")
	}
	if p.wide {
		if op.Indices {
			e.fail("indices of windows that might hold nothing but padding")
		}
		x = e.padded(x, begin, end, float32(math.Inf(-1)))
		begin, end = make([]int, len(begin)), make([]int, len(end))
	}
	if !op.Indices {
		return []string{e.op("MaxPool", []string{x}, p.padAttrs(begin, end)...)}
	}
	y := e.ops("MaxPool", 2, []string{x}, p.padAttrs(begin, end)...)
	index := e.op("Mod", []string{y[1], e.plane()})
	return []string{y[0], e.int32(index)}
}

// plane is the number of spatial elements of the first input.
func (e *exporter) plane() string {
	if size, static := spatial(e.node.In()[0]); static {
		return e.int(size.Size())
	}
	return e.op("ReduceProd", []string{e.op("Shape", []string{e.in(0)}, intAttr("start", 2))}, intAttr("keepdims", 0))
}

// avgPool divides by what counts: the elements inside the input, or inside the padded one.
func (e *exporter) avgPool(op backend.AvgPool) string {
	p := e.pooling("AvgPool", op.Window, op.CeilMode)
	if e.err != nil {
		return ""
	}
	x, include := e.in(0), op.CountIncludePad
	begin, end := p.begin, p.end
	padding := begin == nil || slices.Max(begin) > 0 || slices.Max(end) > 0
	include = include && padding
	switch {
	case p.wide || slices.Max(fill(op.Dilations, 1, 1)) > 1:
		return e.countedPool(op, p)
	case include && p.ceil:
		return e.fail("ceil mode with open sizes %v and padding that counts", e.node.In()[0].Shape())
	case include && p.extra != nil && slices.Max(p.extra) > 0:
		x = e.padded(x, begin, end, 0) // so that this counts and what ceil mode adds does not
		begin, end, include = make([]int, len(begin)), p.extra, false
	default:
		end = sumInts(end, p.extra)
	}
	attrs := p.padAttrs(begin, end)
	if include {
		attrs = append(attrs, intAttr("count_include_pad", 1))
	}
	return e.op("AveragePool", []string{x}, attrs...)
}

// countedPool is an average pooling that opset 17 does not have, as a depthwise convolution that adds
// up, and a division by a table of counts.
func (e *exporter) countedPool(op backend.AvgPool, p pooling) string {
	x := e.node.In()[0]
	channels, static := x.Shape()[1].Size()
	if !static || p.geo == nil {
		return e.fail("dilation, or padding as long as the kernel, with open sizes %v", x.Shape())
	}
	g := p.geo
	counts := []float32{1}
	for i := range g.In {
		low, high := 0, g.In[i] // of what counts
		if op.CountIncludePad {
			low, high = -g.Begin[i], g.In[i]+g.End[i]
		}
		next := make([]float32, 0, len(counts)*g.Out[i])
		for _, c := range counts {
			for o := range g.Out[i] {
				n := 0
				for t := range g.Kernel[i] {
					if at := o*g.Stride[i] - g.Begin[i] + t*g.Dilation[i]; at >= low && at < high {
						n++
					}
				}
				next = append(next, c*float32(n))
			}
		}
		counts = next
	}
	for i, c := range counts {
		counts[i] = max(c, 1) // a sum of nothing is 0
	}
	shape := append([]int{channels, 1}, g.Kernel...)
	weights, err := tensor.From(slices.Repeat([]float32{1}, channels*g.Taps()), shape...)
	attrs := []*pb.Attr{intsAttr("kernel_shape", g.Kernel), intsAttr("strides", g.Stride), intsAttr("dilations", g.Dilation),
		intsAttr("pads", slices.Concat(g.Begin, sumInts(g.End, p.extra))), intAttr("group", channels)}
	y := e.op("Conv", []string{e.in(0), e.constant("ones", weights, err)}, attrs...)
	table, err := tensor.From(counts, g.Out...)
	return e.op("Div", []string{y, e.constant("counts", table, err)})
}

func (e *exporter) globalPool(mean bool) string {
	if mean {
		return e.op("GlobalAveragePool", []string{e.in(0)})
	}
	return e.op("GlobalMaxPool", []string{e.in(0)})
}

// adaptivePool is a pooling where the sizes are multiples of the output's, and otherwise goes
// along each dim by a table of the elements of each window.
func (e *exporter) adaptivePool(op backend.AdaptivePool) string {
	if slices.Max(op.Out) == 1 {
		return e.globalPool(op.Mean)
	}
	v := e.node.In()[0]
	size, static := spatial(v)
	if !static {
		return e.fail("windows that depend on open sizes, %v", v.Shape())
	}
	kernel := make([]int, len(size))
	even := true
	for i, n := range size {
		kernel[i] = n / op.Out[i]
		even = even && n%op.Out[i] == 0
	}
	if even {
		kind := "MaxPool"
		if op.Mean {
			kind = "AveragePool"
		}
		return e.op(kind, []string{e.in(0)}, intsAttr("kernel_shape", kernel), intsAttr("strides", kernel))
	}
	x := e.in(0)
	for i, n := range size {
		m, taps := op.Out[i], 0
		if n == m {
			continue
		}
		for o := range m {
			begin, end := op.Window(o, n, m)
			taps = max(taps, end-begin)
		}
		index, weight := make([]int64, m*taps), make([]float32, m*taps)
		for o := range m {
			begin, end := op.Window(o, n, m)
			for t := range taps {
				index[o*taps+t] = int64(min(begin+t, end-1)) // the last again does not change a maximum
				if begin+t < end {
					weight[o*taps+t] = 1 / float32(end-begin)
				}
			}
		}
		if op.Mean {
			x = e.weighted(x, len(size)+2, 2+i, index, weight, m, taps)
			continue
		}
		x = e.op("ReduceMax", []string{e.gathered(x, 2+i, index, m, taps)}, intsAttr("axes", []int{3 + i}), intAttr("keepdims", 0))
	}
	return x
}

// maxUnpool scatters into planes with one element more, which takes what has an index outside.
func (e *exporter) maxUnpool(op backend.MaxUnpool) string {
	plane := tensor.Shape(op.Size).Size()
	rows := e.ints(0, 0, -1)
	x := e.op("Reshape", []string{e.in(0), rows})
	index := e.op("Reshape", []string{e.op("Cast", []string{e.in(1)}, intAttr("to", int(pb.Int64))), rows})
	size := e.int(plane)
	outside := e.op("Or", []string{e.op("Less", []string{index, e.int(0)}), e.op("GreaterOrEqual", []string{index, size})})
	index = e.op("Where", []string{outside, size, index})
	shape := e.op("Concat", []string{e.op("Shape", []string{e.in(0)}, intAttr("end", 2)), e.ints(plane + 1)}, intAttr("axis", 0))
	y := e.op("ScatterElements", []string{e.op("ConstantOfShape", []string{shape}), index, x}, intAttr("axis", 2))
	y = e.op("Slice", []string{y, e.ints(0), e.ints(plane), e.ints(2)})
	return e.op("Reshape", []string{y, e.ints(append([]int{0, 0}, op.Size...)...)})
}
