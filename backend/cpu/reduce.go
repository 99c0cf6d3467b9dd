package cpu

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// planReduce takes any layouts. Sums, products and logarithms are float64 and rounded
// once. The mean or the maximum of all pixels is a global pooling.
func planReduce(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Reduce)
	reduced, err := op.Reduced(len(d.In[0].Shape))
	if err != nil {
		return nil, err
	}
	if pooled(op, d.In[0].Shape, reduced) {
		d.Op = backend.GlobalPool{Mean: op.Fn == backend.ReduceMean}
		d.Out = []backend.TensorDesc{resolve(d.Out[0], imageLayout(len(d.Out[0].Shape)))}
		return planGlobalPool(dev, d)
	}
	r := newReducer(dev, d, reduced, op.KeepDims)
	r.fns = newReduceFns(dev, op.Fn)
	if r.fold > 0 { // there are elements
		r.finish = func(c *call, a, b []float64, at, step int) { finishReduce(op.Fn, c.y(0)[at:], a, b, step, r.n) }
		return r.plan(dev), nil
	}
	return r.constant(emptyReduce(op.Fn)), nil
}

// pooled reports whether op is a global pooling of an image.
func pooled(op backend.Reduce, x tensor.Shape, reduced []bool) bool {
	if op.Fn != backend.ReduceMean && op.Fn != backend.ReduceMax || len(x) < 3 || len(x) > 5 || x[2:].Size() == 0 {
		return false
	}
	for i, r := range reduced {
		if r != (i >= 2) {
			return false
		}
	}
	return true
}

// emptyReduce is what there is of an empty set.
func emptyReduce(fn backend.ReduceKind) float32 {
	switch fn {
	case backend.ReduceMean:
		return float32(math.NaN())
	case backend.ReduceMax, backend.ReduceLogSum, backend.ReduceLogSumExp:
		return negInf
	case backend.ReduceMin:
		return -negInf
	case backend.ReduceProd:
		return 1
	}
	return 0
}

// reducer makes a result of the elements of x that differ in the reduced dims only,
// the set. A result has a state of two numbers while elements are added to it. Where
// results lie side by side in x they are lanes; else a run of the set is a row.
//
// A large set is cut into blocks, whose states are joined in the end: neither the
// number of other results nor that of threads changes one.
type reducer struct {
	x, y   backend.TensorDesc
	kept   *nest // of x and y, without the lanes
	set    *nest // of x
	n      int   // elements of the set
	lanes  int   // 1 for rows
	sy     int   // distance of lanes in y
	fold   int   // elements of the set whose lanes are taken side by side; 0 for an empty set
	cut    int   // lanes of a unit of work
	cuts   int   // units that the lanes are
	blocks int   // of the set
	fns    *reduceFns
	finish func(c *call, a, b []float64, at, step int) // stores results, step apart
}

const (
	reduceBlock  = 1 << 14 // elements of a block, of all its lanes
	reduceStates = 512     // that a thread has: the most lanes of a unit
	foldedLanes  = 64      // vectors enough for a kernel
)

// newReducer settles the layouts and cuts the work.
func newReducer(dev *device, d backend.Desc, reduced []bool, keepDims bool) *reducer {
	r := &reducer{}
	shape := d.In[0].Shape
	r.x = resolve(d.In[0], imageLayout(len(shape)))
	r.y = resolve(d.Out[0], imageLayout(len(d.Out[0].Shape)))
	sx, strides := r.x.Layout.Strides(shape), r.y.Layout.Strides(r.y.Shape)
	sy := make([]int, len(shape)) // of y along the dims of x
	at := 0
	for i := range shape {
		if !reduced[i] {
			sy[i] = strides[at]
		}
		if !reduced[i] || keepDims {
			at++
		}
	}
	var kept, set []int
	innermost := true // is of the set
	for _, i := range physicalOrder(r.x) {
		if reduced[i] {
			set = append(set, i)
		} else {
			kept = append(kept, i)
		}
		if shape[i] != 1 {
			innermost = reduced[i]
		}
	}
	r.kept, r.set = newNest(shape, kept, sx, sy), newNest(shape, set, sx)
	r.n, r.lanes = r.set.total(), 1
	if r.n == 0 || r.kept.total() == 0 {
		return r
	}
	if !innermost && r.kept.inner(0) == 1 {
		r.lanes, r.sy = r.kept.takeInner(1)
	}
	r.fold, r.cut = 1, min(r.lanes, reduceStates)
	r.cuts = (r.lanes + r.cut - 1) / r.cut
	r.blocks = max(1, min(r.n*r.cut/reduceBlock, maxParts, r.n))
	if pitch := r.set.inner(0); r.lanes > 1 && pitch <= foldedLanes/2 {
		r.fold = min(foldedLanes/pitch, r.set.dims[len(r.set.dims)-1])
	}
	return r
}

