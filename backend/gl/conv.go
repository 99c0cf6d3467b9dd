//go:build cgo

package gl

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
	"github.com/convgl/convgl/tensor"
)

// convCandidates lists the forward algorithms; the families differ in their order.
func (be *Backend) convCandidates(op backend.Conv) []candidate {
	texel := candidate{"direct-texel", planner(op, planConvTexel)}
	tiled := candidate{"implicit-gemm", planner(op, planConvTiled)}
	depthwise := candidate{"depthwise", planner(op, planConvDepthwise)}
	if be.family == texelFamily {
		return []candidate{depthwise, texel, tiled}
	}
	return []candidate{depthwise, tiled, texel}
}

func planner(op backend.Conv, fn func(*plan, convShape) error) func(*plan) error {
	return func(p *plan) error {
		c, err := newConvShape(p, op)
		if err != nil || p.out[0].Shape.Size() == 0 {
			return err
		}
		return fn(p, c)
	}
}

// convShape is a convolution in three spatial dims, with what every algorithm
// needs of it.
type convShape struct {
	op                        backend.Conv
	images, groups            int
	in, out                   int // channels of a group
	taps                      int
	size, outSize             [3]int
	kernel, stride, dil, from [3]int // from is the padding at the beginning
	format                    convFormat
	epi                       epilogue
}

// newConvShape settles the layouts, asks for packed weights, and refuses what no
// algorithm here does.
func newConvShape(p *plan, op backend.Conv) (convShape, error) {
	x, w := &p.in[0], &p.in[1]
	if err := p.settleConv(); err != nil {
		return convShape{}, err
	}
	geo, err := op.Geometry(x.Shape, w.Shape)
	if err != nil {
		return convShape{}, err
	}
	g := geo.To3()
	for i := range g.In {
		if n := int64(g.In[i]) + int64(g.Begin[i]) + int64(g.End[i]); n > math.MaxInt32/2 {
			return convShape{}, &backend.LimitError{Op: p.op, What: "a spatial dim with its padding", Got: n, Max: math.MaxInt32 / 2}
		}
	}
	for i := range g.In { // where there is nothing to step over, steps do not matter
		if g.Out[i] == 1 {
			g.Stride[i] = 1
		}
		if g.Kernel[i] == 1 {
			g.Dilation[i] = 1
		}
	}
	groups := op.GroupCount()
	c := convShape{
		op: op, images: x.Shape[0], groups: groups,
		in: w.Shape[1], out: w.Shape[0] / groups, taps: geo.Taps(),
		size: g.In, outSize: g.Out,
		kernel: g.Kernel, stride: g.Stride, dil: g.Dilation, from: g.Begin,
		format: newConvFormat(w.Shape, groups),
		epi:    newEpilogue(op.Bias, op.Epilogue, 2),
	}
	if pointwise := c.taps == 1 && g.Stride == [3]int{1, 1, 1} && g.Begin == [3]int{} && g.In == g.Out; pointwise {
		// One long row: no tile is cut at the end of a short one.
		n := c.images * tensor.Shape(c.size[:]).Size()
		c.images, c.size, c.outSize, c.from = 1, [3]int{1, 1, n}, [3]int{1, 1, n}, [3]int{}
	}
	return c, nil
}

// settleConv settles the layouts of a convolution: images are channels-last/4.
func (p *plan) settleConv() error {
	for _, t := range []*backend.TensorDesc{&p.in[0], &p.out[0]} {
		if err := p.mustSettle(t, "images", backend.ChannelsLast4); err != nil {
			return err
		}
	}
	if err := p.mustSettle(&p.in[1], "w", backend.Plain); err != nil {
		return err
	}
	for i := 2; i < len(p.in); i++ {
		t, l := &p.in[i], backend.Plain
		if len(t.Shape) > 1 {
			l = backend.ChannelsLast4
		}
		if err := p.mustSettle(t, "operand", l); err != nil {
			return err
		}
	}
	return nil
}

// weights returns the packed weights as a buffer of the run.
func (p *plan) weights(c convShape) (a argument, off, bytes int64) {
	return p.convWeights(c.format, c.format)
}

// convWeights returns the weights in the form f as a buffer of the run: an input
// packed before, in the given format, where it is constant, else the workspace,
// filled by a step of its own. The defines say how the weights lie.
func (p *plan) convWeights(format backend.Format, f convFormat, defines ...shaders.Define) (a argument, off, bytes int64) {
	bytes = f.Bytes()
	if p.in[1].Const {
		p.formats[1] = format
		return input(1), 0, bytes
	}
	off = p.scratch(bytes)
	n := int(bytes / 16)
	s := step{
		shader: "conv_pack.comp", defines: defines,
		bind: []binding{reads(0, input(1), device.R32F), writes(1, workspace).part(off, bytes)},
		uniforms: []uniform{ints(0,
			n, f.block/4, f.in, roundUp(f.in, 4), f.taps, f.blocks(), f.out)},
	}
	p.be.flat(&s, n)
	p.add(s)
	return workspace, off, bytes
}

// wide tells whether the channels of every group are whole vec4s.
func (c convShape) wide() bool { return c.groups == 1 || c.in%4 == 0 && c.out%4 == 0 }

// convTile is how conv_texel.comp divides the work.
type convTile struct {
	px, kv int // pixels and vec4s of channels of an invocation
	lx, ly int // invocations of a workgroup, along channels and tiles of pixels
	window bool
}

