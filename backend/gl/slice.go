//go:build cgo

package gl

import "github.com/convgl/convgl/backend"

func sliceCandidates(op backend.Slice) []candidate {
	return []candidate{{"copy", func(p *plan) error { return planSlice(p, op) }}}
}

// planSlice takes any layouts: one dispatch (copy.comp) in the order of y's memory,
// from x's first element that is taken, with its strides times the steps. Of channels
// in whole texels, it copies texels.
func planSlice(p *plan, op backend.Slice) error {
	x, y := &p.in[0], &p.out[0]
	settle(x, y.Layout)
	settle(x, preferred(*x))
	settle(y, x.Layout)
	if y.Shape.Size() == 0 {
		return nil
	}
	sx, sy := x.Layout.Strides(x.Shape), y.Layout.Strides(y.Shape)
	from, readable := 0, 0
	for d, n := range x.Shape {
		first, size, step := op.Range(d, n)
		from += first * sx[d]
		sx[d] *= step
		if d == 1 && step == 1 && first+size == n { // to the padding
			_, lanes := padding(*x)
			readable = lanes - first
		}
	}
	var loops []loop
	for _, d := range memoryOrder(*y) {
		loops = append(loops, loop{y.Shape[d], sx[d], sy[d]})
	}
	p.copyTo(loops, from, readable)
	return nil
}
