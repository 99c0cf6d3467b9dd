package cpu

import (
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// planReorder copies between any two layouts. The copy runs in the order of y's
// memory; where that would stride through x it transposes.
func planReorder(dev *device, d backend.Desc) (*plan, error) {
	in, out := resolve(d.In[0], backend.Plain), resolve(d.Out[0], backend.Plain)
	return dev.planCopy(in, out, in.Layout.Strides(in.Shape)), nil
}

// planCopy copies the four-byte elements of an input with strides sx along the dims of
// the output.
func (d *device) planCopy(in, out backend.TensorDesc, sx []int) *plan {
	cp := d.newCopier()
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	p.phases = cp.tensor(in, out, sx)
	p.workspace = cp.scratch
	return p
}

// planNest copies by a nest of output 0 and input 0, which need not take all of the
// input, nor each dim of the output by one of its own.
func (d *device) planNest(in, out backend.TensorDesc, n *nest) *plan {
	cp := d.newCopier()
	p := &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}
	p.phases = clearLanes([]phase{n.copy(cp)}, 0, out)
	p.workspace = cp.scratch
	return p
}

// newCopier returns one from input 0 to output 0.
func (d *device) newCopier() *copier {
	return &copier{isa: d.isa, threads: d.pool.threads(), src: func(c *call) []byte { return c.in[0] }, dst: func(c *call) []byte { return c.out[0] }}
}

// copyPhases copies the four-byte elements of src, described by in, to dst,
// described by out, which is output 0 where it has padded lanes; the shapes are the
// same.
func copyPhases(set isa, in, out backend.TensorDesc, src, dst func(c *call) []byte) []phase {
	cp := copier{isa: set, src: src, dst: dst}
	return cp.tensor(in, out, in.Layout.Strides(in.Shape))
}

// copyStrides copies four-byte elements of a shape with strides sx in src and sy in
// dst, whose dims lie in the given order.
func copyStrides(set isa, shape tensor.Shape, order, sy, sx []int, src, dst func(c *call) []byte) phase {
	cp := copier{isa: set, src: src, dst: dst}
	return newNest(shape, order, sy, sx).copy(&cp)
}

// copier plans a copy of operand 1 of a nest, in src, to operand 0, in dst.
type copier struct {
	isa      isa
	src, dst func(c *call) []byte
	threads  int    // that may have scratch memory, all of the workspace; 0 for none
	padded   [2]int // pitches of the pixels of dst and src where they have padded lanes

	cleared bool  // the copy clears the padded lanes of dst
	scratch int64 // bytes of scratch memory of all threads
}

// tensor copies elements with strides sx along the dims of out, and clears the padded
// lanes of out, which is output 0 then. In describes src.
func (cp *copier) tensor(in, out backend.TensorDesc, sx []int) []phase {
	cp.padded = [2]int{paddedPitch(out), paddedPitch(in)}
	ph := []phase{newNest(out.Shape, physicalOrder(out), out.Layout.Strides(out.Shape), sx).copy(cp)}
	if cp.cleared {
		return ph
	}
	return clearLanes(ph, 0, out)
}

// paddedPitch returns the distance of the pixels of d where they have padded lanes,
// and otherwise 0.
func paddedPitch(d backend.TensorDesc) int {
	if r, ok := channelRows(d); ok && r.pitch > r.c {
		return r.pitch
	}
	return 0
}

// copyGrain is the memory, read and written, that one part of a copy moves at least.
const copyGrain = 1 << 17

// copyParts cuts a copy of so many bytes, read and written, into parts. A few parts
// are rounded to what threads can share evenly.
func copyParts(units int, bytes int64) int {
	parts := partsFor(units, bytes, copyGrain)
	if parts > 1 {
		parts = min((parts+3)&^3, units)
	}
	return parts
}

// copyChunk is the number of elements that one call of a kernel copies: a call cannot
// be preempted.
const copyChunk = 1 << 15

