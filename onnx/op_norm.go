package onnx

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

var normOps = []op{
	{name: "BatchNormalization", since: []int{1, 6, 7, 9, 14, 15}, build: buildBatchNorm, limits: "training mode from version 14 on; spatial 1"},
	{name: "InstanceNormalization", since: []int{1, 6, 22}, build: func(c *call) {
		c.ignore("consumed_inputs")
		o := backend.InstanceNorm{Epsilon: c.attrs.float("epsilon", 1e-5)}
		c.set(0, c.apply(o, c.float(0), c.float(1), c.float(2)))
	}},
	{name: "LayerNormalization", since: []int{17}, build: buildLayerNorm},
	{name: "GroupNormalization", since: []int{18, 21}, build: buildGroupNorm},
	{name: "LRN", since: []int{1, 13}, build: func(c *call) {
		o := backend.LRN{Size: c.attrs.small("size", 0), Alpha: c.attrs.float("alpha", 1e-4), Beta: c.attrs.float("beta", 0.75), K: c.attrs.float("bias", 1)}
		c.set(0, c.apply(o, c.float(0)))
	}},
	{name: "LpNormalization", since: []int{1, 22}, build: buildLpNorm},
	{name: "MeanVarianceNormalization", since: []int{9, 13}, build: buildMeanVariance},
}

func buildBatchNorm(c *call) {
	c.ignore("consumed_inputs", "is_test")
	momentum := c.attrs.float("momentum", 0.9)
	o := backend.BatchNorm{Epsilon: c.attrs.float("epsilon", 1e-5)}
	if c.version < 9 && c.int("spatial", 1) != 1 {
		c.unsupported("attribute spatial 0: statistics for each element")
	}
	training := c.version >= 14 && c.flag("training_mode", false)
	x, scale, bias, mean, variance := c.float(0), c.float(1), c.float(2), c.float(3), c.float(4)
	if !training {
		for k := 1; k < 5; k++ {
			if c.wants(k) {
				c.unsupported("output %d, which is for training", k)
			}
		}
		c.set(0, c.apply(o, x, scale, bias, mean, variance))
		return
	}
	n := c.rank(0)
	if c.err != nil {
		return
	}
	var axes []int
	for i := range n {
		if i != 1 {
			axes = append(axes, i)
		}
	}
	batchMean, batchVar := c.moments(x, axes)
	flat := func(v *graph.Value) *graph.Value { return c.apply(backend.Reshape{Shape: []int{-1}}, v) }
	m, v := flat(batchMean), flat(batchVar)
	running := func(old, now *graph.Value) *graph.Value {
		return c.apply(backend.Binary{Fn: backend.Add}, c.times(old, momentum), c.times(now, 1-momentum))
	}
	c.set(0, c.apply(o, x, scale, bias, m, v))
	if c.wants(1) {
		c.set(1, running(mean, m))
	}
	if c.wants(2) {
		c.set(2, running(variance, v))
	}
}

// moments returns mean and variance over axes, which are kept with size 1.
func (c *call) moments(x *graph.Value, axes []int) (mean, variance *graph.Value) {
	mean = c.apply(backend.Reduce{Fn: backend.ReduceMean, Axes: axes, KeepDims: true}, x)
	d := c.apply(backend.Binary{Fn: backend.Sub}, x, mean)
	variance = c.apply(backend.Reduce{Fn: backend.ReduceMean, Axes: axes, KeepDims: true}, c.apply(backend.Binary{Fn: backend.Mul}, d, d))
	return mean, variance
}

// times returns v·f.
func (c *call) times(v *graph.Value, f float32) *graph.Value {
	if f == 1 {
		return v
	}
	return c.apply(backend.Binary{Fn: backend.Mul}, v, c.number(f))
}

// act applies an activation function.
func (c *call) act(k backend.ActKind, v *graph.Value) *graph.Value {
	return c.apply(backend.Activation{Act: backend.Act{Kind: k}}, v)
}

