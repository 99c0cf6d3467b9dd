//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/shaders"
)

func maxPoolCandidates(op backend.MaxPool) []candidate {
	return []candidate{{"window", func(p *plan) error { return planMaxPool(p, op) }}}
}

func planMaxPool(p *plan, op backend.MaxPool) error {
	g, err := op.Geometry(p.in[0].Shape)
	if err != nil {
		return err
	}
	var defines []shaders.Define
	if op.Indices {
		defines = append(defines, shaders.Define{Name: "INDICES"})
	}
	return planPool(p, "maxpool.comp", g.To3(), op.Indices, defines...)
}
