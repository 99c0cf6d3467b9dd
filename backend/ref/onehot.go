package ref

import "github.com/convgl/convgl/backend"

// oneHot sets, in a slice of y for each index, the element at it to 1.
func oneHot(op backend.OneHot, d backend.Desc) (definition, error) {
	axis, err := backend.ResolveAxis(op.Kind(), op.Axis, len(d.Out[0].Shape))
	if err != nil {
		return nil, err
	}
	inner := d.Out[0].Shape[axis+1:].Size()
	return func(in, out []array) {
		for i := range out[0].size {
			j := i / inner % op.Depth
			at := int(in[0].i32[in[0].where(i/inner/op.Depth*inner+i%inner)])
			if at == j || at == j-op.Depth {
				out[0].set(i, 1)
			} else {
				out[0].set(i, 0)
			}
		}
	}, nil
}
