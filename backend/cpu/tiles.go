package cpu

import (
	"encoding/binary"
	"slices"

	"github.com/convgl/convgl/backend"
)

// axis is a dim of a picture that output pixels gather from: output i < n reads, for
// tap k, the input i·step + start + reach[k], if there is one, and is stored at
// position i·outStep + outStart.
type axis struct {
	in, n, step, start     int
	reach                  []int
	out, outStep, outStart int
}

// reads is a range of the taps of an axis that lie in the input, and the outputs for
// which it is that.
type reads struct {
	lo, hi  int
	outputs []int
}

// byReads sorts the outputs of an axis by the taps that lie in the input: those of one
// output are neighbours where the reaches rise or fall.
func (a *axis) byReads() []reads {
	var rs []reads
	for i := range a.n {
		at := i*a.step + a.start
		lo, hi := len(a.reach), 0
		for k, r := range a.reach {
			if inRange(at+r, a.in) {
				lo, hi = min(lo, k), k+1
			}
		}
		if hi <= lo {
			lo, hi = 0, 0
		}
		j := slices.IndexFunc(rs, func(r reads) bool { return r.lo == lo && r.hi == hi })
		if j < 0 {
			j = len(rs)
			rs = append(rs, reads{lo: lo, hi: hi})
		}
		rs[j].outputs = append(rs[j].outputs, i)
	}
	return rs
}

// tileTable cuts the output pixels of an image into tiles and says what each reads.
// The pixels that read the same taps, as those of the left edge do, are cut into tiles
// of nearly even size, so that no tile reads the padding. Tiles that look alike but for
// their place share a class, so that the table stays small.
type tileTable struct {
	tiles   []tilePlace
	classes []tileClass
	cost    []int64 // of the tiles before each, and of all: in multiply-adds of a row of vectors
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
	off    []int32 // taps × mr
	dst    []int32 // mr
	blocks [][]kblock
	firstG int // first and last piece of the panel with blocks
	lastG  int
	cost   int64
}

// newTileTable makes the table for tiles of up to g.mk.mr pixels, with pixels of
// pitch elements in x and yPitch in y, kc of which in x are terms. Where merge is set
// the taps of the last axis lie one behind the other in x, and neighbours are taken as
// one tap. It fails where a large kernel would make a large table of the padding.
func newTileTable(op string, g *gemm, ax *[3]axis, pitch, yPitch, kc int, merge bool) (*tileTable, error) {
	b := tileBuilder{g: g, ax: ax, pitch: pitch, yPitch: yPitch, kc: kc, merge: merge, table: &tileTable{cost: []int64{0}}, seen: map[string]int32{}}
	var by [3][]reads
	for d := range ax {
		by[d] = ax[d].byReads()
	}
	for i := range by[0] {
		for j := range by[1] {
			for _, r := range b.fold(by[0][i], by[1][j], by[2]) {
				if b.cut(&by[0][i], &by[1][j], &r); b.size > maxOffsets {
					return nil, &backend.LimitError{Op: op, What: "offsets of taps that lie in the padding in different ways", Got: int64(b.size), Max: maxOffsets, Hint: "pad x with a Pad of its own"}
				}
			}
		}
	}
	return b.table, nil
}

// split returns where part i of n begins, in tiles of so many images, such that all
// have nearly the same work.
func (t *tileTable) split(images, i, n int) int {
	all := t.cost[len(t.tiles)]
	at := all * int64(images) * int64(i) / int64(n)
	if all == 0 {
		return 0
	}
	tile, _ := slices.BinarySearch(t.cost, at%all)
	return int(at/all)*len(t.tiles) + tile
}

type tileBuilder struct {
	g             *gemm
	ax            *[3]axis
	pitch, yPitch int
	kc            int
	merge         bool
	table         *tileTable
	seen          map[string]int32
	rows          []tileRow
	key           []byte
	size          int // of all tables of offsets
}

// tileRow is an output pixel: the input pixel at reach 0, which may lie outside, and
// the output pixel.
type tileRow struct {
	in, out int32
	at      [3]int // of the input pixel
}

