package tensor

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"

	"github.com/convgl/convgl/internal/atomicfile"
)

// NaNColor is the colour of NaN in the pictures of [ToGray] and [ToRGB]:
// magenta.
var NaNColor = color.RGBA{R: 255, G: 0, B: 255, A: 255}

// EncodePNG writes img as PNG.
func EncodePNG(w io.Writer, img image.Image) error {
	if err := encodePNG(w, img); err != nil {
		return fmt.Errorf("tensor: EncodePNG: %w", err)
	}
	return nil
}

// SavePNG writes img to the PNG file at path. A file that is there already is
// replaced once the new one is complete; after an error it is as it was.
func SavePNG(path string, img image.Image) error {
	err := atomicfile.Write(path, func(w io.Writer) error { return encodePNG(w, img) })
	if err != nil {
		return fmt.Errorf("tensor: SavePNG: %w", err)
	}
	return nil
}

func encodePNG(w io.Writer, img image.Image) error {
	if rgba, ok := img.(*image.RGBA); img == nil || ok && rgba == nil { // the latter is ToGray's after an error
		return errors.New("image is nil")
	}
	return png.Encode(w, img)
}

// ToGray returns a float32 tensor [H,W] as a gray picture: lo and less is black,
// hi and more is white, and values between are spread evenly. Leading dims of 1
// are allowed, as in [1,1,H,W]. NaN is shown in [NaNColor]. With lo = hi,
// greater values are white and all others black, so that a constant tensor has
// a picture too.
func ToGray(t *Tensor, lo, hi float32) (*image.RGBA, error) {
	return toRGBA("ToGray", t, "[H,W] or [1,H,W]", 1, lo, hi)
}

// ToRGB returns a float32 tensor [3,H,W] as a colour picture, with the range lo
// to hi as in [ToGray]. Leading dims of 1 are allowed, as in [1,3,H,W]. A pixel
// with NaN in any channel is shown in [NaNColor].
func ToRGB(t *Tensor, lo, hi float32) (*image.RGBA, error) {
	return toRGBA("ToRGB", t, "[3,H,W]", 3, lo, hi)
}

func toRGBA(op string, t *Tensor, want string, channels int, lo, hi float32) (*image.RGBA, error) {
	if err := wantRank(op, t, 2, MaxRank, want); err != nil {
		return nil, err
	}
	if t.dtype != Float32 {
		return nil, fmt.Errorf("tensor: %s: elements are %v, want float32 (AsFloat32 converts)", op, t.dtype)
	}
	h, w := t.shape[len(t.shape)-2], t.shape[len(t.shape)-1]
	lead := t.shape[:len(t.shape)-2]
	for len(lead) > 0 && lead[0] == 1 {
		lead = lead[1:]
	}
	if channels == 1 && len(lead) != 0 || channels > 1 && !lead.Equal(Shape{channels}) {
		return nil, fmt.Errorf("tensor: %s: got shape %v, want %s", op, t.shape, want)
	}
	if h == 0 || w == 0 || h > MaxPixels/w {
		return nil, fmt.Errorf("tensor: %s: picture of %d x %d pixels: want 1 to %d pixels", op, w, h, MaxPixels)
	}
	// The negated form also refuses NaN.
	if !(lo <= hi) || math.IsInf(float64(lo), 0) || math.IsInf(float64(hi), 0) {
		return nil, fmt.Errorf("tensor: %s: range is %v to %v, want finite lo <= hi", op, lo, hi)
	}
	data := t.Float32s()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range h * w {
		var rgb [3]uint8
		nan := false
		for c := range rgb {
			v := data[c%channels*h*w+i]
			nan = nan || v != v
			rgb[c] = shade(v, lo, hi)
		}
		p := color.RGBA{R: rgb[0], G: rgb[1], B: rgb[2], A: 255}
		if nan {
			p = NaNColor
		}
		copy(img.Pix[4*i:], []uint8{p.R, p.G, p.B, p.A})
	}
	return img, nil
}

// shade maps lo..hi to 0..255, rounded to nearest. It uses float64, where hi-lo
// does not overflow.
func shade(v, lo, hi float32) uint8 {
	switch {
	case v > lo && v < hi:
		return uint8(math.Round(255 * (float64(v) - float64(lo)) / (float64(hi) - float64(lo))))
	case v >= hi && v > lo:
		return 255
	default:
		return 0
	}
}
