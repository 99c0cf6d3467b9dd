package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/convgl/convgl/tensor"
)

// foldConstants computes nodes of which all inputs are constant, and makes
// constants of their outputs, up to o.foldCap elements. What the evaluator does
// not support stays.
func foldConstants(g *Graph, o *options) (int, error) {
	if o.eval == nil {
		return 0, nil
	}
	count := 0
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
		}
		g.remove(n)
		count++
	}
	return count, nil
}
