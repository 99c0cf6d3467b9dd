package ref

import "github.com/convgl/convgl/backend"

// argMax finds the extremum of each slice along the axis: the first NaN, or else the
// first of equal elements, or the last.
func argMax(op backend.ArgMax, d backend.Desc) (definition, error) {
	x := d.In[0].Shape
	axis, err := backend.ResolveAxis(op.Kind(), op.Axis, len(x))
	if err != nil {
		return nil, err
	}
	length, inner := x[axis], x[axis+1:].Size()
	return func(in, out []array) {
		for i := range out[0].size {
			first := i/inner*length*inner + i%inner
			best, index := in[0].at(first), 0
			for j := 1; j < length && best == best; j++ {
				v := in[0].at(first + j*inner)
				beats := v > best
				if op.Min {
					beats = v < best
				}
				if beats || v != v || op.Last && v == best {
					best, index = v, j
				}
			}
			out[0].setInt(i, index)
		}
	}, nil
}
