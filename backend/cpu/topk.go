package cpu

import (
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
)

// planTopK takes any layouts. The elements of a slice become keys, all different,
// whose order is that of the result; the K least are kept in a heap, or, where K is
// most of the slice, all are sorted. A long slice is searched in blocks.
func planTopK(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.TopK)
	shape := d.In[0].Shape
	axis, err := backend.ResolveAxis(op.Kind(), op.Axis, len(shape))
	if err != nil {
		return nil, err
	}
	in := resolve(d.In[0], imageLayout(len(shape)))
	if d.In[0].Layout == backend.Any && d.Out[0].Layout != backend.Any {
		in.Layout = d.Out[0].Layout
	}
	out := resolveAll(d.Out, in.Layout)
	p := &plan{in: []backend.TensorDesc{in}, out: out}
	if out[0].Shape.Size() == 0 {
		return p, nil
	}
	sx, sv, si := in.Layout.Strides(shape), out[0].Layout.Strides(out[0].Shape), out[1].Layout.Strides(out[1].Shape)
	each := shape.Clone() // one element of it is a slice along the axis
	each[axis] = 1
	t := &topK{k: op.K, n: shape[axis], sx: sx[axis], sv: sv[axis], si: si[axis], slices: newNest(each, physicalOrder(in), sx, sv, si)}
	if !op.Smallest {
		t.flip = math.MaxUint32
	}
	t.blocks = 1
	if op.K <= topKBlock/64 {
		t.blocks = max(1, min(t.n/topKBlock, maxParts))
	}
	t.plan(dev, p)
	for i, o := range out {
		p.phases = clearLanes(p.phases, i, o)
	}
	return p, nil
}

// topKBlock is how many elements of a slice are a block.
const topKBlock = 1 << 16

// topK finds the first k of n elements, sx apart, of each slice.
type topK struct {
	k, n       int
	sx, sv, si int
	slices     *nest // of x, values and indices
	flip       uint32
	blocks     int
}

func (t *topK) plan(dev *device, p *plan) {
	units := t.slices.total() * t.blocks
	partial := int64(0) // bytes of the keys of all blocks
	if t.blocks > 1 {
		partial = 8 * int64(units) * int64(t.k)
	}
	scratch := 8 * int64(t.keys())
	p.workspace = partial + scratch*int64(dev.pool.threads())
	parts := partsFor(units, 8*int64(t.slices.total())*int64(t.n), grainBytes)
	p.phases = []phase{{parts, func(c *call, part, thread int) {
		keys := view[uint64](c.ws[partial+scratch*int64(thread):][:scratch])
		lo, hi := share(units, part, parts)
		for u := lo; u < hi; u++ {
			slice, block := u/t.blocks, u%t.blocks
			from, to := share(t.n, block, t.blocks)
			it := t.slices.start(slice, slice+1)
			it.next()
			if t.blocks > 1 {
				t.find(view[uint64](c.ws[:partial])[u*t.k:][:t.k], c.x(0)[it.off[0]:], from, to)
			} else {
				t.store(c, &it, t.find(keys, c.x(0)[it.off[0]:], 0, t.n))
			}
		}
	}}}
	if t.blocks == 1 {
		return
	}
	joins := partsFor(t.slices.total(), 8*int64(units)*int64(t.k), grainBytes)
	p.phases = append(p.phases, phase{joins, func(c *call, part, thread int) {
		lo, hi := share(t.slices.total(), part, joins)
		for i := lo; i < hi; i++ {
			keys := view[uint64](c.ws[:partial])[i*t.blocks*t.k:][:t.blocks*t.k]
			least := keys[:t.k]
			heapify(least)
			for _, key := range keys[t.k:] {
				if key < least[0] {
					replaceRoot(least, key)
				}
			}
			it := t.slices.start(i, i+1)
			it.next()
			t.store(c, &it, least)
		}
	}})
}

// sorts reports whether all elements are sorted.
func (t *topK) sorts() bool { return t.k > t.n/2 }

// keys returns how many a thread has in its hands.
func (t *topK) keys() int {
	if t.sorts() {
		return t.n
	}
	return t.k
}

// key makes elements comparable: numbers in their order or, with flip, the opposite;
// NaN above ∞; equal ones by index.
func (t *topK) key(v float32, i int) uint64 {
	u := math.Float32bits(v + 0) // −0 becomes 0
	switch {
	case v != v:
		u = math.MaxUint32
	case u>>31 == 1:
		u = ^u
	default:
		u |= 1 << 31
	}
	return uint64(u^t.flip)<<32 | uint64(i)
}

// find returns the k least keys of elements from to to−1 of a slice, in no order.
func (t *topK) find(keys []uint64, x []float32, from, to int) []uint64 {
	if t.sorts() {
		for i := range to - from {
			keys[i] = t.key(x[(from+i)*t.sx], from+i)
		}
		return keys[:to-from]
	}
	least := keys[:t.k]
	for i := range least {
		least[i] = t.key(x[(from+i)*t.sx], from+i)
	}
	heapify(least)
	for i := from + t.k; i < to; i++ {
		if key := t.key(x[i*t.sx], i); key < least[0] {
			replaceRoot(least, key)
		}
	}
	return least
}

// store sorts keys and writes the results of the first k.
func (t *topK) store(c *call, it *walk, keys []uint64) {
	slices.Sort(keys)
	x, values, indices := c.x(0)[it.off[0]:], c.y(0)[it.off[1]:], view[int32](c.out[1])[it.off[2]:]
	for i, key := range keys[:t.k] {
		at := int(uint32(key))
		values[i*t.sv], indices[i*t.si] = x[at*t.sx], int32(at)
	}
}

// heapify puts the largest key of each subtree at its root.
func heapify(h []uint64) {
	for i := len(h)/2 - 1; i >= 0; i-- {
		sift(h, i)
	}
}

// replaceRoot puts a smaller key for the largest of a heap.
func replaceRoot(h []uint64, key uint64) {
	h[0] = key
	sift(h, 0)
}

func sift(h []uint64, i int) {
	key := h[i]
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1] > h[child] {
			child++
		}
		if h[child] <= key {
			break
		}
		h[i], i = h[child], child
	}
	h[i] = key
}
