package onnx

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

var reduceOps = []op{
	{name: "ReduceSum", since: []int{1, 11, 13}, build: reduce(backend.ReduceSum, 13), host: hostReduceSum},
	{name: "ReduceMean", since: []int{1, 11, 13, 18}, build: reduce(backend.ReduceMean, 18), host: hostReduceMean},
	{name: "ReduceMax", since: []int{1, 11, 12, 13, 18, 20}, build: reduce(backend.ReduceMax, 18), host: hostReduceMax},
	{name: "ReduceMin", since: []int{1, 11, 12, 13, 18, 20}, build: reduce(backend.ReduceMin, 18), host: hostReduceMin},
	{name: "ReduceProd", since: []int{1, 11, 13, 18}, build: reduce(backend.ReduceProd, 18), host: hostReduceProd},
	{name: "ReduceL1", since: []int{1, 11, 13, 18}, build: reduce(backend.ReduceL1, 18), host: hostReduceL1},
	{name: "ReduceL2", since: []int{1, 11, 13, 18}, build: reduce(backend.ReduceL2, 18), host: hostReduceL2},
	{name: "ReduceLogSum", since: []int{1, 11, 13, 18}, build: reduce(backend.ReduceLogSum, 18), host: hostReduceLogSum},
	{name: "ReduceLogSumExp", since: []int{1, 11, 13, 18}, build: reduce(backend.ReduceLogSumExp, 18), host: hostReduceLogSumExp},
	{name: "ReduceSumSquare", since: []int{1, 11, 13, 18}, build: reduce(backend.ReduceSumSquare, 18), host: hostReduceSumSquare},
	{name: "ArgMax", since: []int{1, 11, 12, 13}, build: func(c *call) { buildArg(c, false) }, host: hostArgMax},
	{name: "ArgMin", since: []int{1, 11, 12, 13}, build: func(c *call) { buildArg(c, true) }, host: hostArgMin},
	{name: "TopK", since: []int{1, 10, 11, 24}, build: buildTopK, host: hostTopK},
	{name: "CumSum", since: []int{11, 14}, host: hostCumSum},
	{name: "NonZero", since: []int{9, 13}, host: hostNonZero},
}

// reduce builds a reduction. Its axes are an attribute, and an input since a version.
func reduce(fn backend.ReduceKind, input int) func(*call) {
	return func(c *call) {
		o := backend.Reduce{Fn: fn, KeepDims: c.flag("keepdims", true)}
		noop := false
		if c.version >= input {
			noop = c.flag("noop_with_empty_axes", false)
			if c.given(1) {
				o.Axes = c.ints(1)
			}
		} else {
			o.Axes = c.smalls("axes")
		}
		x := c.float(0)
		if noop && len(o.Axes) == 0 {
			c.set(0, c.single(fn, x))
			return
		}
		c.set(0, c.apply(o, x))
	}
}

// single applies to each element what a reduction makes of one.
func (c *call) single(fn backend.ReduceKind, x *graph.Value) *graph.Value {
	switch fn {
	case backend.ReduceL1, backend.ReduceL2:
		return c.act(backend.Abs, x)
	case backend.ReduceLogSum:
		return c.act(backend.Log, x)
	case backend.ReduceSumSquare:
		return c.apply(backend.Binary{Fn: backend.Mul}, x, x)
	}
	return x
}

func buildArg(c *call, least bool) {
	o := backend.ArgMax{Axis: c.attrs.small("axis", 0), Min: least, KeepDims: c.flag("keepdims", true)}
	if c.version >= 12 {
		o.Last = c.flag("select_last_index", false)
	}
	c.setAs(0, c.apply(o, c.float(0)), Int64, asIndex)
}

func buildTopK(c *call) {
	o := backend.TopK{Axis: c.attrs.small("axis", -1)}
	if c.version >= 11 {
		o.Smallest = !c.flag("largest", true)
		c.flag("sorted", true) // results are always sorted, which unsorted ones may be
	}
	x := c.float(0)
	if c.version == 1 {
		o.K = c.attrs.small("k", -1)
	} else if k := c.ints(1); c.err == nil {
		if len(k) != 1 {
			c.fail("input 1: got %d numbers, want 1", len(k))
			return
		}
		o.K = k[0]
	}
	out := c.applyAll(o, x)
	if out == nil {
		return
	}
	c.set(0, out[0])
	c.setAs(1, out[1], Int64, asIndex)
}

// filled returns a constant of equal elements.
func (c *call) filled(shape tensor.Shape, x float32) *graph.Value {
	if c.err != nil {
		return nil
	}
	if err := c.b.budget.takeTensor(tensor.Float32, shape); err != nil {
		c.abort(err)
		return nil
	}
	v := make([]float32, shape.Size())
	for i := range v {
		v[i] = x
	}
	return c.constant(tensor.From(v, shape...))
}
