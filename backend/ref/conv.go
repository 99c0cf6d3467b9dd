package ref

import "github.com/convgl/convgl/backend"

// conv computes
//
//	y[n,o,p] = b[o] + Σ x[n, g·C/G+c, reads(p,k)] · w[o,c,k]
//
// over the channels c of o's group g and the taps k that read inside x, then the
// epilogue.
func conv(op backend.Conv, d backend.Desc) (definition, error) {
	s, err := convSizesOf(op, d.In[0], d.In[1])
	if err != nil {
		return nil, err
	}
	return func(in, out []array) {
		x, w, y := &in[0], &in[1], &out[0]
		operands := in[2:]
		if op.Bias {
			operands = in[3:]
		}
		i := 0 // number of the element of y
		for n := range s.batch {
			for o := range s.out {
				first := o / (s.out / s.groups) * s.in // channel of x
				for p := range positions(s.geo.Out) {
					sum := 0.0
					if op.Bias {
						sum = in[2].at(o)
					}
					for k := range positions(s.geo.Kernel) {
						at := reads(&s.geo, p, k)
						if !inside(&s.geo, at, false) {
							continue
						}
						for c := range s.in {
							sum += x.get(n, first+c, at) * w.get(o, c, k)
						}
					}
					y.set(i, epilogue(op.Epilogue, operands, sum, o, i))
					i++
				}
			}
		}
	}, nil
}

// convBackwardData computes the gradient with respect to x,
//
//	gx[n, g·C/G+c, i] = Σ gy[n,o,p] · w[o,c,k]
//
// over the outputs o of the group g and all p, k with reads(p,k) = i.
func convBackwardData(op backend.Conv, d backend.Desc) (definition, error) {
	s, err := convSizesOf(op, d.Out[0], d.In[1])
	if err != nil {
		return nil, err
	}
	return func(in, out []array) {
		gy, w, gx := &in[0], &in[1], &out[0]
		perGroup := s.out / s.groups
		i := 0 // number of the element of gx
		for n := range s.batch {
			for channel := range s.in * s.groups {
				g, c := channel/s.in, channel%s.in
				for at := range positions(s.geo.In) {
					sum := 0.0
					for k := range positions(s.geo.Kernel) {
						p, ok := readBy(&s.geo, at, k)
						if !ok {
							continue
						}
						for o := g * perGroup; o < (g+1)*perGroup; o++ {
							sum += gy.get(n, o, p) * w.get(o, c, k)
						}
					}
					gx.set(i, sum)
					i++
				}
			}
		}
	}, nil
}

// readBy returns the output whose tap k reads input position at, if there is one.
func readBy(g *backend.Geometry3, at, k pos) (pos, bool) {
	one := func(i, at, k int) (int, bool) {
		t := at + g.Begin[i] - k*g.Dilation[i]
		return t / g.Stride[i], t >= 0 && t%g.Stride[i] == 0 && t/g.Stride[i] < g.Out[i]
	}
	d, okD := one(0, at.d, k.d)
	h, okH := one(1, at.h, k.h)
	w, okW := one(2, at.w, k.w)
	return pos{d, h, w}, okD && okH && okW
}

// convBackwardWeights computes the gradients with respect to w and b,
//
//	gw[o,c,k] = Σ gy[n,o,p] · x[n, g·C/G+c, reads(p,k)]    gb[o] = Σ gy[n,o,p]
//
// over all n and p.
func convBackwardWeights(op backend.Conv, d backend.Desc) (definition, error) {
	s, err := convSizesOf(op, d.In[0], d.Out[0])
	if err != nil {
		return nil, err
	}
	return func(in, out []array) {
		x, gy, gw := &in[0], &in[1], &out[0]
		i := 0 // number of the element of gw
		for o := range s.out {
			first := o / (s.out / s.groups) * s.in // channel of x
			for c := range s.in {
				for k := range positions(s.geo.Kernel) {
					sum := 0.0
					for n := range s.batch {
						for p := range positions(s.geo.Out) {
							if at := reads(&s.geo, p, k); inside(&s.geo, at, false) {
								sum += gy.get(n, o, p) * x.get(n, first+c, at)
							}
						}
					}
					gw.set(i, sum)
					i++
				}
			}
		}
		if !op.Bias {
			return
		}
		for o := range s.out {
			sum := 0.0
			for n := range s.batch {
				for p := range positions(s.geo.Out) {
					sum += gy.get(n, o, p)
				}
			}
			out[1].set(o, sum)
		}
	}, nil
}

// convSizes are the sizes of a convolution: in counts the channels of x that one
// output channel sees.
type convSizes struct {
	batch, groups, in, out int
	geo                    backend.Geometry3
}

func convSizesOf(op backend.Conv, x, w backend.TensorDesc) (convSizes, error) {
	g, err := op.Geometry(x.Shape, w.Shape)
	return convSizes{batch: x.Shape[0], groups: op.GroupCount(), in: w.Shape[1], out: w.Shape[0], geo: g.To3()}, err
}
