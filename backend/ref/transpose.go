package ref

import "github.com/convgl/convgl/backend"

// transpose takes, for each element of y, the one of x whose coordinates are y's
// at their permuted dims.
func transpose(op backend.Transpose, d backend.Desc) (definition, error) {
	perm, err := op.Permutation(len(d.In[0].Shape))
	if err != nil {
		return nil, err
	}
	strides := d.In[0].Shape.Strides()
	permuted := make([]int, len(perm)) // of x along the dims of y
	for i, p := range perm {
		permuted[i] = strides[p]
	}
	return func(in, out []array) {
		for i := range out[0].size {
			copyElement(&out[0], i, &in[0], offset(i, out[0].shape, permuted))
		}
	}, nil
}
