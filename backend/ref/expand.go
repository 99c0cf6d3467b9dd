package ref

import "github.com/convgl/convgl/backend"

// expand takes, for each element of y, the one of x that a stretched dim, which has a
// stride of 0, shows.
func expand(d backend.Desc) definition {
	x, y := d.In[0].Shape, d.Out[0].Shape
	stretched := make([]int, len(y)) // strides of x along the dims of y
	for k, s := range x.Strides() {
		if x[k] != 1 {
			stretched[len(y)-len(x)+k] = s
		}
	}
	return func(in, out []array) {
		for i := range out[0].size {
			copyElement(&out[0], i, &in[0], offset(i, y, stretched))
		}
	}
}
