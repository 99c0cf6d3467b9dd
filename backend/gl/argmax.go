//go:build cgo

package gl

import "github.com/convgl/convgl/backend"

func argMaxCandidates(op backend.ArgMax) []candidate {
	return []candidate{{"tree", func(p *plan) error { return planArgMax(p, op) }}}
}

// planArgMax takes any layouts.
func planArgMax(p *plan, op backend.ArgMax) error {
	axis, err := backend.ResolveAxis(p.op, op.Axis, len(p.in[0].Shape))
	if err != nil {
		return err
	}
	r := reduction{op: reduceIndex, last: op.Last}
	if op.Min {
		r.mapped = mapNegate
	}
	reduced := make([]bool, len(p.in[0].Shape))
	reduced[axis] = true
	p.reduce(r, reduced, op.KeepDims)
	return nil
}
