package cpu

import "github.com/convgl/convgl/backend"

// planExpand takes any layouts: a copy in the order of y's memory with a stride of 0
// where x stretches.
func planExpand(dev *device, d backend.Desc) (*plan, error) {
	in, out := d.In[0], d.Out[0]
	if len(in.Shape) == len(out.Shape) {
		in, out = resolve(in, out.Layout), resolve(out, in.Layout)
	} else {
		in = resolve(in, backend.Plain)
	}
	in, out = resolve(in, imageLayout(len(in.Shape))), resolve(out, imageLayout(len(out.Shape)))
	if out.Shape.Size() == 0 {
		return &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}, nil
	}
	return dev.planNest(in, out, newNest(out.Shape, physicalOrder(out), out.Layout.Strides(out.Shape), stretch(in, out.Shape))), nil
}
