package graph

import "slices"

// deadCode removes nodes of which no output is used.
func deadCode(g *Graph, _ *options) (int, error) {
	live := map[*Value]bool{}
	for _, o := range g.outputs {
		live[o.Value] = true
	}
	kept := make([]*Node, 0, len(g.nodes))
	for _, n := range slices.Backward(g.nodes) {
		if !slices.ContainsFunc(n.out, func(v *Value) bool { return live[v] }) {
			continue
		}
		for _, v := range n.in {
			live[v] = true
		}
		kept = append(kept, n)
	}
	slices.Reverse(kept)
	count := len(g.nodes) - len(kept)
	g.nodes = kept
	return count, nil
}
