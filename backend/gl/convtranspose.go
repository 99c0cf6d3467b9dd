//go:build cgo

package gl

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
	"github.com/convgl/convgl/shaders"
	"github.com/convgl/convgl/tensor"
)

// convTransposeCandidates lists the algorithms, which serve both families.
func convTransposeCandidates(op backend.ConvTranspose) []candidate {
	with := func(fn func(*plan, transposeShape) error) func(*plan) error {
		return func(p *plan) error {
			c, err := newTransposeShape(p, op)
			if err != nil || p.out[0].Shape.Size() == 0 {
				return err
			}
			return fn(p, c)
		}
	}
	return []candidate{
		{"depthwise", with(planTransposeDepthwise)},
		{"gather", with(planConvTranspose)},
	}
}

// transposeFormat is the packed form of weights [in, out/groups, kernel...], which
// is that of a convolution with as many channels.
type transposeFormat struct{ convFormat }

// String implements backend.Format.
func (f transposeFormat) String() string { return "transposed " + f.convFormat.String() }

func (f transposeFormat) accepts(d backend.TensorDesc) bool {
	s := d.Shape
	return d.DType == tensor.Float32 && len(s) >= 2 && s[0] == f.groups*f.in && s[1] == f.out && s[2:].Size() == f.taps
}

func (f transposeFormat) pack(dst []float32, t *tensor.Tensor) {
	src := t.Float32s()
	in4 := roundUp(f.in, 4)
	for g := range f.groups {
		for c := range f.in {
			for o := range f.out {
				row := src[((g*f.in+c)*f.out+o)*f.taps:][:f.taps]
				at := ((g*f.blocks()+o/f.block)*f.taps*in4+c)*f.block + o%f.block
				for tap, v := range row {
					dst[at+tap*in4*f.block] = v
				}
			}
		}
	}
}

// transposeShape is a transposed convolution in three spatial dims. Outputs that
// agree in p + begin modulo the stride are a class: they read the same taps, every
// step-th, each of which reads an input shift before the last one's.
type transposeShape struct {
	images, groups            int
	in, out                   int // channels of a group
	taps                      int
	size, outSize             [3]int
	kernel, stride, dil, from [3]int // from is the padding at the beginning
	step, shift               [3]int
	classes, row              int // classes along w, and outputs of one in a row
	epi                       epilogue
}

// maxReach bounds the positions along a dim, so that those of a tile stay within
// an int of a shader.
const maxReach = math.MaxInt32 / 16

