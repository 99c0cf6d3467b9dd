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
	p.reach = func(z, y int) (int, dwReach) { return p.transposeReach(&rs, z, y) }
	p.rows = func(r *dwReach, cols int, dst []dwRow) int { return p.transposeRows(&rs, r, cols, dst) }
	for _, r := range rs[2] {
		at, m, n := r.outputs(g.Stride[2], g.Begin[2], g.Out[2])
		c := dwClass{kernel: p.any(), step: 1, ystep: g.Stride[2] * p.y.pitch, ch: p.y.c}
		for i := len(r.taps) - 1; i >= 0; i-- { // by ascending columns
			c.taps, c.delta = append(c.taps, r.taps[i]), append(c.delta, -r.shift[i])
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

// transposeReach is reach of a transposed convolution: for each dim the residue and the
// range of its taps.
func (p *depthwise) transposeReach(rs *[3][]residue, z, y int) (x int, r dwReach) {
	at := [2]int{z + p.Begin[0], y + p.Begin[1]}
	for d, i := range at {
		q, ok := findResidue(rs[d], i%p.Stride[d])
		if !ok {
			return 0, dwReach{}
		}
		at[d] /= p.Stride[d]
		shift := rs[d][q].shift // ascending
		t0, _ := slices.BinarySearch(shift, at[d]-p.In[d]+1)
		t1, _ := slices.BinarySearch(shift, at[d]+1)
		r[3*d], r[3*d+1], r[3*d+2] = q, t0, t1
	}
	return (at[0]*p.In[1] + at[1]) * p.In[2] * p.x.pitch, r
}

// transposeRows is rows of a transposed convolution.
func (p *depthwise) transposeRows(rs *[3][]residue, r *dwReach, cols int, dst []dwRow) int {
	i := 0
	for a := r[1]; a < r[2]; a++ {
		for b := r[4]; b < r[5]; b++ {
			z, y := &rs[0][r[0]], &rs[1][r[3]]
			i += p.row(dst[i:], -z.shift[a], -y.shift[b], z.taps[a], y.taps[b], cols)
		}
	}
	return i
}