// takeInner takes the innermost dim off a nest and returns its size and operand k's
// stride.
func (n *nest) takeInner(k int) (size, stride int) {
	last := len(n.dims) - 1
	size, stride = n.dims[last], n.st[k][last]
	if last == 0 {
		*n = nest{dims: []int{1}, st: make([][]int, len(n.st))}
		for i := range n.st {
			n.st[i] = []int{1}
		}
		return size, stride
	}
	n.dims = n.dims[:last]
	for i := range n.st {
		n.st[i] = n.st[i][:last]
	}
	return size, stride
}

// states are what a thread works with.
type states struct {
	a, b, p, q []float64 // states of results, and of what is added to them
	m          []float32 // maxima
	row        []float32 // elements, side by side
}

const stateBytes = reduceStates*(4*8+4) + rowChunk*4

func newStates(mem []byte) (s states) {
	f := view[float64](mem[:reduceStates*4*8])
	s.a, s.b, s.p, s.q = f[:reduceStates], f[reduceStates:][:reduceStates], f[2*reduceStates:][:reduceStates], f[3*reduceStates:]
	g := f32(mem[reduceStates*4*8:])
	s.m, s.row = g[:reduceStates], g[reduceStates:]
	return s
}

// constant is the plan of a set without elements.
func (r *reducer) constant(v float32) *plan {
	p := &plan{in: []backend.TensorDesc{r.x}, out: []backend.TensorDesc{r.y}}
	if r.y.Shape.Size() > 0 {
		p.phases = clearLanes([]phase{elementwise(r.y, func(c *call, lo, hi int) { fill(c.y(0)[lo:hi], v) })}, 0, r.y)
	}
	return p
}

func (r *reducer) plan(dev *device) *plan {
	p := &plan{in: []backend.TensorDesc{r.x}, out: []backend.TensorDesc{r.y}}
	results := r.kept.total() * r.cuts
	units := results * r.blocks
	partial := int64(0) // bytes of the states of all blocks
	if r.blocks > 1 {
		partial = int64(units) * int64(r.cut) * 16
	}
	p.workspace = partial + stateBytes*int64(dev.pool.threads())
	work := 4 * int64(r.kept.total()) * int64(r.lanes) * int64(r.n)
	parts := partsFor(units, r.fns.weight*work, grainBytes)
	together := r.lanes == 1 && len(r.set.dims) == 1 && r.set.inner(0) == 1 && r.blocks == 1
	p.phases = []phase{{parts, func(c *call, part, thread int) {
		s := &c.states[thread]
		*s = newStates(c.ws[partial+stateBytes*int64(thread):][:stateBytes])
		lo, hi := share(units, part, parts)
		if together {
			r.rows(c, s, lo, hi)
			return
		}
		for u := lo; u < hi; u++ {
			result, block := u/r.blocks, u%r.blocks
			from, y, lanes := r.place(result)
			lo, hi := share(r.n, block, r.blocks)
			r.reduce(s, c.x(0)[from:], lanes, lo, hi)
			if r.blocks == 1 {
				r.finish(c, s.a[:lanes], s.b[:lanes], y, r.sy)
				continue
			}
			f := view[float64](c.ws[int64(u)*int64(r.cut)*16:])
			copy(f[:lanes], s.a)
			copy(f[r.cut:][:lanes], s.b)
		}
	}}}
	if r.blocks > 1 {
		joins := partsFor(results, int64(units)*int64(r.cut)*64, grainBytes)
		p.phases = append(p.phases, phase{joins, func(c *call, part, _ int) {
			lo, hi := share(results, part, joins)
			for i := lo; i < hi; i++ {
				_, y, lanes := r.place(i)
				f := view[float64](c.ws[:partial])[i*r.blocks*r.cut*2:]
				a, b := f[:lanes], f[r.cut:][:lanes]
				for range r.blocks - 1 {
					f = f[2*r.cut:]
					r.fns.join(a, b, f[:lanes], f[r.cut:][:lanes])
				}
				r.finish(c, a, b, y, r.sy)
			}
		}})
	}
	p.phases = clearLanes(p.phases, 0, r.y)
	return p
}

