package ref

import "github.com/convgl/convgl/backend"

// slice takes, for each element of y, the one of x at the first position of each dim
// and as many steps on.
func slice(op backend.Slice, d backend.Desc) definition {
	strides := d.In[0].Shape.Strides()
	first := 0 // element of x
	for k, n := range d.In[0].Shape {
		at, _, step := op.Range(k, n)
		first += at * strides[k]
		strides[k] *= step
	}
	return func(in, out []array) {
		for i := range out[0].size {
			copyElement(&out[0], i, &in[0], first+offset(i, out[0].shape, strides))
		}
	}
}
