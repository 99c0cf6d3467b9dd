package cpu

import (
	"encoding/binary"
	"slices"
)

// axis is a dim of a picture that output pixels gather from: output i < n reads, for
// tap k, the input i·step + start + reach[k], if there is one, and is stored at
// position i·outStep + outStart.
type axis struct {
	in, n, step, start     int
	reach                  []int
	out, outStep, outStart int
}

// clip returns the taps of output i that lie in the input, as a range; those of an
// axis whose reaches fall or rise are neighbours.
func (a *axis) clip(i int) (lo, hi int) {
	at := i*a.step + a.start
	lo, hi = len(a.reach), 0
	for k, r := range a.reach {
		if inRange(at+r, a.in) {
			lo, hi = min(lo, k), k+1
		}
	}
	return lo, max(hi, lo)
}

// tileTable cuts the output pixels of an image into tiles of nearly even size and
// says what each reads. Tiles that look alike but for their place share a class, so
// that the table stays small.
type tileTable struct {
	tiles   []tilePlace
	classes []tileClass
}

// tilePlace is where a tile begins: base is added to the offsets of its class, at to
// the places in y. Both count pixels.
type tilePlace struct {
	base, at int32
	class    int32
}

// tileClass is what tiles of one look have in common.
type tileClass struct {
	mr     int
	kc     int     // terms of a tap
	lo     int     // first tap of off
	off    []int32 // taps × mr
	dst    []int32 // mr
	blocks [][]kblock
	firstG int // first and last piece of the panel with blocks
	lastG  int
}

// newTileTable makes the table for tiles of up to g.mk.mr pixels, with pixels of
// pitch elements in x and yPitch in y, kc of which in x are terms. Where merge is set
// the taps of the last axis lie one behind the other in x, and tiles that have all of
// them take them as one tap.
func newTileTable(g *gemm, ax *[3]axis, pitch, yPitch, kc int, merge bool) *tileTable {
	t := &tileTable{}
	b := tileBuilder{g: g, ax: ax, pitch: pitch, yPitch: yPitch, kc: kc, merge: merge && len(ax[2].reach) > 1, taps: len(ax[0].reach) * len(ax[1].reach) * len(ax[2].reach)}
	for d := range ax {
		b.clips[d] = make([][2]int, ax[d].n)
		for i := range b.clips[d] {
			b.clips[d][i][0], b.clips[d][i][1] = ax[d].clip(i)
		}
	}
	total := ax[0].n * ax[1].n * ax[2].n
	n := (total + g.mk.mr - 1) / g.mk.mr
	t.tiles = make([]tilePlace, n)
	seen := map[string]int32{}
	for i := range t.tiles {
		lo, hi := share(total, i, n)
		b.look(lo, hi)
		class, ok := seen[string(b.key)]
		if !ok {
			class = int32(len(t.classes))
			seen[string(b.key)] = class
			t.classes = append(t.classes, b.class())
		}
		t.tiles[i] = tilePlace{base: b.rows[0].in, at: b.rows[0].out, class: class}
	}
	return t
}

type tileBuilder struct {
	g             *gemm
	ax            *[3]axis
	pitch, yPitch int
	kc, taps      int
	merge         bool
	clips         [3][][2]int // by output
	rows          []tileRow
	key           []byte
}

// tileRow is an output pixel: the input pixel at reach 0, which may lie outside, the
// output pixel, and the taps inside in each dim.
type tileRow struct {
	in, out int32
	clip    [3][2]int
}

// look fills in the rows of a tile and the key of its class.
func (b *tileBuilder) look(lo, hi int) {
	ax := b.ax
	b.rows, b.key = b.rows[:0], b.key[:0]
	i := [3]int{lo / (ax[1].n * ax[2].n), lo / ax[2].n % ax[1].n, lo % ax[2].n}
	for ; lo < hi; lo++ {
		var r tileRow
		var in, out int
		for d := range i {
			in = in*ax[d].in + i[d]*ax[d].step + ax[d].start
			out = out*ax[d].out + i[d]*ax[d].outStep + ax[d].outStart
			r.clip[d] = b.clips[d][i[d]]
		}
		r.in, r.out = int32(in), int32(out)
		b.rows = append(b.rows, r)
		for _, v := range []int32{r.in - b.rows[0].in, r.out - b.rows[0].out} {
			b.key = binary.LittleEndian.AppendUint32(b.key, uint32(v))
		}
		for d := range r.clip {
			b.key = binary.AppendUvarint(binary.AppendUvarint(b.key, uint64(r.clip[d][0])), uint64(r.clip[d][1]))
		}
		for d := 2; d >= 0; d-- {
			if i[d]++; i[d] < ax[d].n || d == 0 {
				break
			}
			i[d] = 0
		}
	}
}

