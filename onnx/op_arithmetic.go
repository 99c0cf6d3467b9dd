package onnx

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

var arithmeticOps = []op{
	{name: "Add", since: []int{1, 6, 7, 13, 14}, build: elementwise(backend.Add), host: hostAdd},
	{name: "Sub", since: []int{1, 6, 7, 13, 14}, build: elementwise(backend.Sub), host: hostSub},
	{name: "Mul", since: []int{1, 6, 7, 13, 14}, build: elementwise(backend.Mul), host: hostMul},
	{name: "Div", since: []int{1, 6, 7, 13, 14}, build: elementwise(backend.Div), host: hostDiv},
	{name: "Pow", since: []int{1, 7, 12, 13, 15}, build: buildPow, host: hostPow},
	{name: "Mod", since: []int{10, 13}, host: hostMod, limits: "of floating point only with fmod"},
	{name: "Sum", since: []int{1, 6, 8, 13}, build: variadic(backend.Add), host: hostSum},
	{name: "Max", since: []int{1, 6, 8, 12, 13}, build: variadic(backend.Maximum), host: hostMax},
	{name: "Min", since: []int{1, 6, 8, 12, 13}, build: variadic(backend.Minimum), host: hostMin},
	{name: "Mean", since: []int{1, 6, 8, 13}, build: buildMean, host: hostMean},
	{name: "Equal", since: []int{1, 7, 11, 13, 19}, build: compare(backend.Equal), host: hostEqual},
	{name: "Less", since: []int{1, 7, 9, 13}, build: compare(backend.Less), host: hostLess},
	{name: "LessOrEqual", since: []int{12, 16}, build: compare(backend.LessOrEqual), host: hostLessOrEqual},
	{name: "Greater", since: []int{1, 7, 9, 13}, build: compare(backend.Greater), host: hostGreater},
	{name: "GreaterOrEqual", since: []int{12, 16}, build: compare(backend.GreaterOrEqual), host: hostGreaterOrEqual},
	{name: "And", since: []int{1, 7}, build: logic(backend.Mul), host: hostAnd},
	{name: "Or", since: []int{1, 7}, build: logic(backend.Maximum), host: hostOr},
	{name: "Xor", since: []int{1, 7}, build: buildXor, host: hostXor},
	{name: "Not", since: []int{1}, build: func(c *call) { c.setAs(0, c.not(c.mask(0)), Bool, asMask) }, host: hostNot},
	{name: "Where", since: []int{9, 16}, build: func(c *call) {
		x, y := c.float(1), c.float(2)
		c.set(0, c.apply(backend.Where{}, c.mask(0), x, y))
	}, host: hostWhere},
	{name: "BitShift", since: []int{11}, host: hostBitShift, limits: "of uint8"},
	{name: "BitwiseAnd", since: []int{18}, host: hostBitwiseAnd},
	{name: "BitwiseOr", since: []int{18}, host: hostBitwiseOr},
	{name: "BitwiseXor", since: []int{18}, host: hostBitwiseXor},
	{name: "BitwiseNot", since: []int{18}, host: hostBitwiseNot},
}

// elementwise builds an op of two tensors that are broadcast against each other.
func elementwise(fn backend.BinaryKind) func(*call) {
	return func(c *call) {
		a, b := c.operands(c.float)
		c.set(0, c.apply(backend.Binary{Fn: fn}, a, b))
	}
}

// compare builds a comparison.
func compare(fn backend.BinaryKind) func(*call) {
	return func(c *call) {
		get := c.float
		if c.given(0) && c.in[0].elem == Bool {
			get = c.mask
		}
		a, b := c.operands(get)
		c.setAs(0, c.apply(backend.Binary{Fn: fn}, a, b), Bool, asMask)
	}
}

// logic builds an op of two booleans.
func logic(fn backend.BinaryKind) func(*call) {
	return func(c *call) {
		a, b := c.operands(c.mask)
		c.setAs(0, c.apply(backend.Binary{Fn: fn}, a, b), Bool, asMask)
	}
}

func buildXor(c *call) {
	a, b := c.operands(c.mask)
	c.setAs(0, c.not(c.apply(backend.Binary{Fn: backend.Equal}, a, b)), Bool, asMask)
}

// not returns 1 − v.
func (c *call) not(v *graph.Value) *graph.Value {
	return c.apply(backend.Binary{Fn: backend.Sub}, c.number(1), v)
}

// operands returns the two inputs. Before version 7 they have one shape, or, with the
// attribute broadcast, the dims of b are those of a from the attribute axis on.
func (c *call) operands(get func(int) *graph.Value) (a, b *graph.Value) {
	a, b = get(0), get(1)
	if c.version >= 7 {
		return a, b
	}
	c.ignore("consumed_inputs")
	broadcast := c.flag("broadcast", false)
	hasAxis := c.has("axis")
	axis := c.attrs.small("axis", 0)
	if c.err != nil {
		return nil, nil
	}
	sa, sb := c.sizes(0), c.sizes(1)
	switch {
	case !broadcast && !(sa[0].Equal(sb[0]) && sa[1].Equal(sb[1])):
		c.fail("inputs of %v and %v: this version broadcasts only with the attribute broadcast", a.Shape(), b.Shape())
	case broadcast && hasAxis:
		tail := len(sa[0]) - c.axis(axis, len(sa[0])) - len(sb[0])
		if c.err == nil && tail < 0 {
			c.fail("attribute \"axis\": got %d for inputs of %v and %v", axis, a.Shape(), b.Shape())
		}
		if c.err == nil && tail > 0 {
			var want [2][]int
			for k := range want {
				want[k] = append(want[k], sb[k]...)
				for range tail {
					want[k] = append(want[k], 1)
				}
			}
			b = c.reshape(b, want)
		}
	}
	return a, b
}

// buildPow takes an exponent of any type; the result has the type of the base.
func buildPow(c *call) {
	x := c.float(0)
	v := c.value(1)
	if c.err != nil {
		return
	}
	if !v.elem.Float() {
		v = c.cast(v, Float32)
		if c.err != nil {
			return
		}
	}
	y := c.device(v)
	if c.version < 7 {
		_, y = c.operands(c.float)
	}
	if v.known() && !v.varies && v.data[0].Size() == 1 && v.data[0] == v.data[1] && len(v.data[0].Shape()) <= c.rank(0) {
		// The usual exponents have functions of their own, which are faster.
		switch v.data[0].Float32s()[0] {
		case 2:
			c.set(0, c.apply(backend.Binary{Fn: backend.Mul}, x, x))
			return
		case 0.5:
			c.set(0, c.act(backend.Sqrt, x))
			return
		}
	}
	c.set(0, c.apply(backend.Binary{Fn: backend.Power}, x, y))
}

// variadic builds an op of one or more tensors, from the left.
func variadic(fn backend.BinaryKind) func(*call) {
	return func(c *call) { c.set(0, c.join(fn)) }
}

func (c *call) join(fn backend.BinaryKind) *graph.Value {
	c.ignore("consumed_inputs")
	y := c.float(0)
	for i := 1; i < len(c.in); i++ {
		y = c.apply(backend.Binary{Fn: fn}, y, c.float(i))
	}
	return y
}

func buildMean(c *call) {
	sum := c.join(backend.Add)
	if len(c.in) == 1 {
		c.set(0, sum)
		return
	}
	c.set(0, c.apply(backend.Binary{Fn: backend.Div}, sum, c.number(float32(len(c.in)))))
}
