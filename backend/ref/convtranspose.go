package ref

import "github.com/convgl/convgl/backend"

// convTranspose computes
//
//	y[n, g·O/G+o, p] = b[g·O/G+o] + Σ x[n,c,i] · w[c,o,k]
//
// over the channels c of the group g and all i, k with i·stride + k·dilation −
// begin = p, then the epilogue.
func convTranspose(op backend.ConvTranspose, d backend.Desc) (definition, error) {
	geo, err := op.Geometry(d.In[0].Shape, d.In[1].Shape)
	if err != nil {
		return nil, err
	}
	g := geo.To3()
	batch, groups := d.In[0].Shape[0], op.GroupCount()
	perIn, perOut := d.In[1].Shape[0]/groups, d.In[1].Shape[1] // channels of a group
	return func(in, out []array) {
		x, w, y := &in[0], &in[1], &out[0]
		operands := in[2:]
		if op.Bias {
			operands = in[3:]
		}
		i := 0 // number of the element of y
		for n := range batch {
			for o := range groups * perOut {
				first := o / perOut * perIn // channel of x
				for p := range positions(g.Out) {
					sum := 0.0
					if op.Bias {
						sum = in[2].at(o)
					}
					for k := range positions(g.Kernel) {
						at, ok := spreads(&g, p, k)
						if !ok {
							continue
						}
						for c := first; c < first+perIn; c++ {
							sum += x.get(n, c, at) * w.get(c, o%perOut, k)
						}
					}
					y.set(i, epilogue(op.Epilogue, operands, sum, o, i))
					i++
				}
			}
		}
	}, nil
}

// spreads returns the input that adds to output p by tap k of a transposed
// convolution, if there is one.
func spreads(g *backend.Geometry3, p, k pos) (pos, bool) {
	one := func(i, p, k int) (int, bool) {
		t := p + g.Begin[i] - k*g.Dilation[i]
		return t / g.Stride[i], t >= 0 && t%g.Stride[i] == 0 && t/g.Stride[i] < g.In[i]
	}
	d, okD := one(0, p.d, k.d)
	h, okH := one(1, p.h, k.h)
	w, okW := one(2, p.w, k.w)
	return pos{d, h, w}, okD && okH && okW
}
