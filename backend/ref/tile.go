package ref

import "github.com/convgl/convgl/backend"

// tile takes, for each element of y, the one of x at its coordinates modulo x's dims.
func tile(d backend.Desc) definition {
	x, y := d.In[0].Shape, d.Out[0].Shape
	strides := x.Strides()
	return func(in, out []array) {
		for i := range out[0].size {
			from := 0
			rest := i
			for k := len(y) - 1; k >= 0; k-- {
				from += rest % y[k] % x[k] * strides[k]
				rest /= y[k]
			}
			copyElement(&out[0], i, &in[0], from)
		}
	}
}
