package onnx

import (
	"slices"

	"github.com/convgl/convgl/backend"
)

var matrixOps = []op{
	{name: "MatMul", since: []int{1, 9, 13}, build: func(c *call) { c.set(0, c.apply(backend.MatMul{}, c.float(0), c.float(1))) }},
	{name: "Gemm", since: []int{1, 6, 7, 9, 11, 13}, build: buildGemm},
}

// buildGemm makes y = alpha·a·b + beta·c a fully connected layer, whose weights are b
// transposed.
func buildGemm(c *call) {
	alpha, beta := c.attrs.float("alpha", 1), c.attrs.float("beta", 1)
	transA, transB := c.flag("transA", false), c.flag("transB", false)
	if c.version < 7 {
		c.flag("broadcast", false)
	}
	a, w := c.float(0), c.float(1)
	sb := c.sizes(1)
	if c.err == nil && (c.rank(0) != 2 || len(sb[0]) != 2) {
		c.fail("inputs 0 and 1: got %v and %v, want matrices", a.Shape(), w.Shape())
	}
	if transA {
		a = c.apply(backend.Transpose{Perm: []int{1, 0}}, a)
	}
	if !transB {
		w = c.apply(backend.Transpose{Perm: []int{1, 0}}, w)
	}
	if c.err != nil {
		return
	}
	o := backend.Dense{}
	w = c.times(w, alpha)
	if !c.given(2) || beta == 0 {
		c.set(0, c.apply(o, a, w))
		return
	}
	bias := c.times(c.float(2), beta)
	if c.err != nil {
		return
	}
	n := w.Probes()[0][0]
	switch s := bias.Probes()[0]; {
	case slices.Equal(s, []int{1, n}):
		bias = c.apply(backend.Reshape{Shape: []int{-1}}, bias)
		fallthrough
	case slices.Equal(s, []int{n}):
		o.Bias = true
		c.set(0, c.apply(o, a, w, bias))
	default:
		y := c.apply(o, a, w)
		z := c.apply(backend.Binary{Fn: backend.Add}, y, bias)
		if c.err == nil && !z.Probes()[0].Equal(y.Probes()[0]) {
			c.fail("input 2: %v does not broadcast to the product %v", bias.Shape(), y.Shape())
		}
		c.set(0, z)
	}
}
