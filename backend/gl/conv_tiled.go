//go:build cgo

package gl

import (
	"github.com/convgl/convgl/shaders"
)

// tiledTile is a tile of results of conv_tiled.comp: TILE_M output channels by
// TILE_N pixels, of which an invocation computes 8 by 8.
type tiledTile struct{ m, n int }

// tiledK is the number of terms that a tile takes into shared memory at once.
const tiledK = 16

// invocations of a workgroup.
func (t tiledTile) invocations() int { return t.m / 8 * (t.n / 8) }

// shared is what a workgroup holds of both operands, in bytes: the rows are a
// little longer than a tile, so that neighbours lie in different banks.
func (t tiledTile) shared() int { return tiledK * (16*(t.m/4+1) + 4*(t.n+2)) }

// planConvTiled plans conv_tiled.comp.
func planConvTiled(p *plan, c convShape) error {
	wide := c.wide()
	pixels := c.images * c.outSize[0] * c.outSize[1] * c.outSize[2]
	t := tiledTile{64, 64}
	// Large tiles read each operand less often; small ones fill a small picture
	// and few channels with less waste.
	if big := (tiledTile{128, 128}); c.out >= 96 && pixels >= 1024 && p.be.dev.CheckGroup(p.op, big.invocations(), 1, 1, big.shared()) == nil {
		t = big
	}
	xPixel, yPixel := roundUp(c.groups*c.in, 4), roundUp(c.groups*c.out, 4)
	xGroup, yGroup := c.in, c.out
	if wide {
		xPixel, yPixel, xGroup, yGroup = xPixel/4, yPixel/4, c.in/4, c.out/4
	}
	tiles, rows := ceilDiv(pixels, t.n), ceilDiv(c.out, t.m)
	c4 := ceilDiv(c.in, 4)
	wArg, wOff, wBytes := p.weights(c)
	s := step{
		shader: "conv_tiled.comp",
		local:  [3]int{t.invocations(), 1, 1},
		shared: t.shared(),
		defines: []shaders.Define{
			shaders.Int("TILE_M", t.m), shaders.Int("TILE_N", t.n), shaders.Int("TILE_K", tiledK), shaders.Int("LOCAL", t.invocations()),
			shaders.Int("LOADS_X", t.n*tiledK/4/t.invocations()), shaders.Int("LOADS_W", t.m*tiledK/4/t.invocations()),
		},
		bind: []binding{
			storage(0, input(0)),
			storage(1, wArg).part(wOff, wBytes),
			writes(2, output(0)),
		},
		uniforms: []uniform{ints(0,
			tiles, rows, xPixel, yPixel, xGroup, yGroup, c4, ceilDiv(c.out, 4),
			c.format.block/4, c.format.blocks(), c.taps, c.in, c.out, c.groups*c.out, pixels,
			c.size[0], c.size[1], c.size[2],
			c.outSize[0], c.outSize[1], c.outSize[2],
			c.kernel[1], c.kernel[2],
			c.stride[0], c.stride[1], c.stride[2],
			c.dil[0], c.dil[1], c.dil[2],
			c.from[0], c.from[1], c.from[2])},
	}
	if c.in*c.taps > maxChain {
		s.defines = append(s.defines, shaders.Int("CUT", chain/tiledK))
	}
	if !wide {
		s.defines = append(s.defines, shaders.Define{Name: "SCATTERED"})
	}
	channels := c.groups * c.out
	c.epi.put(&s, 3, false, wide && channels%4 == 0, wide && channels%4 != 0)
	z := ceilDiv(tiles, p.be.limits.GroupCount[0])
	s.groups = [3]int{ceilDiv(tiles, z), rows * c.groups, z}
	p.add(s)
	return nil
}
