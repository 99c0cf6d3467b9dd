package ref

import "github.com/convgl/convgl/backend"

// maxUnpool puts the elements of x into planes of zeros, in order, so that of
// several with one index the last stays.
func maxUnpool(d backend.Desc) definition {
	x, y := d.In[0].Shape, d.Out[0].Shape
	pooled, plane := x[2:].Size(), y[2:].Size()
	return func(in, out []array) {
		for i := range y.Size() {
			out[0].set(i, 0)
		}
		for i := range x.Size() {
			if k := in[1].intAt(i); k >= 0 && k < plane {
				copyElement(&out[0], i/pooled*plane+k, &in[0], i)
			}
		}
	}
}