// maxFold is the number of different reads of an axis up to which it pays to look which
// of them to join: a kernel nearly as large as the image has as many as pixels.
const maxFold = 16

// maxOffsets is the number of offsets in a table.
const maxOffsets = 8 << 20

// fold joins the reads xs of the last axis, for one of each other axis: few pixels, as
// a corner has, cost less in tiles with others, where they read zeros for the taps
// outside, than in tiles of their own.
func (b *tileBuilder) fold(z, y reads, xs []reads) []reads {
	taps := (z.hi - z.lo) * (y.hi - y.lo)
	lines := len(z.outputs) * len(y.outputs)
	// The weights of a tile of one row cost as much as the row.
	cost := func(r reads) int {
		n := lines * len(r.outputs)
		return taps*(r.hi-r.lo)*max(n, 2)*b.kc + tileOverhead
	}
	if len(xs) > maxFold {
		all := xs[0]
		all.outputs = slices.Clone(all.outputs)
		for _, r := range xs[1:] {
			all.lo, all.hi = min(all.lo, r.lo), max(all.hi, r.hi)
			all.outputs = append(all.outputs, r.outputs...)
		}
		slices.Sort(all.outputs)
		return []reads{all}
	}
	xs = slices.Clone(xs)
	slices.SortStableFunc(xs, func(a, b reads) int { return len(b.outputs) - len(a.outputs) })
	var out []reads
	for _, r := range xs {
		best, least := -1, cost(r)
		for i, o := range out {
			both := reads{lo: min(o.lo, r.lo), hi: max(o.hi, r.hi), outputs: append(slices.Clone(o.outputs), r.outputs...)}
			if o.lo == o.hi || r.lo == r.hi { // empty ranges have no place
				both.lo, both.hi = o.lo+r.lo, o.hi+r.hi
			}
			if more := cost(both) - cost(o); more < least {
				best, least = i, more
			}
		}
		if best < 0 {
			out = append(out, r)
			continue
		}
		o := &out[best]
		if o.lo == o.hi || r.lo == r.hi {
			o.lo, o.hi = o.lo+r.lo, o.hi+r.hi
		} else {
			o.lo, o.hi = min(o.lo, r.lo), max(o.hi, r.hi)
		}
		o.outputs = append(slices.Clone(o.outputs), r.outputs...)
		slices.Sort(o.outputs) // so that the rows of a tile follow its first
	}
	return out
}

// cut adds the tiles of the pixels that have a place in each of the reads.
func (b *tileBuilder) cut(z, y, x *reads) {
	t := b.table
	box := [3][2]int{{z.lo, z.hi}, {y.lo, y.hi}, {x.lo, x.hi}}
	nx, ny := len(x.outputs), len(y.outputs)
	n := len(z.outputs) * nx * ny
	tiles := (n + b.g.mk.mr - 1) / b.g.mk.mr
	clear(b.seen)
	for i := range tiles {
		lo, hi := share(n, i, tiles)
		b.rows, b.key = b.rows[:0], b.key[:0]
		whole := true
		for ; lo < hi; lo++ {
			whole = b.look([3]int{z.outputs[lo/(nx*ny)], y.outputs[lo/nx%ny], x.outputs[lo%nx]}, &box) && whole
		}
		class, ok := b.seen[string(b.key)]
		if !ok {
			class = int32(len(t.classes))
			b.seen[string(b.key)] = class
			t.classes = append(t.classes, b.class(&box, whole))
			if b.size += len(t.classes[class].off); b.size > maxOffsets {
				return
			}
		}
		t.tiles = append(t.tiles, tilePlace{base: b.rows[0].in, at: b.rows[0].out, class: class})
		t.cost = append(t.cost, t.cost[len(t.cost)-1]+t.classes[class].cost)
	}
}

