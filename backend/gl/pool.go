//go:build cgo

package gl

import (
	"fmt"
	"math"

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
		// The shader counts positions in the padded x, and one window more.
		if n := int64(g.In[d]) + int64(g.Begin[d]) + int64(g.End[d]) + int64(g.Stride[d]); n > math.MaxInt32 {
			return &backend.LimitError{Op: p.op, What: "padded size of a spatial dim plus its stride", Got: n, Max: math.MaxInt32}
		}
	}
	images, channels := p.in[0].Shape[0], p.in[0].Shape[1]
	c4 := ceilDiv(channels, 4)
	t := tileFor(g, p.be.family == texelFamily, indexed)
	defines = append(defines, shaders.Int("OUTS", t.outs), shaders.Int("KW", t.kernel))
	if t.kernel > 0 {
		defines = append(defines, shaders.Int("SW", g.Stride[2]), shaders.Int("DW", g.Dilation[2]))
	}
	tiles := ceilDiv(g.Out[2], t.outs)
	if reach := (tiles*t.outs-1)*g.Stride[2] + (g.Kernel[2]-1)*g.Dilation[2]; g.Begin[2] > 0 || reach >= g.In[2] {
		defines = append(defines, shaders.Define{Name: "EDGE"})
	}
	count := images * g.Out[0] * g.Out[1] * tiles * c4
	u := []int{count, c4, channels, tiles}
	for _, dims := range [][3]int{g.In, g.Out, g.Kernel, g.Stride, g.Dilation, g.Begin, g.End} {
		u = append(u, dims[:]...)
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
	outs   int // neighbours along the last dim
	kernel int // size along it when a row of windows fits in registers; else 0
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
		if indexed || columns > maxColumns {
			continue
		}
		// An invocation costs about as much as ten columns.
		if cost := ceilDiv(g.Out[2], outs) * (10 + columns); cost < bestCost {
			best, bestCost = poolTile{outs, g.Kernel[2]}, cost
		}
	}
	return best
}

// columnsOf counts the columns of x that the windows of outs neighbours read.
func columnsOf(g backend.Geometry3, outs int) int {
	if g.Kernel[2] > maxColumns || g.Stride[2] > math.MaxInt32/maxColumns || g.Dilation[2] > maxColumns {
		return math.MaxInt
	}
	seen := map[int]bool{}
	for o := range outs {
		for t := range g.Kernel[2] {
			seen[o*g.Stride[2]+t*g.Dilation[2]] = true
		}
	}
	// The shader's array spans them; the driver drops those that nothing reads, but
	// only after unrolling all.
	if (outs-1)*g.Stride[2]+(g.Kernel[2]-1)*g.Dilation[2] >= 2*maxColumns {
		return math.MaxInt
	}
	return len(seen)
}
