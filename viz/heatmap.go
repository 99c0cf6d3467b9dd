package viz

import (
	"errors"
	"fmt"
	"image"

	"github.com/convgl/convgl/tensor"
)

// HeatMap returns a float32 tensor [H,W] as a picture of W×H pixels, each with
// the colour that s gives its value. Leading dims of 1 are allowed, as in
// [1,1,H,W].
func HeatMap(t *tensor.Tensor, s Scale) (*image.RGBA, error) {
	h, w, err := plane("HeatMap", t)
	if err != nil {
		return nil, err
	}
	if err := s.check("HeatMap"); err != nil {
		return nil, err
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i, v := range t.Float32s() {
		c := s.Color(v)
		img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2], img.Pix[4*i+3] = c.R, c.G, c.B, c.A
	}
	return img, nil
}

// Strongest reduces a float32 tensor [H,W] for display: each k×k block becomes its
// element of largest absolute value (the first of equal ones; NaN counts as the
// largest). A smooth reduction would mix the two signs at an edge to zero.
func Strongest(t *tensor.Tensor, k int) (*tensor.Tensor, error) {
	h, w, err := plane("Strongest", t)
	if err != nil {
		return nil, err
	}
	if k < 1 {
		return nil, fmt.Errorf("viz: Strongest: block size is %d, want 1 or more", k)
	}
	oh, ow := (h+k-1)/k, (w+k-1)/k
	out, err := tensor.New(tensor.Float32, oh, ow)
	if err != nil {
		return nil, err
	}
	src, dst := t.Float32s(), out.Float32s()
	for i := range dst {
		y0, x0 := i/ow*k, i%ow*k
		best := src[y0*w+x0]
		for y := y0; y < min(y0+k, h); y++ {
			for _, v := range src[y*w+x0 : y*w+min(x0+k, w)] {
				if v != v || abs(v) > abs(best) {
					best = v
				}
			}
		}
		dst[i] = best
	}
	return out, nil
}

func abs(v float32) float32 { return max(v, -v) }

// plane returns the height and width of a tensor that is one plane.
func plane(op string, t *tensor.Tensor) (h, w int, err error) {
	if t == nil {
		return 0, 0, errors.New("viz: " + op + ": tensor is nil")
	}
	s := t.Shape()
	n := len(s)
	if t.DType() != tensor.Float32 || n < 2 || s[:n-2].Size() != 1 {
		return 0, 0, fmt.Errorf("viz: %s: got %v%v, want float32 [H,W] (see Plane)", op, t.DType(), s)
	}
	if s.Size() < 1 || s.Size() > tensor.MaxPixels {
		return 0, 0, fmt.Errorf("viz: %s: got shape %v, want 1 to %d elements", op, s, tensor.MaxPixels)
	}
	return s[n-2], s[n-1], nil
}
