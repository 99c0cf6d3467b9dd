package cpu

import "github.com/convgl/convgl/backend"

// planLayerNorm takes plain slices, which are contiguous, and channels-last ones
// that do not reach over the batch.
func planLayerNorm(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.LayerNorm)
	x := d.In[0].Shape
	axis, err := backend.ResolveAxis("LayerNorm", op.Axis, len(x))
	if err != nil {
		return nil, err
	}
	def := imageLayout(len(x))
	if axis == 0 {
		def = backend.Plain
	}
	p, err := planNorm(d, def)
	if err != nil {
		return nil, err
	}
	eps, kernels := float64(op.Epsilon), pick(dev.isa, normImpls)
	if liesPlain(p.in[0]) {
		flatNorm{normKernels: kernels, slices: x[:axis].Size(), runs: x[axis:].Size(), run: 1, groups: 1, eps: eps}.plan(p)
		return p, nil
	}
	if axis == 0 {
		return nil, wrongLayout("LayerNorm", "x", p.in[0], backend.Plain.String()+" for axis 0")
	}
	r, _ := channelRows(p.in[0])
	n := rowNorm{normKernels: kernels, isa: dev.isa, groups: 1, params: byElement, eps: eps}
	if axis > 1 { // each channel has slices of its own, over the inner dims
		n.groups, n.params = r.c, byRow
		r.n, r.s = r.n*x[2:axis].Size(), x[axis:].Size()
	}
	n.x = foldRows(r, r.s)
	n.plan(p)
	return p, nil
}
