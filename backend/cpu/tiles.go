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
// one tap.
func newTileTable(g *gemm, ax *[3]axis, pitch, yPitch, kc int, merge bool) *tileTable {
	b := tileBuilder{g: g, ax: ax, pitch: pitch, yPitch: yPitch, kc: kc, merge: merge, table: &tileTable{cost: []int64{0}}, seen: map[string]int32{}}
	var by [3][]reads
	for d := range ax {
		by[d] = ax[d].byReads()
	}
	var others [][3]int
	for i := range by[0] {
		for j := range by[1] {
			for k := range by[2] {
				group := [3]*reads{&by[0][i], &by[1][j], &by[2][k]}
				box := [3][2]int{{group[0].lo, group[0].hi}, {group[1].lo, group[1].hi}, {group[2].lo, group[2].hi}}
				n := len(group[0].outputs) * len(group[1].outputs) * len(group[2].outputs)
				empty := box[0][0] == box[0][1] || box[1][0] == box[1][1] || box[2][0] == box[2][1]
				pixel := func(p int) [3]int {
					nx, ny := len(group[2].outputs), len(group[1].outputs)
					return [3]int{group[0].outputs[p/(nx*ny)], group[1].outputs[p/nx%ny], group[2].outputs[p%nx]}
				}
				if empty || !b.pays(n, &box) {
					for p := range n {
						others = append(others, pixel(p))
					}
					continue
				}
				b.cut(n, &box, pixel)
			}
		}
	}
	slices.SortFunc(others, func(a, b [3]int) int { return slices.Compare(a[:], b[:]) }) // rows of a tile follow its first
	b.cut(len(others), nil, func(p int) [3]int { return others[p] })
	return b.table
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
}

// pays reports whether n pixels that read the taps of a box cost less in tiles of their
// own than in tiles with others, that read all taps and zeros for those outside. The
// weights of a tile of one row cost as much as the row.
func (b *tileBuilder) pays(n int, box *[3][2]int) bool {
	own, all := 1, 1
	for d, k := range box {
		own *= k[1] - k[0]
		all *= len(b.ax[d].reach)
	}
	return own*max(n, 2)*b.kc+tileOverhead <= all*n*b.kc || own == all
}

// tileRow is an output pixel: the input pixel at reach 0, which may lie outside, and
// the output pixel.
type tileRow struct {
	in, out int32
	at      [3]int // of the input pixel
}

// cut adds the tiles of n pixels that read the taps of a box; without a box, which is
// nil, each reads what lies inside.
func (b *tileBuilder) cut(n int, box *[3][2]int, pixel func(p int) [3]int) {
	t := b.table
	tiles := (n + b.g.mk.mr - 1) / b.g.mk.mr
	clear(b.seen)
	for i := range tiles {
		lo, hi := share(n, i, tiles)
		b.rows, b.key = b.rows[:0], b.key[:0]
		for ; lo < hi; lo++ {
			b.look(pixel(lo), box == nil)
		}
		class, ok := b.seen[string(b.key)]
		if !ok {
			class = int32(len(t.classes))
			b.seen[string(b.key)] = class
			t.classes = append(t.classes, b.class(box))
		}
		t.tiles = append(t.tiles, tilePlace{base: b.rows[0].in, at: b.rows[0].out, class: class})
		t.cost = append(t.cost, t.cost[len(t.cost)-1]+t.classes[class].cost)
	}
}

// look adds a row and what tells it from those of other tiles to the key.
func (b *tileBuilder) look(i [3]int, places bool) {
	var r tileRow
	for d := range b.ax {
		a := &b.ax[d]
		r.at[d] = i[d]*a.step + a.start
		r.in = r.in*int32(a.in) + int32(r.at[d])
		r.out = r.out*int32(a.out) + int32(i[d]*a.outStep+a.outStart)
	}
	b.rows = append(b.rows, r)
	b.key = binary.LittleEndian.AppendUint32(b.key, uint32(r.in-b.rows[0].in))
	b.key = binary.LittleEndian.AppendUint32(b.key, uint32(r.out-b.rows[0].out))
	if places { // what lies inside depends on them
		for _, v := range r.at {
			b.key = binary.AppendVarint(b.key, int64(v))
		}
	}
}

// class makes the class of the tile looked at.
func (b *tileBuilder) class(box *[3][2]int) tileClass {
	c := tileClass{mr: len(b.rows)}
	for i := range b.rows {
		c.dst = append(c.dst, (b.rows[i].out-b.rows[0].out)*int32(b.yPitch))
	}
	ky, kx := len(b.ax[1].reach), len(b.ax[2].reach)
	k := [3][2]int{{0, len(b.ax[0].reach)}, {0, ky}, {0, kx}}
	if box != nil {
		k = *box
	}
	ny, nx := k[1][1]-k[1][0], k[2][1]-k[2][0]
	kc, step := b.kc, 1
	if b.merge && box != nil {
		kc, step = nx*b.kc, nx
	}
	for z := k[0][0]; z < k[0][1]; z++ {
		for y := k[1][0]; y < k[1][1]; y++ {
			for x := k[2][0]; x < k[2][1]; x += step {
				b.offsets(&c, [3]int{z, y, x}, box != nil)
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
