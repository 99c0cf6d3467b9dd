//go:build cgo

package gl

import "github.com/convgl/convgl/backend"

func concatCandidates(op backend.Concat) []candidate {
	return []candidate{{"copy", func(p *plan) error { return planConcat(p, op) }}}
}

// planConcat takes any layouts, also different ones: each input is one dispatch
// (copy.comp) that writes its part of y. The lanes that y pads belong to the last
// input along the channels, and along another axis to every one.
func planConcat(p *plan, op backend.Concat) error {
	y := &p.out[0]
	axis, err := backend.ResolveAxis("Concat", op.Axis, len(y.Shape))
	if err != nil {
		return err
	}
	for _, x := range p.in { // y may choose: it follows the first that may not
		settle(y, x.Layout)
	}
	settle(y, preferred(*y))
	last := -1
	for i := range p.in {
		settle(&p.in[i], y.Layout)
		if p.in[i].Shape.Size() > 0 {
			last = i
		}
	}
	sy := y.Layout.Strides(y.Shape)
	channels, lanes := padding(*y)
	begin := 0 // of the input along the axis
	for i, x := range p.in {
		at := begin * sy[axis]
		begin += x.Shape[axis]
		if x.Shape.Size() == 0 {
			continue
		}
		sx := x.Layout.Strides(x.Shape)
		var loops []loop
		for _, d := range memoryOrder(*y) {
			loops = append(loops, loop{x.Shape[d], sx[d], sy[d]})
		}
		valid := loops[0].size
		if channels != lanes && (axis != 1 || i == last) {
			loops[0].size += lanes - channels
			valid = withPadding(x, 1, valid, loops[0].size)
		}
		p.copyStrides(i, loops, valid, 0, at)
	}
	return nil
}

// withPadding returns how many elements along dim d of x may be read where valid
// hold values: all, if x has lanes with zeros for the rest.
func withPadding(x backend.TensorDesc, d, valid, all int) int {
	if _, lanes := padding(x); d == 1 && lanes >= all {
		return all
	}
	return valid
}
