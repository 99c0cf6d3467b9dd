//go:build cgo

package gl

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
	"github.com/convgl/convgl/tensor"
)

// depthwiseFormat is the packed form of depthwise weights [channels, 1, kernel...]:
// [taps][channels, rounded up to 4], zeros where it is rounded up.
type depthwiseFormat struct{ channels, taps int }

// String implements backend.Format.
func (f depthwiseFormat) String() string {
	return fmt.Sprintf("depthwise channels%d taps%d", f.channels, f.taps)
}

// Bytes implements backend.Format.
func (f depthwiseFormat) Bytes() int64 { return 4 * int64(f.taps) * int64(roundUp(f.channels, 4)) }

func (f depthwiseFormat) accepts(d backend.TensorDesc) bool {
	s := d.Shape
	return d.DType == tensor.Float32 && len(s) >= 2 && s[0] == f.channels && s[1] == 1 && s[2:].Size() == f.taps
}

func (f depthwiseFormat) pack(dst []float32, t *tensor.Tensor) {
	src, width := t.Float32s(), roundUp(f.channels, 4)
	for c := range f.channels {
		for tap := range f.taps {
			dst[tap*width+c] = src[c*f.taps+tap]
		}
	}
}

// maxWindow is the number of inputs along w that an invocation of
// conv_depthwise.comp holds.
const maxWindow = 24

// depthwiseWeights returns the packed weights as a buffer of the run, as convWeights
// does.
func (p *plan) depthwiseWeights(f depthwiseFormat) (a argument, off int64) {
	if p.in[1].Const {
		p.formats[1] = f
		return input(1), 0
	}
	off = p.scratch(f.Bytes())
	// The packed form is that of a channels-last/4 image.
	from := backend.TensorDesc{DType: tensor.Float32, Shape: tensor.Shape{1, f.channels, f.taps}, Layout: backend.Plain}
	to := from
	to.Layout = backend.ChannelsLast4
	p.reorder(from, to, reads(0, input(1), device.R32UI), writes(1, workspace).part(off, f.Bytes()))
	return workspace, off
}

// planConvDepthwise plans conv_depthwise.comp.
func planConvDepthwise(p *plan, c convShape) error {
	if c.in != 1 || c.out != 1 || c.groups == 1 {
		return p.unsupported("not a depthwise convolution: %d groups of %d to %d channels", c.groups, c.in, c.out)
	}
	if c.taps > maxChain {
		return p.unsupported("a kernel of %d taps", c.taps)
	}
	kw, sw, dw := c.kernel[2], c.stride[2], c.dil[2]
	inputs := func(px int) int { return (px-1)*sw + (kw-1)*dw + 1 }
	px := 7
	for px > 1 && inputs(px) > maxWindow {
		px--
	}
	if inputs(px) > maxWindow {
		return p.unsupported("a window of %d elements along w", inputs(px))
	}
	f := depthwiseFormat{channels: c.groups, taps: c.taps}
	weights, off := p.depthwiseWeights(f)
	c4 := ceilDiv(c.groups, 4)
	rowTiles := ceilDiv(c.outSize[2], px)
	n := c.images * c.outSize[0] * c.outSize[1] * rowTiles * c4
	s := step{
		shader: "conv_depthwise.comp",
		defines: []shaders.Define{
			shaders.Int("PX", px), shaders.Int("KW", kw), shaders.Int("SW", sw), shaders.Int("DW", dw), shaders.Int("INPUTS", inputs(px)),
		},
		bind: []binding{storage(0, input(0)), storage(1, weights).part(off, f.Bytes()), writes(2, output(0))},
		uniforms: []uniform{ints(0,
			n, c4, rowTiles,
			c.size[0], c.size[1], c.size[2],
			c.outSize[0], c.outSize[1], c.outSize[2],
			c.kernel[0], c.kernel[1],
			c.stride[0], c.stride[1], c.stride[2],
			c.dil[0], c.dil[1], c.dil[2],
			c.from[0], c.from[1], c.from[2],
			c.groups)},
	}
	view := p.be.family == texelFamily
	if view {
		s.bind[0], s.bind[1] = texels(0, input(0), device.RGBA32F), texels(1, weights, device.RGBA32F).part(off, f.Bytes())
		s.defines = append(s.defines, shaders.Define{Name: "USE_TEXEL"})
	}
	c.epi.put(&s, 3, view, c.groups%4 == 0, c.groups%4 != 0)
	p.be.flat(&s, n)
	p.add(s)
	return nil
}
