package cpu

import (
	"fmt"
	"unsafe"

	"github.com/convgl/convgl/backend"
)

// resolve returns d with the layout def where it is open.
func resolve(d backend.TensorDesc, def backend.Layout) backend.TensorDesc {
	if d.Layout.Order == backend.OrderAny {
		d.Layout = def
	}
	return d
}

// imageLayout is what an image tensor of that rank takes when it may choose.
func imageLayout(rank int) backend.Layout {
	if rank <= 2 {
		return backend.Plain
	}
	return backend.ChannelsLast
}

// resolveAll fills in the open layouts of a plan's inputs from index from on.
func resolveAll(in []backend.TensorDesc, def backend.Layout) []backend.TensorDesc {
	out := make([]backend.TensorDesc, len(in))
	for i, d := range in {
		out[i] = resolve(d, def)
	}
	return out
}

// rows describes a tensor as n images of s rows with c channels each, pitch
// elements apart; the lanes from c to pitch are padding.
type rows struct{ n, s, c, pitch int }

func (r rows) total() int { return r.n * r.s }

// channelRows returns the rows of a tensor of rank 2 or more that lies
// channels-last, or in a plain layout that comes to the same.
func channelRows(d backend.TensorDesc) (rows, bool) {
	if len(d.Shape) < 2 {
		return rows{}, false
	}
	r := rows{n: d.Shape[0], s: d.Shape[2:].Size(), c: d.Shape[1]}
	r.pitch = r.c
	if d.Layout.Order == backend.OrderChannelsLast {
		if p := d.Layout.Pad; p > 1 {
			r.pitch = (r.c + p - 1) / p * p
		}
		return r, true
	}
	return r, r.c == 1 || r.s == 1
}

// planeRows returns the rows of a tensor whose planes can be treated one by
// one: as channelRows, or, in the plain layout, N·C images of one channel.
func planeRows(d backend.TensorDesc) rows {
	r, ok := channelRows(d)
	if !ok {
		r = rows{n: d.Shape[0] * d.Shape[1], s: r.s, c: 1, pitch: 1}
	}
	return r
}

// samePlanes reports whether planeRows gives x and y the same view.
func samePlanes(x, y rows) bool { return x.n == y.n && x.c == y.c }

func wrongLayout(op, arg string, d backend.TensorDesc, want string) error {
	return backend.Unsupported(name, op, fmt.Sprintf("%s is %v, want %s (insert a Reorder)", arg, d, want))
}

// overlap reports whether two ranges share memory.
func overlap(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	pa, pb := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	return pa < pb+uintptr(len(b)) && pb < pa+uintptr(len(a))
}

// clearLanes is a phase that zeroes the padding lanes of output i, or nothing.
func clearLanes(ph []phase, i int, d backend.TensorDesc) []phase {
	r, ok := channelRows(d)
	if !ok || r.pitch == r.c || r.total() == 0 {
		return ph
	}
	n := r.total()
	parts := partsFor(n, 4*int64(n), grainBytes)
	return append(ph, phase{parts, func(c *call, part, _ int) {
		y := view[uint32](c.out[i])
		lo, hi := share(n, part, parts)
		for ; lo < hi; lo++ {
			for j := lo*r.pitch + r.c; j < (lo+1)*r.pitch; j++ { // a few: a call costs more
				y[j] = 0
			}
		}
	}})
}