// copy returns the phase that copies.
func (n *nest) copy(cp *copier) phase {
	n.bringForward(1)
	last := len(n.dims) - 1
	switch sy, sx := n.inner(0), n.inner(1); {
	case sy == 1 && sx == 1:
		return n.runs(cp)
	case sy == 1 && sx == 0 && !n.interleaves():
		return n.fill(cp)
	case sy == cp.padded[0] && sx == 1: // one channel: a matrix of one column
		n.insert(last+1, 1, 0)
	case sy == 1 && sx == cp.padded[1] && !slices.Contains(n.st[1], 1): // or of one row
		n.insert(last, 0, 1)
	}
	last = len(n.dims) - 1
	if last > 0 && n.st[1][last-1] == 1 && n.st[0][last] == 1 && n.st[1][last] >= 0 {
		return n.transpose(cp)
	}
	return n.strided(cp)
}

// interleaves reports whether a nest whose last dim stretches is a row of elements
// that stand a few times side by side: an interleaving of the row with itself.
func (n *nest) interleaves() bool {
	k := len(n.dims)
	return k > 1 && n.dims[k-1] <= 4 && n.st[1][k-2] == 1 && n.st[0][k-2] == n.dims[k-1]
}

// insert adds a dim of one element.
func (n *nest) insert(i int, strides ...int) {
	n.dims = slices.Insert(n.dims, i, 1)
	for k := range n.st {
		n.st[k] = slices.Insert(n.st[k], i, strides[k])
	}
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

// matrices returns the nest without its last two dims, but for one of one element.
func (n *nest) matrices() *nest {
	k := len(n.dims) - 2
	o := &nest{dims: append(slices.Clone(n.dims[:k]), 1), base: n.base}
	for _, st := range n.st {
		o.st = append(o.st, append(slices.Clone(st[:k]), 0))
	}
	return o
}

// strided copies element by element, along the dim before the last where that is but a
// few.
func (n *nest) strided(cp *copier) phase {
	if k := len(n.dims) - 1; k > 0 && n.dims[k] < 8 && n.dims[k-1] > n.dims[k] {
		for _, s := range append(n.st, n.dims) {
			s[k-1], s[k] = s[k], s[k-1]
		}
	}
	total := n.total()
	parts := partsFor(total, 8*int64(total), grainBytes)
	sy, sx := n.inner(0), n.inner(1)
	src, dst := cp.src, cp.dst
	return phase{parts, func(c *call, part, _ int) {
		x, y := view[uint32](src(c)), view[uint32](dst(c))
		lo, hi := share(total, part, parts)
		for it := n.start(lo, hi); it.next(); {
			i, j := it.off[0], it.off[1]
			for range it.n {
				y[i] = x[j]
				i, j = i+sy, j+sx
			}
		}
	}}
}

// fill copies one element to all along the last dim, where y is contiguous.
func (n *nest) fill(cp *copier) phase {
	total := n.total()
	parts := partsFor(total, 4*int64(total), grainBytes)
	src, dst := cp.src, cp.dst
	return phase{parts, func(c *call, part, _ int) {
		x, y := view[uint32](src(c)), view[uint32](dst(c))
		lo, hi := share(total, part, parts)
		for it := n.start(lo, hi); it.next(); {
			v, run := x[it.off[1]], y[it.off[0]:][:it.n]
			first := run[:min(len(run), fillFirst)]
			for i := range first {
				first[i] = v
			}
			for done := len(first); done < len(run); {
				done += copy(run[done:], run[:min(done, fillMost)])
			}
		}
	}}
}

// A run of equal elements is stored one by one up to fillFirst, and then copied from
// what is there, fillMost at a time.
const (
	fillFirst = 32
	fillMost  = 1 << 12
)

// runs copies when both operands are contiguous along the last dim.
func (n *nest) runs(cp *copier) phase {
	last := len(n.dims) - 1
	size := n.dims[last]
	if last == 0 {
		return cp.block(size, n.base[1])
	}
	move := newRuns(cp.isa)
	o := &nest{dims: n.dims[:last], st: [][]int{n.st[0][:last], n.st[1][:last]}, base: n.base}
	total, sy, sx := o.total(), o.inner(0), o.inner(1)
	parts := copyParts(total, 8*int64(n.total()))
	src, dst := cp.src, cp.dst
	step := max(copyChunk/max(size, 1), 1)
	if sx < 0 {
		step = 1 // the kernels go forward
	}
	return phase{parts, func(c *call, part, _ int) {
		x, y := view[uint32](src(c)), view[uint32](dst(c))
		lo, hi := share(total, part, parts)
		for it := o.start(lo, hi); it.next(); {
			for i := 0; i < it.n; i += step {
				runs := min(step, it.n-i)
				yy, xx := y[it.off[0]+i*sy:], x[it.off[1]+i*sx:]
				if size > copyChunk {
					copy(yy[:size], xx)
					continue
				}
				move(yy[:(runs-1)*sy+size], xx[:(runs-1)*sx+size], runs, size, sy, sx)
			}
		}
	}}
}

// block copies size elements that are contiguous in both operands, from one of src on.
func (cp *copier) block(size, from int) phase {
	move := newRuns(cp.isa)
	units := (size + cutUnit - 1) / cutUnit
	parts := copyParts(units, 8*int64(size))
	src, dst := cp.src, cp.dst
	return phase{parts, func(c *call, part, _ int) {
		x, y := view[uint32](src(c))[from:], view[uint32](dst(c))
		lo, hi := share(units, part, parts)
		x, y = x[lo*cutUnit:min(hi*cutUnit, size)], y[lo*cutUnit:min(hi*cutUnit, size)]
		if 4*size >= streamOutput {
			copy(y, x) // past the caches, where it knows how to
			return
		}
		for len(x) > 0 {
			n := min(copyChunk, len(x))
			move(y[:n], x[:n], 1, n, 0, 0)
			x, y = x[n:], y[n:]
		}
	}}
}

// transpose copies when the last dim is contiguous in y and the one before it in
// x.
func (n *nest) transpose(cp *copier) phase {
	k := len(n.dims)
	rows, cols := n.dims[k-2], n.dims[k-1]
	dr, sc := n.st[0][k-2], n.st[1][k-1]
	// The matrix is cut along its longer dim; move copies the part [lo, hi).
	cut, most := max(rows, cols), math.MaxInt
	var move func(y, x []uint32, lo, hi int, scratch []uint32)
	switch {
	case cols <= 4 && (dr == cols || dr == cp.padded[0] && dr > cols):
		fn := newInterleaver(cp.isa, cols, dr)
		cut, most, cp.cleared = rows, copyChunk/4, dr > cols
		move = func(y, x []uint32, lo, hi int, _ []uint32) {
			fn(y[lo*dr:hi*dr], x[lo:(cols-1)*sc+hi], sc, hi-lo)
		}
	case rows <= 4 && (sc == rows || sc == cp.padded[1] && sc > rows):
		fn := newDeinterleaver(cp.isa, rows, sc)
		cut, most = cols, copyChunk/4
		move = func(y, x []uint32, lo, hi int, _ []uint32) {
			fn(y[lo:(rows-1)*dr+hi], x[lo*sc:hi*sc], dr, hi-lo)
		}
	default:
		t := newTransposer(cp.isa, 4*int64(n.total()))
		if src, dst := t.stages(dr, sc); src || dst {
			cp.scratch = stageBytes * int64(cp.threads)
		}
		if rows >= cols {
			move = func(y, x []uint32, lo, hi int, scratch []uint32) {
				t.run(y[lo*dr:], x[lo:], hi-lo, cols, dr, sc, scratch)
			}
		} else {
			move = func(y, x []uint32, lo, hi int, scratch []uint32) {
				t.run(y[lo:], x[lo*sc:], rows, hi-lo, dr, sc, scratch)
			}
		}
	}
	outer := n.matrices()
	pieces := (cut + cutUnit - 1) / cutUnit
	units := outer.total() * pieces
	parts := copyParts(units, 8*int64(n.total()))
	src, dst, staged := cp.src, cp.dst, cp.scratch > 0
	return phase{parts, func(c *call, part, thread int) {
		x, y := view[uint32](src(c)), view[uint32](dst(c))
		u, hi := share(units, part, parts)
		var scratch []uint32
		if staged {
			scratch = view[uint32](c.ws[stageBytes*thread:][:stageBytes])
		}
		for it := outer.start(u/pieces, (hi+pieces-1)/pieces); it.next(); {
			first := u % pieces
			m := min(hi-u, pieces-first) // in this matrix
			u += m
			for lo, end := first*cutUnit, min((first+m)*cutUnit, cut); lo < end; lo += min(most, end-lo) {
				move(y[it.off[0]:], x[it.off[1]:], lo, lo+min(most, end-lo), scratch)
			}
		}
	}}
}

// cutUnit is what the parts of a matrix are multiples of: a line of memory.
const cutUnit = 16
