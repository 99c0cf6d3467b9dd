//go:build cgo

package gl

import (
	"math"
	"math/bits"

	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

// normWhole is the longest slice that one invocation takes alone. The choice looks
// at the slice only, so that a batch changes no result.
const normWhole = 256

// normSlices says where the slices of a normalisation lie: see norm.comp.
type normSlices struct {
	outers, outer          int // slices (i, ·) and their distance
	inners, inner          int // slices (·, k) and their distance
	rows, row, width, step int // elements of a slice
	paramInner             int
	paramRow, paramStep    int
	pads                   int // lanes after the last channel
	epsilon                float32
}

// settleNorm settles x and y on one layout, and scale and bias on the plain one.
func (p *plan) settleNorm() error {
	if err := p.sameLayout(0); err != nil {
		return err
	}
	for i, name := range []string{"scale", "bias"} {
		if err := p.mustBePlain(&p.in[1+i], name); err != nil {
			return err
		}
	}
	p.inPlace = []int{0}
	return nil
}

// addNorm adds one dispatch for short slices and three for long ones.
func (p *plan) addNorm(n normSlices) {
	length, slices := n.rows*n.width, n.outers*n.inners
	if length*slices == 0 {
		return
	}
	threads := 1
	if length > normWhole {
		threads = int(math.Ceil(math.Sqrt(float64(length))))
	}
	// Narrow rows of channels lie between those of other slices.
	neighbours := 0
	if n.inners > 1 && n.inner < 8 {
		neighbours = 1
	}
	count := slices * threads
	least := -127
	if n.epsilon > 0 {
		least = math.Ilogb(math.Sqrt(float64(n.epsilon)))
	}
	add := func(phase string, bind ...binding) {
		s := step{
			shader: "norm.comp",
			bind:   append(bind, reads(0, input(0), device.R32F)),
			uniforms: []uniform{
				ints(0, count, length, threads, n.outer, n.inners, n.inner, n.width, n.row, n.step, n.paramInner, n.paramRow, n.paramStep, neighbours, n.pads, bits.Len(uint(length-1))+1, least),
				floats(20, n.epsilon),
			},
		}
		if phase != "" {
			s.defines = append(s.defines, shaders.Define{Name: phase})
		}
		if n.pads > 0 && phase != "MEAN" && phase != "SQUARE" {
			s.defines = append(s.defines, shaders.Define{Name: "MASK"})
		}
		p.be.flat(&s, count)
		p.add(s)
	}
	last := []binding{writes(1, output(0)), reads(2, input(1), device.R32F), reads(3, input(2), device.R32F)}
	if threads == 1 {
		add("", last...)
		return
	}
	bytes := 16 * int64(count)
	m := p.scratch(bytes)
	s := p.scratch(bytes)
	add("MEAN", writes(5, workspace).part(m, bytes))
	add("SQUARE", reads(4, workspace, device.RGBA32F).part(m, bytes), writes(5, workspace).part(s, bytes))
	add("APPLY", append(last, reads(4, workspace, device.RGBA32F).part(s, bytes))...)
}
