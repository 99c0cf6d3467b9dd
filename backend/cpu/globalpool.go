package cpu

import "github.com/convgl/convgl/backend"

// globalPlan reduces the pixels of each image in pieces. Where channels are few, the
// lanes of a vector are those of a group of neighbouring pixels; in the plain layout
// every channel is an image of one.
type globalPlan struct {
	k      *poolKernels
	mean   bool
	x, y   rows
	group  int // pixels whose channels are the lanes
	lanes  int // of a piece
	blocks int // of lanes, of the channels of an image
	taps   int // of a piece
	pieces int // of an image, each in all blocks
}

// Pieces have so many elements that handing them out does not show, and lanes enough
// for the vectors that kernels work on at once.
const (
	pieceWork  = 1 << 14
	groupLanes = 64
	blockLanes = 256
)

// planGlobalPool takes channels-last and plain. Sums are float64.
func planGlobalPool(dev *device, d backend.Desc) (*plan, error) {
	in := resolve(d.In[0], backend.ChannelsLast)
	out := resolve(d.Out[0], in.Layout)
	g := &globalPlan{k: pick(dev.isa, poolCandidates), mean: d.Op.(backend.GlobalPool).Mean, x: planeRows(in)}
	var ok bool
	if g.y, ok = channelRows(out); !ok { // y has one element a channel, so any layout does
		return nil, wrongLayout("GlobalPool", "y", out, "plain or channels-last")
	}
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	if g.x.total() == 0 || g.x.c == 0 {
		return p, nil
	}
	g.cut()
	if g.x.pitch == 1 {
		p.phases = g.planes(p)
	} else {
		p.phases = g.images(p)
	}
	p.phases = clearLanes(p.phases, 0, out)
	return p, nil
}

// cut divides the images into pieces.
func (g *globalPlan) cut() {
	g.group, g.lanes, g.blocks = 1, min(g.x.c, blockLanes), (g.x.c+blockLanes-1)/blockLanes
	if g.x.pitch < groupLanes {
		g.group = max(1, min((groupLanes+g.x.pitch-1)/g.x.pitch, g.x.s))
		g.lanes = g.group * g.x.pitch
	}
	if g.x.pitch == 1 {
		g.group, g.lanes = 1, 1
	}
	taps := g.x.s / g.group
	g.pieces = max(1, min(taps, taps*g.lanes/pieceWork))
	g.taps = (taps + g.pieces - 1) / g.pieces
	g.pieces = (taps + g.taps - 1) / g.taps
}

// planes has the phases for images of one channel.
func (g *globalPlan) planes(p *plan) []phase {
	size := 4
	if g.mean {
		size = 8
	}
	p.workspace = int64(size) * int64(g.x.n) * int64(g.pieces)
	units := g.x.n
	if g.pieces > 1 {
		units *= g.pieces
	}
	parts := partsFor(units, 4*int64(g.x.n)*int64(g.x.s), grainBytes)
	phases := []phase{{parts, func(c *call, part, _ int) {
		lo, hi := share(units, part, parts)
		for lo < hi {
			// Whole planes together, or a piece of one.
			n, first, taps := max(1, min(hi-lo, blockWork/g.x.s)), lo*g.x.s, g.x.s
			if g.pieces > 1 {
				at := lo % g.pieces * g.taps
				n, first, taps = 1, lo/g.pieces*g.x.s+at, min(g.taps, g.x.s-at)
			}
			x := c.x(0)[first:][:(n-1)*g.x.s+taps]
			if g.mean {
				g.k.sumRows(view[float64](c.ws)[lo:lo+n], x, taps, g.x.s)
			} else {
				g.k.maxRows(f32(c.ws)[lo:lo+n], x, taps, g.x.s)
			}
			if g.pieces == 1 {
				g.finish(c, lo, lo+n)
			}
			lo += n
		}
	}}}
	if g.pieces > 1 {
		phases = append(phases, phase{1, func(c *call, _, _ int) { g.finish(c, 0, g.x.n) }})
	}
	return phases
}

// finish reduces the results of the pieces of planes and stores them.
func (g *globalPlan) finish(c *call, lo, hi int) {
	y := c.y(0)
	for i := lo; i < hi; i++ {
		// Plane i is channel i of a row of y.
		at := i/g.y.c*g.y.pitch + i%g.y.c
		if g.mean {
			sum := 0.0
			for _, v := range view[float64](c.ws)[i*g.pieces:][:g.pieces] {
				sum += v
			}
			y[at] = float32(sum / float64(g.x.s))
		} else {
			y[at] = maxOf(f32(c.ws)[i*g.pieces:][:g.pieces])
		}
	}
}

