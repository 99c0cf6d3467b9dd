package ref

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// matMul computes y[m,i,j] = Σ_k a[m,i,k]·b[m,k,j] for each matrix m of the
// broadcast leading dims.
func matMul(op backend.MatMul, desc backend.Desc) (definition, error) {
	d, err := op.Dims(desc.In[0].Shape, desc.In[1].Shape)
	if err != nil {
		return nil, err
	}
	return func(in, out []array) {
		a, b, y := &in[0], &in[1], &out[0]
		for m := range tensor.Shape(d.Batch).Size() {
			ma, mb := offset(m, d.Batch, d.AStride), offset(m, d.Batch, d.BStride)
			for i := range d.M {
				for j := range d.N {
					sum := 0.0
					for k := range d.K {
						sum += a.at((ma*d.M+i)*d.K+k) * b.at((mb*d.K+k)*d.N+j)
					}
					y.set((m*d.M+i)*d.N+j, sum)
				}
			}
		}
	}, nil
}
