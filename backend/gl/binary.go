//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/shaders"
)

func binaryCandidates(op backend.Binary) []candidate {
	return []candidate{{"elementwise", func(p *plan) error { return planBinary(p, op) }}}
}

func planBinary(p *plan, op backend.Binary) error {
	return planElementwise(p, "binary.comp", "AB", shaders.Int("FN", int(op.Fn)))
}
