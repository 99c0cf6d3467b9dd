//go:build cgo

package gl

import "github.com/convgl/convgl/backend"

// preferred is what a layout that a Desc leaves open becomes: matrices and vectors
// are plain, images channels-last with whole texels.
func preferred(d backend.TensorDesc) backend.Layout {
	if len(d.Shape) <= 2 {
		return backend.Plain
	}
	return backend.ChannelsLast4
}

// settle gives t the layout l if it is open, and reports whether it has l then.
func settle(t *backend.TensorDesc, l backend.Layout) bool {
	if t.Layout.Order == backend.OrderAny {
		t.Layout = l
	}
	return t.Layout == l
}

// sameLayout settles input i and the output on one layout; any will do.
func (p *plan) sameLayout(i int) error {
	in, out := &p.in[i], &p.out[0]
	if in.Layout.Order == backend.OrderAny {
		in.Layout = out.Layout
	}
	if in.Layout.Order == backend.OrderAny {
		in.Layout = preferred(*in)
	}
	if !settle(out, in.Layout) {
		return p.unsupported("layouts %v to %v: want the same on both sides (insert a Reorder)", in.Layout, out.Layout)
	}
	return nil
}

// mustSettle settles t on l, or says that a Reorder is missing. Arg names t.
func (p *plan) mustSettle(t *backend.TensorDesc, arg string, l backend.Layout) error {
	if !settle(t, l) {
		return p.unsupported("%s: layout %v: want %v (insert a Reorder)", arg, t.Layout, l)
	}
	return nil
}

// padding returns the channels of t that hold values and those in memory; one and
// one when its layout does not pad.
func padding(t backend.TensorDesc) (channels, lanes int) {
	if t.Layout.Order != backend.OrderChannelsLast || len(t.Shape) < 2 || t.Layout.Pad <= 1 {
		return 1, 1
	}
	return t.Shape[1], roundUp(t.Shape[1], t.Layout.Pad)
}