// newTransposeShape settles the layouts, and refuses what no algorithm here does.
func newTransposeShape(p *plan, op backend.ConvTranspose) (transposeShape, error) {
	x, w, y := &p.in[0], &p.in[1], &p.out[0]
	if err := p.settleConv(); err != nil {
		return transposeShape{}, err
	}
	geo, err := op.Geometry(x.Shape, w.Shape)
	if err != nil {
		return transposeShape{}, err
	}
	g := geo.To3()
	groups := op.GroupCount()
	c := transposeShape{
		images: x.Shape[0], groups: groups,
		in: w.Shape[0] / groups, out: w.Shape[1], taps: geo.Taps(),
		size: g.In, outSize: g.Out,
		kernel: g.Kernel, stride: g.Stride, dil: g.Dilation, from: g.Begin,
		epi: newEpilogue(op.Bias, op.Epilogue, 2),
	}
	if y.Shape.Size() == 0 {
		return c, nil
	}
	for i := range g.In {
		if c.kernel[i] == 1 {
			c.dil[i] = 1 // there is nothing to step over
		}
		reach := max(int64(g.Out[i])+int64(g.Begin[i]), int64(c.dil[i])*int64(g.Kernel[i]-1)) + 1
		if reach > maxReach {
			return c, &backend.LimitError{Op: p.op, What: "a spatial dim of y with its padding, or a dilated kernel", Got: reach, Max: maxReach}
		}
		// Beyond the reach only input 0 adds, whatever the stride.
		c.stride[i] = min(c.stride[i], int(reach))
		d := gcd(c.stride[i], c.dil[i])
		c.step[i], c.shift[i] = c.stride[i]/d, c.dil[i]/d
	}
	c.classes = min(c.stride[2], c.outSize[2])
	c.row = ceilDiv(c.outSize[2], c.stride[2])
	return c, nil
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// terms is the length of the longest sum.
func (c *transposeShape) terms() int {
	n := c.in
	for i := range c.kernel {
		n *= ceilDiv(c.kernel[i], c.step[i])
	}
	return n
}

// sizes are the uniforms that begin with SIZE.
func (c *transposeShape) sizes() []int {
	var u []int
	for _, v := range [][3]int{c.size, c.outSize, c.kernel, c.stride, c.dil, c.from, c.step, c.shift} {
		u = append(u, v[:]...)
	}
	return u
}

// viewsFit tells whether the texel family's views can hold x and the weights.
func (p *plan) viewsFit(x device.Texel, weights int64) bool {
	l := p.be.limits.Texels
	return p.be.family == texelFamily && p.in[0].Bytes()/x.Bytes() <= l && weights/device.RGBA32F.Bytes() <= l
}

// planConvTranspose plans convtranspose.comp.
func planConvTranspose(p *plan, c transposeShape) error {
	wide := c.groups == 1 || c.in%4 == 0 && c.out%4 == 0
	// The outputs of a class are a row of a convolution of stride 1.
	t := convShape{out: c.out, outSize: [3]int{1, 1, c.row}}.texelTile()
	rowTiles := ceilDiv(c.row, t.px)
	tiles := c.images * c.outSize[0] * c.outSize[1] * c.classes * rowTiles
	k4, c4 := ceilDiv(c.out, 4), ceilDiv(c.in, 4)
	kSteps := ceilDiv(k4, t.kv*t.lx)
	channels := c.groups * c.out
	xPixel, yPixel := roundUp(c.groups*c.in, 4), roundUp(channels, 4)
	xGroup, yGroup := c.in, c.out
	view := device.R32F
	if wide {
		view = device.RGBA32F
		xPixel, yPixel, xGroup, yGroup = xPixel/4, yPixel/4, c4, k4
	}
	f := transposeFormat{newConvFormat(tensor.Shape{channels, c.in, c.taps}, c.groups)}
	wArg, wOff, wBytes := p.convWeights(f, f.convFormat, shaders.Define{Name: "TRANSPOSED"})
	s := step{
		shader: "convtranspose.comp",
		local:  [3]int{t.lx * t.ly, 1, 1},
		bind:   []binding{storage(0, input(0)), storage(1, wArg).part(wOff, wBytes), writes(2, output(0))},
		uniforms: []uniform{ints(0, append([]int{
			tiles, rowTiles, c.classes, xPixel, yPixel, xGroup, yGroup, c4, k4, kSteps,
			f.blocks(), c.in, c.out, channels, c.taps}, c.sizes()...)...)},
	}
	define := func(name string, v int) { s.defines = append(s.defines, shaders.Int(name, v)) }
	define("PX", t.px)
	define("KV", t.kv)
	define("LX", t.lx)
	define("LY", t.ly)
	define("LOCAL", t.lx*t.ly)
	define("W_BLOCK", f.block/4)
	define("CH", min(c.in, 4))
	block := 0
	if c.terms() > maxChain {
		block = chain / 4
	}
	define("BLOCK", block)
	if !wide {
		s.defines = append(s.defines, shaders.Define{Name: "SCATTERED"})
	}
	views := p.viewsFit(view, wBytes)
	if views {
		s.bind[0], s.bind[1] = texels(0, input(0), view), texels(1, wArg, device.RGBA32F).part(wOff, wBytes)
		s.defines = append(s.defines, shaders.Define{Name: "USE_TEXEL"})
	}
	c.epi.put(&s, 3, views, wide && channels%4 == 0, wide && channels%4 != 0)
	y := ceilDiv(tiles, t.ly)
	z := ceilDiv(y, p.be.limits.GroupCount[1])
	s.groups = [3]int{c.groups * kSteps, ceilDiv(y, z), z}
	p.add(s)
	return nil
}

// planTransposeDepthwise plans convtranspose_depthwise.comp.
func planTransposeDepthwise(p *plan, c transposeShape) error {
	if c.in != 1 || c.out != 1 || c.groups == 1 {
		return p.unsupported("not a depthwise convolution: %d groups of %d to %d channels", c.groups, c.in, c.out)
	}
	if c.terms() > maxChain {
		return p.unsupported("a kernel of %d taps for one output", c.terms())
	}
	f := depthwiseFormat{channels: c.groups, taps: c.taps}
	weights, off := p.depthwiseWeights(f)
	px := min(7, c.row)
	c4 := ceilDiv(c.groups, 4)
	rowTiles := ceilDiv(c.row, px)
	n := c.images * c.outSize[0] * c.outSize[1] * c.classes * rowTiles * c4
	s := step{
		shader:   "convtranspose_depthwise.comp",
		defines:  []shaders.Define{shaders.Int("PX", px)},
		bind:     []binding{storage(0, input(0)), storage(1, weights).part(off, f.Bytes()), writes(2, output(0))},
		uniforms: []uniform{ints(0, append([]int{n, c4, rowTiles, c.classes, c.groups}, c.sizes()...)...)},
	}
	views := p.viewsFit(device.RGBA32F, f.Bytes())
	if views {
		s.bind[0], s.bind[1] = texels(0, input(0), device.RGBA32F), texels(1, weights, device.RGBA32F).part(off, f.Bytes())
		s.defines = append(s.defines, shaders.Define{Name: "USE_TEXEL"})
	}
	c.epi.put(&s, 3, views, c.groups%4 == 0, c.groups%4 != 0)
	p.be.flat(&s, n)
	p.add(s)
	return nil
}
