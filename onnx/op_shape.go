package onnx

import (
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

var shapeOps = []op{
	{name: "Shape", since: []int{1, 13, 15, 19, 21, 23, 24, 25}, build: buildShape},
	{name: "Size", since: []int{1, 13, 19, 21, 23, 24, 25}, build: buildSize},
	{name: "Reshape", since: []int{1, 5, 13, 14, 19, 21, 23, 24, 25}, build: buildReshape, host: hostReshape},
	{name: "Flatten", since: []int{1, 9, 11, 13, 21, 23, 24, 25}, build: buildFlatten, host: hostFlatten},
	{name: "Squeeze", since: []int{1, 11, 13, 21, 23, 24, 25}, build: buildSqueeze, host: hostSqueeze},
	{name: "Unsqueeze", since: []int{1, 11, 13, 21, 23, 24, 25}, build: buildUnsqueeze, host: hostUnsqueeze},
	{name: "Transpose", since: []int{1, 13, 21, 23, 24, 25}, build: buildTranspose, host: hostTranspose},
	{name: "Expand", since: []int{8, 13}, build: buildExpand, host: hostExpand},
	{name: "Tile", since: []int{1, 6, 13}, build: buildTile, host: hostTile},
	{name: "Constant", since: []int{1, 9, 11, 12, 13, 19, 21, 23, 24, 25}, build: buildConstant, limits: "no sparse and no string constants"},
	{name: "ConstantOfShape", since: []int{9, 20, 21, 23, 24, 25}, host: hostConstantOfShape},
	{name: "Range", since: []int{11, 27}, host: hostRange},
	{name: "Cast", since: []int{1, 6, 9, 13, 19, 21, 23, 24, 25}, build: buildCast, host: hostCast, limits: "to float32, int32, int64, uint8 and bool; float16, bfloat16 and float64 stay float32"},
	{name: "CastLike", since: []int{15, 19, 21, 23, 24, 25}, build: buildCastLike, host: hostCastLike},
}

func buildShape(c *call) {
	start, end := c.attrs.small("start", 0), c.attrs.small("end", 1<<30)
	sizes := c.sizes(0)
	if c.err != nil {
		return
	}
	clamp := func(i, n int) int {
		if i < 0 {
			i += n
		}
		return min(max(i, 0), n)
	}
	var data [2]*tensor.Tensor
	for k, s := range sizes {
		from, to := clamp(start, len(s)), clamp(end, len(s))
		v := []int64{}
		for i := from; i < to; i++ {
			v = append(v, int64(s[i]))
		}
		data[k] = tensor.Must(tensor.From(v, len(v)))
	}
	c.setData(0, data)
}

func buildSize(c *call) {
	sizes := c.sizes(0)
	if c.err != nil {
		return
	}
	var data [2]*tensor.Tensor
	for k, s := range sizes {
		data[k] = tensor.Must(tensor.From([]int64{int64(s.Size())}))
	}
	c.setData(0, data)
}

// ints2 converts two shapes.
func ints2(s [2]tensor.Shape) [2][]int { return [2][]int{s[0], s[1]} }

// reshape gives x the shape that is wanted under each set of probe sizes. A dim that
// differs must be one of x at the same place, or the only other one.
func (c *call) reshape(x *graph.Value, want [2][]int) *graph.Value {
	if c.err != nil {
		return nil
	}
	p := x.Probes()
	if len(want[0]) != len(want[1]) {
		c.abort(errShapes)
		return nil
	}
	if p[0].Equal(want[0]) && p[1].Equal(want[1]) {
		return x
	}
	shape := slices.Clone(want[0])
	open := false
	for i, n := range shape {
		switch {
		case n == 0 && want[1][i] == 0 && (i >= len(p[0]) || p[0][i] != 0):
			// A literal 0, where the op copies a dim: there is nothing to copy.
			if x.DType() != tensor.Float32 || !p[0].Equal(p[1]) || p[0].Size() != 0 {
				c.fail("cannot reshape %v to %v", x.Shape(), want[0])
				return nil
			}
			return c.constant(tensor.New(tensor.Float32, want[0]...))
		case n == want[1][i]:
		case i < len(p[0]) && p[0][i] == n && p[1][i] == want[1][i]:
			shape[i] = 0
		case !open:
			shape[i], open = -1, true
		default:
			c.abort(errShapes)
			return nil
		}
	}
	return c.apply(backend.Reshape{Shape: shape}, x)
}

func buildReshape(c *call) {
	allowZero := c.version >= 14 && c.flag("allowzero", false)
	x := c.float(0)
	if c.version < 5 {
		c.ignore("consumed_inputs")
		c.set(0, c.apply(backend.Reshape{Shape: c.smalls("shape")}, x))
		return
	}
	want, ok := c.bothInts(1)
	if !ok {
		return
	}
	if slices.Equal(want[0], want[1]) && !allowZero {
		c.set(0, c.apply(backend.Reshape{Shape: want[0]}, x))
		return
	}
	// Resolve 0 and −1, so that what remains are sizes.
	p := x.Probes()
	if c.roughly(1) && slices.Contains(want[0], -1) {
		c.abort(errShapes) // what follows from a size that is not sure is not sure either
		return
	}
	for k := range want {
		hole := -1
		n := 1
		for i, d := range want[k] {
			if d == 0 && !allowZero {
				if i >= len(p[k]) {
					c.fail("input 1: 0 at %d copies a dim that x %v does not have", i, x.Shape())
					return
				}
				want[k][i] = p[k][i]
			}
			if d == -1 {
				if hole >= 0 || allowZero && slices.Contains(want[k], 0) {
					c.fail("input 1: got %v, want at most one −1, and no 0 beside it where zeros are allowed", want[k])
					return
				}
				hole = i
				continue
			}
			n *= want[k][i]
		}
		if hole >= 0 {
			if n < 1 || p[k].Size()%n != 0 {
				c.fail("cannot reshape %v to %v", x.Shape(), want[k])
				return
			}
			want[k][hole] = p[k].Size() / n
		}
		if tensor.Shape(want[k]).Size() != p[k].Size() {
			c.fail("cannot reshape %v to %v", x.Shape(), want[k])
			return
		}
	}
	if c.roughly(1) {
		c.set(0, c.reshapeRoughly(x, want))
		return
	}
	c.set(0, c.reshape(x, want))
}

// reshapeRoughly is reshape for sizes that follow from open dims by a rounding: a dim of x
// that has the size under both sets need not be meant. One dim may be open, since it
// follows from the others.
func (c *call) reshapeRoughly(x *graph.Value, want [2][]int) *graph.Value {
	if len(want[0]) != len(want[1]) {
		c.abort(errShapes)
		return nil
	}
	shape, open := slices.Clone(want[0]), false
	for i, n := range shape {
		switch {
		case n == want[1][i] && n != 0:
		case n == 0 || open:
			c.abort(errShapes)
			return nil
		default:
			shape[i], open = -1, true
		}
	}
	return c.apply(backend.Reshape{Shape: shape}, x)
}

// bothInts returns the content of input i under each set of probe sizes.
func (c *call) bothInts(i int) (want [2][]int, ok bool) {
	v := c.value(i)
	if v == nil {
		return want, false
	}
	data, err := c.b.demand(v)
	if err != nil {
		c.abort(err)
		return want, false
	}
	for k, t := range data {
		n, err := integers(t)
		if err != nil {
			c.fail("input %d: %v", i, err)
			return want, false
		}
		if want[k] = slices.Clone(c.narrow("input 1", n)); c.err != nil {
			return want, false
		}
		if _, err := (tensor.Shape)(absolute(want[k])).Elems(); err != nil {
			c.fail("input %d: %v: %v", i, n, err)
			return want, false
		}
	}
	return want, c.err == nil
}

// absolute replaces what is not positive by 1.
func absolute(v []int) []int {
	w := slices.Clone(v)
	for i := range w {
		w[i] = max(w[i], 1)
	}
	return w
}

func buildFlatten(c *call) {
	axis := c.attrs.small("axis", 1)
	x := c.float(0)
	if n := c.rank(0); c.err == nil && axis < 0 {
		axis += n
	}
	c.set(0, c.apply(backend.Flatten{Axis: axis}, x))
}

func buildSqueeze(c *call) {
	axes := c.intsOr("axes", 1)
	x := c.float(0)
	sizes := c.sizes(0)
	axes = c.axes(axes, len(sizes[0]))
	if c.err != nil {
		return
	}
	all := !c.given(1) && !c.has("axes")
	if all && !sizes[0].Equal(sizes[1]) {
		c.abort(errShapes) // an open dim may be 1
		return
	}
	var want [2][]int
	for k, s := range sizes {
		want[k] = []int{}
		for i, d := range s {
			switch {
			case slices.Contains(axes, i) && d != 1:
				c.fail("axis %d of %v is not 1", i, x.Shape())
				return
			case slices.Contains(axes, i), all && d == 1:
			default:
				want[k] = append(want[k], d)
			}
		}
	}
	c.set(0, c.reshape(x, want))
}

func buildUnsqueeze(c *call) {
	axes := c.intsOr("axes", 1)
	x := c.float(0)
	sizes := c.sizes(0)
	rank := len(sizes[0]) + len(axes)
	axes = c.axes(axes, rank)
	if c.err != nil {
		return
	}
	if rank > tensor.MaxRank {
		c.unsupported("a result of rank %d: at most %d", rank, tensor.MaxRank)
		return
	}
	var want [2][]int
	for k, s := range sizes {
		next := 0
		want[k] = make([]int, rank)
		for i := range want[k] {
			if slices.Contains(axes, i) {
				want[k][i] = 1
				continue
			}
			want[k][i] = s[next]
			next++
		}
	}
	c.set(0, c.reshape(x, want))
}

func buildTranspose(c *call) {
	o := backend.Transpose{Perm: c.smalls("perm")}
	c.set(0, c.apply(o, c.float(0)))
}

func buildExpand(c *call) {
	x := c.float(0)
	c.set(0, c.apply(backend.Expand{Shape: c.ints(1)}, x))
}

func buildTile(c *call) {
	x := c.float(0)
	c.set(0, c.apply(backend.Tile{Repeats: c.ints(1)}, x))
}

func buildConstant(c *call) {
	if len(c.n.Attrs) != 1 {
		c.fail("got %d attributes, want the one that has the value", len(c.n.Attrs))
		return
	}
	var t *tensor.Tensor
	var err error
	switch name := c.n.Attrs[0].Name; name {
	case "value":
		v := c.tensor("value")
		if v == nil {
			c.fail("attribute \"value\" has no tensor")
			return
		}
		var notes []string
		t, notes, err = v.Value(pb.ValueOptions{})
		for _, n := range notes {
			c.b.m.note(n)
		}
	case "value_float":
		t, err = tensor.From([]float32{c.attrs.float(name, 0)})
	case "value_floats":
		v := c.attrs.floats(name)
		t, err = tensor.From(v, len(v))
	case "value_int":
		t, err = tensor.From([]int64{c.int(name, 0)})
	case "value_ints":
		v := c.attrs.ints(name)
		t, err = tensor.From(v, len(v))
	default:
		c.unsupported("attribute %q", name)
		return
	}
	if err != nil {
		c.abort(reason(err))
		return
	}
	c.setData(0, [2]*tensor.Tensor{t, t})
}

// castTo returns the type of a number of TensorProto's.
func (c *call) castTo(to ElemType) ElemType {
	if to.DType() == tensor.Invalid {
		c.unsupported("to %v", to)
	}
	if to.Float() && to != Float32 {
		c.b.m.note("casts to " + to.String() + " keep float32")
		return Float32
	}
	return to
}

func buildCast(c *call) {
	c.ignore("saturate", "round_mode")
	c.convert(c.castTo(ElemType(c.attrs.small("to", 0))))
}

func buildCastLike(c *call) {
	c.ignore("saturate", "round_mode")
	if v := c.value(1); v != nil {
		c.convert(v.elem)
	}
}

// convert gives output 0: input 0 as another type.
func (c *call) convert(to ElemType) {
	v := c.value(0)
	switch {
	case v == nil:
	case v.elem == to:
		c.alias(0, 0)
	case v.elem == Bool && to == Float32:
		c.set(0, c.device(v))
	case v.elem == Float32 && to == Bool:
		zero := c.apply(backend.Binary{Fn: backend.Equal}, c.device(v), c.number(0))
		c.setAs(0, c.not(zero), Bool, asMask)
	default:
		c.abort(errHost)
	}
}
