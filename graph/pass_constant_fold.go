package graph

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/convgl/convgl/tensor"
)

// foldGrowth is how many times the cap of one constant all that are folded may add to
// the constants of a graph.
const foldGrowth = 16

// foldConstants computes nodes of which all inputs are constant, and makes
// constants of their outputs, up to o.foldCap elements each. What the outputs have
// more than the inputs that nothing else reads is growth, and is limited for the whole
// graph: a small file could ask for many large constants, as by Expands of one element.
// What the evaluator does not support stays.
func foldConstants(g *Graph, o *options) (int, error) {
	if o.eval == nil {
		return 0, nil
	}
	count := 0
	reads, held := g.reads()
	for _, n := range slices.Clone(g.nodes) {
		in := make([]*tensor.Tensor, len(n.in))
		size := 0
		for i, v := range n.in {
			in[i] = v.konst
		}
		for _, v := range n.out {
			size += v.sizes[0].Size()
		}
		if slices.Contains(in, nil) || size > o.foldCap {
			continue
		}
		growth := size - freed(in, held)
		if growth > 0 && o.grown+growth > foldGrowth*min(o.foldCap, math.MaxInt/foldGrowth) {
			continue
		}
		out, err := o.eval(n.op, in)
		if errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		if err != nil {
			return count, nameNode(err, n.name)
		}
		if len(out) != len(n.out) {
			return count, &Error{Node: n.name, Err: fmt.Errorf("the evaluator gave %d outputs, want %d", len(out), len(n.out))}
		}
		for i, v := range n.out {
			if t := out[i]; t == nil || !t.Shape().Equal(v.sizes[0]) || t.DType() != v.dtype {
				return count, &Error{Node: n.name, Err: fmt.Errorf("output %d: the evaluator gave another shape or type than %v%v", i, v.dtype, v.shape)}
			}
			g.replace(v, newConst(v.name, out[i])) // under the node's name, which goes
			held[out[i]] += reads[v]
		}
		for _, t := range in {
			held[t]--
		}
		g.remove(n)
		o.grown += growth
		count++
	}
	return count, nil
}

// reads counts how often each value, and the tensor of each constant, is read by nodes
// and returned.
func (g *Graph) reads() (values map[*Value]int, tensors map[*tensor.Tensor]int) {
	values, tensors = map[*Value]int{}, map[*tensor.Tensor]int{}
	read := func(v *Value) {
		if values[v]++; v.konst != nil {
			tensors[v.konst]++
		}
	}
	for _, n := range g.nodes {
		for _, v := range n.in {
			read(v)
		}
	}
	for _, out := range g.outputs {
		read(out.Value)
	}
	return values, tensors
}

// freed returns the elements of those tensors that nobody but one node reads, whose
// inputs they are.
func freed(in []*tensor.Tensor, held map[*tensor.Tensor]int) int {
	own := map[*tensor.Tensor]int{}
	for _, t := range in {
		own[t]++
	}
	size := 0
	for t, n := range own {
		if held[t] == n {
			size += t.Size()
		}
	}
	return size
}
