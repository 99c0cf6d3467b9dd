package ref

import "github.com/convgl/convgl/backend"

// concat copies the elements of each input behind those of the inputs before it.
func concat(op backend.Concat, d backend.Desc) (definition, error) {
	axis, err := backend.ResolveAxis("Concat", op.Axis, len(d.In[0].Shape))
	if err != nil {
		return nil, err
	}
	y := d.Out[0].Shape
	inner := y[axis+1:].Size()
	return func(in, out []array) {
		begin := 0 // of the input along the axis
		for k := range in {
			x := &in[k]
			own := x.shape[axis]
			for i := range x.size {
				// Element i is at (before, j, behind) in x, and at begin+j in y.
				before, j, behind := i/inner/own, i/inner%own, i%inner
				copyElement(&out[0], (before*y[axis]+begin+j)*inner+behind, x, i)
			}
			begin += own
		}
	}, nil
}
