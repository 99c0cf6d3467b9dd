package graph

import (
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// dropExpands lets ops that broadcast their operands read what an Expand stretches,
// where their outputs have the same shapes then. It comes before constants are folded:
// of one element no large constant is made.
func dropExpands(g *Graph, _ *options) (int, error) {
	count := 0
	for _, n := range g.nodes {
		if !broadcasts(n.op) {
			continue
		}
		for i, v := range n.in {
			if v.from == nil {
				continue
			}
			if _, ok := v.from.op.(backend.Expand); !ok {
				continue
			}
			in := slices.Clone(n.in)
			if in[i] = v.from.in[0]; !broadcastTo(in, n.out[0]) {
				continue
			}
			if err := g.become(n, n.op, in...); err != nil {
				return count, err
			}
			count++
		}
	}
	return count, nil
}

// broadcasts reports whether the op broadcasts all its inputs against each other.
func broadcasts(op backend.Op) bool {
	switch op := op.(type) {
	case backend.Binary:
		return !op.SameShape
	case backend.Where:
		return true
	}
	return false
}

// broadcastTo reports whether the values broadcast to y's shape.
func broadcastTo(in []*Value, y *Value) bool {
	for k, want := range y.sizes {
		s := tensor.Shape{}
		for _, v := range in {
			var err error
			if s, err = tensor.Broadcast(s, v.sizes[k]); err != nil {
				return false
			}
		}
		if !s.Equal(want) {
			return false
		}
	}
	return true
}
