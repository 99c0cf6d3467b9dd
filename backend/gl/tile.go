//go:build cgo

package gl

import "github.com/convgl/convgl/backend"

func tileCandidates(op backend.Tile) []candidate {
	return []candidate{{"copy", func(p *plan) error { return planTile(p, op) }}}
}

// planTile takes any layouts: a dispatch (copy.comp) in the order of y's memory, with
// two loops for each dim, the positions of x and the repetitions, along which x stays.
func planTile(p *plan, op backend.Tile) error {
	x, y := &p.in[0], &p.out[0]
	settle(x, y.Layout)
	settle(x, preferred(*x))
	settle(y, x.Layout)
	if y.Shape.Size() == 0 {
		return nil
	}
	sx, sy := x.Layout.Strides(x.Shape), y.Layout.Strides(y.Shape)
	var loops []loop
	for _, d := range memoryOrder(*y) {
		n := x.Shape[d]
		loops = append(loops, loop{n, sx[d], sy[d]}, loop{op.Repeats[d], 0, n * sy[d]})
	}
	channels, lanes := padding(*y)
	if channels == lanes || op.Repeats[1] == 1 {
		_, readable := padding(*x)
		p.copyTo(loops, 0, readable)
		return nil
	}
	// No loop runs through all channels: the lanes behind them are another dispatch.
	p.copyStrides(0, loops, loops[0].size, 0, 0)
	zeros := []loop{{size: lanes - channels, b: 1}}
	for _, d := range memoryOrder(*y)[1:] {
		zeros = append(zeros, loop{y.Shape[d], 0, sy[d]})
	}
	p.copyStrides(0, zeros, 0, 0, channels)
	return nil
}
