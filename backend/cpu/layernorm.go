package cpu

import "github.com/convgl/convgl/backend"

// planLayerNorm takes plain slices, which are contiguous, and channels-last ones
// that do not reach over the batch.
func planLayerNorm(_ *device, d backend.Desc) (*plan, error) {
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
	eps := float64(op.Epsilon)
	if liesPlain(p.in[0]) {
		flatNorm{slices: x[:axis].Size(), runs: x[axis:].Size(), run: 1, groups: 1, eps: eps}.plan(p)
		return p, nil
	}
	if axis == 0 {
		return nil, wrongLayout("LayerNorm", "x", p.in[0], backend.Plain.String()+" for axis 0")
	}
	r, _ := channelRows(p.in[0])
	n := rowNorm{x: r, groups: 1, paramRow: 1, paramChannel: r.s, eps: eps}
	if axis > 1 { // each channel has slices of its own, over the inner dims
		n.groups, n.paramChannel = r.c, 0
		n.x.n, n.x.s = r.n*x[2:axis].Size(), x[axis:].Size()
	}
	n.plan(p)
	return p, nil
}
