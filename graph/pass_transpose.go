package graph

import (
	"slices"

	"github.com/convgl/convgl/backend"
)

// mergeTransposes makes one Transpose of two in a row, and cancels two that undo
// each other, also across elementwise ops of one tensor between them.
func mergeTransposes(g *Graph, _ *options) (int, error) {
	count := 0
	for _, n := range slices.Clone(g.nodes) {
		second, ok := permOf(n)
		if !ok {
			continue
		}
		chain, first := g.upToTranspose(n)
		if first == nil {
			continue
		}
		perm, _ := permOf(first)
		both := make([]int, len(perm))
		for i, p := range second {
			both[i] = perm[p]
		}
		x := first.in[0]
		switch {
		case len(chain) == 0:
			if err := g.become(n, backend.Transpose{Perm: both}, x); err != nil {
				return count, err
			}
		case slices.IsSorted(both):
			if err := g.untranspose(chain, first.out[0], x); err != nil {
				return count, err
			}
			g.bypass(n, chain[len(chain)-1].out[0])
		default:
			continue
		}
		count++
	}
	return count, nil
}

// permOf returns the permutation of a Transpose.
func permOf(n *Node) ([]int, bool) {
	t, ok := n.op.(backend.Transpose)
	if !ok {
		return nil, false
	}
	perm, err := t.Permutation(len(n.in[0].shape))
	return perm, err == nil
}

// upToTranspose returns the elementwise ops between n and a Transpose before it,
// the first one first, and that Transpose; nil if there is none, or if something
// else reads what lies between.
func (g *Graph) upToTranspose(n *Node) (chain []*Node, first *Node) {
	v := n.in[0]
	reader := n
	for v.from != nil {
		m := v.from
		if _, ok := permOf(m); ok {
			slices.Reverse(chain)
			return chain, m
		}
		if !g.readOnce(v, reader) {
			return nil, nil
		}
		data := elementwise(m)
		if data == nil {
			return nil, nil
		}
		chain = append(chain, m)
		v, reader = data, m
	}
	return nil, nil
}

// elementwise returns the input x of a node that computes each element of y from
// the one of x at the same place and from nothing else, and nil for other nodes.
func elementwise(n *Node) *Value {
	switch n.op.(type) {
	case backend.Activation, Identity, Dropout:
		return n.in[0]
	case backend.Binary:
		for i, v := range n.in {
			k := n.in[1-i]
			if v.konst == nil && k.konst != nil && k.konst.Size() == 1 && len(k.shape) <= len(v.shape) {
				return v
			}
		}
	}
	return nil
}

// untranspose makes the first node of a chain read x in place of its transpose, and
// infers the outputs along the chain again: their dims are permuted.
func (g *Graph) untranspose(chain []*Node, from, to *Value) error {
	for _, m := range chain {
		in := slices.Clone(m.in)
		for i, v := range in {
			if v == from {
				in[i] = to
			}
		}
		g.setInputs(m, in)
		from = m.out[0]
		if err := g.infer(m); err != nil {
			return err
		}
		to = m.out[0]
	}
	return nil
}
