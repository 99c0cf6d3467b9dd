package graph

import (
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
)

// dropIdentities removes nodes that return their input: Identity, Dropout,
// Reorder (layouts are chosen later), and others that their attributes and
// constants make so.
func dropIdentities(g *Graph, _ *options) (int, error) {
	count := 0
	for _, n := range slices.Clone(g.nodes) {
		if v := identityOf(n); v != nil {
			g.bypass(n, v)
			count++
		}
	}
	return count, nil
}

// dropViews removes the nodes that have no kernel and those that only change a
// layout, which a plan does itself: it is what Compile needs of dropIdentities.
func dropViews(g *Graph) {
	for _, n := range slices.Clone(g.nodes) {
		if isView(n.op) {
			g.bypass(n, n.in[0])
		}
	}
	g.sweep()
}

// isView reports whether the op only gives its input another name.
func isView(op backend.Op) bool {
	switch op.(type) {
	case Identity, Dropout, backend.Reorder:
		return true
	}
	return false
}

// identityOf returns the input that n's only output equals, or nil.
func identityOf(n *Node) *Value {
	if len(n.out) != 1 {
		return nil
	}
	x, y := n.in[0], n.out[0]
	same := sameShape(x, y)
	yes := isView(n.op)
	switch op := n.op.(type) {
	case backend.Reshape, backend.Flatten, backend.Pad, backend.AdaptivePool, backend.Expand, backend.Tile:
		yes = same // an empty Pad is the only one that keeps the shape
	case backend.Slice:
		yes = takesAll(op, x.shape)
	case backend.Resize: // a scale by which the size stays may still move elements
		yes = same && !slices.ContainsFunc(op.Scales, func(f float64) bool { return f != 1 })
	case backend.Transpose:
		perm, err := op.Permutation(len(x.shape))
		yes = err == nil && slices.IsSorted(perm)
	case backend.Concat:
		yes = op.Inputs == 1
	case backend.MaxPool:
		yes = same && single(op.Window)
	case backend.AvgPool:
		yes = same && single(op.Window)
	case backend.Activation:
		switch op.Act.Kind {
		case backend.Clip:
			yes = math.IsInf(float64(op.Alpha), -1) && math.IsInf(float64(op.Beta), 1)
		case backend.LeakyRelu:
			yes = op.Alpha == 1
		}
	case backend.Binary:
		return neutral(n, op.Fn)
	}
	if yes {
		return x
	}
	return nil
}

// takesAll reports whether a Slice takes each dim of x whole, whatever the symbols are.
func takesAll(op backend.Slice, x Shape) bool {
	for d := range x {
		if !takesDim(op, x, d) {
			return false
		}
	}
	return true
}

// takesDim is takesAll for one dim.
func takesDim(op backend.Slice, x Shape, d int) bool {
	if n, static := x[d].Size(); static {
		first, size, step := op.Range(d, n)
		return size == n && first == 0 && (step == 1 || n < 2)
	}
	return op.Starts[d] == 0 && op.Ends[d] == backend.SliceEnd && (op.Steps == nil || op.Steps[d] == 1)
}

// single reports whether w has one tap, which is taken at each step. That the
// pool keeps the shape says that nothing is padded, as for a stride of 1, which a
// dim of 1 does not tell.
func single(w backend.Window) bool {
	one := func(v int) bool { return v == 1 }
	return !slices.ContainsFunc(w.Kernel, func(k int) bool { return !one(k) }) &&
		!slices.ContainsFunc(w.Pads, func(p int) bool { return p != 0 })
}

// neutral returns the operand that x+0, x−0, x·1 or x/1 returns, or nil.
func neutral(n *Node, fn backend.BinaryKind) *Value {
	for i, v := range n.in {
		k := n.in[1-i]
		if k.konst == nil || !sameShape(v, n.out[0]) {
			continue
		}
		if i == 1 && (fn == backend.Sub || fn == backend.Div) {
			continue
		}
		var want float32
		switch fn {
		case backend.Add, backend.Sub:
		case backend.Mul, backend.Div:
			want = 1
		default:
			continue
		}
		if !slices.ContainsFunc(k.konst.Float32s(), func(f float32) bool { return f != want }) {
			return v
		}
	}
	return nil
}
