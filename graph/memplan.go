package graph

import (
	"cmp"
	"maps"
	"slices"
)

// block is memory that lives from step first to step last, both included.
type block struct {
	name        string
	first, last int
	bytes       int64
	offset      int64
}

func (b *block) meets(c *block) bool { return b.first <= c.last && c.first <= b.last }

// place gives every block an offset, a multiple of align, such that blocks which
// live at the same time do not overlap, and returns the size of the arena and the
// most bytes that are live at once, which no arena can be below.
//
// The largest block is placed first, each in the smallest gap that holds it
// between those already placed (greedy by size: Pisarchyk and Lee, 2020,
// arXiv:2001.03288). That takes the square of their number, so that more than maxBySize
// are placed in the order of time instead.
func place(blocks []*block, align int64) (arena, peak int64) {
	align = max(align, 1)
	up := func(n int64) int64 { return (n + align - 1) / align * align }
	if len(blocks) > maxBySize {
		arena = placeByTime(blocks, up)
	} else {
		arena = placeBySize(blocks, up)
	}
	return arena, mostLive(blocks, up)
}

const (
	maxBySize = 4096
	maxGaps   = 256 // that are looked at for a block by time
)

// mostLive returns the most bytes that are live at once.
func mostLive(blocks []*block, up func(int64) int64) (peak int64) {
	change := map[int]int64{} // by step
	for _, b := range blocks {
		change[b.first] += up(b.bytes)
		change[b.last+1] -= up(b.bytes)
	}
	var live int64
	for _, step := range slices.Sorted(maps.Keys(change)) {
		live += change[step]
		peak = max(peak, live)
	}
	return peak
}

// placeByTime places each block when it begins to live: in the smallest gap that holds it
// between the lowest of those alive, or behind all.
func placeByTime(blocks []*block, up func(int64) int64) (arena int64) {
	births, deaths := slices.Clone(blocks), slices.Clone(blocks)
	slices.SortStableFunc(births, func(a, b *block) int { return cmp.Compare(a.first, b.first) })
	slices.SortStableFunc(deaths, func(a, b *block) int { return cmp.Compare(a.last, b.last) })
	byOffset := func(a, b *block) int { return cmp.Compare(a.offset, b.offset) }
	var live []*block // by offset, without those of no bytes
	for _, b := range births {
		for len(deaths) > 0 && deaths[0].last < b.first {
			if dead := deaths[0]; dead.bytes > 0 {
				i, _ := slices.BinarySearchFunc(live, dead, byOffset)
				live = slices.Delete(live, i, i+1)
			}
			deaths = deaths[1:]
		}
		if b.offset = 0; b.bytes == 0 {
			continue
		}
		at, best, end := int64(-1), int64(-1), int64(0)
		for _, p := range live[:min(len(live), maxGaps)] {
			if gap := p.offset - end; gap >= b.bytes && (best < 0 || gap < best) {
				at, best = end, gap
			}
			end = up(p.offset + p.bytes)
		}
		if at < 0 {
			at = 0
			if n := len(live); n > 0 {
				at = up(live[n-1].offset + live[n-1].bytes)
			}
		}
		b.offset = at
		i, _ := slices.BinarySearchFunc(live, b, byOffset)
		live = slices.Insert(live, i, b)
		arena = max(arena, up(at+b.bytes))
	}
	return arena
}

func placeBySize(blocks []*block, up func(int64) int64) (arena int64) {
	order := slices.Clone(blocks)
	slices.SortStableFunc(order, func(a, b *block) int {
		if c := cmp.Compare(b.bytes, a.bytes); c != 0 {
			return c
		}
		return cmp.Compare(a.first, b.first)
	})
	var placed []*block // by offset
	for _, b := range order {
		at, best, end := int64(-1), int64(-1), int64(0)
		for _, p := range placed {
			if !p.meets(b) {
				continue
			}
			if gap := p.offset - end; gap >= b.bytes && (best < 0 || gap < best) {
				at, best = end, gap
			}
			end = max(end, up(p.offset+p.bytes))
		}
		if at < 0 {
			at = end
		}
		b.offset = at
		i, _ := slices.BinarySearchFunc(placed, b, func(x, y *block) int { return cmp.Compare(x.offset, y.offset) })
		placed = slices.Insert(placed, i, b)
		arena = max(arena, up(b.offset+b.bytes))
	}
	return arena
}
