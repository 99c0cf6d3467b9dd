package cpu

import (
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// planReorder copies between any two layouts. The copy runs in the order of y's
// memory; where that would stride through x it goes by square tiles.
func planReorder(_ *device, d backend.Desc) (*plan, error) {
	in, out := resolve(d.In[0], backend.Plain), resolve(d.Out[0], backend.Plain)
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	p.phases = copyPhases(in, out, func(c *call) []byte { return c.in[0] }, func(c *call) []byte { return c.out[0] })
	p.phases = clearLanes(p.phases, 0, out)
	return p, nil
}

// transposeTile is the edge of the tiles of a transposition: two tiles of it fit
// the first-level cache whatever the strides.
const transposeTile = 16

// copyPhases copies the four-byte elements of src, described by in, to dst,
// described by out; the shapes are the same.
func copyPhases(in, out backend.TensorDesc, src, dst func(c *call) []byte) []phase {
	return []phase{copyStrides(out.Shape, physicalOrder(out), out.Layout.Strides(out.Shape), in.Layout.Strides(in.Shape), src, dst)}
}

// copyStrides copies four-byte elements of a shape with strides sx in src and sy in
// dst, whose dims lie in the given order.
func copyStrides(shape tensor.Shape, order, sy, sx []int, src, dst func(c *call) []byte) phase {
	n := newNest(shape, order, sy, sx)
	n.bringForward(1)
	if k := len(n.dims); k >= 2 && n.st[1][k-2] == 1 && n.st[0][k-1] == 1 {
		return n.transpose(src, dst)
	}
	total := n.total()
	parts := partsFor(total, 8*int64(total), grainBytes)
	return phase{parts, func(c *call, part, _ int) {
		x, y := view[uint32](src(c)), view[uint32](dst(c))
		lo, hi := share(total, part, parts)
		sx, sy := n.inner(1), n.inner(0)
		for it := n.start(lo, hi); it.next(); {
			copyStrided(y[it.off[0]:], x[it.off[1]:], it.n, sy, sx)
		}
	}}
}

// bringForward moves the dim along which operand k is contiguous next to the
// innermost one, where a transposition wants it. The order of the dims further out
// is free.
func (n *nest) bringForward(k int) {
	last := len(n.dims) - 1
	if n.st[k][last] == 1 {
		return
	}
	for i := last - 1; i >= 0; i-- {
		if n.st[k][i] != 1 {
			continue
		}
		move := func(s []int) { copy(s[i:last], append(slices.Clone(s[i+1:last]), s[i])) }
		move(n.dims)
		for _, st := range n.st {
			move(st)
		}
		return
	}
}

func copyStrided(dst, src []uint32, n, sd, ss int) {
	if sd == 1 && ss == 1 {
		copy(dst[:n], src[:n])
		return
	}
	for i := range n {
		dst[i*sd] = src[i*ss]
	}
}

// transpose copies when the last dim is contiguous in y and the one before it in
// x.
func (n *nest) transpose(src, dst func(c *call) []byte) phase {
	k := len(n.dims)
	rows, cols := n.dims[k-2], n.dims[k-1]
	dr, sc := n.st[0][k-2], n.st[1][k-1]
	outer := &nest{dims: append(append([]int{}, n.dims[:k-2]...), 1), st: [][]int{
		append(append([]int{}, n.st[0][:k-2]...), 0), append(append([]int{}, n.st[1][:k-2]...), 0)}}
	bands := (rows + transposeTile - 1) / transposeTile
	units := outer.total() * bands
	parts := partsFor(units, 8*int64(n.total()), grainBytes)
	return phase{parts, func(c *call, part, _ int) {
		x, y := view[uint32](src(c)), view[uint32](dst(c))
		for u, hi := share(units, part, parts); u < hi; u++ {
			it := outer.start(u/bands, u/bands+1)
			it.next()
			r0 := u % bands * transposeTile
			r1 := min(r0+transposeTile, rows)
			for c0 := 0; c0 < cols; c0 += transposeTile {
				c1 := min(c0+transposeTile, cols)
				for r := r0; r < r1; r++ {
					d := y[it.off[0]+r*dr:]
					s := x[it.off[1]+r:]
					for c := c0; c < c1; c++ {
						d[c] = s[c*sc]
					}
				}
			}
		}
	}}
}