// planConvTexel plans conv_texel.comp.
func planConvTexel(p *plan, c convShape) error {
	t := c.texelTile()
	if p.be.forceTile != nil {
		t = *p.be.forceTile
	}
	wide := c.wide()
	rowTiles := ceilDiv(c.outSize[2], t.px)
	tiles := c.images * c.outSize[0] * c.outSize[1] * rowTiles
	k4, c4 := ceilDiv(c.out, 4), ceilDiv(c.in, 4)
	kSteps := ceilDiv(k4, t.kv*t.lx)
	xPixel, yPixel := roundUp(c.groups*c.in, 4), roundUp(c.groups*c.out, 4)
	xGroup, yGroup := c.in, c.out
	view := device.R32F
	s := step{shader: "conv_texel.comp", local: [3]int{t.lx * t.ly, 1, 1}}
	define := func(name string, v int) { s.defines = append(s.defines, shaders.Int(name, v)) }
	flag := func(name string, on bool) {
		if on {
			s.defines = append(s.defines, shaders.Define{Name: name})
		}
	}
	if wide {
		view = device.RGBA32F
		xPixel, yPixel, xGroup, yGroup = xPixel/4, yPixel/4, c4, k4
	}
	wArg, wOff, wBytes := p.weights(c)
	s.bind = []binding{
		texels(0, input(0), view),
		texels(1, wArg, device.RGBA32F).part(wOff, wBytes),
		writes(0, output(0)),
	}
	s.uniforms = []uniform{ints(0,
		tiles, rowTiles, xPixel, yPixel, xGroup, yGroup, c4, k4, kSteps,
		c.format.block/4, c.format.blocks(), c.taps, c.in, c.out, c.groups*c.out,
		c.size[0], c.size[1], c.size[2],
		c.outSize[0], c.outSize[1], c.outSize[2],
		c.kernel[0], c.kernel[1], c.kernel[2],
		c.stride[0], c.stride[1], c.stride[2],
		c.dil[0], c.dil[1], c.dil[2],
		c.from[0], c.from[1], c.from[2])}
	define("PX", t.px)
	define("KV", t.kv)
	define("LX", t.lx)
	define("LY", t.ly)
	define("LOCAL", t.lx*t.ly)
	if c4 == 1 {
		define("C4", 1)
	}
	define("W_BLOCK", c.format.block/4)
	define("CH", min(c.in, 4))
	kw, sw, dw := 1, 1, 0
	if t.window {
		kw, sw, dw = c.kernel[2], c.stride[2], c.dil[2]
	}
	flag("WINDOW", t.window)
	define("KW", kw)
	define("SW", sw)
	define("DW", dw)
	define("INPUTS", (t.px-1)*sw+(kw-1)*dw+1)
	// Long sums are cut, as numerics ask for it beyond 4096 terms; shorter ones
	// are a little more accurate for it.
	block := 0
	if c.in*c.taps > maxChain {
		block = max(1, chain/(4*kw))
	}
	define("BLOCK", block)
	flag("EDGE", c.edge())
	flag("TAIL", c.outSize[2]%t.px != 0)
	flag("SCATTERED", !wide)
	flag("USE_TEXEL", true)
	channels := c.groups * c.out
	c.epi.put(&s, 2, true, wide && channels%4 == 0, wide && channels%4 != 0)
	y := ceilDiv(tiles, t.ly)
	z := ceilDiv(y, p.be.limits.GroupCount[1])
	s.groups = [3]int{c.groups * kSteps, ceilDiv(y, z), z}
	p.add(s)
	return nil
}

const (
	maxChain = 1024 // terms of a sum that is not cut
	chain    = 256  // terms of the parts of one that is
)

// edge tells whether a window may leave the picture along w.
func (c convShape) edge() bool {
	return c.from[2] > 0 || (c.outSize[2]-1)*c.stride[2]+(c.kernel[2]-1)*c.dil[2] >= c.size[2]
}

// texelTile chooses how conv_texel.comp divides the work, by the sizes of one
// image only. Figures are from a software renderer with vectors of eight lanes.
func (c convShape) texelTile() convTile {
	var t convTile
	// More pixels read each weight less often: 14 run 1.3 times as fast as 7.
	least := math.Inf(1)
	for _, px := range []struct {
		n    int
		cost float64
	}{{14, 1}, {7, 1.3}, {4, 1.7}, {2, 2.5}, {1, 4}} {
		if cost := px.cost * float64(roundUp(c.outSize[2], px.n)); cost < least {
			least, t.px = cost, px.n
		}
	}
	// Lanes along channels read whole lines of weights, but some may have none left.
	most := 0.0
	for _, l := range []struct {
		kv, lx int
		speed  float64
	}{{2, 8, 1}, {1, 8, 0.93}, {2, 4, 0.9}, {1, 4, 0.86}, {2, 2, 0.85}, {2, 1, 0.6}, {1, 2, 0.6}, {1, 1, 0.5}} {
		used := float64(c.out) / float64(roundUp(c.out, 4*l.kv*l.lx))
		if l.speed*used > most {
			most, t.kv, t.lx = l.speed*used, l.kv, l.lx
		}
	}
	t.ly = 8 / t.lx
	// A window of five or more taps takes more registers than it saves reads.
	inputs := (t.px-1)*c.stride[2] + (c.kernel[2]-1)*c.dil[2] + 1
	t.window = c.kernel[2] > 1 && c.kernel[2] <= 3 && inputs <= 2*t.px+2
	return t
}
