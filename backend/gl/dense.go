//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

// denseTerms is the number of products that dense.comp sums before it adds them to
// the sum of others.
const denseTerms = 256

// fewRows is up to how many rows a product is cut along its terms, so that a GPU
// finds enough invocations. The order of the sums is the same either way.
const fewRows = 16

func (be *Backend) denseCandidates(op backend.Dense) []candidate {
	rows := candidate{"rows", func(p *plan) error { return planDense(p, op, false) }}
	split := candidate{"split-terms", func(p *plan) error { return planDense(p, op, true) }}
	if be.family == texelFamily {
		return []candidate{rows, split}
	}
	return []candidate{split, rows}
}

// planDense multiplies by weights packed as those of a convolution with one tap.
// With split, blocks of terms are summed by invocations of their own, into the
// workspace, and added up by a second dispatch.
func planDense(p *plan, op backend.Dense, split bool) error {
	args, _ := op.Args()
	for i := range p.in {
		if err := p.mustBePlain(&p.in[i], args[i].Name); err != nil {
			return err
		}
	}
	y := &p.out[0]
	if err := p.mustBePlain(y, "y"); err != nil {
		return err
	}
	w := p.in[1].Shape
	outputs, terms, rows := w[0], w[1], y.Shape[:len(y.Shape)-1].Size()
	sums := ceilDiv(terms, denseTerms)
	if split && (sums == 1 || rows > fewRows) {
		return p.unsupported("split terms: %d rows of %d terms: want at most %d, and more than %d", rows, terms, fewRows, denseTerms)
	}
	format := newConvFormat(w, 1)
	weights, off, bytes := p.weights(convShape{format: format})
	if rows == 0 {
		p.steps = nil
		return nil
	}

	d := denseStep{
		plan:   p,
		epi:    newEpilogue(op.Bias, op.Epilogue, 2),
		sizes:  []int{rows, terms, outputs, ceilDiv(outputs, 8), roundUp(terms, 4), format.block / 8, sums},
		eights: ceilDiv(outputs, 8),
		wide:   outputs%4 == 0,
	}
	d.view = p.be.family == texelFamily && d.fits(rows*terms, rows*outputs, int(bytes/16))
	tile := p.be.rowsFor(rows)
	x, format4 := input(0), device.R32F
	defines := []shaders.Define{shaders.Int("ROWS", tile)}
	if terms%4 == 0 {
		format4 = device.RGBA32F
		defines = append(defines, shaders.Define{Name: "X4"})
	}
	bind := []binding{d.read(0, x, format4), d.read(1, weights, device.RGBA32F).part(off, bytes)}
	tiles := ceilDiv(rows, tile)
	if !split {
		d.add(d.eights*tiles, defines, append(bind, writes(2, output(0))), true)
		return nil
	}
	partBytes := int64(sums) * int64(rows) * int64(d.eights) * 32
	partOff := p.scratch(partBytes)
	d.add(d.eights*tiles*sums, append(defines, shaders.Define{Name: "PARTIAL"}), append(bind, writes(3, workspace).part(partOff, partBytes)), false)
	d.add(d.eights*rows, []shaders.Define{shaders.Int("ROWS", 1), {Name: "FINISH"}},
		[]binding{storage(3, workspace).part(partOff, partBytes), writes(2, output(0))}, true)
	return nil
}

// denseStep is what the dispatches of a product have in common.
type denseStep struct {
	plan   *plan
	epi    epilogue
	sizes  []int
	eights int  // groups of eight outputs
	view   bool // operands are texel views
	wide   bool // rows of y are whole vec4s
}

// fits reports whether views of so many texels are within the limit.
func (d *denseStep) fits(texels ...int) bool {
	for _, n := range texels {
		if int64(n) > d.plan.be.limits.Texels {
			return false
		}
	}
	return true
}

func (d *denseStep) read(slot int, a argument, f device.Texel) binding {
	if d.view {
		return texels(slot, a, f)
	}
	return storage(slot, a)
}

// add appends a dispatch of count invocations, with the epilogue if it writes y.
func (d *denseStep) add(count int, defines []shaders.Define, bind []binding, last bool) {
	p := d.plan
	s := step{
		shader:   "dense.comp",
		defines:  append([]shaders.Define{}, defines...),
		bind:     append([]binding{}, bind...),
		uniforms: []uniform{ints(0, append([]int{count}, d.sizes...)...)},
	}
	if d.view {
		s.defines = append(s.defines, shaders.Define{Name: "USE_TEXEL"})
	}
	if last {
		d.epi.put(&s, 4, d.view, d.wide, false)
	}
	p.be.flat(&s, count)
	p.add(s)
}
