package tensor

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestToGray(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for name, c := range map[string]struct {
		lo, hi float32
		in     []float32
		want   []uint8
	}{
		"unit":        {0, 1, []float32{0, 1, 0.5, 0.2, 0.9981}, []uint8{0, 255, 128, 51, 255}},
		"outside":     {0, 1, []float32{-1, 2, inf, -inf}, []uint8{0, 255, 255, 0}},
		"signed":      {-1, 1, []float32{-1, 0, 1, -0.6}, []uint8{0, 128, 255, 51}},
		"whole range": {-math.MaxFloat32, math.MaxFloat32, []float32{-math.MaxFloat32, 0, math.MaxFloat32}, []uint8{0, 128, 255}},
		"tiny range":  {0, 1e-45, []float32{0, 1e-45}, []uint8{0, 255}},
		"constant":    {3, 3, []float32{2, 3, 4, inf}, []uint8{0, 0, 255, 255}},
	} {
		img, err := ToGray(Must(From(c.in, 1, len(c.in))), c.lo, c.hi)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, v := range c.want {
			if got := img.RGBAAt(i, 0); got != (color.RGBA{v, v, v, 255}) {
				t.Errorf("%s: %v is %v, want level %d", name, c.in[i], got, v)
			}
		}
	}
	img, err := ToGray(Must(From([]float32{nan, 1}, 1, 1, 2, 1)), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds() != image.Rect(0, 0, 1, 2) {
		t.Errorf("bounds %v, want 1 wide and 2 high", img.Bounds())
	}
	if got := img.RGBAAt(0, 0); got != NaNColor {
		t.Errorf("NaN is %v, want %v", got, NaNColor)
	}
}

func TestToRGB(t *testing.T) {
	nan := float32(math.NaN())
	in := Must(From([]float32{
		0, 10, nan,
		2, 4, 1,
		10, 6, 1,
	}, 1, 3, 1, 3))
	img, err := ToRGB(in, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for x, want := range []color.RGBA{{0, 51, 255, 255}, {255, 102, 153, 255}, NaNColor} {
		if got := img.RGBAAt(x, 0); got != want {
			t.Errorf("pixel %d is %v, want %v", x, got, want)
		}
	}
}

func TestToImageErrors(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		f      func(*Tensor, float32, float32) (*image.RGBA, error)
		in     *Tensor
		lo, hi float32
		part   string
	}{
		{ToGray, nil, 0, 1, "tensor: ToGray: tensor is nil"},
		{ToGray, count[uint8](2, 2), 0, 1, "elements are uint8, want float32"},
		{ToGray, count[float32](4), 0, 1, "got rank 1"},
		{ToGray, count[float32](3, 2, 2), 0, 1, "got shape [3,2,2], want [H,W]"},
		{ToGray, count[float32](0, 2), 0, 1, "picture of 2 x 0 pixels"},
		{ToGray, count[float32](2, 2), 1, 0, "range is 1 to 0"},
		{ToGray, count[float32](2, 2), nan, 1, "range is NaN to 1"},
		{ToGray, count[float32](2, 2), 0, inf, "range is 0 to +Inf"},
		{ToRGB, count[float32](2, 2), 0, 1, "tensor: ToRGB: got shape [2,2], want [3,H,W]"},
		{ToRGB, count[float32](4, 2, 2), 0, 1, "got shape [4,2,2]"},
		{ToRGB, count[float32](2, 3, 2, 2), 0, 1, "got shape [2,3,2,2]"},
	} {
		_, err := c.f(c.in, c.lo, c.hi)
		wantError(t, err, nil, c.part)
	}
}

// A picture goes to floats, to a PNG file and back with no level changed.
func TestPictureRoundTrip(t *testing.T) {
	pixels := count[uint8](16, 17, 3) // every level, wrapping around
	planes, err := ImageToNCHW(pixels)
	if err != nil {
		t.Fatal(err)
	}
	img, err := ToRGB(planes, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := EncodePNG(&b, img); err != nil {
		t.Fatal(err)
	}
	got, err := DecodeImage(&b)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, got, pixels)
}

func TestSavePNGErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.png")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	wantError(t, SavePNG(path, nil), nil, "tensor: SavePNG: ", "a.png", "image is nil")
	wantError(t, SavePNG(path, image.NewGray(image.Rectangle{})), nil, "png: invalid format")
	if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
		t.Errorf("the old file became %q, %v", got, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("folder holds %v, want only a.png", entries)
	}
	img := image.NewGray(image.Rect(0, 0, 1, 1))
	wantError(t, SavePNG(filepath.Join(dir, "none", "a.png"), img), fs.ErrNotExist)
	wantError(t, SavePNG(filepath.Join(path, "a.png"), img), nil, "not a directory")
	wantError(t, EncodePNG(io.Discard, nil), nil, "tensor: EncodePNG: image is nil")
	wantError(t, EncodePNG(io.Discard, (*image.RGBA)(nil)), nil, "image is nil")
	boom := errors.New("boom")
	wantError(t, EncodePNG(&failAfter{0, boom}, img), boom)
}
