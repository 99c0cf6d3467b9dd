package tensor

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"strings"

	"github.com/convgl/convgl/internal/regularfile"
)

// MaxPixels bounds the pixels of a picture that [DecodeImage] accepts, so that
// a small file cannot claim all memory.
const MaxPixels = 1 << 28

// pictureFormats are the formats that DecodeImage knows by their first bytes.
// The registry of package image is not used: what it holds depends on the
// program's imports.
var pictureFormats = []struct {
	magic  string
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}{
	{"\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{"\xff\xd8", jpeg.DecodeConfig, jpeg.Decode},
}

// DecodeImage reads a PNG or JPEG picture as uint8 RGB of shape [H,W,3]. Every
// kind of these is accepted: gray (three equal channels), paletted, 16 bits
// (rounded to 8), CMYK. Transparent pixels are composited over white. Colour
// profiles and EXIF orientation are not applied.
//
// Other formats are [errors.ErrUnsupported]; a picture of more than [MaxPixels]
// is an error before its pixels are decoded.
func DecodeImage(r io.Reader) (*Tensor, error) {
	t, err := decodeImage(r)
	if err != nil {
		return nil, fmt.Errorf("tensor: DecodeImage: %w", err)
	}
	return t, nil
}

// LoadImage reads the PNG or JPEG file at path, a regular one, by the rules of
// [DecodeImage].
func LoadImage(path string) (*Tensor, error) {
	t, err := loadImage(path)
	if err != nil {
		return nil, fmt.Errorf("tensor: LoadImage %q: %w", path, err)
	}
	return t, nil
}

func loadImage(path string) (*Tensor, error) {
	f, err := regularfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return decodeImage(f)
}

func decodeImage(r io.Reader) (*Tensor, error) {
	br := bufio.NewReader(r)
	head, err := br.Peek(8)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(head) == 0 {
		return nil, fmt.Errorf("no data: %w", io.ErrUnexpectedEOF)
	}
	for _, format := range pictureFormats {
		if !bytes.HasPrefix(head, []byte(format.magic)) {
			continue
		}
		var start bytes.Buffer // what config reads, decode reads again
		cfg, err := format.config(io.TeeReader(br, &start))
		if err != nil {
			return nil, err
		}
		if w, h := int64(cfg.Width), int64(cfg.Height); w < 1 || h < 1 || w > MaxPixels/h {
			return nil, fmt.Errorf("picture of %d x %d pixels: want 1 to %d pixels", w, h, MaxPixels)
		}
		img, err := format.decode(io.MultiReader(&start, br))
		if cutOff(err) {
			return nil, fmt.Errorf("%w (was the file cut off?)", err)
		}
		if err != nil {
			return nil, err
		}
		return fromImage(img)
	}
	return nil, fmt.Errorf("unknown picture format (begins with %q): want PNG or JPEG: %w", head, errors.ErrUnsupported)
}

// cutOff reports whether a decoder came to the end of the data too early. Some keep the
// text of that error alone, and package jpeg has one of its own.
func cutOff(err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	return strings.Contains(text, io.ErrUnexpectedEOF.Error()) || strings.Contains(text, "short Huffman data")
}

// fromImage returns img over white as [H,W,3].
func fromImage(img image.Image) (*Tensor, error) {
	at := func(x, y int) color.RGBA64 { return color.RGBA64Model.Convert(img.At(x, y)).(color.RGBA64) }
	if fast, ok := img.(image.RGBA64Image); ok { // no allocation for each pixel
		at = fast.RGBA64At
	}
	b := img.Bounds()
	t, err := New(Uint8, b.Dy(), b.Dx(), 3)
	if err != nil {
		return nil, err
	}
	dst := t.data.([]uint8)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := at(x, y) // premultiplied by alpha
			white := 0xffff - c.A
			dst[0], dst[1], dst[2] = to8(c.R+white), to8(c.G+white), to8(c.B+white)
			dst = dst[3:]
		}
	}
	return t, nil
}

// to8 rounds 0..65535 to 0..255. It inverts the widening v·257.
func to8(v uint16) uint8 { return uint8((uint32(v) + 128) / 257) }

// ImageToNCHW converts a uint8 picture [H,W,C] to float32 [1,C,H,W] with values
// v/255, from 0 to 1.
func ImageToNCHW(t *Tensor) (*Tensor, error) {
	return imageToNCHW("ImageToNCHW", t, 255)
}

// ImageToNCHWScaled is [ImageToNCHW] with values v/divisor; a divisor of 1
// leaves them from 0 to 255.
func ImageToNCHWScaled(t *Tensor, divisor float32) (*Tensor, error) {
	if d := float64(divisor); d == 0 || math.IsNaN(d) || math.IsInf(d, 0) {
		return nil, fmt.Errorf("tensor: ImageToNCHWScaled: divisor is %v, want a finite number other than 0", divisor)
	}
	return imageToNCHW("ImageToNCHWScaled", t, divisor)
}

func imageToNCHW(op string, t *Tensor, divisor float32) (*Tensor, error) {
	if err := wantRank(op, t, 3, 3, "[H,W,C]"); err != nil {
		return nil, err
	}
	if t.dtype != Uint8 {
		return nil, fmt.Errorf("tensor: %s: elements are %v, want uint8 (HWCToNCHW keeps the type)", op, t.dtype)
	}
	planes, err := HWCToNCHW(t)
	if err != nil {
		return nil, err
	}
	out := planes.AsFloat32()
	data := out.Float32s()
	for i, v := range data {
		data[i] = v / divisor
	}
	return out, nil
}

// GrayMean converts a picture [H,W,C] of uint8, float32 or float64 to gray,
// float32 [1,1,H,W]: the mean of the channels, in the unit of the picture (0 to
// 255 for uint8). It weighs R, G and B alike, as the mean over a NumPy array's
// last axis does; it is not luma.
func GrayMean(t *Tensor) (*Tensor, error) {
	if err := wantRank("GrayMean", t, 3, 3, "[H,W,C]"); err != nil {
		return nil, err
	}
	if t.shape[2] == 0 {
		return nil, fmt.Errorf("tensor: GrayMean: shape is %v, want at least one channel", t.shape)
	}
	out, err := New(Float32, 1, 1, t.shape[0], t.shape[1])
	if err != nil {
		return nil, err
	}
	switch d := t.data.(type) {
	case []uint8:
		meanLast(out.Float32s(), d, t.shape[2])
	case []float32:
		meanLast(out.Float32s(), d, t.shape[2])
	case []float64:
		meanLast(out.Float32s(), d, t.shape[2])
	default:
		return nil, fmt.Errorf("tensor: GrayMean: elements are %v, want uint8, float32 or float64", t.dtype)
	}
	return out, nil
}

// meanLast sets dst to the means of each c elements of src, summed in float64.
func meanLast[T uint8 | float32 | float64](dst []float32, src []T, c int) {
	for i := range dst {
		sum := 0.0
		for _, v := range src[i*c : (i+1)*c] {
			sum += float64(v)
		}
		dst[i] = float32(sum / float64(c))
	}
}
