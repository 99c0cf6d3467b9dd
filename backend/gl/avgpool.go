//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/shaders"
)

func avgPoolCandidates(op backend.AvgPool) []candidate {
	return []candidate{{"window", func(p *plan) error { return planAvgPool(p, op) }}}
}

func planAvgPool(p *plan, op backend.AvgPool) error {
	g, err := op.Geometry(p.in[0].Shape)
	if err != nil {
		return err
	}
	var defines []shaders.Define
	if op.CountIncludePad {
		defines = append(defines, shaders.Define{Name: "COUNT_PAD"})
	}
	return planPool(p, "avgpool.comp", g.To3(), false, defines...)
}
