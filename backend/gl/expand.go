//go:build cgo

package gl

import "github.com/convgl/convgl/backend"

func expandCandidates() []candidate {
	return []candidate{{"copy", planExpand}}
}

// planExpand takes any layouts: one dispatch (copy.comp) in the order of y's memory,
// with a stride of 0 where x stretches.
func planExpand(p *plan) error {
	x, y := &p.in[0], &p.out[0]
	more := len(y.Shape) - len(x.Shape) // dims that x lacks
	if more == 0 {
		settle(x, y.Layout)
		settle(x, preferred(*x))
		settle(y, x.Layout)
	}
	settle(x, backend.Plain)
	settle(y, preferred(*y))
	if y.Shape.Size() == 0 {
		return nil
	}
	sx, sy := make([]int, len(y.Shape)), y.Layout.Strides(y.Shape)
	for d, s := range x.Layout.Strides(x.Shape) {
		if x.Shape[d] == y.Shape[more+d] {
			sx[more+d] = s
		}
	}
	readable := 0
	if more == 0 && len(y.Shape) > 1 && x.Shape[1] == y.Shape[1] {
		_, readable = padding(*x)
	}
	var loops []loop
	for _, d := range memoryOrder(*y) {
		loops = append(loops, loop{y.Shape[d], sx[d], sy[d]})
	}
	p.copyTo(loops, 0, readable)
	return nil
}
