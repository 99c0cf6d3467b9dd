package graph

import "slices"

// foldAffine folds what is affine by channel with constants into the weights and
// the bias of the Conv, ConvTranspose or Dense before it: BatchNorm, and Binary of
// a constant that has one number a channel.
//
//	scale·(w·x + b) + shift = (scale·w)·x + (scale·b + shift)
//
// in float64, rounded once. A bias in its own node is the case without a scale, and
// then the weights need not be constant. It is right before the first step of an
// epilogue only, and where nothing else reads the result; fuseEpilogues takes what
// is left. In the order of the nodes a chain of them folds into one.
func foldAffine(g *Graph, _ *options) (int, error) {
	count := 0
	for _, n := range slices.Clone(g.nodes) {
		for _, v := range n.in {
			done, err := g.foldAffine(n, v)
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

// foldAffine folds n into the producer of x if it can be.
func (g *Graph) foldAffine(n *Node, x *Value) (bool, error) {
	l, ok := linearOf(x.from)
	if !ok || len(l.epilogue) > 0 || !g.readOnce(x, n) {
		return false, nil
	}
	a, ok := affineOf(n, x, l.channel)
	if !ok {
		return false, nil
	}
	w, b := l.weights(), l.bias()
	if b != nil && b.konst == nil || a.scale != nil && w.konst == nil {
		return false, nil
	}
	shift := a.shift
	if b != nil {
		for o, v := range b.konst.Float32s() {
			s := 1.0
			if a.scale != nil {
				s = a.scale[o]
			}
			shift[o] += s * float64(v)
		}
	}
	bias := round(shift)
	if bias == nil {
		return false, nil
	}
	if a.scale != nil {
		t := l.scaledWeights(a.scale)
		if t == nil {
			return false, nil
		}
		w = g.addConst(w.name, t)
	}
	base := l.name + ".bias"
	if b != nil {
		base = b.name
	}
	if err := g.rewrite(l, w, g.addConst(base, bias), nil, nil); err != nil {
		return false, err
	}
	g.bypass(n, x)
	return true, nil
}