func maxOf(x []float32) float32 {
	v := negInf
	for _, e := range x {
		v = max(v, e)
	}
	return v
}

// images has the phases for images of several channels.
func (g *globalPlan) images(p *plan) []phase {
	direct := g.group == 1 && g.pieces == 1
	if !direct {
		p.workspace = 8 * int64(g.x.n) * int64(g.pieces) * int64(g.blocks) * int64(g.lanes)
	}
	units := g.x.n * g.pieces * g.blocks
	parts := partsFor(units, 4*int64(g.x.n)*int64(g.x.s)*int64(g.x.c), grainBytes)
	phases := []phase{{parts, func(c *call, part, _ int) {
		lo, hi := share(units, part, parts)
		for ; lo < hi; lo++ {
			i, block := lo/g.blocks, lo%g.blocks
			n, piece := i/g.pieces, i%g.pieces
			tap := piece * g.taps
			lanes := g.lanes
			if g.group == 1 {
				lanes = min(lanes, g.x.c-block*g.lanes)
			}
			step := g.group * g.x.pitch
			b := box{boxN: lanes, boxCols: 1, boxLines: 1, boxNZ: 1, boxNY: 1, boxNX: min(g.taps, g.x.s/g.group-tap), boxSX: step}
			span, _ := boxSpan(&b)
			x := c.x(0)[n*g.x.s*g.x.pitch+tap*step+block*g.lanes:][:span]
			switch {
			case direct && g.mean:
				g.k.meanBox(c.y(0)[n*g.y.pitch+block*g.lanes:][:lanes], x, b, 1/float64(g.x.s))
			case direct:
				g.k.maxBox(c.y(0)[n*g.y.pitch+block*g.lanes:][:lanes], x, b)
			case g.mean:
				g.k.sumBox(view[float64](c.ws)[lo*g.lanes:][:lanes], x, b)
			default:
				g.k.maxBox(f32(c.ws)[lo*g.lanes:][:lanes], x, b)
			}
		}
	}}}
	if !direct {
		phases = append(phases, phase{g.x.n, func(c *call, n, _ int) {
			if g.mean {
				g.joinSums(c, n)
			} else {
				g.joinMaxima(c, n)
			}
		}})
	}
	return phases
}

// rest returns the pixels of image n that are not in a group.
func (g *globalPlan) rest(c *call, n int) []float32 {
	done := g.x.s / g.group * g.group
	return c.x(0)[(n*g.x.s+done)*g.x.pitch:][:(g.x.s-done)*g.x.pitch]
}

// joinMaxima reduces the pieces of image n.
func (g *globalPlan) joinMaxima(c *call, n int) {
	parts := f32(c.ws)[n*g.pieces*g.blocks*g.lanes:][:g.pieces*g.blocks*g.lanes]
	rest := g.rest(c, n)
	y := c.y(0)[n*g.y.pitch:][:g.x.c]
	fill(y, negInf)
	for ; len(parts) > 0; parts = parts[g.blocks*g.lanes:] {
		for at := 0; at < g.group*g.x.pitch; at += g.x.pitch {
			maxOf2(y, y, parts[at:])
		}
	}
	for ; len(rest) > 0; rest = rest[g.x.pitch:] {
		maxOf2(y, y, rest)
	}
}

// joinSums reduces the pieces of image n, into the sums of its first pixel.
func (g *globalPlan) joinSums(c *call, n int) {
	parts := view[float64](c.ws)[n*g.pieces*g.blocks*g.lanes:][:g.pieces*g.blocks*g.lanes]
	rest := g.rest(c, n)
	sums := parts[:g.x.c]
	for first := true; len(parts) > 0; parts = parts[g.blocks*g.lanes:] {
		for at := 0; at < g.group*g.x.pitch; at += g.x.pitch {
			if !first {
				for i, v := range parts[at:][:len(sums)] {
					sums[i] += v
				}
			}
			first = false
		}
	}
	for ; len(rest) > 0; rest = rest[g.x.pitch:] {
		for i, v := range rest[:len(sums)] {
			sums[i] += float64(v)
		}
	}
	y := c.y(0)[n*g.y.pitch:][:g.x.c]
	for i, v := range sums {
		y[i] = float32(v / float64(g.x.s))
	}
}