func buildLayerNorm(c *call) {
	o := backend.LayerNorm{Axis: c.attrs.small("axis", -1), Epsilon: c.attrs.float("epsilon", 1e-5)}
	c.ignore("stash_type") // the type of the sums, which are of float32 or wider
	x := c.float(0)
	sizes := c.sizes(0)
	axis := c.axis(o.Axis, len(sizes[0]))
	if c.err != nil {
		return
	}
	slice := sizes[0][axis:]
	if !slice.Equal(sizes[1][axis:]) {
		c.abort(errShapes)
		return
	}
	stretch := func(i int) *graph.Value {
		v := c.float(i)
		if c.err != nil || c.sizes(i)[0].Equal(slice) {
			return v
		}
		return c.apply(backend.Expand{Shape: slice}, v)
	}
	bias := (*graph.Value)(nil)
	if c.given(2) {
		bias = stretch(2)
	} else {
		bias = c.filled(slice, 0)
	}
	c.set(0, c.apply(o, x, stretch(1), bias))
	if c.wants(1) || c.wants(2) {
		var axes []int
		for i := axis; i < len(sizes[0]); i++ {
			axes = append(axes, i)
		}
		mean, variance := c.moments(x, axes)
		c.set(1, mean)
		c.set(2, c.act(backend.Reciprocal, c.act(backend.Sqrt, c.apply(backend.Binary{Fn: backend.Add}, variance, c.number(o.Epsilon)))))
	}
}

func buildGroupNorm(c *call) {
	o := backend.GroupNorm{Groups: c.attrs.small("num_groups", 0), Epsilon: c.attrs.float("epsilon", 1e-5)}
	c.ignore("stash_type")
	x := c.float(0)
	sizes := c.sizes(0)
	if c.err != nil {
		return
	}
	if len(sizes[0]) < 2 || o.Groups < 1 || sizes[0][1]%o.Groups != 0 || sizes[0][1] != sizes[1][1] {
		c.fail("attribute \"num_groups\": got %d for x %v", o.Groups, x.Shape())
		return
	}
	per := sizes[0][1] / o.Groups
	// Version 18 has a scale and a bias for each group.
	channels := func(i int) *graph.Value {
		v := c.float(i)
		if c.version >= 21 || per == 1 {
			return v
		}
		v = c.apply(backend.Reshape{Shape: []int{-1, 1}}, v)
		v = c.apply(backend.Expand{Shape: []int{o.Groups, per}}, v)
		return c.apply(backend.Reshape{Shape: []int{-1}}, v)
	}
	c.set(0, c.apply(o, x, channels(1), channels(2)))
}

// buildLpNorm makes y = x / ‖x‖ₚ along an axis, 0 where the norm is 0.
func buildLpNorm(c *call) {
	axis, p := c.attrs.small("axis", -1), c.attrs.small("p", 2)
	x := c.float(0)
	fn := backend.ReduceL2
	switch p {
	case 1:
		fn = backend.ReduceL1
	case 2:
	default:
		c.fail("attribute \"p\": got %d, want 1 or 2", p)
	}
	norm := c.apply(backend.Reduce{Fn: fn, Axes: []int{axis}, KeepDims: true}, x)
	y := c.apply(backend.Binary{Fn: backend.Div}, x, norm)
	c.set(0, c.apply(backend.Where{}, norm, y, x))
}

// buildMeanVariance makes y = (x − mean) / (√variance + 1e-9) over axes.
func buildMeanVariance(c *call) {
	axes := c.smalls("axes")
	if axes == nil {
		axes = []int{0, 2, 3}
	}
	x := c.float(0)
	mean, variance := c.moments(x, axes)
	d := c.apply(backend.Binary{Fn: backend.Add}, c.act(backend.Sqrt, variance), c.number(1e-9))
	c.set(0, c.apply(backend.Binary{Fn: backend.Div}, c.apply(backend.Binary{Fn: backend.Sub}, x, mean), d))
}
