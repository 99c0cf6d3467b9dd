package cpu

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// planBinary takes any layouts and any broadcast: a loop nest in the order of y's
// memory, with a stride of 0 where an operand stretches.
func planBinary(dev *device, d backend.Desc) (*plan, error) {
	p, n := broadcastPlan(d)
	out := p.out[0]
	run := newBinaryRun(dev.rows(), d.Op.(backend.Binary).Fn, n, dev.streams(out))
	if run.repeat > 0 {
		p.workspace = binaryTile * 4 * int64(dev.pool.threads())
	}
	total := n.total()
	parts := partsFor(total, 4*int64(total), grainBytes)
	p.phases = clearLanes([]phase{{parts, func(c *call, part, thread int) {
		lo, hi := shareLines(total, part, parts)
		y, a, b := c.y(0), c.x(0), c.x(1)
		if run.repeat > 0 {
			tile := f32(c.ws)[thread*binaryTile:][:binaryTile]
			run.tiled(run.choose(y, a, b), y, a, b, tile, lo, hi)
			return
		}
		fn := run.choose(y, a, b)
		for it := n.start(lo, hi); it.next(); {
			run.do(fn, y, a, b, &it)
		}
	}}}, 0, out)
	return p, nil
}

// broadcastPlan settles the layouts of an elementwise op of several tensors: those
// that are open follow the output's. It returns the nest over y and the inputs.
func broadcastPlan(d backend.Desc) (*plan, *nest) {
	shape := d.Out[0].Shape
	def := d.Out[0].Layout
	for _, in := range d.In {
		if def == backend.Any && len(in.Shape) == len(shape) {
			def = in.Layout
		}
	}
	if def == backend.Any {
		def = imageLayout(len(shape))
	}
	out := resolve(d.Out[0], def)
	p := &plan{out: []backend.TensorDesc{out}}
	strides := [][]int{out.Layout.Strides(shape)}
	for i, in := range d.In {
		if len(in.Shape) < len(shape) {
			in = resolve(in, backend.Plain)
		} else {
			in = resolve(in, out.Layout)
		}
		p.in = append(p.in, in)
		if in.Shape.Equal(shape) && in.Layout == out.Layout {
			p.inPlace = append(p.inPlace, i)
		}
		strides = append(strides, stretch(in, shape))
	}
	return p, newNest(shape, physicalOrder(out), strides...)
}

// binaryTile is how many elements a short row is repeated to.
const binaryTile = 512

// binaryRun computes the runs of a walk.
type binaryRun struct {
	kind       backend.BinaryKind
	fn, stream binaryFn // nil where an inner stride is neither 0 nor 1; where y is not streamed
	sy, sa, sb int
	ly, la, lb int
	n          int // elements of a row
	repeat     int // operand, 1 or 2, that is the same short row for all rows; 0 for none
}

func newBinaryRun(fns *rowFns, kind backend.BinaryKind, n *nest, streams bool) *binaryRun {
	r := &binaryRun{kind: kind, n: n.dims[len(n.dims)-1]}
	r.sy, r.sa, r.sb = n.inner(0), n.inner(1), n.inner(2)
	r.ly, r.la, r.lb = n.outer(0), n.outer(1), n.outer(2)
	if form, ok := map[[3]int]rowForm{{1, 1, 1}: formVV, {1, 1, 0}: formVS, {1, 0, 1}: formSV}[[3]int{r.sy, r.sa, r.sb}]; ok {
		r.fn = fns.binary[kind][form]
		const line = align / 4
		if streams && fns.streamed != nil && (len(n.dims) == 1 || r.n%line == 0 && r.ly%line == 0) {
			r.stream = fns.streamed.binary[kind][form]
		}
	}
	// Vectors of two rows and more take the place of masks.
	if r.fn != nil && r.sa == 1 && r.sb == 1 && len(n.dims) == 2 && r.ly == r.n && r.n <= binaryTile/8 {
		switch [2]int{r.la, r.lb} {
		case [2]int{r.n, 0}:
			r.repeat = 2
		case [2]int{0, r.n}:
			r.repeat = 1
		}
	}
	return r
}

// choose returns the function for outputs and operands at these places.
func (r *binaryRun) choose(y, a, b []float32) binaryFn {
	if r.stream == nil || !aligned(y) || sameStart(y, a) || sameStart(y, b) {
		return r.fn
	}
	return r.stream
}

// do computes a run of a walk by fn, and the rows after it that it can take along.
func (r *binaryRun) do(fn binaryFn, y, a, b []float32, it *walk) {
	y, a, b = y[it.off[0]:], a[it.off[1]:], b[it.off[2]:]
	if fn == nil {
		stridedRow(r.kind, y, a, b, it.n, r.sy, r.sa, r.sb)
		return
	}
	n := it.n
	for n > rowChunk {
		fn(y, a, b, rowChunk, 1, 0, 0, 0)
		y, a, b = y[rowChunk:], a[rowChunk*r.sa:], b[rowChunk*r.sb:]
		n -= rowChunk
	}
	fn(y, a, b, n, it.rows(rowChunk/it.n), r.ly, r.la, r.lb)
}

// tiled computes elements lo to hi−1 where one operand is the same row for all rows:
// tile is filled with it, over and over.
func (r *binaryRun) tiled(fn binaryFn, y, a, b, tile []float32, lo, hi int) {
	row := [...][]float32{1: a, 2: b}[r.repeat][:r.n]
	tile = tile[:binaryTile/r.n*r.n]
	k := copy(tile, row[lo%r.n:])
	k += copy(tile[k:], row[:lo%r.n])
	for k < len(tile) {
		k += copy(tile[k:], tile[:k])
	}
	for lo < hi {
		n := min(len(tile), hi-lo)
		rows := max(1, min(hi-lo, rowChunk)/n)
		if r.repeat == 1 {
			fn(y[lo:], tile, b[lo:], n, rows, n, 0, n)
		} else {
			fn(y[lo:], a[lo:], tile, n, rows, n, n, 0)
		}
		lo += rows * n
	}
}

// stretch returns the strides of d broadcast to shape.
func stretch(d backend.TensorDesc, shape tensor.Shape) []int {
	st := make([]int, len(shape))
	own := d.Layout.Strides(d.Shape)
	for i, n := range d.Shape {
		if n != 1 {
			st[len(shape)-len(d.Shape)+i] = own[i]
		}
	}
	return st
}