// class makes the class of the tile looked at.
func (b *tileBuilder) class() tileClass {
	c := tileClass{mr: len(b.rows), kc: b.kc}
	last := len(b.ax[2].reach)
	merge := b.merge
	for i := range b.rows {
		r := &b.rows[i]
		c.dst = append(c.dst, (r.out-b.rows[0].out)*int32(b.yPitch))
		merge = merge && r.clip[2] == [2]int{0, last}
	}
	step := 1
	if merge {
		c.kc, step = b.kc*last, last
	}
	lo, hi := b.taps, 0
	var off []int32
	for t := 0; t < b.taps; t += step {
		k := [3]int{t / (len(b.ax[1].reach) * last), t / last % len(b.ax[1].reach), t % last}
		reach := (b.ax[0].reach[k[0]]*b.ax[1].in+b.ax[1].reach[k[1]])*b.ax[2].in + b.ax[2].reach[k[2]]
		for i := range b.rows {
			r := &b.rows[i]
			o := int32(noRow)
			if inClip(r.clip, k) {
				// Sums may wrap where a dilation reaches far outside: they wrap back.
				o = (r.in - b.rows[0].in + int32(reach)) * int32(b.pitch)
				lo, hi = min(lo, t/step), max(hi, t/step+1)
			}
			off = append(off, o)
		}
	}
	if hi <= lo { // a window in the padding: one tap of zeros
		lo, hi = 0, 1
	}
	c.lo, c.off = lo, slices.Clone(off[lo*c.mr:hi*c.mr])
	c.blocks = b.g.steps(lo, hi, c.kc)
	c.firstG, c.lastG = len(c.blocks), 0
	for i, bs := range c.blocks {
		if len(bs) > 0 {
			c.firstG, c.lastG = min(c.firstG, i), i
		}
	}
	return c
}

func inClip(clip [3][2]int, k [3]int) bool {
	for d := range k {
		if k[d] < clip[d][0] || k[d] >= clip[d][1] {
			return false
		}
	}
	return true
}

// maxBlock is the number of tiles that read a panel one after another.
const maxBlock = 32

// tileRun is a product of the tiles of a table, in n images, with the panels of one
// group.
type tileRun struct {
	*gemm
	table          *tileTable
	xPitch, yPitch int
	xImage, yImage int // elements from image to image
}

// run computes the tiles [t0, t1) of all images × panels [q0, q1) of a group. The
// panels begin at w, size elements apart; the channels of the group begin at
// channel o0 of y, which has cout of them. pad lanes follow the last of all.
func (p *tileRun) run(c *call, t *tile, acc, x, w, y []float32, size, o0, cout, pad, t0, t1, q0, q1 int) {
	nr := p.mk.nr
	n := len(p.table.tiles)
	p.begin(t, x)
	for ; t0 < t1; t0 += maxBlock {
		end := min(t0+maxBlock, t1)
		for q := q0; q < q1; q++ {
			cols := min(nr, cout-q*nr)
			o := o0 + q*nr
			p.columns(t, c, o, cols)
			lanes := 0
			if q == (cout-1)/nr {
				lanes = pad
			}
			panel := w[q*size:][:max(p.panelLen(), nr)]
			for g := range p.groups {
				for i := t0; i < end; i++ {
					image, tp := i/n, &p.table.tiles[i%n]
					cl := &p.table.classes[tp.class]
					if len(cl.blocks[g]) == 0 {
						continue
					}
					t.mr, t.dst = cl.mr, cl.dst
					if p.groups > 1 {
						t.acc = acc[(i-t0)*p.accLen():]
					} else {
						t.acc = acc
					}
					at := image*p.yImage + int(tp.at)*p.yPitch + o
					last := g == cl.lastG
					if last {
						p.place(t, c, y, at)
					}
					p.gemm.run(t, image*p.xImage+int(tp.base)*p.xPitch, cl.off, cl.lo, cl.blocks[g], cl.kc, panel, g == cl.firstG, last)
					if last {
						p.finish(c, y, cl.dst, o, cols, at, lanes)
					}
				}
			}
		}
	}
}

// scratch is the bytes of a thread's sums.
func (p *tileRun) scratch() int64 {
	n := 4 * int64(p.accLen())
	if p.groups > 1 {
		n *= maxBlock
	}
	return roundUp(n)
}