// place returns where in x and y the results of a unit begin, and how many there are.
func (r *reducer) place(result int) (x, y, lanes int) {
	first := result % r.cuts * r.cut
	it := r.kept.start(result/r.cuts, result/r.cuts+1)
	it.next()
	return it.off[0] + first, it.off[1] + first*r.sy, min(r.cut, r.lanes-first)
}

// rows reduces the rows from lo to hi−1, several with one call.
func (r *reducer) rows(c *call, s *states, lo, hi int) {
	most := max(1, min(reduceStates, rowChunk/r.n))
	sx, sy := r.kept.inner(0), r.kept.inner(1)
	for it := r.kept.start(lo, hi); it.next(); {
		for at := 0; at < it.n; at += most {
			k := min(most, it.n-at)
			x := c.x(0)[it.off[0]+at*sx:]
			if k == 1 { // it may be long
				r.reduce(s, x, 1, 0, r.n)
			} else {
				r.fns.rows(s, s.a[:k], s.b[:k], x, r.n, sx, 0)
			}
			r.finish(c, s.a[:k], s.b[:k], it.off[1]+at*sy, sy)
		}
	}
}

// reduce makes s.a and s.b the states of lanes results over the elements of the set
// from lo to hi−1.
func (r *reducer) reduce(s *states, x []float32, lanes, lo, hi int) {
	a, b := s.a, s.b // the first piece has no state before it
	add := func(n int) {
		if &a[0] != &s.a[0] {
			r.fns.join(s.a[:lanes], s.b[:lanes], a[:lanes], b[:lanes])
		}
		a, b = s.p, s.q
	}
	step := r.set.inner(0)
	most := rowChunk / lanes // elements of a lane, or of a row, that one call takes
	if r.fold > 1 {
		most = rowChunk / (r.fold * step)
	}
	at := lo
	for it := r.set.start(lo, hi); it.next(); {
		x := x[it.off[0]:]
		for left := it.n; left > 0; {
			n := min(left, most)
			switch {
			case r.lanes == 1 && step == 1:
				r.fns.rows(s, a[:1], b[:1], x, n, n, at)
			case r.lanes == 1:
				for i := range n {
					s.row[i] = x[i*step]
				}
				r.fns.rows(s, a[:1], b[:1], s.row, n, n, at)
			case r.fold > 1 && left >= r.fold && !r.fns.ordered:
				n = min(left/r.fold, most)
				k := (r.fold-1)*step + lanes
				r.fns.lanes(s, a[:k], b[:k], x, n, r.fold*step, at)
				for f := step; f < k; f += step {
					r.fns.join(a[:lanes], b[:lanes], a[f:][:lanes], b[f:][:lanes])
				}
				n *= r.fold
			default:
				r.fns.lanes(s, a[:lanes], b[:lanes], x, n, step, at)
			}
			add(n)
			at += n
			if left -= n; left > 0 {
				x = x[n*step:]
			}
		}
	}
}
