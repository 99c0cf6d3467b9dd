package onnx

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

var activationOps = []op{
	{name: "Relu", since: []int{1, 6, 13, 14}, build: function(backend.Relu)},
	{name: "LeakyRelu", since: []int{1, 6, 16}, build: alpha(backend.LeakyRelu, 0.01)},
	{name: "ThresholdedRelu", since: []int{10, 22}, build: alpha(backend.ThresholdedRelu, 1)},
	{name: "PRelu", since: []int{1, 6, 7, 9, 16}, build: buildPRelu},
	{name: "Clip", since: []int{1, 6, 11, 12, 13}, build: buildClip, host: hostClip},
	{name: "Elu", since: []int{1, 6, 22}, build: alpha(backend.Elu, 1)},
	{name: "Selu", since: []int{1, 6, 22}, build: buildSelu},
	{name: "Celu", since: []int{12}, build: alpha(backend.Celu, 1)},
	{name: "Sigmoid", since: []int{1, 6, 13}, build: function(backend.Sigmoid)},
	{name: "HardSigmoid", since: []int{1, 6, 22}, build: buildHardSigmoid},
	{name: "HardSwish", since: []int{14, 22}, build: function(backend.HardSwish)},
	{name: "Swish", since: []int{24}, build: buildSwish},
	{name: "Mish", since: []int{18, 22}, build: function(backend.Mish)},
	{name: "Gelu", since: []int{20}, build: buildGelu},
	{name: "Softplus", since: []int{1, 22}, build: function(backend.Softplus)},
	{name: "Softsign", since: []int{1, 22}, build: function(backend.Softsign)},
	{name: "Tanh", since: []int{1, 6, 13}, build: function(backend.Tanh)},
	{name: "Exp", since: []int{1, 6, 13}, build: function(backend.Exp), host: hostExp},
	{name: "Log", since: []int{1, 6, 13}, build: function(backend.Log), host: hostLog},
	{name: "Sqrt", since: []int{1, 6, 13}, build: function(backend.Sqrt), host: hostSqrt},
	{name: "Reciprocal", since: []int{1, 6, 13}, build: function(backend.Reciprocal), host: hostReciprocal},
	{name: "Abs", since: []int{1, 6, 13}, build: function(backend.Abs), host: hostAbs},
	{name: "Neg", since: []int{1, 6, 13}, build: function(backend.Neg), host: hostNeg},
	{name: "Sign", since: []int{9, 13}, build: function(backend.Sign), host: hostSign},
	{name: "Ceil", since: []int{1, 6, 13}, build: function(backend.Ceil), host: hostCeil},
	{name: "Floor", since: []int{1, 6, 13}, build: function(backend.Floor), host: hostFloor},
	{name: "Round", since: []int{11, 22}, build: function(backend.Round), host: hostRound},
	{name: "Erf", since: []int{9, 13}, build: function(backend.Erf)},
	{name: "Sin", since: []int{7, 22}, build: function(backend.Sin)},
	{name: "Cos", since: []int{7, 22}, build: function(backend.Cos)},
	{name: "Softmax", since: []int{1, 11, 13}, build: func(c *call) {
		c.alongAxis(func(axis int, x *graph.Value) *graph.Value { return c.apply(backend.Softmax{Axis: axis}, x) })
	}},
	{name: "LogSoftmax", since: []int{1, 11, 13}, build: func(c *call) {
		c.alongAxis(func(axis int, x *graph.Value) *graph.Value {
			return c.apply(backend.Softmax{Axis: axis, Log: true}, x)
		})
	}},
	{name: "Hardmax", since: []int{1, 11, 13}, build: func(c *call) { c.alongAxis(c.hardmax) }},
	{name: "Dropout", since: []int{1, 6, 7, 10, 12, 13, 22}, build: buildDropout, limits: "training mode only with a ratio of 0"},
	{name: "Identity", since: []int{1, 13, 14, 16, 19, 21, 23, 24, 25}, build: func(c *call) { c.alias(0, 0) }, host: hostIdentity},
}

// function builds an op that is an activation function without constants.
func function(k backend.ActKind) func(*call) { return activation(backend.Act{Kind: k}) }

func activation(a backend.Act) func(*call) {
	return func(c *call) {
		c.ignore("consumed_inputs")
		c.set(0, c.apply(backend.Activation{Act: a}, c.float(0)))
	}
}

// alpha builds one with the attribute alpha.
func alpha(k backend.ActKind, def float32) func(*call) {
	return func(c *call) { activation(backend.Act{Kind: k, Alpha: c.attrs.float("alpha", def)})(c) }
}

// buildPRelu takes slopes that are broadcast to x; version 6 has one for each channel.
func buildPRelu(c *call) {
	c.ignore("consumed_inputs")
	x, slope := c.float(0), c.float(1)
	if c.err != nil {
		return
	}
	if n, s := c.rank(0), c.sizes(1)[0]; c.version < 7 && len(s) == 1 && n > 2 {
		shape := make([]int, n-1)
		for i := range shape {
			shape[i] = 1
		}
		shape[0] = s[0]
		slope = c.apply(backend.Reshape{Shape: shape}, slope)
	}
	y := c.apply(backend.Binary{Fn: backend.PRelu}, x, slope)
	if c.err == nil && len(y.Shape()) != len(x.Shape()) {
		c.fail("input 1: slopes %v do not broadcast to x %v", slope.Shape(), x.Shape())
	}
	c.set(0, y)
}

