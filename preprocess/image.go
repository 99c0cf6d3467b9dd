package preprocess

import (
	"fmt"
	"image"
	"math"

	"github.com/convgl/convgl/tensor"
)

// Image returns the first picture of a tensor as [Config.Tensor] makes them, with scale, mean,
// standard deviation and the order of channels undone: what the network sees.
func (c *Config) Image(x *tensor.Tensor) (*image.RGBA, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if x == nil {
		return nil, fmt.Errorf("preprocess: the tensor is nil, want %s %s", c.DType, c.Layout)
	}
	s := x.Shape()
	n := c.channels()
	if len(s) != 4 || x.DType().String() != c.DType {
		return nil, fmt.Errorf("preprocess: got %v%v, want %s %s", x.DType(), s, c.DType, c.Layout)
	}
	h, w, k := s[2], s[3], s[1]
	element, channel := 1, h*w
	if c.Layout == "NHWC" {
		h, w, k = s[1], s[2], s[3]
		element, channel = n, 1
	}
	if k != n || s[0] < 1 || h < 1 || w < 1 {
		return nil, fmt.Errorf("preprocess: got shape %v, want %s with %d channels", s, c.Layout, n)
	}
	data := x.AsFloat32().Float32s()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range h * w {
		for rgb := range 3 {
			from := min(rgb, n-1)
			if c.Channels == "BGR" {
				from = 2 - rgb
			}
			v := (float64(data[i*element+from*channel])*at(c.Std, from) + at(c.Mean, from)) / c.Scale
			img.Pix[4*i+rgb] = uint8(math.Round(min(max(v, 0), 255)))
		}
		img.Pix[4*i+3] = 255
	}
	return img, nil
}
