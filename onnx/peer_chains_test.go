package onnx

import (
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

func init() {
	for name, t := range map[string]peerTrial{
		"sizes": {13, (*trial).sizes}, "layers": {13, (*trial).layers}, "masks": {13, (*trial).masks}, "late": {13, (*trial).late},
		"casts": {13, (*trial).casts}, "kinds": {13, (*trial).kinds},
	} {
		peerTrials["chain of "+name] = t
	}
}

// open adds an input with the given open dims, and contents for three runs of other sizes.
// Symbols of one name have one size.
func (g *trial) open(dims ...any) string {
	name := g.fresh()
	v := &pb.ValueInfo{Name: name, Kind: pb.TensorKind, ElemType: pb.Float, HasShape: true}
	for _, d := range dims {
		switch d := d.(type) {
		case int:
			v.Dims = append(v.Dims, pb.Dim{Value: int64(d), Known: true})
		case string:
			v.Dims = append(v.Dims, pb.Dim{Param: d})
		}
	}
	g.g.Inputs = append(g.g.Inputs, v)
	return name
}

// fill makes contents for the inputs.
func (g *trial) fill(high int) {
	for run := range 3 {
		sizes := map[string]int{}
		var in []*tensor.Tensor
		for _, v := range g.g.Inputs {
			var s []int
			for _, d := range v.Dims {
				n := int(d.Value)
				if !d.Known {
					if sizes[d.Param] == 0 {
						sizes[d.Param] = pick(g, g.between(1, high), g.between(1, high), 1, 64)
						if d.Param != "N" && d.Param != "L" {
							sizes[d.Param] = g.between(1, high)
						}
					}
					n = sizes[d.Param]
				}
				s = append(s, n)
			}
			in = append(in, g.floatsOf(s...))
		}
		if run == 0 {
			g.feeds = in
		} else {
			g.more = append(g.more, in)
		}
	}
}

// number is an int64 list of one element as a constant.
func (g *trial) number(v int64) string { return g.constant(list64(v)) }

// sizes computes a size of the shape of x by random integer arithmetic, and uses it.
func (g *trial) sizes() {
	x := g.open("L", "M")
	shape := g.op("Shape", []string{x})
	pool := []string{
		g.op("Gather", []string{shape, g.number(0)}), g.op("Slice", []string{shape, g.number(1), g.number(2)}),
		g.number(int64(g.between(1, 9))), g.number(int64(pick(g, 2, 3, 8, 32, 64))),
	}
	if g.coin() {
		y := g.op("Slice", []string{x, g.number(int64(g.between(-3, 3))), g.number(int64(pick(g, -2, 4, 1<<31-1))), g.number(int64(g.r.IntN(2)))})
		pool = append(pool, g.op("Gather", []string{g.op("Shape", []string{y}), g.number(int64(g.r.IntN(2)))}))
	}
	for range g.between(1, 5) {
		a, b := pick(g, pool...), pick(g, pool...)
		var y string
		switch op := pick(g, "Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Where", "Clip", "ReduceProd", "ReduceMax", "Float", "Neg", "Equal"); op {
		case "Div", "Mod":
			y = g.op(op, []string{a, g.op("Max", []string{b, g.number(1)})})
		case "Where":
			y = g.op("Where", []string{g.op(pick(g, "Less", "Equal", "Greater", "LessOrEqual"), []string{a, b}), pick(g, pool...), pick(g, pool...)})
		case "Equal":
			y = g.op("Where", []string{g.op("Equal", []string{a, g.number(int64(pick(g, -1, 1)))}), pick(g, pool...), pick(g, pool...)})
		case "Clip":
			y = g.op("Clip", []string{a, "", g.op("Squeeze", []string{b})})
		case "ReduceProd", "ReduceMax":
			in := []string{g.op("Concat", []string{a, b}, anInt("axis", 0))}
			if g.opset >= 18 {
				y = g.op(op, append(in, g.number(0)))
			} else {
				y = g.op(op, in, someInts("axes", 0))
			}
		case "Float":
			f := g.op("Mul", []string{g.op("Cast", []string{a}, anInt("to", int64(Float32))), g.constant(tensor.Must(tensor.From([]float32{pick(g, float32(0.5), 2, 1.5, 1)}, 1)))})
			if g.coin() {
				f = g.op(pick(g, "Floor", "Ceil"), []string{f})
			}
			y = g.op("Cast", []string{f}, anInt("to", int64(Int64)))
		case "Neg":
			y = g.op(op, []string{a})
		default:
			y = g.op(op, []string{a, b})
		}
		pool = append(pool, y)
	}
	n := pool[len(pool)-1]
	if g.coin() { // else it may be anything
		n = g.op("Abs", []string{n})
		n = g.op("Min", []string{n, g.number(int64(pick(g, 10, 100)))})
	}
	switch g.r.IntN(8) {
	case 0:
		to := g.op("Concat", []string{n, g.number(int64(g.between(1, 3)))}, anInt("axis", 0))
		g.output(g.op("Expand", []string{g.constant(g.floatsOf(1)), to}))
	case 1:
		g.output(g.op("Slice", []string{x, pick(g, n, g.number(0)), pick(g, n, g.number(1<<31-1)), g.number(int64(g.r.IntN(2)))}))
	case 2:
		g.output(g.op("Reshape", []string{x, g.op("Concat", []string{n, g.number(-1)}, anInt("axis", 0))}))
	case 3:
		g.output(g.op("Reshape", []string{x, g.op("Concat", []string{pick(g, pool...), g.number(int64(g.between(1, 2))), pick(g, pool...)}, anInt("axis", 0))}))
	case 4:
		zero := g.number(0)
		g.output(g.op("Pad", []string{x, g.op("Concat", []string{zero, zero, n, zero}, anInt("axis", 0))}))
	case 5:
		g.output(g.op("Tile", []string{x, g.op("Concat", []string{g.number(1), n}, anInt("axis", 0))}))
	case 6:
		g.output(g.node("TopK", 2, []string{x, n}, anInt("axis", 0))...)
	default:
		z := g.op("Cast", []string{g.op("ConstantOfShape", []string{n})}, anInt("to", int64(Int64)))
		g.output(g.op("Shape", []string{z}))
	}
	if g.coin() {
		g.output(n)
	}
	g.fill(9)
}

// layers is a small network on images of open sizes.
func (g *trial) layers() {
	c := g.between(1, 4)
	x := g.open("N", c, pick[any](g, "H", 6), pick[any](g, "W", 7))
	constant := func(s ...int) string { return g.constant(g.floatsOf(s...)) }
	for range g.between(2, 6) {
		switch g.r.IntN(16) {
		case 0:
			x = g.op(pick(g, "Relu", "Sigmoid", "Neg", "Abs", "Tanh", "Erf"), []string{x})
		case 1:
			k := g.between(1, 3)
			x = g.op("Conv", []string{x, constant(k, c, 3, 1), constant(k)}, someInts("pads", 1, 0, 1, 0), g.maybe(someInts("strides", 2, 1)))
			c = k
		case 2:
			x = g.op(pick(g, "MaxPool", "AveragePool"), []string{x}, someInts("kernel_shape", 2, 2), g.maybe(someInts("strides", 2, 2)), someInts("pads", 1, 0, 0, 1), g.maybe(anInt("ceil_mode", 1)))
		case 3:
			x = g.op(pick(g, "Add", "Mul", "Sub", "Max"), []string{x, pick(g, constant(1), constant(c, 1, 1), x)})
		case 4:
			y := g.op("Transpose", []string{x}, someInts("perm", 0, 2, 1, 3))
			x = g.op("Transpose", []string{g.op("Softmax", []string{y}, anInt("axis", 1))}, someInts("perm", 0, 2, 1, 3))
		case 5:
			// to [N,C,H·W] and back
			s := g.op("Shape", []string{x})
			head := g.op("Slice", []string{s, g.number(0), g.number(2)})
			y := g.op("Reshape", []string{x, g.op("Concat", []string{head, g.number(-1)}, anInt("axis", 0))})
			x = g.op("Reshape", []string{g.op("LogSoftmax", []string{y}, anInt("axis", -1)), s})
		case 6:
			x = g.op("Concat", []string{x, g.op("Exp", []string{g.op("Clip", []string{x, "", g.constant(tensor.Must(tensor.From([]float32{1})))})})}, anInt("axis", 1))
			c *= 2
		case 7:
			out := g.node("Split", 2, []string{g.op("Concat", []string{x, x}, anInt("axis", 1)), g.constant(list64(1, int64(2*c-1)))}, anInt("axis", 1))
			x = out[1]
			c = 2*c - 1
			g.output(out[0])
		case 8:
			// of the size of another
			s := g.op("Shape", []string{x})
			big := g.op("Mul", []string{g.op("Slice", []string{s, g.number(2), g.number(4)}), g.constant(list64(2, 1))})
			to := g.op("Concat", []string{g.op("Slice", []string{s, g.number(0), g.number(2)}), big}, anInt("axis", 0))
			x = g.op("Resize", []string{x, "", "", to}, aString("mode", pick(g, "nearest", "linear")), aString("coordinate_transformation_mode", pick(g, "half_pixel", "asymmetric")), aString("nearest_mode", "floor"))
		case 9:
			x = g.op("Resize", []string{x, "", g.constant(tensor.Must(tensor.From([]float32{1, 1, 2, 1.5}, 4)))}, aString("mode", pick(g, "nearest", "linear")), aString("coordinate_transformation_mode", pick(g, "half_pixel", "asymmetric", "align_corners")), aString("nearest_mode", pick(g, nearestModes...)))
		case 10:
			x = g.op("Slice", []string{x, g.constant(list64(int64(g.between(-3, 1)), 0)), g.constant(list64(1<<62, int64(pick(g, 3, -1, 1<<62)))), g.constant(list64(2, 3)), g.constant(list64(1, int64(pick(g, 1, 2))))})
		case 11:
			// to a multiple of 4
			s := g.op("Slice", []string{g.op("Shape", []string{x}), g.number(2), g.number(4)})
			four := g.number(4)
			p := g.op("Mod", []string{g.op("Sub", []string{four, g.op("Mod", []string{s, four})}), four})
			x = g.op("Pad", []string{x, g.op("Concat", []string{g.constant(list64(0, 0, 0, 0, 0, 0)), p}, anInt("axis", 0))})
		case 12:
			mean := g.op("GlobalAveragePool", []string{x})
			x = g.op("Sub", []string{x, mean})
		case 13:
			// positions
			w := g.op("Squeeze", []string{g.op("Gather", []string{g.op("Shape", []string{x}), g.number(3)})})
			r := g.op("Range", []string{g.constant(tensor.Must(tensor.From([]int64{0}))), w, g.constant(tensor.Must(tensor.From([]int64{1})))})
			x = g.op("Add", []string{x, g.op("Cast", []string{r}, anInt("to", int64(Float32)))})
		case 14:
			x = g.op("InstanceNormalization", []string{g.op("Concat", []string{x, x, g.op("Abs", []string{x})}, anInt("axis", 3)), constant(c), constant(c)}, aFloat("epsilon", 0.1))
		case 15:
			x = g.op("Flatten", []string{g.op("GlobalMaxPool", []string{x})})
			x = g.op("Gemm", []string{x, constant(3, c), constant(3)}, anInt("transB", 1))
			x = g.op("Reshape", []string{x, g.constant(list64(0, 3, 1, 1))})
			c = 3
		}
	}
	g.output(x)
	g.fill(9)
}

// masks joins conditions on the device and on the host.
func (g *trial) masks() {
	s := []any{"N", g.between(1, 4)}
	a, b := g.open(s...), g.open(s...)
	g.g.Inputs[1].Dims[0].Param = g.g.Inputs[0].Dims[0].Param
	floats := []string{a, b, g.constant(g.floatsOf(1))}
	masks := []string{g.op("Greater", []string{a, b})}
	if g.coin() {
		masks = append(masks, g.constant(g.content(tensor.Bool, 1)))
	}
	for range g.between(2, 6) {
		switch g.r.IntN(7) {
		case 0:
			masks = append(masks, g.op(pick(g, "Less", "Equal", "LessOrEqual", "GreaterOrEqual"), []string{pick(g, floats...), pick(g, floats...)}))
		case 1:
			masks = append(masks, g.op(pick(g, "And", "Or", "Xor", "Equal"), []string{pick(g, masks...), pick(g, masks...)}))
		case 2:
			masks = append(masks, g.op("Not", []string{pick(g, masks...)}))
		case 3:
			floats = append(floats, g.op("Where", []string{pick(g, masks...), pick(g, floats...), pick(g, floats...)}))
		case 4:
			floats = append(floats, g.op("Cast", []string{pick(g, masks...)}, anInt("to", int64(Float32))))
		case 5:
			masks = append(masks, g.op("Cast", []string{pick(g, floats...)}, anInt("to", int64(Bool))))
		case 6:
			floats = append(floats, g.op(pick(g, "Add", "Mul", "Sub", "Min"), []string{pick(g, floats...), pick(g, floats...)}))
		}
	}
	g.output(masks[len(masks)-1], floats[len(floats)-1])
	g.fill(5)
}

// late has indices and sizes that the device gives.
func (g *trial) late() {
	x := g.open("N", 4)
	index := g.op(pick(g, "ArgMax", "ArgMin"), []string{x}, anInt("axis", 1), anInt("keepdims", int64(g.r.IntN(2))), g.maybe(anInt("select_last_index", 1)))
	switch g.r.IntN(8) {
	case 0:
		g.output(g.op("Gather", []string{g.constant(g.floatsOf(4, 2)), index}))
	case 1:
		top := g.node("TopK", 2, []string{x, g.number(2)}, anInt("axis", 1), g.maybe(anInt("largest", 0)))
		g.output(top[0], g.op("GatherElements", []string{g.op("Neg", []string{x}), top[1]}, anInt("axis", 1)))
	case 2:
		nz := g.op("NonZero", []string{g.op("Greater", []string{x, g.constant(g.floatsOf(1))})})
		g.output(g.op("GatherND", []string{g.op("Relu", []string{x}), g.op("Transpose", []string{nz})}), nz)
	case 3:
		one := g.op("OneHot", []string{index, g.number(4), g.constant(tensor.Must(tensor.From([]float32{0, 2}, 2)))})
		g.output(g.op("ReduceSum", []string{g.op("Mul", []string{one, g.constant(g.floatsOf(1))})}), one)
	case 4:
		g.output(g.op("Add", []string{index, index}), g.op("Relu", []string{x}))
	case 5:
		count := g.op("ReduceSum", []string{g.op("Cast", []string{g.op("Less", []string{x, g.constant(g.floatsOf(1))})}, anInt("to", int64(Int64)))}, anInt("keepdims", 0))
		to := g.op("Reshape", []string{g.op("Add", []string{count, g.number(1)}), g.number(1)})
		y := g.op("Expand", []string{g.op("ReduceMean", []string{x}, anInt("keepdims", 0)), to})
		g.output(y, g.op("Sqrt", []string{g.op("Abs", []string{y})}))
	case 6:
		y := g.op("Sigmoid", []string{x})
		m := g.op("ArgMax", []string{g.op("Mul", []string{y, g.op("Cast", []string{g.op("Unsqueeze", []string{g.op("Squeeze", []string{g.op("Flatten", []string{index})}), g.number(-1)})}, anInt("to", int64(Float32)))})}, anInt("axis", 1))
		g.output(m, y)
	default:
		f := g.op("Cast", []string{index}, anInt("to", int64(Float32)))
		g.output(g.op("Exp", []string{f}), g.op("Mod", []string{index, g.number(2)}), index)
	}
	g.fill(5)
}

// casts computes integers of floats and the other way.
func (g *trial) casts() {
	x := g.open("N", 3)
	v := g.op("Cast", []string{x}, anInt("to", int64(pick(g, Int32, Int64))))
	for range g.between(1, 4) {
		switch g.r.IntN(6) {
		case 0:
			v = g.op(pick(g, "Abs", "Neg", "Sign"), []string{v})
		case 1:
			v = g.op(pick(g, "Add", "Sub", "Mul"), []string{v, v})
		case 2:
			v = g.op("Cast", []string{g.op("Sqrt", []string{g.op("Abs", []string{g.op("Cast", []string{v}, anInt("to", int64(Float32)))})})}, anInt("to", int64(Int64))) // of few digits
			v = g.op("Mod", []string{v, g.number(7)})
		case 3:
			v = g.op("Cast", []string{v}, anInt("to", int64(pick(g, Int32, Int64))))
		case 4:
			v = g.op("Transpose", []string{v})
		case 5:
			v = g.op("Concat", []string{v, v}, anInt("axis", int64(g.r.IntN(2))))
		}
	}
	g.output(v, g.op("Relu", []string{g.op("Cast", []string{v}, anInt("to", int64(Float32)))}))
	g.fill(5)
}

// kinds goes between floats, integers and booleans, and so between device and host.
func (g *trial) kinds() {
	floats := []string{g.open("N", 4), g.constant(g.floatsOf(4))}
	if g.coin() {
		floats = append(floats, g.open("N", 1))
	}
	ints := []string{g.constant(g.content(tensor.Int64, 4)), g.number(3)}
	masks := []string{g.op("Less", []string{floats[0], floats[len(floats)-1]})}
	to := func(v string, e ElemType) string { return g.op("Cast", []string{v}, anInt("to", int64(e))) }
	f, i, m := func() string { return pick(g, floats...) }, func() string { return pick(g, ints...) }, func() string { return pick(g, masks...) }
	for range g.between(3, 10) {
		switch g.r.IntN(16) {
		case 0:
			floats = append(floats, g.op(pick(g, "Relu", "Neg", "Abs", "Identity", "Floor", "Sigmoid"), []string{f()}))
		case 1:
			floats = append(floats, g.op(pick(g, "Add", "Sub", "Max", "Min"), []string{f(), f()}))
		case 2:
			floats = append(floats, to(i(), Float32))
		case 3:
			floats = append(floats, to(m(), Float32))
		case 4:
			ints = append(ints, to(g.op("Clip", []string{f(), "", g.constant(tensor.Must(tensor.From([]float32{9})))}), Int64))
		case 5:
			ints = append(ints, to(m(), Int64))
		case 6:
			ints = append(ints, g.op(pick(g, "Add", "Sub", "Mul", "Max", "Min"), []string{i(), i()}))
		case 7:
			ints = append(ints, g.op("Mod", []string{i(), g.number(int64(pick(g, 4, -3)))}))
		case 8:
			ints = append(ints, g.op("ArgMax", []string{g.op("Mul", []string{floats[0], f()})}, anInt("axis", 1)))
		case 9:
			masks = append(masks, g.op(pick(g, "Less", "Equal", "Greater"), []string{i(), i()}))
		case 10:
			masks = append(masks, g.op(pick(g, "Less", "GreaterOrEqual"), []string{f(), f()}))
		case 11:
			masks = append(masks, g.op(pick(g, "And", "Or", "Xor"), []string{m(), g.op("Not", []string{m()})}))
		case 12:
			floats = append(floats, g.op("Where", []string{m(), f(), f()}))
		case 13:
			ints = append(ints, g.op("Where", []string{m(), i(), i()}))
		case 14:
			rows := g.op("ArgMin", []string{g.op("Add", []string{floats[0], f()})}, anInt("axis", 1), anInt("keepdims", 0))
			floats = append(floats, g.op("Gather", []string{g.constant(g.floatsOf(4, 4)), rows}))
		case 15:
			top := g.node("TopK", 2, []string{g.op("Add", []string{floats[0], f()}), g.number(4)}, anInt("axis", 1))
			floats, ints = append(floats, top[0]), append(ints, top[1])
		}
	}
	all := [][]string{floats[1:], ints, masks}
	for range g.between(1, 4) {
		list := pick(g, all...)
		g.output(list[len(list)-1], pick(g, list...))
	}
	g.fill(5)
}
