//go:build cgo

package gl

import "github.com/convgl/convgl/backend"

func transposeCandidates(op backend.Transpose) []candidate {
	return []candidate{{"copy", func(p *plan) error { return planTranspose(p, op) }}}
}

// planTranspose takes any layouts: one dispatch (copy.comp) in the order of y's
// memory, with the strides of x permuted.
func planTranspose(p *plan, op backend.Transpose) error {
	x, y := &p.in[0], &p.out[0]
	perm, err := op.Permutation(len(x.Shape))
	if err != nil {
		return err
	}
	settle(x, y.Layout)
	settle(x, preferred(*x))
	settle(y, x.Layout)
	if y.Shape.Size() == 0 {
		return nil
	}
	sx, sy := x.Layout.Strides(x.Shape), y.Layout.Strides(y.Shape)
	var loops []loop
	for _, d := range memoryOrder(*y) {
		loops = append(loops, loop{y.Shape[d], sx[perm[d]], sy[d]})
	}
	readable := 0
	if len(perm) > 1 && perm[1] == 1 {
		_, readable = padding(*x)
	}
	p.copyTo(loops, 0, readable)
	return nil
}