// look adds a row, and what tells it from those of other tiles to the key. It reports
// whether all taps of the box lie inside for it.
func (b *tileBuilder) look(i [3]int, box *[3][2]int) bool {
	var r tileRow
	whole := true
	for d := range b.ax {
		a := &b.ax[d]
		r.at[d] = i[d]*a.step + a.start
		r.in = r.in*int32(a.in) + int32(r.at[d])
		r.out = r.out*int32(a.out) + int32(i[d]*a.outStep+a.outStart)
		lo, hi := box[d][0], box[d][1]
		whole = whole && lo < hi && inRange(r.at[d]+a.reach[lo], a.in) && inRange(r.at[d]+a.reach[hi-1], a.in)
	}
	b.rows = append(b.rows, r)
	b.key = binary.LittleEndian.AppendUint32(b.key, uint32(r.in-b.rows[0].in))
	b.key = binary.LittleEndian.AppendUint32(b.key, uint32(r.out-b.rows[0].out))
	if whole {
		b.key = append(b.key, 1)
	} else {
		b.key = append(b.key, 0) // what lies inside depends on the place
		for _, v := range r.at {
			b.key = binary.AppendVarint(b.key, int64(v))
		}
	}
	return whole
}

// class makes the class of the tile looked at, which reads the taps of a box; whole
// tells that they lie inside for all its rows.
func (b *tileBuilder) class(box *[3][2]int, whole bool) tileClass {
	c := tileClass{mr: len(b.rows)}
	for i := range b.rows {
		c.dst = append(c.dst, (b.rows[i].out-b.rows[0].out)*int32(b.yPitch))
	}
	k := *box
	ky, kx := len(b.ax[1].reach), len(b.ax[2].reach)
	ny, nx := k[1][1]-k[1][0], k[2][1]-k[2][0]
	kc, step := b.kc, 1
	if b.merge && whole {
		kc, step = nx*b.kc, nx
	}
	for z := k[0][0]; z < k[0][1]; z++ {
		for y := k[1][0]; y < k[1][1]; y++ {
			for x := k[2][0]; x < k[2][1]; x += step {
				b.offsets(&c, [3]int{z, y, x}, whole)
			}
		}
	}
	// The longest runs of taps whose weights lie at one distance.
	first := func(z, y int) int { return ((z*ky+y)*kx + k[2][0]) * b.kc }
	rows := nx / step // taps of a row of the kernel
	var bs []kblock
	switch {
	case step == 1 && nx < kx:
		for z := k[0][0]; z < k[0][1]; z++ {
			for y := k[1][0]; y < k[1][1]; y++ {
				bs = kBlocks(bs, nx, kc, ((z-k[0][0])*ny+y-k[1][0])*nx, first(z, y), kc)
			}
		}
	case ny < ky:
		for z := k[0][0]; z < k[0][1]; z++ {
			bs = kBlocks(bs, ny*rows, kc, (z-k[0][0])*ny*rows, first(z, k[1][0]), kx*b.kc/rows)
		}
	default:
		bs = kBlocks(bs, (k[0][1]-k[0][0])*ny*rows, kc, 0, first(k[0][0], 0), kx*b.kc/rows)
	}
	if len(c.off) == 0 {
		c.off = slices.Repeat([]int32{noRow}, c.mr)
	}
	if !slices.ContainsFunc(c.off, func(o int32) bool { return o != noRow }) { // all in the padding
		bs = []kblock{{taps: 1, kc: min(kc, maxK)}}
	}
	c.blocks = b.g.byGroup(bs)
	c.firstG, c.lastG = len(c.blocks), 0
	for i, bs := range c.blocks {
		if len(bs) > 0 {
			c.firstG, c.lastG = min(c.firstG, i), i
		}
		for _, bl := range bs {
			c.cost += int64(bl.taps*bl.kc)*int64(c.mr) + tileOverhead
		}
	}
	return c
}

// tileOverhead is what a call of a microkernel costs, in multiply-adds of a row.
const tileOverhead = 32

