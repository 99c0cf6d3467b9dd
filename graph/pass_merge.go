package graph

import (
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
)

// mergeRuns makes one node of two in a row: clamps (ReLU among them), Reshape and
// Flatten, Slices, and constant Pads. The second reads what the first did; the first goes
// if nothing else needs it. A Flatten of another op stays one.
func mergeRuns(g *Graph, _ *options) (int, error) {
	count := 0
	for _, n := range g.nodes {
		if len(n.in) != 1 || n.in[0].from == nil {
			continue
		}
		first := n.in[0].from
		op, ok := merged(first, n)
		if !ok {
			continue
		}
		if err := g.become(n, op, first.in[0]); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}

// merged returns the op that does what first and then n do.
func merged(first, n *Node) (backend.Op, bool) {
	switch op := n.op.(type) {
	case backend.Activation:
		if f, ok := first.op.(backend.Activation); ok {
			a, ok := mergeActs(f.Act, op.Act)
			return backend.Activation{Act: a}, ok
		}
	case backend.Reshape, backend.Flatten:
		switch first.op.(type) {
		case backend.Reshape, backend.Flatten:
			return reshapeTo(first.in[0], n.out[0])
		}
	case backend.Pad:
		if f, ok := first.op.(backend.Pad); ok {
			return mergePads(f, op)
		}
	case backend.Slice:
		if f, ok := first.op.(backend.Slice); ok {
			return mergeSlices(f, op, first.in[0].shape, first.out[0].shape)
		}
	}
	return nil, false
}

// mergeActs returns the activation that does what a and then b do, where both are
// clamps: the bounds of the first are clamped by the second.
func mergeActs(a, b backend.Act) (backend.Act, bool) {
	lo, hi, ok := clampOf(a)
	if !ok {
		return backend.Act{}, false
	}
	min2, max2, ok := clampOf(b)
	if !ok {
		return backend.Act{}, false
	}
	lo, hi = min(max(lo, min2), max2), min(max(hi, min2), max2)
	if lo == 0 && math.IsInf(float64(hi), 1) {
		return backend.Act{Kind: backend.Relu}, true
	}
	return backend.Act{Kind: backend.Clip, Alpha: lo, Beta: hi}, true
}

// clampOf reads an activation as min(max(x, lo), hi).
func clampOf(a backend.Act) (lo, hi float32, ok bool) {
	switch a.Kind {
	case backend.Relu:
		return 0, float32(math.Inf(1)), true
	case backend.Clip:
		return a.Alpha, a.Beta, true
	}
	return 0, 0, false
}

// reshapeTo returns the Reshape that makes y's shape of x. It has none where a
// symbolic dim is not the same in x and another one is symbolic too: a Reshape
// computes one at most, and none beside a copied one that is 0.
func reshapeTo(x, y *Value) (backend.Op, bool) {
	shape := make([]int, len(y.shape))
	hole, copied := false, false
	for i, d := range y.shape {
		n, static := d.Size()
		switch {
		case static && n == 0: // a 0 would copy a dim
			return nil, false
		case static:
			shape[i] = n
		case i < len(x.shape) && x.sizes[0][i] == y.sizes[0][i] && x.sizes[1][i] == y.sizes[1][i]:
			copied = true // by a 0
		case hole:
			return nil, false
		default:
			hole, shape[i] = true, -1
		}
	}
	return backend.Reshape{Shape: shape}, !hole || !copied
}

// mergePads returns the Pad that pads by both, if both fill with the same number.
func mergePads(a, b backend.Pad) (backend.Op, bool) {
	if a.Mode != backend.PadConstant || b.Mode != backend.PadConstant || a.Value != b.Value {
		return nil, false
	}
	if len(a.Pads) != len(b.Pads) { // none, of one that keeps its input
		return nil, false
	}
	pads := slices.Clone(a.Pads)
	for i := range pads {
		pads[i] += b.Pads[i]
		if pads[i] > math.MaxInt32 {
			return nil, false
		}
	}
	return backend.Pad{Pads: pads, Value: a.Value}, true
}

// mergeSlices returns the Slice of x that takes of it what b takes of y, which is what
// a takes of x. Of a dim that is not known yet, one of the two must take all.
func mergeSlices(a, b backend.Slice, x, y Shape) (backend.Op, bool) {
	var s backend.Slice
	add := func(start, end, step int) {
		s.Starts, s.Ends, s.Steps = append(s.Starts, start), append(s.Ends, end), append(s.Steps, step)
	}
	copied := func(op backend.Slice, d int) {
		step := 1
		if op.Steps != nil {
			step = op.Steps[d]
		}
		add(op.Starts[d], op.Ends[d], step)
	}
	for d := range x {
		n, static := x[d].Size()
		switch {
		case takesDim(a, x, d):
			copied(b, d)
		case takesDim(b, y, d):
			copied(a, d)
		case !static:
			return nil, false
		default:
			first, size, step := a.Range(d, n)
			from, size, by := b.Range(d, size)
			switch {
			case size == 0:
				add(0, 0, 1)
			case size == 1:
				add(first+from*step, first+from*step+1, 1)
			default:
				first, step = first+from*step, step*by
				end := first + (size-1)*step + 1
				if step < 0 {
					end -= 2
				}
				add(first, end, step)
			}
		}
	}
	return s, true
}
