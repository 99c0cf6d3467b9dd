package ref

import "github.com/convgl/convgl/backend"

// layerNorm normalises slices over the last dims. Scale and bias have an element
// for each of a slice's.
func layerNorm(op backend.LayerNorm, d backend.Desc) (definition, error) {
	x := d.In[0].Shape
	axis, err := backend.ResolveAxis(op.Kind(), op.Axis, len(x))
	if err != nil {
		return nil, err
	}
	length := x[axis:].Size()
	return normalise(length, op.Epsilon, func(i int) int { return i % length }), nil
}
