package graph

import (
	"cmp"
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
// arXiv:2001.03288).
func place(blocks []*block, align int64) (arena, peak int64) {
	align = max(align, 1)
	up := func(n int64) int64 { return (n + align - 1) / align * align }
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
	for _, at := range blocks {
		var live int64
		for _, b := range blocks {
			if b.first <= at.first && at.first <= b.last {
				live += up(b.bytes)
			}
		}
		peak = max(peak, live)
	}
	return arena, peak
}
