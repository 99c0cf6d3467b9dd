//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
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
	if count == 0 {
		return nil
	}
	mg, sg := divisor(groups)
	mr, sr := divisor(runs)
	s := step{
		shader:  "batchnorm.comp",
		defines: []shaders.Define{shaders.Int("VEC", vec), shaders.Int("RUN", normRun)},
		bind: []binding{
			reads(0, input(0), texelOf(vec)), writes(1, output(0)),
			reads(2, input(1), device.R32F), reads(3, input(2), device.R32F), reads(4, input(3), device.R32F), reads(5, input(4), device.R32F),
		},
		uniforms: []uniform{ints(0, count, x.channels, groups, runs, x.pixels, last, mg, sg, mr, sr), floats(10, op.Epsilon)},
	}
	p.be.flat(&s, count)
	p.add(s)
	return nil
}
