//go:build cgo

package gl

import (
	"slices"

	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

// maxCopyDims is the largest DIMS of copy.comp.
const maxCopyDims = 11

// copyStrides adds a dispatch of copy.comp: it writes, along loops that are
// innermost first as y lies, elements of input i that stride by a, from element from
// on, to elements of output 0 that stride by b, from element at on. Along the first
// loop, zeros follow the first valid elements. Of more loops than one dispatch runs
// through, it adds one for each index of the shortest.
func (p *plan) copyStrides(i int, loops []loop, valid, from, at int) {
	keep := 0
	if valid < loops[0].size {
		keep = 1
	}
	loops = joined(loops, keep)
	if len(loops) > maxCopyDims {
		least := 1
		for k, l := range loops {
			if k > 0 && l.size < loops[least].size {
				least = k
			}
		}
		l := loops[least]
		for j := range l.size {
			p.copyStrides(i, slices.Delete(slices.Clone(loops), least, least+1), valid, from+j*l.a, at+j*l.b)
		}
		return
	}
	if keep == 0 {
		valid = loops[0].size
	}
	inner := &loops[0]
	wide := inner.b == 1 && inner.size%4 == 0 && at%4 == 0    // y in fours
	vec := valid == inner.size && inner.a == 1 && from%4 == 0 // x too
	for _, l := range loops[1:] {
		wide = wide && l.b%4 == 0
		vec = vec && l.a%4 == 0
	}
	vec = vec && wide
	source, width, lane := reads(0, input(i), device.R32UI), 1, inner.a
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
		// A part of x may be whole texels where all of it is not.
		source = reads(0, input(i), device.RGBA32I).part(0, p.in[i].Bytes()/16*16)
		from /= 4
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
		bind:     []binding{source, writes(1, output(0))},
		uniforms: []uniform{uints(0, append([]int{count, valid, at, lane, from}, uniformsOf(loops)...)...)},
	}
	p.be.flat(&s, count)
	p.add(s)
}

// copyTo adds the dispatch that writes all of output 0, along loops for its dims,
// innermost first, from element from of input 0 on. Lanes that the output pads get
// zeros. The first readable lanes along the channels may be read, also where they are
// padding, which holds zeros too.
func (p *plan) copyTo(loops []loop, from, readable int) {
	if len(loops) == 0 { // a scalar
		loops = []loop{{size: 1}}
	}
	valid := loops[0].size
	if channels, lanes := padding(p.out[0]); channels != lanes {
		loops[0].size = lanes
		valid = max(valid, min(lanes, readable))
	}
	p.copyStrides(0, loops, valid, from, 0)
}
