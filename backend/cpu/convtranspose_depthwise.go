package cpu

import (
	"fmt"
	"slices"

	"github.com/convgl/convgl/backend"
)

func planTransposeDepthwise(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.ConvTranspose)
	w := d.In[1].Shape
	if w[0] != op.GroupCount() || w[0] == 1 && w[1] > 1 {
		return nil, backend.Unsupported(name, "ConvTranspose", fmt.Sprintf("depthwise takes one input channel a group, and several groups or one output, w is %v with groups %d", w, op.GroupCount()))
	}
	geo, err := op.Geometry(d.In[0].Shape, w)
	if err != nil {
		return nil, err
	}
	g := geo.To3()
	p, pl, err := newDepthwise(dev, d, op.Bias, op.Epilogue, g, true, func(*depthwise) int { return 1 })
	if err != nil {
		return nil, err
	}
	var rs [3][]residue
	for i := range rs {
		rs[i] = residues(g.Kernel[i], g.Stride[i], g.Dilation[i])
	}
	p.rows = func(n, z, y, cols int, dst []dwRow) int { return p.transposeRows(&rs, n, z, y, cols, dst) }
	for _, r := range rs[2] {
		at, m, n := r.outputs(g.Stride[2], g.Begin[2], g.Out[2])
		c := dwClass{kernel: p.any(), taps: r.taps, step: 1, ystep: g.Stride[2] * p.y.pitch, ch: p.y.c}
		for _, s := range r.shift {
			c.delta = append(c.delta, -s)
		}
		p.addStrips(&c, m, at, n)
		p.addClass(c)
	}
	if len(rs[2]) < g.Stride[2] { // there are outputs that no tap reads for
		none := dwClass{kernel: p.any(), ystep: p.y.pitch, ch: p.y.c}
		n := 0 // of them before q
		for q := range g.Out[2] + 1 {
			if _, ok := findResidue(rs[2], (q+g.Begin[2])%g.Stride[2]); q < g.Out[2] && !ok {
				n++
				continue
			}
			p.addStrips(&none, 0, q-n, n)
			n = 0
		}
		p.addClass(none)
	}
	return p.partition(dev, pl), nil
}

func findResidue(rs []residue, q int) (int, bool) {
	return slices.BinarySearchFunc(rs, q, func(r residue, q int) int { return r.q - q })
}

// transposeRows is rows of a transposed convolution.
func (p *depthwise) transposeRows(rs *[3][]residue, n, z, y, cols int, dst []dwRow) int {
	z, y = z+p.Begin[0], y+p.Begin[1]
	iz, okz := findResidue(rs[0], z%p.Stride[0])
	iy, oky := findResidue(rs[1], y%p.Stride[1])
	if !okz || !oky {
		return 0 // no tap
	}
	i := 0
	for a, kz := range rs[0][iz].taps {
		xz := z/p.Stride[0] - rs[0][iz].shift[a]
		if !inRange(xz, p.In[0]) {
			continue
		}
		for b, ky := range rs[1][iy].taps {
			if xy := y/p.Stride[1] - rs[1][iy].shift[b]; inRange(xy, p.In[1]) {
				i += p.row(dst[i:], n, xz, xy, kz, ky, cols)
			}
		}
	}
	return i
}
