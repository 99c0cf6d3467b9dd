package cpu

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

const (
	// maxOperands is the number of tensors that a nest walks through.
	maxOperands = 4
	// maxNest is the number of its dims: Tile has two for each of its own.
	maxNest = 2 * tensor.MaxRank
)

// nest is a loop nest over the elements of tensors of one shape, each with its
// own strides. Dims that are contiguous in all of them are merged.
type nest struct {
	dims []int            // at least one
	st   [][]int          // [operand][dim]; 0 stretches, and a copy may read backwards
	base [maxOperands]int // where the operands begin
}

// physicalOrder returns the dims of d from outermost to innermost in memory.
func physicalOrder(d backend.TensorDesc) []int {
	var order []int
	for i := range d.Shape {
		order = append(order, i)
	}
	if d.Layout.Order == backend.OrderChannelsLast && len(order) > 2 {
		order = append(append([]int{0}, order[2:]...), 1)
	}
	return order
}

// newNest makes a nest over shape, of up to maxNest dims, in the given order.
func newNest(shape tensor.Shape, order []int, strides ...[]int) *nest {
	n := &nest{st: make([][]int, len(strides))}
	for _, i := range order {
		if shape[i] == 1 {
			continue
		}
		last := len(n.dims) - 1
		merge := last >= 0
		for k := range strides {
			merge = merge && n.st[k][last] == strides[k][i]*shape[i]
		}
		if merge {
			n.dims[last] *= shape[i]
			for k := range strides {
				n.st[k][last] = strides[k][i]
			}
			continue
		}
		n.dims = append(n.dims, shape[i])
		for k := range strides {
			n.st[k] = append(n.st[k], strides[k][i])
		}
	}
	if len(n.dims) == 0 {
		n.dims = []int{1}
		for k := range n.st {
			n.st[k] = []int{1}
		}
	}
	return n
}

// total returns the number of elements.
func (n *nest) total() int {
	t := 1
	for _, d := range n.dims {
		t *= d
	}
	return t
}

// inner returns the innermost stride of operand k.
func (n *nest) inner(k int) int { return n.st[k][len(n.dims)-1] }

// outer returns the stride of operand k in the dim around the innermost one.
func (n *nest) outer(k int) int {
	if len(n.dims) < 2 {
		return 0
	}
	return n.st[k][len(n.dims)-2]
}

// walk goes through a range of elements in runs along the innermost dim.
type walk struct {
	of   *nest
	left int
	n    int              // length of this run
	off  [maxOperands]int // where it begins in each operand
	at   [maxNest]int
	row  [maxOperands]int // where the innermost dim of this run begins
}

// start begins a walk through the elements [lo, hi).
func (n *nest) start(lo, hi int) walk {
	w := walk{of: n, left: hi - lo}
	if w.left <= 0 {
		return w
	}
	for i := len(n.dims) - 1; i >= 0; i-- {
		w.at[i] = lo % n.dims[i]
		lo /= n.dims[i]
	}
	for k, st := range n.st {
		w.row[k] = n.base[k]
		for i := range len(n.dims) - 1 {
			w.row[k] += w.at[i] * st[i]
		}
	}
	return w
}

// next moves to the next run and reports whether there is one.
func (w *walk) next() bool {
	d := w.of.dims
	last := len(d) - 1
	if w.n > 0 { // leave the run before
		w.at[last] = 0
		i := last - 1
		for ; i >= 0; i-- {
			w.at[i]++
			for k, st := range w.of.st {
				w.row[k] += st[i]
			}
			if w.at[i] < d[i] {
				break
			}
			for k, st := range w.of.st {
				w.row[k] -= d[i] * st[i]
			}
			w.at[i] = 0
		}
	}
	if w.left <= 0 {
		return false
	}
	w.n = min(d[last]-w.at[last], w.left)
	w.left -= w.n
	for k, st := range w.of.st {
		w.off[k] = w.row[k] + w.at[last]*st[last]
	}
	return true
}

// rows takes along the runs after this one that are the next rows of the dim around
// the innermost one, where all are whole rows, and returns how many there are with
// this one, at most limit.
func (w *walk) rows(limit int) int {
	d := w.of.dims
	last := len(d) - 1
	if last == 0 || w.n < d[last] {
		return 1
	}
	more := min(limit-1, d[last-1]-w.at[last-1]-1, w.left/w.n)
	if more <= 0 {
		return 1
	}
	w.at[last-1] += more
	w.left -= more * w.n
	for k, st := range w.of.st {
		w.row[k] += more * st[last-1]
	}
	return 1 + more
}
