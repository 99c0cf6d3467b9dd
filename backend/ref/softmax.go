package ref

import (
	"math"

	"github.com/convgl/convgl/backend"
)

// softmax computes e^(x−m)/Σe^(x−m), or its logarithm, for each slice along the
// axis with the maximum m.
func softmax(op backend.Softmax, d backend.Desc) (definition, error) {
	axis, err := backend.ResolveAxis(op.Kind(), op.Axis, len(d.In[0].Shape))
	if err != nil {
		return nil, err
	}
	length := d.In[0].Shape[axis]
	inner := d.In[0].Shape[axis+1:].Size() // distance between neighbours of a slice
	return func(in, out []array) {
		x, y := &in[0], &out[0]
		if x.size == 0 {
			return
		}
		for s := range x.size / length {
			first := s/inner*length*inner + s%inner
			m := math.Inf(-1)
			for j := range length {
				m = max(m, x.at(first+j*inner))
			}
			sum := 0.0
			for j := range length {
				sum += math.Exp(x.at(first+j*inner) - m)
			}
			for j := range length {
				i := first + j*inner
				if op.Log {
					y.set(i, x.at(i)-m-math.Log(sum))
				} else {
					y.set(i, math.Exp(x.at(i)-m)/sum)
				}
			}
		}
	}, nil
}
