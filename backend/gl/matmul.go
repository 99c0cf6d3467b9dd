//go:build cgo

package gl

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

func matMulCandidates(op backend.MatMul) []candidate {
	return []candidate{{"register-tile", func(p *plan) error { return planMatMul(p, op) }}}
}

func planMatMul(p *plan, op backend.MatMul) error {
	for i, arg := range []string{"a", "b"} {
		if err := p.mustBePlain(&p.in[i], arg); err != nil {
			return err
		}
	}
	if err := p.mustBePlain(&p.out[0], "y"); err != nil {
		return err
	}
	d, err := op.Dims(p.in[0].Shape, p.in[1].Shape)
	if err != nil {
		return err
	}
	if p.out[0].Shape.Size() == 0 {
		return nil
	}
	batch := 1
	var loops []loop
	for i := len(d.Batch) - 1; i >= 0; i-- {
		batch *= d.Batch[i]
		loops = append(loops, loop{d.Batch[i], d.AStride[i], d.BStride[i]})
	}
	loops = joined(loops, 0)
	rows := p.be.rowsFor(d.M)
	rowTiles, columnTiles := ceilDiv(d.M, rows), ceilDiv(d.N, 4)
	count := batch * rowTiles * columnTiles
	s := step{
		shader:   "matmul.comp",
		defines:  []shaders.Define{shaders.Int("ROWS", rows), shaders.Int("DIMS", len(loops))},
		bind:     []binding{p.operand(0, 0, d.K), p.operand(1, 1, d.N), writes(2, output(0))},
		uniforms: []uniform{uints(0, append([]int{count, d.M, d.K, d.N, rowTiles, columnTiles}, uniformsOf(loops)...)...)},
	}
	if d.K%4 == 0 {
		s.defines = append(s.defines, shaders.Define{Name: "A4"})
	}
	if d.N%4 == 0 {
		s.defines = append(s.defines, shaders.Define{Name: "B4"})
	}
	p.be.flat(&s, count)
	p.add(s)
	return nil
}

// operand binds input i, of rows with that many elements, as vec4s where rows are
// whole ones. An empty input cannot be a texel view.
func (p *plan) operand(slot, i, row int) binding {
	format := device.R32F
	if row%4 == 0 {
		format = device.RGBA32F
	}
	if p.in[i].Shape.Size() == 0 {
		return storage(slot, input(i))
	}
	return reads(slot, input(i), format)
}

// rowsFor chooses the rows of a product that one invocation computes, out of m.
// They do not change the order of any sum.
func (be *Backend) rowsFor(m int) int {
	most := 4
	if be.family == texelFamily {
		most = 8
	}
	rows := 1
	for rows < most && rows < m {
		rows *= 2
	}
	return rows
}
