package ref

import "github.com/convgl/convgl/backend"

// where computes z[i] = x[…] where cond[…] is not 0, else y[…], with all three
// broadcast to z's shape.
func where(d backend.Desc) definition {
	shape := d.Out[0].Shape
	var strides [3][]int
	for k := range strides {
		strides[k] = backend.BroadcastStrides(d.In[k].Shape, shape)
	}
	return func(in, out []array) {
		for i := range out[0].size {
			from := 2
			if in[0].at(offset(i, shape, strides[0])) != 0 { // NaN is not
				from = 1
			}
			out[0].set(i, in[from].at(offset(i, shape, strides[from])))
		}
	}
}
