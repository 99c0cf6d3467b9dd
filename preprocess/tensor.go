package preprocess

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/convgl/convgl/tensor"
)

// Tensor makes the input [1,C,H,W] or [1,H,W,C] from a picture, uint8 [H,W,3] in RGB. It fails
// when the description is not valid, or the picture is smaller than the crop.
func (c *Config) Tensor(pic *tensor.Tensor) (*tensor.Tensor, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if pic == nil {
		return nil, errors.New("preprocess: the picture is nil, want uint8 [H,W,3]")
	}
	s := pic.Shape()
	src, err := tensor.Data[uint8](pic)
	if err != nil || len(s) != 3 || s[2] != 3 || s.Size() == 0 {
		return nil, fmt.Errorf("preprocess: picture is %v%v, want uint8 [H,W,3]", pic.DType(), s)
	}
	h, w := s[0], s[1]
	th, tw := c.resized(h, w)
	win := window{0, 0, th, tw}
	if len(c.Crop) == 2 {
		win = window{middle(th, c.Crop[0]), middle(tw, c.Crop[1]), c.Crop[0], c.Crop[1]}
		if win.h > th || win.w > tw {
			return nil, fmt.Errorf("preprocess: crop: the picture has %d x %d pixels, want at least %d x %d (height x width)", th, tw, win.h, win.w)
		}
	}
	if win.h > tensor.MaxPixels/win.w {
		return nil, fmt.Errorf("preprocess: resize: the picture would have %d x %d pixels, want at most %d", win.h, win.w, tensor.MaxPixels)
	}
	channels := c.channels()
	if channels == 1 {
		src = luma(src)
	}
	f := filters[slices.IndexFunc(filters, func(f filter) bool { return f.name == c.Filter })]
	pixels := src
	switch {
	case th != h || tw != w:
		pixels = resample(src, h, w, channels, th, tw, f, c.Antialias, win)
	case win != window{0, 0, h, w}:
		pixels = make([]uint8, 0, win.h*win.w*channels)
		for y := range win.h {
			pixels = append(pixels, src[((win.top+y)*w+win.left)*channels:][:win.w*channels]...)
		}
	}
	return c.arrange(pixels, win.h, win.w)
}

// resized returns the height and width after the resize.
func (c *Config) resized(h, w int) (int, int) {
	switch len(c.Resize) {
	case 1:
		s := c.Resize[0]
		if h < w {
			return s, s * w / h
		}
		return s * h / w, s
	case 2:
		return c.Resize[0], c.Resize[1]
	}
	return h, w
}

// middle returns where a part of n pixels begins, halves rounded to even as torchvision's
// center crop does.
func middle(size, n int) int { return int(math.RoundToEven(float64(size-n) / 2)) }

// luma returns the gray of RGB pixels: Rec. 601's weights in 16 bits, as PIL.
func luma(rgb []uint8) []uint8 {
	out := make([]uint8, len(rgb)/3)
	for i := range out {
		p := rgb[3*i : 3*i+3]
		out[i] = uint8((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 1<<15) >> 16)
	}
	return out
}

// arrange brings pixels [h,w,channels] into order, layout and type.
func (c *Config) arrange(pixels []uint8, h, w int) (*tensor.Tensor, error) {
	n := c.channels()
	shape := []int{1, n, h, w}
	element, channel := 1, h*w // from one pixel, one channel to the next
	if c.Layout == "NHWC" {
		shape, element, channel = []int{1, h, w, n}, n, 1
	}
	from := func(k int) int { // the channel of the picture that is channel k
		if c.Channels == "BGR" {
			return n - 1 - k
		}
		return k
	}
	if c.DType == "uint8" {
		out := make([]uint8, len(pixels))
		for k := range n {
			for i := range h * w {
				out[i*element+k*channel] = pixels[i*n+from(k)]
			}
		}
		return tensor.From(out, shape...)
	}
	out := make([]float32, len(pixels))
	for k := range n {
		var value [256]float32
		for v := range value {
			value[v] = float32((float64(v)*c.Scale - at(c.Mean, k)) / at(c.Std, k))
		}
		for i := range h * w {
			out[i*element+k*channel] = value[pixels[i*n+from(k)]]
		}
	}
	return tensor.From(out, shape...)
}

// at returns the number for channel k.
func at(list []float64, k int) float64 {
	if len(list) == 1 {
		return list[0]
	}
	return list[k]
}
