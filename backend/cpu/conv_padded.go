package cpu

import (
	"fmt"
	"math"

	"github.com/convgl/convgl/backend"
)

// maxPaddedChannels is the number of channels up to which a convolution first copies
// x into a picture with its padding: then a row of the kernel is one tap for every
// pixel, where with so few channels a tap would be too short. It is the first layer of
// a network, and takes the plain layout as well.
const maxPaddedChannels = 4

func planConvPadded(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Conv)
	if c := d.In[0].Shape[1]; c < 1 || c > maxPaddedChannels || op.GroupCount() != 1 {
		return nil, backend.Unsupported(name, "Conv", fmt.Sprintf("padded pictures take 1 to %d channels in one group, x is %v with groups %d", maxPaddedChannels, d.In[0].Shape, op.GroupCount()))
	}
	if k := d.In[1].Shape[len(d.In[1].Shape)-1]; k < 2 {
		return nil, backend.Unsupported(name, "Conv", fmt.Sprintf("padded pictures take rows of 2 taps or more, w is %v", d.In[1].Shape))
	}
	return planConvPictures(dev, d)
}

// planConvPictures is planConvPadded for any number of channels in one group.
func planConvPictures(dev *device, d backend.Desc) (*plan, error) {
	op := d.Op.(backend.Conv)
	if op.GroupCount() != 1 {
		return nil, backend.Unsupported(name, "Conv", "padded pictures take one group")
	}
	cl := d
	cl.In = append([]backend.TensorDesc{}, d.In...)
	if cl.In[0].Layout.Order == backend.OrderPlain {
		cl.In[0].Layout = backend.ChannelsLast // of the pictures; y need not follow x
	}
	in, out, x, y, err := convDescs(cl)
	if err != nil {
		return nil, err
	}
	if d.In[0].Layout.Order == backend.OrderPlain {
		in[0].Layout = d.In[0].Layout
	}
	geo, tap, err := convGeometry(op, in[0], in[1])
	if err != nil {
		return nil, err
	}
	if geo.Dilation[2] != 1 {
		return nil, backend.Unsupported(name, "Conv", fmt.Sprintf("padded pictures take rows without dilation, not %v", geo.Dilation))
	}
	pictures, bytes := newPadCopy(dev.isa, in[0], geo)
	if bytes > math.MaxInt32 {
		return nil, backend.Unsupported(name, "Conv", "padded pictures of 2 GiB or more")
	}
	geo.In, geo.Begin, geo.End = pictures.size, [3]int{}, [3]int{}
	x = rows{n: x.n, s: geo.In[0] * geo.In[1] * geo.In[2], c: x.c, pitch: x.c}
	return planConvGemm(dev, op, in, out, x, y, geo, tap, pictures)
}

// picturePhase fills the pictures of the images of x.
func (p *convPlan) picturePhase() phase {
	n, length := p.pictures.rows()
	units := p.x.n * n
	parts := partsFor(units, 8*int64(units)*int64(length), grainBytes)
	return phase{parts, func(c *call, part, _ int) {
		lo, hi := share(units, part, parts)
		p.fillPictures(c, lo, hi)
	}}
}

// fillPictures fills the rows [lo, hi) of all pictures.
func (p *convPlan) fillPictures(c *call, lo, hi int) {
	n, length := p.pictures.rows()
	dst := f32(c.ws[p.pictureOff:p.scratchOff])
	for lo < hi {
		i, row := lo/n, lo%n
		end := min(n, row+hi-lo)
		p.pictures.fill(dst[i*p.xImage+row*length:], c.x(0)[i*p.image:], row, end)
		lo += end - row
	}
}
