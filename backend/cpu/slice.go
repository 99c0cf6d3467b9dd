package cpu

import "github.com/convgl/convgl/backend"

// planSlice takes any layouts: a copy in the order of y's memory from x's first
// element that is taken, with its strides times the steps. So a part of the channels
// of channels-last is a run of each pixel, and a part of the batch one run.
func planSlice(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Slice)
	in, out := resolve(d.In[0], d.Out[0].Layout), resolve(d.Out[0], d.In[0].Layout)
	in, out = resolve(in, imageLayout(len(in.Shape))), resolve(out, imageLayout(len(in.Shape)))
	if out.Shape.Size() == 0 {
		return &plan{in: []backend.TensorDesc{in}, out: []backend.TensorDesc{out}}, nil
	}
	sx := in.Layout.Strides(in.Shape)
	begin := 0
	for k, n := range in.Shape {
		first, _, step := op.Range(k, n)
		begin += first * sx[k]
		sx[k] *= step
	}
	n := newNest(out.Shape, physicalOrder(out), out.Layout.Strides(out.Shape), sx)
	n.base[1] = begin
	return dev.planNest(in, out, n), nil
}
