package onnx

import (
	"fmt"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

var lossOps = []op{
	{name: "NegativeLogLikelihoodLoss", since: []int{12, 13, 22}, build: func(c *call) { c.likelihood(c.float(0)) }},
	{name: "SoftmaxCrossEntropyLoss", since: []int{12, 13}, build: func(c *call) {
		y := c.apply(backend.Softmax{Axis: 1, Log: true}, c.float(0))
		c.likelihood(y)
		c.set(1, y)
	}},
}

// likelihood gives output 0: the negative log-likelihood loss of x, logarithms of
// probabilities [N,C,d...], with input 1 the classes [N,d...] and input 2 a weight for
// each class, if given:
//
//	l[n,d...] = −w[t]·x[n,t,d...],  t = class[n,d...]
//
// reduced to its sum, or to its mean, Σ l / Σ w[t], unless the attribute reduction is
// "none". Where the class is the attribute ignore_index, l and w are 0.
func (c *call) likelihood(x *graph.Value) {
	reduction := c.choice("reduction", "mean", "none", "sum", "mean")
	hasIgnore := c.has("ignore_index")
	ignore := c.int("ignore_index", 0)
	sizes := c.sizes(0)
	target := c.value(1)
	if c.err != nil {
		return
	}
	if len(sizes[0]) < 2 || sizes[0][1] != sizes[1][1] {
		c.fail("input 0: got %v, want [N,C,...]", x.Shape())
		return
	}
	if !target.known() {
		c.abort(errLater)
		return
	}
	for k, got := range c.sizes(1) {
		if want := slices.Delete(sizes[k].Clone(), 1, 2); c.err == nil && !got.Equal(want) {
			c.fail("input 1: got classes %v for x %v, want %v", got, sizes[k], want)
		}
	}
	if c.err != nil {
		return
	}
	classes := sizes[0][1]
	// An ignored class becomes one that there is not, of which OneHot makes zeros.
	target = c.derive(target, "class", func(h *hostCall, t *tensor.Tensor) (*tensor.Tensor, error) {
		if err := h.take(t.Size(), 12); err != nil {
			return nil, err
		}
		v, err := integers(t)
		if err != nil {
			return nil, err
		}
		y := make([]int32, len(v))
		for i, k := range v {
			switch {
			case hasIgnore && k == ignore:
				y[i] = int32(classes)
			case k < 0 || k >= int64(classes):
				return nil, fmt.Errorf("class %d of element %d: want 0 to %d", k, i, classes-1)
			default:
				y[i] = int32(k)
			}
		}
		return tensor.From(y, t.Shape()...)
	})
	if c.err != nil {
		return
	}
	chosen := c.apply(backend.OneHot{Axis: 1, Depth: classes}, c.device(target))
	weight := chosen
	if c.given(2) {
		shape := make([]int, len(sizes[0])-1)
		for i := range shape {
			shape[i] = 1
		}
		shape[0] = classes
		w := c.apply(backend.Reshape{Shape: shape}, c.float(2))
		weight = c.apply(backend.Binary{Fn: backend.Mul}, chosen, w)
	}
	// Where, since 0 times an infinite logarithm is no 0.
	picked := c.apply(backend.Binary{Fn: backend.Mul}, c.apply(backend.Where{}, chosen, x, c.number(0)), weight)
	if reduction == "none" {
		sum := c.apply(backend.Reduce{Fn: backend.ReduceSum, Axes: []int{1}}, picked)
		c.set(0, c.act(backend.Neg, sum))
		return
	}
	loss := c.act(backend.Neg, c.apply(backend.Reduce{Fn: backend.ReduceSum}, picked))
	if reduction == "mean" {
		loss = c.apply(backend.Binary{Fn: backend.Div}, loss, c.apply(backend.Reduce{Fn: backend.ReduceSum}, weight))
	}
	c.set(0, loss)
}
