//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/shaders"
)

// adaptivePoolCandidates: windows that are whole planes go to the global pooling,
// which shares a plane among many invocations.
func adaptivePoolCandidates(op backend.AdaptivePool) []candidate {
	window := candidate{"window", func(p *plan) error { return planAdaptivePool(p, op) }}
	for _, n := range op.Out {
		if n != 1 {
			return []candidate{window}
		}
	}
	return append(globalPoolCandidates(backend.GlobalPool{Mean: op.Mean}), window)
}

// planAdaptivePool takes any layout, the same on both sides.
func planAdaptivePool(p *plan, op backend.AdaptivePool) error {
	var defines []shaders.Define
	if op.Mean {
		defines = []shaders.Define{{Name: "MEAN"}}
	}
	return planTable(p, "adaptivepool.comp", defines, func() ([][][4]uint32, error) {
		table := make([][][4]uint32, len(op.Out))
		for d, out := range op.Out {
			for i := range out {
				begin, end := op.Window(i, p.in[0].Shape[2+d], out)
				table[d] = append(table[d], [4]uint32{uint32(begin), uint32(end)})
			}
		}
		return table, nil
	})
}