// offsets adds those of one tap.
func (b *tileBuilder) offsets(c *tileClass, k [3]int, inside bool) {
	var reach [3]int
	for d := range k {
		reach[d] = b.ax[d].reach[k[d]]
	}
	o := int32((reach[0]*b.ax[1].in+reach[1])*b.ax[2].in + reach[2])
	for i := range b.rows {
		r := &b.rows[i]
		if !inside && !(inRange(r.at[0]+reach[0], b.ax[0].in) && inRange(r.at[1]+reach[1], b.ax[1].in) && inRange(r.at[2]+reach[2], b.ax[2].in)) {
			c.off = append(c.off, noRow)
			continue
		}
		// Sums may wrap where a dilation reaches far outside: they wrap back.
		c.off = append(c.off, (r.in-b.rows[0].in+o)*int32(b.pitch))
	}
}

// maxBlock is the number of tiles that read a panel one after another.
const maxBlock = 32

// tileRun is a product of the tiles of a table, in n images, with the panels of one
// group.
type tileRun struct {
	*gemm
	table          *tileTable
	xPitch, yPitch int
	xImage, yImage int  // elements from image to image
	far            bool // the weights come from beyond the second-level cache
}

// share computes part m of parts of the tiles of so many images: see run.
func (p *tileRun) share(c *call, t *tile, acc, x, w, y []float32, size, o0, cout, pad, images, m, parts, q0, q1 int) {
	p.run(c, t, acc, x, w, y, size, o0, cout, pad, p.table.split(images, m, parts), p.table.split(images, m+1, parts), q0, q1)
}

// run computes the tiles [t0, t1) of all images × panels [q0, q1) of a group. The
// panels begin at w, size elements apart; the channels of the group begin at
// channel o0 of y, which has cout of them. pad lanes follow the last of all.
func (p *tileRun) run(c *call, t *tile, acc, x, w, y []float32, size, o0, cout, pad, t0, t1, q0, q1 int) {
	nr := p.mk.nr
	p.begin(t, x)
	var at [maxBlock]tileAt
	for ; t0 < t1; t0 += maxBlock {
		tiles := at[:min(maxBlock, t1-t0)]
		p.look(tiles, t0)
		for q := q0; q < q1; q++ {
			cols := min(nr, cout-q*nr)
			o := o0 + q*nr
			p.columns(t, c, o, cols)
			lanes := 0
			if q == (cout-1)/nr {
				lanes = pad
			}
			panel := w[q*size:][:max(p.panelLen(), nr)]
			unfinished := len(p.rest.steps) > 0 || lanes > 0
			for g := range p.groups {
				for i := range tiles {
					tp := &tiles[i]
					cl := tp.class
					t.mr, t.dst, t.ahead, t.acc = cl.mr, cl.dst, 0, acc
					if p.groups > 1 {
						t.acc = acc[i*p.accLen():]
					}
					if p.far && i < nr*4/64 {
						t.ahead = 4*p.k*nr/p.groups + 64*i
					}
					last := g == cl.lastG
					if last {
						p.place(t, c, y, tp.y+o)
					}
					blocks := cl.blocks[g]
					for k := range blocks {
						b := &blocks[k]
						t.base, t.taps, t.kc, t.bStep = tp.x+b.c0, b.taps, b.kc, b.bStep*nr
						t.off = cl.off[b.off*cl.mr:]
						t.b = panel[b.b*nr:]
						t.first = k == 0 && g == cl.firstG
						t.last = last && k == len(blocks)-1
						p.mk.fn(t)
					}
					if last && unfinished {
						p.finish(c, y, cl.dst, o, cols, tp.y+o, lanes)
					}
				}
			}
		}
	}
}

// tileAt is a tile of an image, with the elements of x and y at its places.
type tileAt struct {
	class *tileClass
	x, y  int
}

// look finds the tiles from t0 on.
func (p *tileRun) look(tiles []tileAt, t0 int) {
	n := len(p.table.tiles)
	image, k := t0/n, t0%n
	for i := range tiles {
		tp := &p.table.tiles[k]
		tiles[i] = tileAt{&p.table.classes[tp.class], image*p.xImage + int(tp.base)*p.xPitch, image*p.yImage + int(tp.at)*p.yPitch}
		if k++; k == n {
			image, k = image+1, 0
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
