package cpu

import "github.com/convgl/convgl/backend"

// planGroupNorm takes any layout. Instance normalisation has a group a channel.
func planGroupNorm(dev *device, d backend.Desc) (*plan, error) {
	x := d.In[0].Shape
	groups, eps := x[1], float32(0)
	switch op := d.Op.(type) {
	case backend.GroupNorm:
		groups, eps = op.Groups, op.Epsilon
	case backend.InstanceNorm:
		eps = op.Epsilon
	}
	p, err := planNorm(d, imageLayout(len(x)))
	if err != nil || groups == 0 {
		return p, err
	}
	kernels := pick(dev.isa, normImpls)
	if liesPlain(p.in[0]) {
		flatNorm{normKernels: kernels, slices: x[0] * groups, runs: x[1] / groups, run: x[2:].Size(), groups: groups, eps: float64(eps)}.plan(p)
		return p, nil
	}
	r, _ := channelRows(p.in[0])
	rowNorm{normKernels: kernels, x: foldRows(r, r.s), groups: groups, eps: float64(eps)}.plan(p)
	return p, nil
}
