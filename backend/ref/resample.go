package ref

import "github.com/convgl/convgl/backend"

// resample sums, for every element of y, the terms of its place along the axis.
func resample(op backend.Resample, d backend.Desc) (definition, error) {
	x := d.In[0].Shape
	axis, err := backend.ResolveAxis("Resample", op.Axis, len(x))
	if err != nil {
		return nil, err
	}
	n, outer, inner := x[axis], x[:axis].Size(), x[axis+1:].Size()
	m, terms := d.In[1].Shape[0], d.In[1].Shape[1]
	return func(in, out []array) {
		for a := range outer {
			for o := range m {
				for b := range inner {
					sum := 0.0
					for t := range terms {
						k, w := in[1].intAt(o*terms+t), in[2].at(o*terms+t)
						if k >= 0 && k < n && w != 0 {
							sum += w * in[0].at((a*n+k)*inner+b)
						}
					}
					out[0].set((a*m+o)*inner+b, sum)
				}
			}
		}
	}, nil
}
