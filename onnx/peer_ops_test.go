package onnx

import (
	"slices"
	"strings"

	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// peerTrial makes random models of an op, or of a few that belong together.
type peerTrial struct {
	from int // the first opset
	make func(g *trial)
}

var peerTrials = map[string]peerTrial{}

func init() {
	for name, from := range map[string]int{
		"Relu": 7, "Sigmoid": 7, "Tanh": 7, "Exp": 7, "Log": 7, "Sqrt": 7, "Reciprocal": 7, "Abs": 7, "Neg": 7, "Ceil": 7, "Floor": 7,
		"Softplus": 7, "Softsign": 7, "Erf": 9, "Sign": 9, "Round": 11, "Sin": 7, "Cos": 7, "HardSwish": 14, "Mish": 18, "Gelu": 20,
		"LeakyRelu": 7, "Elu": 7, "Selu": 7, "Celu": 12, "ThresholdedRelu": 10, "HardSigmoid": 7, "Identity": 7, "Not": 7, "BitwiseNot": 18,
	} {
		peerTrials[name] = peerTrial{from, func(g *trial) { g.unary(name) }}
	}
	for name, from := range map[string]int{
		"Add": 7, "Sub": 7, "Mul": 7, "Div": 7, "Pow": 7, "Mod": 10, "Equal": 7, "Less": 7, "Greater": 7, "LessOrEqual": 12, "GreaterOrEqual": 12,
		"And": 7, "Or": 7, "Xor": 7, "BitShift": 11, "BitwiseAnd": 18, "BitwiseOr": 18, "BitwiseXor": 18, "PRelu": 7,
	} {
		peerTrials[name] = peerTrial{from, func(g *trial) { g.binary(name) }}
	}
	for _, name := range []string{"Sum", "Max", "Min", "Mean"} {
		peerTrials[name] = peerTrial{7, func(g *trial) { g.variadic(name) }}
	}
	for _, name := range []string{"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"} {
		peerTrials[name] = peerTrial{7, func(g *trial) { g.reduction(name) }}
	}
	for _, name := range []string{"ArgMax", "ArgMin"} {
		peerTrials[name] = peerTrial{7, func(g *trial) { g.arg(name) }}
	}
	for _, name := range []string{"Softmax", "LogSoftmax", "Hardmax"} {
		peerTrials[name] = peerTrial{7, func(g *trial) {
			s := g.dims(g.between(1, 4), 1, 4)
			def := g.between(-len(s), len(s)-1)
			if g.opset < 11 {
				def = g.r.IntN(len(s)) // ONNX Runtime does not take the rank, as Flatten does
			}
			axis := g.maybe(anInt("axis", int64(def)))
			if g.opset < 13 && len(s) == 1 {
				axis = anInt("axis", 0)
			}
			g.output(g.op(name, []string{g.x(s...)}, axis))
		}}
	}
	for _, name := range []string{"MaxPool", "AveragePool", "LpPool"} {
		peerTrials[name] = peerTrial{7, func(g *trial) { g.pool(name) }}
	}
	for _, name := range []string{"GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"} {
		peerTrials[name] = peerTrial{7, func(g *trial) {
			var p *pb.Attr
			if name == "GlobalLpPool" {
				p = g.maybe(anInt("p", int64(g.between(1, 3))))
			}
			g.output(g.op(name, []string{g.x(g.dims(g.between(3, 5), 1, 4)...)}, p))
		}}
	}
	for name, t := range map[string]peerTrial{
		"Conv": {7, (*trial).conv}, "ConvTranspose": {7, (*trial).convTranspose}, "BatchNormalization": {7, (*trial).batchNorm},
		"InstanceNormalization": {7, (*trial).instanceNorm}, "LayerNormalization": {17, (*trial).layerNorm}, "GroupNormalization": {18, (*trial).groupNorm},
		"LRN": {7, (*trial).lrn}, "LpNormalization": {7, (*trial).lpNorm}, "MeanVarianceNormalization": {9, (*trial).meanVariance},
		"Gemm": {7, (*trial).gemm}, "MatMul": {7, (*trial).matMul}, "Clip": {7, (*trial).clip}, "Cast": {7, (*trial).cast}, "CastLike": {15, (*trial).castLike},
		"Where": {9, (*trial).where}, "Concat": {7, (*trial).concat}, "Split": {7, (*trial).split}, "Slice": {7, (*trial).slice},
		"Gather": {7, (*trial).gather}, "GatherElements": {11, (*trial).gatherElements}, "GatherND": {11, (*trial).gatherND},
		"Pad": {7, (*trial).pad}, "OneHot": {9, (*trial).oneHot}, "ScatterElements": {11, (*trial).scatterElements}, "ScatterND": {11, (*trial).scatterND},
		"DepthToSpace": {7, (*trial).depthToSpace}, "SpaceToDepth": {7, (*trial).spaceToDepth}, "Shape": {7, (*trial).shape}, "Reshape": {7, (*trial).reshape},
		"Flatten": {7, (*trial).flatten}, "Squeeze": {7, (*trial).squeeze}, "Unsqueeze": {7, (*trial).unsqueeze}, "Transpose": {7, (*trial).transpose},
		"Expand": {8, (*trial).expand}, "Tile": {7, (*trial).tile}, "ConstantOfShape": {9, (*trial).constantOfShape}, "Range": {11, (*trial).rangeOp},
		"TopK": {7, (*trial).topK}, "CumSum": {11, (*trial).cumSum}, "NonZero": {9, (*trial).nonZero}, "MaxUnpool": {9, (*trial).maxUnpool},
		"Resize": {10, (*trial).resize}, "Upsample": {7, (*trial).upsample}, "Dropout": {7, (*trial).dropout},
		"SoftmaxCrossEntropyLoss": {12, (*trial).loss}, "NegativeLogLikelihoodLoss": {12, (*trial).loss},
	} {
		peerTrials[name] = t
	}
}

func (g *trial) unary(name string) {
	types := floatType
	switch name {
	case "Abs", "Neg", "Sign", "Identity":
		types = numbers
	case "Not":
		types = []tensor.DType{tensor.Bool}
	case "BitwiseNot":
		types = integral
	}
	var attrs []*pb.Attr
	switch name {
	case "LeakyRelu", "Elu", "Celu", "ThresholdedRelu":
		attrs = append(attrs, g.maybe(aFloat("alpha", 0.3)))
	case "Selu":
		attrs = append(attrs, g.maybe(aFloat("alpha", 0.3)), g.maybe(aFloat("gamma", 1.5)))
	case "HardSigmoid":
		attrs = append(attrs, g.maybe(aFloat("alpha", 0.3)), g.maybe(aFloat("beta", 0.4)))
	case "Gelu":
		attrs = append(attrs, g.maybe(aString("approximate", pick(g, "none", "tanh"))))
	}
	g.output(g.op(name, []string{g.any(types, g.dims(g.between(0, 4), 1, 3)...)}, attrs...))
}

// pair returns two shapes that are broadcast to each other.
func (g *trial) pair() (a, b []int) {
	full := g.dims(g.between(0, 4), 1, 3)
	cut := func() []int {
		s := slices.Clone(full)
		for i := range s {
			if g.r.IntN(3) == 0 {
				s[i] = 1
			}
		}
		return s[g.r.IntN(len(s)+1):]
	}
	switch g.r.IntN(3) {
	case 0:
		return full, cut()
	case 1:
		return cut(), full
	}
	return slices.Clone(full), slices.Clone(full)
}

func (g *trial) binary(name string) {
	types := numbers
	var attr *pb.Attr
	switch name {
	case "And", "Or", "Xor":
		types = []tensor.DType{tensor.Bool}
	case "Equal":
		if types = anything[:5]; g.opset < 11 {
			types = anything[2:5]
		}
	case "Less", "Greater":
		if g.opset < 9 {
			types = floatType
		}
	case "Pow":
		if g.opset < 12 {
			types = floatType
		}
	case "BitShift":
		types = []tensor.DType{tensor.Uint8}
		attr = aString("direction", pick(g, "LEFT", "RIGHT"))
	case "BitwiseAnd", "BitwiseOr", "BitwiseXor":
		types = integral
	case "PRelu":
		types = floatType
	}
	d := pick(g, types...)
	a, b := g.pair()
	if name == "PRelu" {
		a, b = g.dims(4, 1, 3), nil
		b = pick(g, []int{a[1], 1, 1}, []int{1}, slices.Clone(a), []int{a[3]}, []int{}, []int{1, a[1], 1, 1})
	}
	x, y := g.content(d, a...), g.content(d, b...)
	switch name {
	case "Mod":
		if d == tensor.Float32 {
			attr = anInt("fmod", 1)
		} else {
			attr = g.maybe(anInt("fmod", int64(g.r.IntN(2))))
		}
		fallthrough
	case "Div":
		if d != tensor.Float32 {
			y = g.intsOf(d, 1, 5, b...)
			if g.coin() {
				y = g.intsOf(d, -5, -1, b...)
			}
		}
	case "BitShift":
		y = g.intsOf(d, 0, 7, b...)
	case "Pow":
		if g.opset >= 12 && g.coin() {
			y = g.content(pick(g, numbers...), b...)
		}
		if x.DType() != tensor.Float32 {
			y = g.intsOf(y.DType(), 0, 4, b...)
		} else if g.coin() {
			y = tensor.Must(tensor.From([]float32{pick(g, float32(2), 0.5, 3, -1, 1, 0)}))
		}
	}
	g.output(g.op(name, []string{g.some(x), g.some(y)}, attr))
}

func (g *trial) variadic(name string) {
	d := tensor.Float32
	if name != "Mean" && name != "Sum" && g.opset >= 12 {
		d = pick(g, numbers...)
	}
	full := g.dims(g.between(0, 3), 1, 3)
	var in []string
	for range g.between(1, 4) {
		s := slices.Clone(full)
		if g.opset >= 8 {
			for i := range s {
				if g.r.IntN(3) == 0 {
					s[i] = 1
				}
			}
			s = s[g.r.IntN(len(s)+1):]
		}
		in = append(in, g.any([]tensor.DType{d}, s...))
	}
	g.output(g.op(name, in))
}

func (g *trial) axesOf(rank int) []int {
	var list []int
	for i := range rank {
		if g.coin() {
			list = append(list, pick(g, i, i-rank))
		}
	}
	g.r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func (g *trial) reduction(name string) {
	s := g.dims(g.between(0, 4), 1, 4)
	d := pick(g, numbers...)
	if name == "ReduceLogSum" || name == "ReduceLogSumExp" {
		d = tensor.Float32
	}
	x := g.content(d, s...)
	if name == "ReduceLogSum" {
		for i, v := range x.Float32s() {
			x.Float32s()[i] = v*v + 0.1
		}
	}
	in, attrs := []string{g.some(x)}, []*pb.Attr{g.maybe(anInt("keepdims", int64(g.r.IntN(2))))}
	axes := g.axesOf(len(s))
	since := int64(18)
	if name == "ReduceSum" {
		since = 13
	}
	if g.opset < 11 {
		for i := range axes {
			axes[i] = (axes[i] + len(s)) % len(s)
		}
	}
	if g.opset >= since {
		attrs = append(attrs, g.maybe(anInt("noop_with_empty_axes", int64(g.r.IntN(2)))))
		if g.coin() {
			in = append(in, g.param(list64(wide(axes)...)))
		}
	} else if len(axes) > 0 && g.r.IntN(4) > 0 {
		attrs = append(attrs, intList("axes", axes))
	}
	g.output(g.op(name, in, attrs...))
}

func (g *trial) arg(name string) {
	s := g.dims(g.between(1, 4), 1, 4)
	axis := g.between(-len(s), len(s)-1)
	if g.opset < 11 {
		axis = g.r.IntN(len(s))
	}
	attrs := []*pb.Attr{g.maybe(anInt("axis", int64(axis))), g.maybe(anInt("keepdims", int64(g.r.IntN(2))))}
	if g.opset >= 12 {
		attrs = append(attrs, g.maybe(anInt("select_last_index", int64(g.r.IntN(2)))))
	}
	y := g.op(name, []string{g.any([]tensor.DType{tensor.Float32, tensor.Float32, tensor.Int32}, s...)}, attrs...)
	g.output(y)
	if g.coin() { // the index into a table
		g.output(g.op("Gather", []string{g.w(4, 2), y}))
	}
}

// window returns attributes of a window of n dims.
func (g *trial) window(n int, kernel []int, pool bool) []*pb.Attr {
	var attrs []*pb.Attr
	if pool {
		attrs = append(attrs, intList("kernel_shape", kernel))
	}
	strides := g.dims(n, 1, 3)
	auto := pick(g, "", "", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
	if strings.HasPrefix(auto, "SAME") {
		for i := range strides { // else the pads would be negative, about which ONNX says nothing
			strides[i] = min(strides[i], kernel[i])
		}
	}
	attrs = append(attrs, g.maybe(intList("strides", strides)))
	if auto != "" {
		attrs = append(attrs, aString("auto_pad", auto))
	}
	if auto == "" || auto == "NOTSET" {
		pads := g.dims(2*n, 0, 2)
		for i := range pads {
			if pool {
				pads[i] = min(pads[i], kernel[i%n]-1)
			}
		}
		attrs = append(attrs, g.maybe(intList("pads", pads)))
	}
	return attrs
}

func (g *trial) pool(name string) {
	n := g.between(1, 3)
	attrs := g.window(n, g.dims(n, 1, 3), true)
	s := append(g.dims(2, 1, 2), g.dims(n, 5, 8)...)
	switch {
	case name == "MaxPool" && g.opset >= 10, name == "AveragePool" && g.opset >= 10, name == "LpPool" && g.opset >= 18:
		attrs = append(attrs, g.maybe(anInt("ceil_mode", int64(g.r.IntN(2)))))
	}
	switch {
	case slices.ContainsFunc(attrs, func(a *pb.Attr) bool { return a != nil && strings.HasPrefix(string(a.S), "SAME") }):
		// ONNX Runtime leaves dilations out of these pads, unlike ONNX's text.
	case name == "MaxPool" && g.opset >= 10, name == "AveragePool" && g.opset >= 19, name == "LpPool" && g.opset >= 18:
		attrs = append(attrs, g.maybe(intList("dilations", g.dims(n, 1, 2))))
	}
	switch name {
	case "AveragePool":
		attrs = append(attrs, g.maybe(anInt("count_include_pad", int64(g.r.IntN(2)))))
	case "LpPool":
		attrs = append(attrs, g.maybe(anInt("p", int64(g.between(1, 3)))))
	}
	outs := 1
	if name == "MaxPool" && g.opset >= 8 && g.coin() {
		outs = 2
		if n == 2 {
			attrs = append(attrs, g.maybe(anInt("storage_order", int64(g.r.IntN(2)))))
		}
	}
	g.output(g.node(name, outs, []string{g.x(s...)}, attrs...)...)
}

func (g *trial) conv() {
	n := g.between(1, 3)
	group := g.between(1, 3)
	in, out := group*g.between(1, 3), group*g.between(1, 3)
	kernel := g.dims(n, 1, 3)
	attrs := g.window(n, kernel, false)
	attrs = append(attrs, g.maybe(intList("kernel_shape", kernel)), g.maybe(intList("dilations", g.dims(n, 1, 2))))
	if group > 1 || g.coin() {
		attrs = append(attrs, anInt("group", int64(group)))
	}
	ins := []string{g.x(append([]int{g.between(1, 2), in}, g.dims(n, 3, 8)...)...), g.w(append([]int{out, in / group}, kernel...)...)}
	if g.coin() {
		ins = append(ins, g.w(out))
	}
	g.output(g.op("Conv", ins, attrs...))
}

func (g *trial) convTranspose() {
	n := g.between(1, 2)
	group := g.between(1, 2)
	in, out := group*g.between(1, 3), g.between(1, 3)
	kernel, strides := g.dims(n, 1, 4), g.dims(n, 1, 3)
	s := g.dims(n, 2, 5)
	attrs := []*pb.Attr{intList("strides", strides), g.maybe(intList("kernel_shape", kernel))}
	dilations := g.dims(n, 1, 2)
	if g.coin() {
		dilations = slices.Repeat([]int{1}, n)
	} else {
		attrs = append(attrs, intList("dilations", dilations))
	}
	extra := make([]int, n)
	if g.coin() {
		for i := range extra {
			extra[i] = g.r.IntN(strides[i])
		}
		attrs = append(attrs, intList("output_padding", extra))
	}
	auto := pick(g, "", "", "", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
	if strings.HasPrefix(auto, "SAME") {
		for i := range strides { // else ONNX Runtime makes less than ONNX's text, stride·in
			kernel[i] = max(strides[i], kernel[i])
		}
	}
	if auto != "" {
		attrs = append(attrs, aString("auto_pad", auto))
	}
	switch {
	case g.r.IntN(3) == 0:
		size := make([]int, n)
		for i := range size {
			size[i] = strides[i]*(s[i]-1) + extra[i] + dilations[i]*(kernel[i]-1) + 1 - g.r.IntN(4)
			size[i] = max(size[i], 1)
		}
		attrs = append(attrs, intList("output_shape", size))
	case auto == "" || auto == "NOTSET":
		attrs = append(attrs, g.maybe(intList("pads", g.dims(2*n, 0, 1))))
	}
	if group > 1 || g.coin() {
		attrs = append(attrs, anInt("group", int64(group)))
	}
	ins := []string{g.x(append([]int{g.between(1, 2), in}, s...)...), g.w(append([]int{in, out}, kernel...)...)}
	if g.coin() {
		ins = append(ins, g.w(out*group))
	}
	g.output(g.op("ConvTranspose", ins, attrs...))
}

// positive is w without negative numbers.
func (g *trial) positive(shape ...int) string {
	x := g.floatsOf(shape...)
	for i, v := range x.Float32s() {
		x.Float32s()[i] = v*v + 0.1
	}
	return g.some(x)
}

func (g *trial) batchNorm() {
	s := g.dims(g.between(2, 5), 1, 4)
	c := s[1]
	attrs := []*pb.Attr{g.maybe(aFloat("epsilon", 1e-3)), g.maybe(aFloat("momentum", 0.7))}
	outs := 1
	if g.opset >= 14 && g.r.IntN(3) == 0 {
		attrs = append(attrs, anInt("training_mode", 1))
		outs = 3
	}
	if g.opset < 9 {
		attrs = append(attrs, g.maybe(anInt("spatial", 1)))
	}
	g.output(g.node("BatchNormalization", outs, []string{g.x(s...), g.w(c), g.w(c), g.w(c), g.positive(c)}, attrs...)...)
}

func (g *trial) instanceNorm() {
	s := append(g.dims(2, 1, 3), g.dims(g.between(1, 3), 2, 5)...)
	g.output(g.op("InstanceNormalization", []string{g.x(s...), g.w(s[1]), g.w(s[1])}, g.maybe(aFloat("epsilon", 1e-2))))
}

func (g *trial) layerNorm() {
	s := g.dims(g.between(1, 4), 2, 4)
	axis := g.between(-len(s), len(s)-1)
	var attr *pb.Attr
	at := len(s) - 1
	if g.coin() {
		attr, at = anInt("axis", int64(axis)), (axis+len(s))%len(s)
	}
	part := slices.Clone(s[at:])
	in := []string{g.x(s...), g.w(part...)}
	if g.coin() {
		in = append(in, g.w(part...))
	}
	g.output(g.node("LayerNormalization", g.between(1, 3), in, attr, g.maybe(aFloat("epsilon", 1e-2)))...)
}

func (g *trial) groupNorm() {
	groups := g.between(1, 3)
	c := groups * g.between(1, 3)
	s := append([]int{g.between(1, 2), c}, g.dims(g.between(1, 3), 2, 4)...)
	n := groups
	if g.opset >= 21 {
		n = c
	}
	g.output(g.op("GroupNormalization", []string{g.x(s...), g.w(n), g.w(n)}, anInt("num_groups", int64(groups)), g.maybe(aFloat("epsilon", 1e-2))))
}

func (g *trial) lrn() {
	s := append([]int{g.between(1, 2), g.between(1, 8)}, g.dims(2, 1, 4)...)
	g.output(g.op("LRN", []string{g.x(s...)}, anInt("size", int64(2*g.between(0, 3)+1)), g.maybe(aFloat("alpha", 0.3)), g.maybe(aFloat("beta", 0.6)), g.maybe(aFloat("bias", 2))))
}

func (g *trial) lpNorm() {
	s := g.dims(g.between(1, 4), 1, 4)
	g.output(g.op("LpNormalization", []string{g.x(s...)}, g.maybe(anInt("axis", int64(g.between(-len(s), len(s)-1)))), g.maybe(anInt("p", int64(g.between(1, 2))))))
}

func (g *trial) meanVariance() {
	s := g.dims(4, 2, 4)
	var axes *pb.Attr
	if list := g.axesOf(4); len(list) > 0 {
		for i := range list {
			list[i] = (list[i] + 4) % 4
		}
		axes = g.maybe(intList("axes", list))
	}
	x := tensor.Must(tensor.New(tensor.Float32, s...)) // no equal ones, of which ONNX Runtime makes 0/0
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(g.r.NormFloat64())
	}
	g.output(g.op("MeanVarianceNormalization", []string{g.input(x)}, axes))
}

func (g *trial) gemm() {
	m, k, n := g.between(1, 4), g.between(1, 4), g.between(1, 4)
	a, b := []int{m, k}, []int{k, n}
	ta, tb := g.r.IntN(2), g.r.IntN(2)
	if ta == 1 {
		a = []int{k, m}
	}
	if tb == 1 {
		b = []int{n, k}
	}
	attrs := []*pb.Attr{anInt("transA", int64(ta)), anInt("transB", int64(tb)), g.maybe(aFloat("alpha", 0.5)), g.maybe(aFloat("beta", pick(g, float32(0.3), 0)))}
	in := []string{g.w(a...), g.w(b...)}
	if g.opset < 11 || g.coin() {
		in = append(in, g.w(pick(g, []int{n}, []int{1, n}, []int{m, n}, []int{m, 1}, []int{1}, []int{}, []int{1, 1})...))
	}
	g.output(g.op("Gemm", in, attrs...))
}

func (g *trial) matMul() {
	m, k, n := g.between(1, 4), g.between(1, 4), g.between(1, 4)
	a, b := g.pair()
	a, b = append(a[:min(len(a), 2)], m, k), append(b[:min(len(b), 2)], k, n)
	switch g.r.IntN(5) {
	case 0:
		a = []int{k}
	case 1:
		b = []int{k}
	}
	g.output(g.op("MatMul", []string{g.w(a...), g.w(b...)}))
}

func (g *trial) clip() {
	s := g.dims(g.between(0, 3), 1, 4)
	low, high := float32(g.between(-3, 1)), float32(g.between(-1, 3))
	if g.opset < 11 {
		low = min(low, high)
		g.output(g.op("Clip", []string{g.x(s...)}, g.maybe(aFloat("min", low)), g.maybe(aFloat("max", high))))
		return
	}
	d := tensor.Float32
	if g.opset >= 12 {
		d = pick(g, numbers...)
	}
	bound := func(v float32) string {
		if g.r.IntN(3) == 0 {
			return ""
		}
		x, err := (&hostCall{budget: newBudget(1 << 10)}).cast(tensor.Must(tensor.From([]float32{v})), d)
		return g.param(tensor.Must(x, err))
	}
	g.output(g.op("Clip", []string{g.some(g.content(d, s...)), bound(low), bound(high)}))
}

func (g *trial) cast() {
	x := g.any(anything, g.dims(g.between(0, 3), 1, 3)...)
	for range g.between(1, 3) {
		to := pick(g, Float32, Int32, Int64, Bool, Uint8)
		x = g.op("Cast", []string{x}, anInt("to", int64(to)))
		g.output(x)
	}
}

func (g *trial) castLike() {
	s := g.dims(2, 1, 3)
	g.output(g.op("CastLike", []string{g.any(anything, s...), g.any(anything, 1)}))
}

func (g *trial) where() {
	a, b := g.pair()
	c, _ := g.pair()
	if len(c) > len(a) || len(c) > 0 && !slices.Equal(c, a[len(a)-len(c):]) {
		c = []int{}
	}
	d := pick(g, anything...)
	g.output(g.op("Where", []string{g.some(g.content(tensor.Bool, c...)), g.some(g.content(d, a...)), g.some(g.content(d, b...))}))
}

func (g *trial) concat() {
	s := g.dims(g.between(1, 4), 1, 3)
	axis := g.r.IntN(len(s))
	d := pick(g, anything...)
	var in []string
	for range g.between(1, 4) {
		t := slices.Clone(s)
		t[axis] = g.between(0, 3)
		in = append(in, g.some(g.content(d, t...)))
	}
	at := axis
	if g.opset >= 11 && g.coin() {
		at -= len(s)
	}
	g.output(g.op("Concat", in, anInt("axis", int64(at))))
}

func (g *trial) split() {
	g.closed = true // sizes of parts would tell what the dim is
	s := g.dims(g.between(1, 4), 1, 6)
	axis := g.r.IntN(len(s))
	parts := g.between(1, 4)
	var list []int
	rest := s[axis]
	for i := range parts {
		n := g.between(0, rest)
		if i == parts-1 {
			n = rest
		}
		list, rest = append(list, n), rest-n
	}
	at := axis
	if g.opset >= 11 && g.coin() {
		at -= len(s)
	}
	attrs, in := []*pb.Attr{anInt("axis", int64(at))}, []string{g.any(numbers, s...)}
	switch {
	case g.coin() && g.opset < 13:
		attrs = append(attrs, intList("split", list))
	case g.opset >= 13 && g.coin():
		in = append(in, g.param(list64(wide(list)...)))
	case g.opset >= 18:
		attrs = append(attrs, anInt("num_outputs", int64(parts)))
	}
	g.output(g.node("Split", parts, in, attrs...)...)
}

func (g *trial) slice() {
	s := g.dims(g.between(1, 4), 1, 6)
	x := g.any(anything, s...)
	axes := g.axesOf(len(s))
	bound := func() int { return pick(g, g.between(-8, 8), g.between(-3, 3), 0, 1<<31-1) }
	var starts, ends, steps []int
	for i := range axes {
		starts, ends, steps = append(starts, bound()), append(ends, bound()), append(steps, pick(g, 1, 1, 2, 3, -1, -1, -2))
		if ends[i] == 1<<31-1 && g.coin() {
			ends[i] = 1<<63 - 1
		}
		if steps[i] < 0 && (g.coin() || ends[i] >= 1<<31-1) { // ONNX Runtime takes INT_MAX for the first element
			ends[i] = pick(g, -1<<63, -100, -1<<31)
		}
		if g.opset < 10 {
			axes[i] = (axes[i] + len(s)) % len(s)
		}
	}
	if g.opset < 10 {
		if len(axes) == 0 {
			return
		}
		g.output(g.op("Slice", []string{x}, intList("starts", starts), intList("ends", ends), intList("axes", axes)))
		return
	}
	var in []string
	for _, v := range [][]int{starts, ends, axes, steps} {
		in = append(in, g.param(list64(wide(v)...)))
	}
	switch g.r.IntN(4) {
	case 0:
		in = append([]string{x}, in[:3]...)
	case 1:
		in = []string{x, in[0], in[1]}
	case 2:
		in = []string{x, in[0], in[1], "", in[3]}
	default:
		in = append([]string{x}, in...)
	}
	g.output(g.op("Slice", in))
}

func (g *trial) gather() {
	s := g.dims(g.between(1, 3), 1, 4)
	axis := g.r.IntN(len(s))
	low := 0
	if g.opset >= 11 {
		low = -s[axis]
	}
	index := g.intsOf(pick(g, integral...), low, s[axis]-1, g.dims(g.between(0, 2), 1, 3)...)
	g.output(g.op("Gather", []string{g.any(anything, s...), g.some(index)}, g.maybe(anInt("axis", int64(axis)))))
}

func (g *trial) gatherElements() {
	s := g.dims(g.between(1, 3), 1, 4)
	axis := g.r.IntN(len(s))
	t := slices.Clone(s)
	for i := range t {
		t[i] = g.between(1, s[i])
	}
	t[axis] = g.between(1, 5)
	index := g.intsOf(tensor.Int64, -s[axis], s[axis]-1, t...)
	g.output(g.op("GatherElements", []string{g.any(anything, s...), g.some(index)}, anInt("axis", int64(pick(g, axis, axis-len(s))))))
}

func (g *trial) gatherND() {
	s := g.dims(g.between(1, 4), 1, 3)
	batch := 0
	if g.opset >= 12 {
		batch = g.r.IntN(len(s))
	}
	m := g.between(1, len(s)-batch)
	shape := append(slices.Clone(s[:batch]), g.dims(g.between(0, 2), 1, 3)...)
	shape = append(shape, m)
	index := g.intsOf(tensor.Int64, 0, 0, shape...)
	v, _ := tensor.Data[int64](index)
	for i := range v {
		n := s[batch+i%m]
		v[i] = int64(g.between(-n, n-1))
	}
	var attr *pb.Attr
	if batch > 0 {
		attr = anInt("batch_dims", int64(batch))
	}
	g.output(g.op("GatherND", []string{g.any(anything, s...), g.some(index)}, attr))
}

func (g *trial) pad() {
	s := g.dims(g.between(1, 4), 2, 4)
	modes := []string{"constant", "constant", "reflect", "edge"}
	if g.opset >= 19 {
		modes = append(modes, "wrap")
	}
	mode := pick(g, modes...)
	pads := g.dims(2*len(s), -1, 2)
	if g.coin() {
		pads = g.dims(2*len(s), 0, 1)
	}
	attrs := []*pb.Attr{aString("mode", mode)}
	if mode == "constant" {
		attrs[0] = g.maybe(attrs[0])
	}
	if g.opset < 11 {
		attrs = append(attrs, intList("pads", pads))
		if mode == "constant" {
			attrs = append(attrs, g.maybe(aFloat("value", 1.5)))
		}
		g.output(g.op("Pad", []string{g.x(s...)}, attrs...))
		return
	}
	d := tensor.Float32
	if g.opset >= 13 {
		d = pick(g, numbers...)
	}
	in := []string{g.some(g.content(d, s...)), "", "", ""}
	if g.opset >= 18 && g.coin() {
		axes := g.axesOf(len(s))
		in[3] = g.param(list64(wide(axes)...))
		pads = pads[:2*len(axes)]
	}
	in[1] = g.param(list64(wide(pads)...))
	if mode == "constant" && g.coin() {
		in[2] = g.param(g.content(d, pick(g, []int{}, []int{1})...))
	}
	g.output(g.op("Pad", in, attrs...))
}

func (g *trial) oneHot() {
	s := g.dims(g.between(1, 3), 1, 3)
	depth := g.between(1, 5)
	low := 0
	if g.opset >= 11 {
		low = -depth
	}
	index := g.intsOf(tensor.Int64, low, depth, s...)
	d := pick(g, tensor.Float32, tensor.Int64)
	in := []string{g.some(index), g.param(pick(g, tensor.Must(tensor.From([]int64{int64(depth)})), list64(int64(depth)))), g.param(g.content(d, 2))}
	g.output(g.op("OneHot", in, g.maybe(anInt("axis", int64(g.between(-len(s)-1, len(s)))))))
}

func (g *trial) scatterElements() {
	s := g.dims(g.between(1, 3), 2, 4)
	axis := g.r.IntN(len(s))
	t := slices.Clone(s)
	for i := range t {
		t[i] = g.between(1, s[i])
	}
	d := pick(g, numbers...)
	index := g.intsOf(tensor.Int64, 0, 0, t...)
	v, _ := tensor.Data[int64](index)
	st := tensor.Shape(t).Strides()[axis]
	shift := g.r.IntN(s[axis])
	for i := range v { // all different along the axis
		if v[i] = int64((i/st%t[axis] + shift) % s[axis]); g.coin() {
			v[i] -= int64(s[axis])
		}
	}
	attrs := []*pb.Attr{g.maybe(anInt("axis", int64(axis)))}
	if attrs[0] == nil && axis != 0 {
		attrs[0] = anInt("axis", int64(axis-len(s)))
	}
	if g.opset >= 16 {
		how := []string{"none", "add", "mul"}
		if g.opset >= 18 {
			how = append(how, "max", "min")
		}
		h := pick(g, how...)
		if h != "none" {
			for i := range v {
				v[i] = int64(g.between(-s[axis], s[axis]-1))
			}
		}
		attrs = append(attrs, aString("reduction", h))
	}
	g.output(g.op("ScatterElements", []string{g.some(g.content(d, s...)), g.some(index), g.some(g.content(d, t...))}, attrs...))
}

func (g *trial) scatterND() {
	s := g.dims(g.between(1, 3), 2, 4)
	m := g.between(1, len(s))
	n := 1
	index := g.intsOf(tensor.Int64, 0, 1, n, m)
	var attr *pb.Attr
	if g.opset >= 16 {
		attr = aString("reduction", pick(g, "none", "add", "mul"))
		if string(attr.S) != "none" {
			n = g.between(1, 4)
			index = g.intsOf(tensor.Int64, -2, 1, n, m)
		}
	}
	d := pick(g, numbers...)
	g.output(g.op("ScatterND", []string{g.some(g.content(d, s...)), g.some(index), g.some(g.content(d, append([]int{n}, s[m:]...)...))}, attr))
}

func (g *trial) depthToSpace() {
	b := g.between(1, 3)
	var mode *pb.Attr
	if g.opset >= 11 {
		mode = g.maybe(aString("mode", pick(g, "DCR", "CRD")))
	}
	g.output(g.op("DepthToSpace", []string{g.x(g.between(1, 2), b*b*g.between(1, 3), g.between(1, 3), g.between(1, 3))}, anInt("blocksize", int64(b)), mode))
}

func (g *trial) spaceToDepth() {
	b := g.between(1, 3)
	g.output(g.op("SpaceToDepth", []string{g.x(g.between(1, 2), g.between(1, 3), b*g.between(1, 3), b*g.between(1, 3))}, anInt("blocksize", int64(b))))
}

func (g *trial) shape() {
	s := g.dims(g.between(0, 4), 1, 3)
	var attrs []*pb.Attr
	if g.opset >= 15 {
		attrs = append(attrs, g.maybe(anInt("start", int64(g.between(-6, 6)))), g.maybe(anInt("end", int64(g.between(-6, 6)))))
	}
	x := g.any(anything, s...)
	g.output(g.op("Shape", []string{x}, attrs...), g.op("Size", []string{x}))
}

func (g *trial) reshape() {
	s := g.dims(g.between(0, 4), 1, 4)
	n := tensor.Shape(s).Size()
	var to []int64
	for n > 1 && len(to) < 4 && g.r.IntN(4) > 0 {
		d := g.between(1, n)
		for n%d != 0 {
			d--
		}
		to, n = append(to, int64(d)), n/d
	}
	if n > 1 {
		to = append(to, int64(n))
	}
	for i := range to {
		if i < len(s) && int64(s[i]) == to[i] && g.coin() {
			to[i] = 0
		}
	}
	if len(to) > 0 && g.coin() {
		to[g.r.IntN(len(to))] = -1
	}
	var attr *pb.Attr
	if g.opset >= 14 {
		attr = g.maybe(anInt("allowzero", int64(g.r.IntN(2))))
	}
	g.output(g.op("Reshape", []string{g.any(anything, s...), g.param(list64(to...))}, attr))
}

func (g *trial) flatten() {
	s := g.dims(g.between(0, 4), 1, 3)
	a := g.between(0, len(s))
	if g.opset >= 11 && g.coin() {
		a -= len(s)
	}
	types := numbers
	if g.opset < 9 {
		types = floatType
	}
	g.output(g.op("Flatten", []string{g.any(types, s...)}, g.maybe(anInt("axis", int64(a)))))
}

func (g *trial) squeeze() {
	s := g.dims(g.between(0, 4), 1, 2)
	var axes []int
	for i, d := range s {
		if d == 1 && g.coin() {
			if axes = append(axes, i); g.opset >= 11 && g.coin() {
				axes[len(axes)-1] -= len(s)
			}
		}
	}
	in, attrs := []string{g.any(anything, s...)}, []*pb.Attr{}
	switch {
	case g.r.IntN(3) == 0 || len(axes) == 0: // an empty list means none to ONNX, and all to its Runtime
	case g.opset >= 13:
		in = append(in, g.param(list64(wide(axes)...)))
	default:
		attrs = append(attrs, intList("axes", axes))
	}
	g.output(g.op("Squeeze", in, attrs...))
}

func (g *trial) unsqueeze() {
	s := g.dims(g.between(0, 3), 1, 3)
	n := g.between(1, 2)
	all := make([]int, len(s)+n)
	for i := range all {
		all[i] = i
	}
	g.r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	axes := all[:n]
	if g.opset >= 11 && g.coin() {
		axes[0] -= len(all)
	}
	x := g.any(anything, s...)
	if g.opset >= 13 {
		g.output(g.op("Unsqueeze", []string{x, g.param(list64(wide(axes)...))}))
		return
	}
	g.output(g.op("Unsqueeze", []string{x}, intList("axes", axes)))
}

func (g *trial) transpose() {
	s := g.dims(g.between(0, 4), 1, 3)
	perm := make([]int, len(s))
	for i := range perm {
		perm[i] = i
	}
	g.r.Shuffle(len(perm), func(i, j int) { perm[i], perm[j] = perm[j], perm[i] })
	var attr *pb.Attr
	if len(s) > 0 {
		attr = g.maybe(intList("perm", perm))
	}
	g.output(g.op("Transpose", []string{g.any(anything, s...)}, attr))
}

func (g *trial) expand() {
	a, b := g.pair()
	g.output(g.op("Expand", []string{g.any(numbers, a...), g.param(list64(wide(b)...))}))
}

func (g *trial) tile() {
	s := g.dims(g.between(1, 4), 1, 3)
	g.output(g.op("Tile", []string{g.any(numbers, s...), g.param(list64(wide(g.dims(len(s), 0, 3))...))}))
}

func (g *trial) constantOfShape() {
	var attr *pb.Attr
	if g.coin() {
		attr = &pb.Attr{Name: "value", Type: pb.AttrTensor, T: toProto("", g.content(pick(g, anything...), 1))}
	}
	g.output(g.op("ConstantOfShape", []string{g.some(list64(wide(g.dims(g.between(0, 3), 0, 3))...))}, attr))
}

func (g *trial) rangeOp() {
	d := pick(g, numbers...)
	one := func(low, high int) string { return g.some(g.intsOf(d, low, high)) }
	delta := one(1, 3)
	if g.coin() {
		delta = one(-3, -1)
	}
	g.output(g.op("Range", []string{one(-9, 9), one(-9, 9), delta}))
}

func (g *trial) topK() {
	s := g.dims(g.between(1, 3), 1, 5)
	axis := g.r.IntN(len(s))
	k := g.between(1, s[axis])
	at := axis
	if g.opset >= 11 && g.coin() {
		at -= len(s)
	}
	attrs := []*pb.Attr{anInt("axis", int64(at))}
	d := tensor.Float32
	if g.opset >= 11 {
		d = pick(g, numbers...)
		attrs = append(attrs, g.maybe(anInt("largest", int64(g.r.IntN(2)))), g.maybe(anInt("sorted", 1)))
	}
	in := []string{g.some(g.content(d, s...))}
	if g.opset < 10 {
		attrs = append(attrs, anInt("k", int64(k)))
	} else {
		in = append(in, g.param(list64(int64(k))))
	}
	out := g.node("TopK", 2, in, attrs...)
	g.output(out...)
	if g.coin() {
		g.output(g.op("Gather", []string{g.w(5, 2), out[1]}))
	}
}

func (g *trial) cumSum() {
	s := g.dims(g.between(1, 3), 1, 4)
	axis := tensor.Must(tensor.From([]int64{int64(g.between(-len(s), len(s)-1))}))
	g.output(g.op("CumSum", []string{g.any(numbers, s...), g.param(axis)}, g.maybe(anInt("exclusive", int64(g.r.IntN(2)))), g.maybe(anInt("reverse", int64(g.r.IntN(2))))))
}

func (g *trial) nonZero() {
	g.output(g.op("NonZero", []string{g.any(anything, g.dims(g.between(0, 3), 1, 3)...)}))
}

func (g *trial) maxUnpool() {
	n := g.between(1, 2)
	kernel, strides := g.dims(n, 2, 3), g.dims(n, 2, 3)
	for i := range kernel {
		strides[i] = max(strides[i], kernel[i])
	}
	x := g.x(append(g.dims(2, 1, 2), g.dims(n, 4, 7)...)...)
	attrs := []*pb.Attr{intList("kernel_shape", kernel), intList("strides", strides)}
	out := g.node("MaxPool", 2, []string{x}, attrs...)
	g.output(g.op("MaxUnpool", []string{g.op("Abs", []string{out[0]}), out[1]}, attrs...))
}

func (g *trial) resize() {
	n := g.between(1, 2)
	s := append(g.dims(2, 1, 2), g.dims(n, 1, 6)...)
	mode := pick(g, "nearest", "linear")
	scales := []float32{1, 1}
	sizes := wide(s[:2])
	for _, d := range s[2:] {
		scales = append(scales, pick(g, float32(2), 0.5, 1.5, 0.7, 3, 1))
		sizes = append(sizes, int64(g.between(1, 9)))
		_ = d
	}
	scale := tensor.Must(tensor.From(scales, len(scales)))
	if g.opset < 11 {
		g.output(g.op("Resize", []string{g.x(s...), g.param(scale)}, aString("mode", mode)))
		return
	}
	if n == 2 {
		mode = pick(g, "nearest", "linear", "cubic")
	}
	attrs := []*pb.Attr{aString("mode", mode), g.maybe(aString("coordinate_transformation_mode", pick(g, "half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"))),
		g.maybe(aString("nearest_mode", pick(g, nearestModes...))), g.maybe(aFloat("cubic_coeff_a", -0.5))}
	if g.opset >= 18 && mode != "nearest" && g.coin() {
		attrs = append(attrs, anInt("antialias", 1))
	}
	roi := ""
	if g.opset < 13 {
		roi = g.constant(tensor.Must(tensor.New(tensor.Float32, 0)))
	}
	if g.coin() {
		g.output(g.op("Resize", []string{g.x(s...), roi, g.param(scale)}, attrs...))
		return
	}
	empty := ""
	if g.opset < 13 {
		empty = g.constant(tensor.Must(tensor.New(tensor.Float32, 0)))
	}
	g.output(g.op("Resize", []string{g.x(s...), roi, empty, g.param(list64(sizes...))}, attrs...))
}

func (g *trial) upsample() {
	if g.opset >= 10 {
		g.opset = int64(g.between(7, 9))
	}
	s := append(g.dims(3, 1, 4), g.between(3, 5)) // for what stays of a size, ONNX Runtime forgets the scale
	scales := []float32{1, 1, pick(g, float32(2), 1.5, 3), pick(g, float32(2), 1, 1.4)}
	mode := aString("mode", pick(g, "nearest", "linear"))
	if g.opset < 9 {
		g.output(g.op("Upsample", []string{g.x(s...)}, mode, &pb.Attr{Name: "scales", Type: pb.AttrFloats, Floats: scales}))
		return
	}
	g.output(g.op("Upsample", []string{g.x(s...), g.param(tensor.Must(tensor.From(scales, 4)))}, mode))
}

func (g *trial) dropout() {
	s := g.dims(g.between(1, 3), 1, 3)
	in := []string{g.x(s...)}
	var attrs []*pb.Attr
	if g.opset < 12 {
		attrs = append(attrs, g.maybe(aFloat("ratio", 0.3)))
	} else {
		in = append(in, g.param(tensor.Must(tensor.From([]float32{0.4}))), g.param(tensor.Must(tensor.From([]bool{false}))))
		in = in[:g.between(1, 3)]
	}
	outs := 1
	if g.opset >= 12 { // before, ONNX does not say what the mask is in inference
		outs = g.between(1, 2)
	}
	g.output(g.node("Dropout", outs, in, attrs...)...)
}

func (g *trial) loss() {
	c := g.between(2, 4)
	rest := g.dims(g.between(0, 2), 1, 3)
	n := g.between(1, 3)
	target := g.intsOf(pick(g, integral...), 0, c-1, append([]int{n}, rest...)...)
	in := []string{g.x(append([]int{n, c}, rest...)...), g.some(target), ""}
	if g.coin() {
		in[2] = g.positive(c)
	}
	attrs := []*pb.Attr{g.maybe(aString("reduction", pick(g, "none", "sum", "mean"))), g.maybe(anInt("ignore_index", int64(g.r.IntN(c))))}
	outs := 1
	if g.name == "SoftmaxCrossEntropyLoss" {
		outs = g.between(1, 2)
	}
	g.output(g.node(g.name, outs, in, attrs...)...)
}
