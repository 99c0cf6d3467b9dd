package cpu

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// planTile takes any layouts: a copy in the order of y's memory with two dims for each
// of y's, the repetitions, along which x stays, and the positions of x.
func planTile(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Tile)
	in, out := resolve(d.In[0], d.Out[0].Layout), resolve(d.Out[0], d.In[0].Layout)
	in, out = resolve(in, imageLayout(len(in.Shape))), resolve(out, imageLayout(len(in.Shape)))
	if out.Shape.Size() == 0 {
		return &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}, nil
	}
	x, y := in.Layout.Strides(in.Shape), out.Layout.Strides(out.Shape)
	var shape tensor.Shape
	var order, sx, sy []int
	for i, k := range physicalOrder(out) {
		n := in.Shape[k]
		shape = append(shape, op.Repeats[k], n)
		sy = append(sy, n*y[k], y[k])
		sx = append(sx, 0, x[k])
		order = append(order, 2*i, 2*i+1)
	}
	return dev.planNest(in, out, newNest(shape, order, sy, sx)), nil
}
