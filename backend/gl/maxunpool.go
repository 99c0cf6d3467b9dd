//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

func maxUnpoolCandidates() []candidate { return []candidate{{"marked", planMaxUnpool}} }

// planMaxUnpool takes the plain layout. Invocations that put elements in one place
// would race: so y first collects, by atomic maxima, which element of x each place
// takes, and then takes them.
func planMaxUnpool(p *plan) error {
	if err := p.allPlain(); err != nil {
		return err
	}
	x, y := p.in[0].Shape, p.out[0].Shape
	count := y.Size()
	if count == 0 {
		return nil
	}
	clear := step{shader: "fill.comp", bind: []binding{writes(0, output(0))}}
	p.be.flat(&clear, count)
	clear.defines = nil // it has no LOCAL
	clear.uniforms = []uniform{uints(0, 0), uints(1, count), uints(2, 0), uints(3, clear.groups[0]*local)}
	p.add(clear)
	if x.Size() == 0 {
		return nil
	}
	pooled, plane := x[2:].Size(), y[2:].Size()
	pass := func(in, count, by int, defines ...shaders.Define) {
		m, n := divisor(by)
		s := step{
			shader:   "maxunpool.comp",
			defines:  defines,
			bind:     []binding{reads(0, input(in), device.R32UI), writes(1, output(0))},
			uniforms: []uniform{uints(0, count, pooled, plane, m, n)},
		}
		p.be.flat(&s, count)
		p.add(s)
	}
	pass(1, x.Size(), pooled, shaders.Define{Name: "MARK"})
	pass(0, count, plane)
	return nil
}
