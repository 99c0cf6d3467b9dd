package graph

import (
	"slices"

	"github.com/convgl/convgl/backend"
)

// An epilogue takes this much; more would hold more tensors at once than it saves.
const (
	maxSteps     = 6
	maxResiduals = 2
)

// fuseEpilogues makes steps of a Conv, ConvTranspose or Dense of what follows it:
// an Activation, a Binary Add of a tensor of the same shape, and what is affine by
// channel with constants (see foldAffine, which does without a step). Nothing else
// may read the result between. The node moves to the place of what it takes in,
// where the other operand of a sum is there.
func fuseEpilogues(g *Graph, o *options) (int, error) {
	count := 0
	for _, n := range slices.Clone(g.nodes) {
		// Of the two operands of a sum the one that is made later takes it: the
		// earlier one would be computed, and its inputs kept, longer.
		in := slices.Clone(n.in)
		slices.SortStableFunc(in, func(a, b *Value) int { return g.position(b) - g.position(a) })
		for _, v := range in {
			done, err := g.fuse(n, v)
			if err != nil {
				return count, err
			}
			if done {
				count++
				break
			}
		}
	}
	return count, nil
}

// position returns the place of the node that makes v, and 0 for inputs and
// constants.
func (g *Graph) position(v *Value) int { return g.indexed().at[v.from] }

// fuse makes n a step of the producer of x if it can be.
func (g *Graph) fuse(n *Node, x *Value) (bool, error) {
	l, ok := linearOf(x.from)
	if !ok || !g.readOnce(x, n) {
		return false, nil
	}
	steps, operands, ok := g.step(l, n, x)
	if !ok || len(steps) > maxSteps {
		return false, nil
	}
	residuals := 0
	for _, s := range steps {
		if s.Kind == backend.Residual {
			residuals++
		}
	}
	if residuals > maxResiduals {
		return false, nil
	}
	if err := g.rewrite(l, l.weights(), l.bias(), steps, slices.Concat(l.operands(), operands)); err != nil {
		return false, err
	}
	// The linear node takes n's place in the order, under its own name.
	g.move(l.Node, n)
	g.replace(n.out[0], x)
	return true, nil
}

// step returns l's epilogue with n after it, and the operands that n adds.
func (g *Graph) step(l linear, n *Node, x *Value) (backend.Epilogue, []*Value, bool) {
	e := slices.Clone(l.epilogue)
	switch op := n.op.(type) {
	case backend.Activation:
		if k := len(e) - 1; k >= 0 && e[k].Kind == backend.Activate {
			if a, ok := mergeActs(e[k].Act, op.Act); ok {
				e[k].Act = a
				return e, nil, true
			}
		}
		return append(e, backend.Step{Kind: backend.Activate, Act: op.Act}), nil, true
	case backend.BatchNorm, backend.Binary:
		if len(e) == maxSteps {
			return nil, nil, false
		}
		if a, ok := affineOf(n, x, l.channel); ok {
			if a.scale == nil {
				a.scale = filled(len(a.shift), 1)
			}
			scale, shift := round(a.scale), round(a.shift)
			if scale == nil || shift == nil {
				return nil, nil, false
			}
			operands := []*Value{g.addConst(n.name+".scale", scale), g.addConst(n.name+".shift", shift)}
			return append(e, backend.Step{Kind: backend.ScaleShift}), operands, true
		}
		if b, ok := op.(backend.Binary); ok && b.Fn == backend.Add {
			other := n.in[0]
			if other == x {
				other = n.in[1]
			}
			if sameShape(other, x) {
				return append(e, backend.Step{Kind: backend.Residual}), []*Value{other}, true
			}
		}
	}
	return nil, nil, false
}
