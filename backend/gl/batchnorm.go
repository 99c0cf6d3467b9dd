//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/shaders"
)

// normRun is how many elements of a channel share the constants of one invocation.
const normRun = 4

func batchNormCandidates(op backend.BatchNorm) []candidate {
	return []candidate{{"elementwise", func(p *plan) error { return planBatchNorm(p, op) }}}
}

func planBatchNorm(p *plan, op backend.BatchNorm) error {
	if err := p.sameLayout(0); err != nil {
		return err
	}
	args, _ := op.Args()
	for i := 1; i < len(p.in); i++ {
		if err := p.mustBePlain(&p.in[i], args[i].Name); err != nil {
			return err
		}
	}
	p.inPlace = []int{0}
	x := planes(p.in[0])
	vec, groups, last := 1, x.lanes, 0
	if x.last || x.pixels == 1 {
		last = 1
		if x.lanes%4 == 0 {
			vec, groups = 4, x.lanes/4
		}
	}
	runs := ceilDiv(x.pixels, normRun)
	count := x.images * groups * runs
	s := step{
		shader:  "batchnorm.comp",
		defines: []shaders.Define{shaders.Int("VEC", vec), shaders.Int("RUN", normRun)},
		bind: []binding{
			storage(0, input(0)), writes(1, output(0)),
			storage(2, input(1)), storage(3, input(2)), storage(4, input(3)), storage(5, input(4)),
		},
		uniforms: []uniform{ints(0, count, x.channels, groups, runs, x.pixels, last), floats(6, op.Epsilon)},
	}
	p.be.flat(&s, count)
	p.add(s)
	return nil
}
