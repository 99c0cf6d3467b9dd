package graph

import (
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
)

// foldPads moves a constant Pad of spatial dims into the window that reads it.
// Where other nodes read the Pad too, it stays for them.
//
//   - Conv pads with 0: a Pad of 0.
//   - AvgPool pads with 0 and counts it if CountIncludePad: a Pad of 0, whose
//     elements counted. A window with pads of its own must have counted them too.
//   - MaxPool pads with −∞: a Pad of −∞; and a Pad of 0 where no element is
//     negative and every window holds one. Positions count from another corner
//     after a Pad, so one with Indices stays.
//
// The size of a pool that rounds up depends on where the end padding begins, so
// such a Pad has none at the ends. A window needs an element of its input, which
// a Pad does not: where a symbol is bound to 0, the folded network has an error.
func foldPads(g *Graph, _ *options) (int, error) {
	count := 0
	for _, n := range g.nodes {
		if n.in[0].from == nil {
			continue
		}
		pad, ok := n.in[0].from.op.(backend.Pad)
		if !ok || pad.Mode != backend.PadConstant {
			continue
		}
		x := n.in[0].from.in[0]
		op, ok := padded(n, pad, x)
		if !ok {
			continue
		}
		if err := g.become(n, op, append([]*Value{x}, n.in[1:]...)...); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}

// padded returns n's op with pad in its window.
func padded(n *Node, pad backend.Pad, x *Value) (backend.Op, bool) {
	rank := len(x.shape)
	for _, i := range []int{0, 1, rank, rank + 1} {
		if i >= len(pad.Pads) || pad.Pads[i] != 0 {
			return nil, false
		}
	}
	for _, s := range x.sizes {
		if slices.Contains(s[2:], 0) {
			return nil, false
		}
	}
	spatial := slices.Concat(pad.Pads[2:rank], pad.Pads[rank+2:])
	atEnd := slices.ContainsFunc(spatial[rank-2:], func(p int) bool { return p != 0 })
	switch op := n.op.(type) {
	case backend.Conv:
		w, ok := addPads(op.Window, spatial)
		op.Window = w
		return op, ok && pad.Value == 0
	case backend.AvgPool:
		if !op.CountIncludePad && hasPads(op.Window) || op.CeilMode && atEnd {
			return nil, false
		}
		w, ok := addPads(op.Window, spatial)
		op.Window, op.CountIncludePad = w, true
		return op, ok && pad.Value == 0
	case backend.MaxPool:
		if op.Indices || op.CeilMode && atEnd {
			return nil, false
		}
		w, ok := addPads(op.Window, spatial)
		op.Window = w
		return op, ok && (math.IsInf(float64(pad.Value), -1) || pad.Value == 0 && notNegative(x) && meetsData(w))
	}
	return nil, false
}

// addPads returns w with more padding. A rule for its own padding leaves no room.
func addPads(w backend.Window, pads []int) (backend.Window, bool) {
	if w.AutoPad != backend.PadExplicit && w.AutoPad != backend.Valid {
		return w, false
	}
	w.AutoPad = backend.PadExplicit
	own := w.Pads
	w.Pads = slices.Clone(pads)
	for i, p := range own {
		w.Pads[i] += p
	}
	return w, !slices.ContainsFunc(w.Pads, func(p int) bool { return p > math.MaxInt32 })
}

func hasPads(w backend.Window) bool {
	return slices.ContainsFunc(w.Pads, func(p int) bool { return p != 0 })
}

// meetsData reports whether no window lies wholly in the padding: its taps are
// neighbours and reach over the padding on either side.
func meetsData(w backend.Window) bool {
	for i, k := range w.Kernel {
		if w.Pads[i] >= k || w.Pads[len(w.Kernel)+i] >= k || w.Dilations != nil && w.Dilations[i] != 1 {
			return false
		}
	}
	return true
}

// notNegative reports whether what makes v cannot make a negative number.
func notNegative(v *Value) bool {
	if v.from == nil {
		return false
	}
	var a backend.Act
	if op, ok := v.from.op.(backend.Activation); ok {
		a = op.Act
	} else if l, ok := linearOf(v.from); ok && len(l.epilogue) > 0 {
		last := l.epilogue[len(l.epilogue)-1]
		if last.Kind != backend.Activate {
			return false
		}
		a = last.Act
	} else {
		return false
	}
	lo, _, ok := clampOf(a)
	return ok && lo >= 0 || a.Kind == backend.Sigmoid
}
