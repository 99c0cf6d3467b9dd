package ref

import (
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// gather copies, for every index, the slice of x that it names.
func gather(op backend.Gather, d backend.Desc) (definition, error) {
	x := d.In[0].Shape
	axis, err := backend.ResolveAxis("Gather", op.Axis, len(x))
	if err != nil {
		return nil, err
	}
	n, outer, inner := x[axis], x[:axis].Size(), x[axis+1:].Size()
	count := d.In[1].Shape.Size()
	return func(in, out []array) {
		y := &out[0]
		for a := range outer {
			for i := range count {
				k := in[1].intAt(i)
				if k < 0 {
					k += n
				}
				for b := range inner {
					to := (a*count+i)*inner + b
					switch {
					case k >= 0 && k < n:
						copyElement(y, to, &in[0], (a*n+k)*inner+b)
					case d.Out[0].DType == tensor.Int32:
						y.setInt(to, math.MinInt32)
					default:
						y.set(to, math.NaN())
					}
				}
			}
		}
	}, nil
}
