//go:build cgo

package gl

import (
	"fmt"
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
)

// planPool adds the dispatch of a pooling over windows: see lib/pool.glsl. Indexed
// leaves the windows out of registers, since their positions count.
func planPool(p *plan, shader string, g backend.Geometry3, indexed bool, defines ...shaders.Define) error {
	for i := range p.out {
		if err := p.mustSettle(&p.out[i], fmt.Sprintf("output %d", i), backend.ChannelsLast4); err != nil {
			return err
		}
	}
	if err := p.mustSettle(&p.in[0], "x", backend.ChannelsLast4); err != nil {
		return err
	}
	for d := range 3 {
		// The shader counts positions in the padded x, and in a tile beyond it.
		const most = math.MaxInt32 - 4*maxColumns
		if n := int64(g.In[d]) + int64(g.Begin[d]) + int64(g.End[d]); n > most {
			return &backend.LimitError{Op: p.op, What: "padded size of a spatial dim", Got: n, Max: most}
		}
	}
	images, channels := p.in[0].Shape[0], p.in[0].Shape[1]
	c4 := ceilDiv(channels, 4)
	if images*c4 == 0 {
		return nil
	}
	t := tileFor(g, p.be.family == texelFamily, indexed)
	defines = append(defines, t.defines(g)...)
	tiles := ceilDiv(g.Out[2], t.outs)
	count := images * g.Out[0] * g.Out[1] * tiles * c4
	u := []int{count, c4, channels, tiles}
	for _, dims := range [][3]int{g.In, g.Out, g.Kernel, g.Stride, g.Dilation, g.Begin, g.End} {
		u = append(u, dims[:]...)
	}
	for _, d := range []int{c4, tiles, g.Out[1], g.Out[0], g.Dilation[0], g.Dilation[1], g.Dilation[2]} {
		m, shift := divisor(d)
		u = append(u, m, shift)
	}
	s := step{
		shader:   shader,
		defines:  defines,
		bind:     []binding{reads(0, input(0), device.RGBA32F), writes(1, output(0))},
		uniforms: []uniform{ints(0, u...)},
	}
	if len(p.out) > 1 {
		s.bind = append(s.bind, writes(2, output(1)))
	}
	p.be.flat(&s, count)
	p.add(s)
	return nil
}

// poolTile is what one invocation of a pooling computes.
type poolTile struct {
	outs    int   // neighbours along the last dim
	columns []int // of x that their windows read; nil when they are not kept in registers
}

// maxColumns is how many columns of x fit in registers: beyond it, drivers spill.
const maxColumns = 32

// tileFor chooses the tile. A software renderer gains from many outputs, whose
// windows share columns; a GPU rather has many invocations.
func tileFor(g backend.Geometry3, software, indexed bool) poolTile {
	sizes := []int{1, 2}
	if software {
		sizes = []int{1, 2, 4, 7, 8}
	}
	best, bestCost := poolTile{outs: 1}, math.MaxInt
	for _, outs := range sizes {
		columns := columnsOf(g, outs)
		if indexed || len(columns) == 0 {
			continue
		}
		// An invocation costs about as much as ten columns.
		if cost := ceilDiv(g.Out[2], outs) * (10 + len(columns)); cost < bestCost {
			best, bestCost = poolTile{outs, columns}, cost
		}
	}
	return best
}

// columnsOf lists the columns of x that the windows of outs neighbours read,
// counted from the first; none if they are more than maxColumns.
func columnsOf(g backend.Geometry3, outs int) []int {
	if g.Kernel[2] > maxColumns {
		return nil
	}
	var columns []int
	for o := range outs {
		for t := range g.Kernel[2] {
			columns = append(columns, o*g.Stride[2]+t*g.Dilation[2])
		}
	}
	slices.Sort(columns)
	if columns = slices.Compact(columns); len(columns) > maxColumns {
		return nil
	}
	// Columns that nothing reads still have a place in the shader's array.
	if columns[len(columns)-1] >= 4*maxColumns {
		return nil
	}
	return columns
}

// maxTaps bounds what is unrolled, since drivers take long to compile it.
const maxTaps = 64

// defines describes the tile to lib/pool.glsl.
func (t poolTile) defines(g backend.Geometry3) []shaders.Define {
	kw, kh, kd, span, sw, dw := 0, 0, 0, 0, 0, 0
	// Where windows may leave x: in d, h, w, for the outputs of whole tiles.
	last := [3]int{(g.Out[0] - 1) * g.Stride[0], (g.Out[1] - 1) * g.Stride[1], (roundUp(g.Out[2], t.outs) - 1) * g.Stride[2]}
	var leaves [3]bool
	for d := range 3 {
		leaves[d] = g.Begin[d] > 0 || last[d]+(g.Kernel[d]-1)*g.Dilation[d] >= g.In[d]
	}
	if t.columns != nil {
		kw, sw, dw = g.Kernel[2], g.Stride[2], g.Dilation[2]
		span = t.columns[len(t.columns)-1] + 1
		if g.Kernel[1]*len(t.columns) <= maxTaps {
			kh = g.Kernel[1]
		}
	}
	if g.Kernel[0] == 1 && !leaves[0] {
		kd = 1
	}
	d := []shaders.Define{
		shaders.Int("OUTS", t.outs), shaders.Int("SPAN", span), shaders.Int("KD", kd), shaders.Int("KH", kh), shaders.Int("KW", kw),
		shaders.Int("SW", sw), shaders.Int("DW", dw),
	}
	if leaves[2] || kh > 0 && leaves[1] {
		d = append(d, shaders.Define{Name: "EDGE"})
	}
	if !leaves[0] && !leaves[1] && !leaves[2] {
		d = append(d, shaders.Define{Name: "INSIDE"})
	}
	return d
}
