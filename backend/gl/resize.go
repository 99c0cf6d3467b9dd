//go:build cgo

package gl

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

func resizeCandidates(op backend.Resize) []candidate {
	return []candidate{{"taps", func(p *plan) error { return planResize(p, op) }}}
}

// planResize takes any layout, the same on both sides. The taps are a table made on
// the host: coordinates in float32 would choose other elements.
func planResize(p *plan, op backend.Resize) error {
	var defines []shaders.Define
	if op.Mode == backend.ResizeLinear {
		defines = []shaders.Define{{Name: "LINEAR"}, shaders.Int("DIMS", len(p.in[0].Shape)-2)}
	}
	return planTable(p, "resize.comp", defines, func() ([][][4]uint32, error) {
		taps, err := op.Taps(p.in[0].Shape[2:])
		table := make([][][4]uint32, len(taps))
		for d := range taps {
			for _, t := range taps[d] {
				table[d] = append(table[d], [4]uint32{uint32(t.I0), uint32(t.I1), math.Float32bits(t.W0), math.Float32bits(t.W1)})
			}
		}
		return table, err
	})
}

// planTable adds the dispatch of a shader that computes pixels of y from pixels of x
// that a table lists, with four words for each index along each spatial dim.
func planTable(p *plan, shader string, defines []shaders.Define, table func() ([][][4]uint32, error)) error {
	if err := p.sameLayout(0); err != nil {
		return err
	}
	x, y := p.in[0], p.out[0]
	if y.Shape.Size() == 0 { // the table may be more than fits in memory
		return nil
	}
	const entry = 16
	bytes := int64(0)
	for _, m := range y.Shape[2:] {
		bytes += entry * int64(m)
	}
	if limit := p.be.limits.StorageBytes; bytes > limit {
		return &backend.LimitError{Op: p.op, What: "table of the spatial dims of y, bytes", Got: bytes, Max: limit}
	}
	dims, err := table()
	if err != nil {
		return err
	}
	in, out := [3]int{1, 1, 1}, [3]int{1, 1, 1}
	first := 3 - len(dims)
	copy(in[first:], x.Shape[2:])
	copy(out[first:], y.Shape[2:])
	// A dim that x lacks has one element, of weight 1 or as a window.
	var words []uint32
	for range first {
		words = append(words, 0, 1, math.Float32bits(1), 0)
	}
	for _, dim := range dims {
		for _, w := range dim {
			words = append(words, w[:]...)
		}
	}
	// Channels-last: a pixel is a row of channels; plain: each plane is an image.
	v := planes(x)
	images, width, vec := v.images*v.channels, 1, 1
	if v.last {
		images, width = v.images, v.lanes
	}
	if width%4 == 0 {
		width, vec = width/4, 4
	}
	count := images * out[0] * out[1] * out[2] * width
	u := append([]int{count, width}, append(in[:], out[:]...)...)
	for _, d := range []int{width, out[2], out[1], out[0]} {
		m, s := divisor(d)
		u = append(u, m, s)
	}
	s := step{
		shader:   shader,
		defines:  append(defines, shaders.Int("VEC", vec)),
		bind:     []binding{reads(0, input(0), texelOf(vec)), writes(1, output(0)), p.table(2, device.RGBA32I, words)},
		uniforms: []uniform{ints(0, u...)},
	}
	p.be.flat(&s, count)
	p.add(s)
	return nil
}
