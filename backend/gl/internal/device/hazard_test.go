//go:build cgo

package device

import "testing"

func TestHazards(t *testing.T) {
	a := &Buffer{mem: &allocation{id: 1}, bytes: 1000}
	b := &Buffer{mem: &allocation{id: 2}, bytes: 1000}
	type step struct {
		acc  []Access
		want uint32
	}
	on := func(buf *Buffer, lo, n int64, k Kind) Access { return Access{buf.Range(lo, n), k} }
	one := func(x Access, want uint32) step { return step{[]Access{x}, want} }
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"fresh", []step{one(on(a, 0, 100, ReadStorage), 0), one(on(b, 0, 100, WriteStorage), 0)}},
		{"read after write", []step{one(on(a, 0, 100, WriteStorage), 0), one(on(a, 50, 10, ReadStorage), barrierStorage)}},
		{"once only", []step{
			one(on(a, 0, 100, WriteStorage), 0),
			one(on(a, 0, 100, ReadStorage), barrierStorage),
			one(on(a, 0, 100, ReadStorage), 0)}},
		{"each path needs its own", []step{
			one(on(a, 0, 100, WriteStorage), 0),
			one(on(a, 0, 100, ReadStorage), barrierStorage),
			one(on(a, 0, 100, ReadTexels), barrierTexels),
			one(on(a, 0, 100, ReadHost), barrierHost),
			one(on(a, 0, 100, ReadTexels), 0)}},
		{"both paths at once", []step{
			one(on(a, 0, 100, WriteStorage), 0),
			one(on(b, 0, 100, WriteStorage), 0),
			{[]Access{on(a, 0, 100, ReadTexels), on(b, 0, 100, ReadStorage)}, barrierTexels | barrierStorage}}},
		{"write after read", []step{
			one(on(a, 0, 100, ReadTexels), 0),
			one(on(a, 99, 10, WriteStorage), barrierStorage)}},
		{"write after write", []step{
			one(on(a, 0, 100, WriteStorage), 0),
			one(on(a, 0, 100, WriteStorage), barrierStorage),
			one(on(a, 0, 100, WriteStorage), barrierStorage)}},
		{"reads do not wait", []step{one(on(a, 0, 100, ReadTexels), 0), one(on(a, 0, 100, ReadStorage), 0), one(on(a, 0, 100, ReadHost), 0)}},
		{"neighbours", []step{one(on(a, 0, 100, WriteStorage), 0), one(on(a, 100, 100, ReadStorage), 0), one(on(b, 0, 100, ReadTexels), 0)}},
		{"independent branches", []step{
			one(on(a, 0, 100, WriteStorage), 0),
			one(on(a, 200, 100, WriteStorage), 0),
			one(on(a, 400, 100, WriteStorage), 0),
			{[]Access{on(a, 0, 300, ReadStorage), on(a, 600, 10, WriteStorage)}, barrierStorage},
			one(on(a, 400, 100, ReadStorage), 0)}},
		{"host writes are ordered", []step{one(on(a, 0, 100, WriteHost), 0), one(on(a, 0, 100, ReadTexels), 0)}},
		{"host write waits for the shader's", []step{one(on(a, 0, 100, WriteStorage), 0), one(on(a, 0, 100, WriteHost), barrierHost)}},
		{"in place", []step{
			{[]Access{on(a, 0, 100, ReadStorage), on(a, 0, 100, WriteStorage)}, 0},
			{[]Access{on(a, 0, 100, ReadStorage), on(a, 0, 100, WriteStorage)}, barrierStorage}}},
		{"a new write opens again", []step{
			one(on(a, 0, 100, WriteStorage), 0),
			one(on(a, 0, 100, ReadStorage), barrierStorage),
			one(on(a, 0, 100, WriteStorage), barrierStorage),
			one(on(a, 0, 100, ReadTexels), barrierTexels)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var h tracker
			for i, s := range c.steps {
				if got := h.need(s.acc); got != s.want {
					t.Errorf("step %d: got %#x, want %#x", i, got, s.want)
				}
			}
		})
	}
}

// The list stays bounded, and what falls out of it is behind a barrier.
func TestHazardBound(t *testing.T) {
	var h tracker
	full := 0
	for i := range int64(1000) {
		b := &Buffer{mem: &allocation{}, bytes: 100}
		if h.need([]Access{{b.Range(0, 1+i%10), WriteStorage}}) == barrierAll {
			full++
		}
		if len(h.open) > maxOpen {
			t.Fatalf("%d entries, want at most %d", len(h.open), maxOpen)
		}
	}
	if full != 1000/maxOpen {
		t.Errorf("got %d full barriers, want %d", full, 1000/maxOpen)
	}
	m := h.open[0].buf
	h.drop(m)
	for _, o := range h.open {
		if o.buf == m {
			t.Error("a dropped buffer is still there")
		}
	}
}
