package cpu

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/convgl/convgl/backend"
)

// squareAxes is how the pixels of a square convolution gather.
func squareAxes(size, kernel, stride, pad, dilation int) [3]axis {
	g := backend.Geometry3{In: [3]int{1, size, size}, Kernel: [3]int{1, kernel, kernel}, Stride: [3]int{1, stride, stride}, Dilation: [3]int{1, dilation, dilation}, Begin: [3]int{0, pad, pad}}
	out := (size+2*pad-dilation*(kernel-1)-1)/stride + 1
	g.Out = [3]int{1, out, out}
	return convAxes(&g)
}

func tableOf(t *testing.T, mk *microkernel, ax [3]axis, kc int) *tileTable {
	t.Helper()
	taps := len(ax[0].reach) * len(ax[1].reach) * len(ax[2].reach)
	g := newGemm(mk, taps*kc, newEpilogue(nil, false, nil, 0))
	table, err := newTileTable("Conv", &g, &ax, kc, 1, kc, true)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// Tiles hold every output pixel once.
func TestTilesCover(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	mk := &microkernel{mr: 6, nr: 64}
	for range 300 {
		size, kernel, stride, dilation := 1+r.IntN(20), 1+r.IntN(5), 1+r.IntN(3), 1+r.IntN(2)
		pad := r.IntN(2 * kernel)
		if size+2*pad < dilation*(kernel-1)+1 {
			continue
		}
		ax := squareAxes(size, kernel, stride, pad, dilation)
		table := tableOf(t, mk, ax, 1+r.IntN(3))
		seen := make([]int, ax[1].n*ax[2].n)
		for _, tile := range table.tiles {
			c := &table.classes[tile.class]
			if c.mr < 1 || c.mr > mk.mr {
				t.Fatalf("a tile of %d rows", c.mr)
			}
			for _, d := range c.dst {
				seen[int(tile.at)+int(d)]++
			}
		}
		for i, n := range seen {
			if n != 1 {
				t.Fatalf("size %d, kernel %d, stride %d, dilation %d, pad %d: pixel %d is in %d tiles", size, kernel, stride, dilation, pad, i, n)
			}
		}
	}
}

// Of 441 products of a pixel and a tap at 7², 361 lie inside the image; tiles multiply
// no more than eight beside them.
func TestTilesLeaveOutPadding(t *testing.T) {
	const kc = 512
	table := tableOf(t, &microkernel{mr: 6, nr: 64}, squareAxes(7, 3, 1, 1, 1), kc)
	terms := 0
	for _, tile := range table.tiles {
		c := &table.classes[tile.class]
		for _, bs := range c.blocks {
			for _, b := range bs {
				terms += b.taps * b.kc * c.mr
			}
		}
	}
	if got := terms / kc; got < 361 || got > 369 {
		t.Errorf("%d products of a pixel and a tap, want 361 to 369", got)
	}
}

// The shares of threads have nearly the same work, and meet.
func TestTilesSplit(t *testing.T) {
	table := tableOf(t, &microkernel{mr: 6, nr: 64}, squareAxes(56, 3, 1, 1, 1), 64)
	n := len(table.tiles)
	for _, images := range []int{1, 3} {
		for parts := 1; parts <= 7; parts++ {
			at := 0
			for i := range parts {
				lo, hi := table.split(images, i, parts), table.split(images, i+1, parts)
				if lo != at {
					t.Fatalf("part %d of %d begins at %d, the one before ended at %d", i, parts, lo, at)
				}
				var cost int64
				for ; at < hi; at++ {
					cost += table.classes[table.tiles[at%n].class].cost
				}
				if even := table.cost[n] * int64(images) / int64(parts); cost < even*95/100 || cost > even*105/100 {
					t.Errorf("%d images: part %d of %d costs %d, an even share is %d", images, i, parts, cost, even)
				}
			}
			if at != images*n {
				t.Errorf("%d parts end at %d of %d", parts, at, images*n)
			}
		}
	}
}

// A kernel with so much padding that the table of offsets would be large goes through
// padded pictures, and is exact; one that those do not take is refused.
func TestLargePadding(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("the reference takes minutes under the race detector, and the kernels under emulation")
	}
	d := conv2(1, 5, 61, 3, 61, 1, 30, 1)
	in := inputs(12, d)
	want, err := backend.RunDesc(ctx, open(t, "ref"), plainDesc(d), in...)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range isas(t) {
		be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(2))
		k, err := be.Prepare(ctx, d)
		if err != nil {
			t.Fatalf("%v: %v", set, err)
		}
		if n, picture := k.Info().Workspace, int64(4*5*121*121); n < picture {
			t.Errorf("%v: a workspace of %d bytes holds no picture of %d", set, n, picture)
		}
		k.Close()
		if !same(t, poisonedRun(t, be, d, in)[0], want[0]) {
			t.Error(set)
		}
	}
	wide := conv2(1, 5, 241, 3, 121, 1, 120, 1)
	op := wide.Op.(backend.Conv)
	op.Dilations = []int{2, 2}
	wide.Op = op
	var limit *backend.LimitError
	if k, err := open(t, "cpu").Prepare(ctx, wide); !errors.As(err, &limit) {
		t.Errorf("dilated: got %v %v, want a LimitError", k, err)
	}
}
