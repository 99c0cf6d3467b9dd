//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

// copyStrides adds a dispatch of copy.comp: it writes, along loops that are
// innermost first as y lies, elements of input i that stride by a to elements of
// output 0 that stride by b, from element at on. Along the first loop, zeros follow
// the first valid elements.
func (p *plan) copyStrides(i int, loops []loop, valid, at int) {
	keep := 0
	if valid < loops[0].size {
		keep = 1
	}
	loops = joined(loops, keep)
	if keep == 0 {
		valid = loops[0].size
	}
	inner := &loops[0]
	wide := inner.b == 1 && inner.size%4 == 0 && at%4 == 0 // y in fours
	vec := valid == inner.size && inner.a == 1             // x too
	for _, l := range loops[1:] {
		wide = wide && l.b%4 == 0
		vec = vec && l.a%4 == 0
	}
	vec = vec && wide
	from, width, lane := reads(0, input(i), device.R32UI), 1, inner.a
	var defines []shaders.Define
	if wide {
		width = 4
		at /= 4
		inner.size /= 4
		inner.a *= 4
		for k := range loops[1:] {
			loops[1+k].b /= 4
		}
	}
	if vec {
		from = reads(0, input(i), device.RGBA32I)
		defines = append(defines, shaders.Define{Name: "VEC"})
		for k := range loops {
			loops[k].a /= 4
		}
	}
	count := 1
	for _, l := range loops {
		count *= l.size
	}
	s := step{
		shader:   "copy.comp",
		defines:  append(defines, shaders.Int("WIDTH", width), shaders.Int("DIMS", len(loops))),
		bind:     []binding{from, writes(1, output(0))},
		uniforms: []uniform{uints(0, append([]int{count, valid, at, lane}, uniformsOf(loops)...)...)},
	}
	p.be.flat(&s, count)
	p.add(s)
}