// buildClip has its bounds as attributes before version 11 and as inputs since.
func buildClip(c *call) {
	c.ignore("consumed_inputs")
	x := c.float(0)
	low, high := float32(math.Inf(-1)), float32(math.Inf(1))
	if c.version < 11 {
		low, high = c.attrs.float("min", -math.MaxFloat32), c.attrs.float("max", math.MaxFloat32)
		if !c.has("min") {
			low = float32(math.Inf(-1))
		}
		if !c.has("max") {
			high = float32(math.Inf(1))
		}
	} else {
		low, high = c.scalar(1, low), c.scalar(2, high)
	}
	if low > high { // then every element becomes the upper bound
		low = high
	}
	c.set(0, c.apply(backend.Activation{Act: backend.Act{Kind: backend.Clip, Alpha: low, Beta: high}}, x))
}

// buildSelu makes y = gamma·Elu(x, alpha) where the constants are not the usual ones.
func buildSelu(c *call) {
	c.ignore("consumed_inputs")
	a, gamma := c.attrs.float("alpha", backend.SeluAlpha), c.attrs.float("gamma", backend.SeluLambda)
	if a == float32(backend.SeluAlpha) && gamma == float32(backend.SeluLambda) {
		c.set(0, c.act(backend.Selu, c.float(0)))
		return
	}
	c.set(0, c.times(c.apply(backend.Activation{Act: backend.Act{Kind: backend.Elu, Alpha: a}}, c.float(0)), gamma))
}

func buildHardSigmoid(c *call) {
	activation(backend.Act{Kind: backend.HardSigmoid, Alpha: c.attrs.float("alpha", 0.2), Beta: c.attrs.float("beta", 0.5)})(c)
}

// buildSwish makes y = x·σ(alpha·x).
func buildSwish(c *call) {
	a := c.attrs.float("alpha", 1)
	x := c.float(0)
	if a == 1 {
		c.set(0, c.act(backend.Silu, x))
		return
	}
	c.set(0, c.apply(backend.Binary{Fn: backend.Mul}, x, c.act(backend.Sigmoid, c.times(x, a))))
}

func buildGelu(c *call) {
	k := backend.Gelu
	if c.choice("approximate", "none", "none", "tanh") == "tanh" {
		k = backend.GeluTanh
	}
	c.set(0, c.act(k, c.float(0)))
}

// alongAxis applies f along the attribute axis. Before version 13 it means all dims from the
// axis on, taken as one.
func (c *call) alongAxis(f func(axis int, x *graph.Value) *graph.Value) {
	def := -1
	if c.version < 13 {
		def = 1
	}
	a := c.attrs.small("axis", def)
	x := c.float(0)
	sizes := c.sizes(0)
	rank := len(sizes[0])
	if c.version < 13 && a == rank && c.err == nil { // every element alone
		x = c.apply(backend.Reshape{Shape: []int{-1, 1}}, x)
		c.set(0, c.reshape(f(1, x), ints2(sizes)))
		return
	}
	a = c.axis(a, rank)
	if c.err != nil {
		return
	}
	if c.version >= 13 || tensor.Shape(sizes[0][a+1:]).Size() == 1 && tensor.Shape(sizes[1][a+1:]).Size() == 1 {
		c.set(0, f(a, x))
		return
	}
	flat := c.apply(backend.Flatten{Axis: a}, x)
	c.set(0, c.reshape(f(1, flat), ints2(sizes)))
}

// hardmax is 1 at the first maximum along an axis and 0 elsewhere.
func (c *call) hardmax(axis int, x *graph.Value) *graph.Value {
	if c.err != nil {
		return nil
	}
	p := x.Probes()
	if p[0][axis] != p[1][axis] {
		c.abort(errShapes)
		return nil
	}
	return c.apply(backend.OneHot{Axis: axis, Depth: p[0][axis]}, c.apply(backend.ArgMax{Axis: axis}, x))
}

// buildDropout is the identity, as it is in inference.
func buildDropout(c *call) {
	c.ignore("consumed_inputs", "is_test", "seed")
	if c.version < 12 {
		c.attrs.float("ratio", 0.5)
	} else if c.given(2) {
		t := c.content(2)
		if c.err != nil {
			return
		}
		training, err := tensor.Data[bool](t)
		if err != nil || len(training) != 1 {
			c.fail("input 2: got %v%v, want one bool", t.DType(), t.Shape())
			return
		}
		if training[0] && c.scalar(1, 0.5) != 0 && c.err == nil {
			c.unsupported("training mode")
		}
	}
	c.float(0)
	c.alias(0, 0)
	if c.wants(1) {
		c.allTrue(1, 0)
	}
}

// allTrue gives output k: true, of the shape of input i.
func (c *call) allTrue(k, i int) {
	sizes := c.sizes(i)
	if c.err != nil {
		return
	}
	var data [2]*tensor.Tensor
	for p := range data {
		dtype := tensor.Bool
		if c.version < 10 {
			dtype = tensor.Float32
		}
		if err := c.b.budget.takeTensor(dtype, sizes[p]); err != nil {
			c.fail("output %d: %w", k, err)
			return
		}
		t := make([]bool, sizes[p].Size())
		for j := range t {
			t[j] = true
		}
		data[p] = tensor.Must(tensor.From(t, sizes[p]...))
	}
	if c.version < 10 { // the mask was of the type of x
		data[0], data[1] = data[0].AsFloat32(), data[1].AsFloat32()
	}
	c.setData(k, data)
}
