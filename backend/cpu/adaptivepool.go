package cpu

import (
	"slices"

	"github.com/convgl/convgl/backend"
)

// planAdaptivePool pools as planMaxPool and planAvgPool do, with windows of its own;
// one window for all is a global pooling.
func planAdaptivePool(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.AdaptivePool)
	if !slices.ContainsFunc(op.Out, func(n int) bool { return n != 1 }) {
		d.Op = backend.GlobalPool{Mean: op.Mean}
		return planGlobalPool(dev, d)
	}
	x := d.In[0].Shape[2:]
	g := backend.Geometry{In: x, Out: op.Out, Begin: make([]int, len(x)), End: make([]int, len(x))}
	for i, n := range x {
		g.Kernel = append(g.Kernel, (n+op.Out[i]-1)/op.Out[i]) // what a window has about
		g.Stride = append(g.Stride, 1)
		g.Dilation = append(g.Dilation, 1)
	}
	p, w, err := planPool("AdaptivePool", dev, d, g)
	if err != nil {
		return nil, err
	}
	w.adaptive = true
	if op.Mean {
		w.planMean(dev, p, false)
	} else {
		w.planMax(dev, p)
	}
	p.phases = clearLanes(p.phases, 0, p.out[0])
	return p, nil
}
