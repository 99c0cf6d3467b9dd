package graph

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestPlace(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for round := range 300 {
		var blocks []*block
		for range 1 + rnd.IntN(30) {
			first := rnd.IntN(20)
			blocks = append(blocks, &block{first: first, last: first + rnd.IntN(6), bytes: int64(rnd.IntN(5000))})
		}
		align := int64(1) << rnd.IntN(9)
		arena, peak := place(blocks, align)
		if round%2 == 1 { // as many blocks are
			arena = placeByTime(blocks, func(n int64) int64 { return (n + align - 1) / align * align })
		}
		var most int64
		for at := range 30 {
			var live int64
			for _, b := range blocks {
				if b.first <= at && at <= b.last {
					live += (b.bytes + align - 1) / align * align
				}
			}
			most = max(most, live)
		}
		if peak != most {
			t.Fatalf("peak %d, want %d", peak, most)
		}
		if peak > arena {
			t.Fatalf("peak %d above the arena of %d", peak, arena)
		}
		for i, b := range blocks {
			if b.offset < 0 || b.offset%align != 0 || b.offset+b.bytes > arena {
				t.Fatalf("block of %d at %d: arena %d, alignment %d", b.bytes, b.offset, arena, align)
			}
			for _, c := range blocks[:i] {
				if b.meets(c) && b.bytes > 0 && c.bytes > 0 && b.offset < c.offset+c.bytes && c.offset < b.offset+b.bytes {
					t.Fatalf("blocks overlap: %+v, %+v", b, c)
				}
			}
		}
	}
}

// A chain of equal blocks needs two places, and a plan reuses them.
func TestPlaceReuses(t *testing.T) {
	var blocks []*block
	for i := range 10 {
		blocks = append(blocks, &block{first: i, last: i + 1, bytes: 100})
	}
	if arena, peak := place(blocks, 1); arena != 200 || peak != 200 {
		t.Errorf("arena %d, peak %d, want 200", arena, peak)
	}
	if arena, peak := place(nil, 64); arena != 0 || peak != 0 {
		t.Errorf("no blocks: arena %d, peak %d", arena, peak)
	}
}

// Many blocks, of which few or all live at once, are placed in little time.
func TestPlaceMany(t *testing.T) {
	for name, life := range map[string]int{"few at once": 2, "all at once": 1 << 30} {
		var blocks []*block
		for i := range 100_000 {
			blocks = append(blocks, &block{first: i, last: i + life, bytes: int64(100 + i%3)})
		}
		start := time.Now()
		arena, peak := place(blocks, 1)
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%s: took %v", name, d)
		}
		if arena > 2*peak {
			t.Errorf("%s: arena %d, peak %d", name, arena, peak)
		}
	}
}
