package ref

import "github.com/convgl/convgl/backend"

// groupNorm normalises groups of channels of an image, which follow each other in
// logical order. Instance normalisation has as many groups as channels.
func groupNorm(groups int, epsilon float32, d backend.Desc) definition {
	x := d.In[0].Shape
	plane := x[2:].Size()
	return normalise(x[1]/max(groups, 1)*plane, epsilon, func(i int) int { return i / plane % x[1] })
}
