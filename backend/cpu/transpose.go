package cpu

import "github.com/convgl/convgl/backend"

// planTranspose takes any layouts. It copies in the order of y's memory with the
// strides of x permuted.
func planTranspose(dev *device, d backend.Desc) (*plan, error) {
	perm, err := d.Op.(backend.Transpose).Permutation(len(d.In[0].Shape))
	if err != nil {
		return nil, err
	}
	in, out := resolve(d.In[0], d.Out[0].Layout), resolve(d.Out[0], d.In[0].Layout)
	in, out = resolve(in, imageLayout(len(perm))), resolve(out, imageLayout(len(perm)))
	if out.Shape.Size() == 0 {
		return &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}, nil
	}
	strides := in.Layout.Strides(in.Shape)
	sx := make([]int, len(perm)) // of x along the dims of y
	for i, k := range perm {
		sx[i] = strides[k]
	}
	return dev.planCopy(in, out, sx), nil
}
