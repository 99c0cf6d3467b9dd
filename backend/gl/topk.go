//go:build cgo

package gl

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

const (
	// topKCounted is the longest slice of which every element is compared with every
	// other.
	topKCounted = 1024
	// topKMost is how many elements of a longer slice can be sorted: each is compared
	// with each. A software driver ends a loop after 65535 rounds.
	topKMost = 1 << 15
	// topKSlice is how long a slice may be: an invocation looks at one of selectLocal.
	topKSlice = 1 << 23
	// selectLocal is the number of invocations of a selection: one a value of a digit.
	selectLocal = 256
)

func topKCandidates(op backend.TopK) []candidate {
	return []candidate{
		{"count", func(p *plan) error { return planTopK(p, op, false) }},
		{"select", func(p *plan) error { return planTopK(p, op, true) }},
	}
}

// planTopK takes the plain layout. All elements of a short slice are compared with
// each other; those of a long one, if selected, that a dispatch before has chosen.
func planTopK(p *plan, op backend.TopK, selected bool) error {
	if err := p.allPlain(); err != nil {
		return err
	}
	x := p.in[0].Shape
	axis, err := backend.ResolveAxis(p.op, op.Axis, len(x))
	if err != nil || p.out[0].Shape.Size() == 0 {
		return err
	}
	n, inner := x[axis], x[axis+1:].Size()
	if !selected && n > topKCounted {
		return &backend.LimitError{Op: p.op, What: "elements of a slice, for the algorithm count", Got: int64(n), Max: topKCounted}
	}
	if selected && op.K > topKMost {
		return &backend.LimitError{Op: p.op, What: "k, of slices of more than 1024 elements", Got: int64(op.K), Max: topKMost}
	}
	if selected && n > topKSlice {
		return &backend.LimitError{Op: p.op, What: "elements of a slice", Got: int64(n), Max: topKSlice}
	}
	slices, m, flip := x.Size()/n, n, math.MaxUint32
	if op.Smallest {
		flip = 0
	}
	mi, si := divisor(inner)
	s := step{
		shader: "topk.comp",
		bind:   []binding{reads(0, input(0), device.R32F), writes(1, output(0)), writes(2, output(1))},
	}
	if selected {
		m = op.K
		bytes := 8 * int64(slices) * int64(m)
		chosen := workspace
		at := p.scratch(bytes)
		p.add(step{
			shader:   "topk_select.comp",
			defines:  []shaders.Define{shaders.Int("LOCAL", selectLocal)},
			bind:     []binding{reads(0, input(0), device.R32F), writes(1, chosen).part(at, bytes)},
			uniforms: []uniform{uints(0, slices, n, op.K, inner, mi, si, flip)},
			groups:   p.be.folded(slices),
			local:    [3]int{selectLocal, 1, 1},
			shared:   4 * (selectLocal + 5),
		})
		s.bind = append(s.bind, storage(3, chosen).part(at, bytes))
		s.defines = append(s.defines, shaders.Define{Name: "CHOSEN"})
	}
	mm, sm := divisor(m)
	s.uniforms = []uniform{uints(0, slices*m, n, op.K, m, inner, mi, si, mm, sm, flip)}
	p.be.flat(&s, slices*m)
	p.add(s)
	return nil
}
