package cpu

import "github.com/convgl/convgl/backend"

// planAdaptivePool pools as planMaxPool and planAvgPool do, with windows of its own.
func planAdaptivePool(_ *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.AdaptivePool)
	x := d.In[0].Shape[2:]
	g := backend.Geometry{In: x, Out: op.Out, Begin: make([]int, len(x)), End: make([]int, len(x))}
	for i, n := range x {
		g.Kernel = append(g.Kernel, (n+op.Out[i]-1)/op.Out[i]) // what a window has about
		g.Stride = append(g.Stride, 1)
		g.Dilation = append(g.Dilation, 1)
	}
	p, w, err := planPool("AdaptivePool", d, g)
	if err != nil {
		return nil, err
	}
	w.adaptive = true
	fn := w.max
	if op.Mean {
		fn = func(c *call, n, q int) { w.mean(c, n, q, false) }
	}
	p.phases = clearLanes([]phase{w.phase(fn)}, 0, p.out[0])
	return p, nil
}
