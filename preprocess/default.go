package preprocess

import (
	"fmt"

	"github.com/convgl/convgl/tensor"
)

// ForInput returns the description that an input of this shape suggests; −1 is an
// open dim. The shape says layout, channels and size. The values are a guess, which the file
// beside a model replaces:
//
//   - 3×224×224 is what networks for ImageNet take: the shorter side to 256, the middle
//     224×224, values less ImageNet's mean over its standard deviation;
//   - any other size: stretched to it, values from 0 to 1;
//   - an open size: the picture's own;
//   - uint8: the pixels as they are.
//
// It fails for an input that takes no pictures: other ranks, types and channels.
func ForInput(shape []int, dtype tensor.DType) (Config, error) {
	none := func(why string) (Config, error) {
		return Config{}, fmt.Errorf("preprocess: an input %v%s takes no pictures: %s", dtype, shapeText(shape), why)
	}
	if dtype != tensor.Float32 && dtype != tensor.Uint8 {
		return none("want type float32 or uint8")
	}
	if len(shape) != 4 {
		return none("want [N,C,H,W] or [N,H,W,C]")
	}
	c := Config{Filter: "bilinear", Antialias: true, Channels: "RGB", Scale: 1. / 255, Mean: []float64{0}, Std: []float64{1}, DType: dtype.String()}
	picture := func(n int) bool { return n == 1 || n == 3 }
	var channels, h, w int
	switch {
	case picture(shape[1]), shape[1] < 0 && !picture(shape[3]):
		c.Layout, channels, h, w = "NCHW", shape[1], shape[2], shape[3]
	case picture(shape[3]):
		c.Layout, channels, h, w = "NHWC", shape[3], shape[1], shape[2]
	default:
		return none("want 1 or 3 channels")
	}
	if channels == 1 {
		c.Channels = "gray"
	}
	if h == 0 || w == 0 || h > maxSide || w > maxSide {
		return none(fmt.Sprintf("want sides from 1 to %d", maxSide))
	}
	switch {
	case h < 0 || w < 0: // the picture's own size
	case channels == 3 && h == 224 && w == 224 && dtype == tensor.Float32:
		c.Resize, c.Crop = []int{256}, []int{h, w}
		c.Mean, c.Std = []float64{.485, .456, .406}, []float64{.229, .224, .225}
	default:
		c.Resize = []int{h, w}
	}
	if dtype == tensor.Uint8 {
		c.Scale = 1
	}
	return c, nil
}
