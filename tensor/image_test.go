package tensor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/iotest"
)

func pngBytes(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDecodeImagePNG(t *testing.T) {
	r := image.Rect(3, 5, 5, 6) // 2 wide, 1 high, not at the origin
	set := func(img interface {
		image.Image
		Set(x, y int, c color.Color)
	}, a, b color.Color) image.Image {
		img.Set(3, 5, a)
		img.Set(4, 5, b)
		return img
	}
	red, blue := color.RGBA{255, 0, 0, 255}, color.RGBA{1, 2, 254, 255}
	for name, c := range map[string]struct {
		img  image.Image
		want []uint8
	}{
		"rgb":      {set(image.NewRGBA(r), red, blue), []uint8{255, 0, 0, 1, 2, 254}},
		"gray":     {set(image.NewGray(r), color.Gray{7}, color.Gray{200}), []uint8{7, 7, 7, 200, 200, 200}},
		"gray16":   {set(image.NewGray16(r), color.Gray16{0x0080}, color.Gray16{0x0081}), []uint8{0, 0, 0, 1, 1, 1}},
		"rgb16":    {set(image.NewRGBA64(r), color.RGBA64{0xffff, 0x8080, 0x0101, 0xffff}, color.RGBA64{0xff7e, 0xff7f, 0, 0xffff}), []uint8{255, 128, 1, 254, 255, 0}},
		"paletted": {set(image.NewPaletted(r, color.Palette{blue, red}), red, blue), []uint8{255, 0, 0, 1, 2, 254}},
		// Over white: 0.6·100 + 0.4·255 = 162, 0.6·200 + 102 = 222, 0.6·0 + 102 = 102.
		"alpha":       {set(image.NewNRGBA(r), color.NRGBA{100, 200, 0, 153}, color.NRGBA{9, 9, 9, 0}), []uint8{162, 222, 102, 255, 255, 255}},
		"alpha in 16": {set(image.NewNRGBA64(r), color.NRGBA64{0, 0xffff, 0, 0x8080}, color.NRGBA64{}), []uint8{127, 255, 127, 255, 255, 255}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := DecodeImage(iotest.OneByteReader(bytes.NewReader(pngBytes(t, c.img))))
			if err != nil {
				t.Fatal(err)
			}
			wantTensor(t, got, Shape{1, 2, 3}, c.want...)
		})
	}
}

func TestDecodeImageJPEG(t *testing.T) {
	fill := image.NewRGBA(image.Rect(0, 0, 17, 9))
	for i := range fill.Pix {
		fill.Pix[i] = []uint8{200, 100, 50, 255}[i%4]
	}
	gray := image.NewGray(fill.Rect)
	for i := range gray.Pix {
		gray.Pix[i] = 90
	}
	for name, c := range map[string]struct {
		img  image.Image
		want [3]float64
	}{"colour": {fill, [3]float64{200, 100, 50}}, "gray": {gray, [3]float64{90, 90, 90}}} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, c.img, &jpeg.Options{Quality: 100}); err != nil {
			t.Fatal(err)
		}
		got, err := DecodeImage(&b)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Shape().Equal(Shape{9, 17, 3}) || got.DType() != Uint8 {
			t.Fatalf("%s: got %v %v, want uint8 [9,17,3]", name, got.DType(), got.Shape())
		}
		for i, v := range got.data.([]uint8) { // the format itself rounds YCbCr
			if math.Abs(float64(v)-c.want[i%3]) > 2 {
				t.Fatalf("%s: element %d is %d, want %v", name, i, v, c.want[i%3])
			}
		}
	}
}

// bombPNG claims w x h pixels in a well-formed header.
func bombPNG(w, h uint32) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, w)
	chunk = binary.BigEndian.AppendUint32(chunk, h)
	chunk = append(chunk, 8, 2, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, chunk...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(chunk))
	return append(b, "\x00\x00\x00\x04IDAT...."...)
}

func TestDecodeImageErrors(t *testing.T) {
	good := pngBytes(t, image.NewGray(image.Rect(0, 0, 40, 40)))
	var jpg, gf bytes.Buffer
	if err := jpeg.Encode(&jpg, image.NewGray(image.Rect(0, 0, 40, 40)), nil); err != nil {
		t.Fatal(err)
	}
	if err := gif.Encode(&gf, image.NewPaletted(image.Rect(0, 0, 2, 2), color.Palette{color.Black}), nil); err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)-20] ^= 0xff
	for name, c := range map[string]struct {
		data []byte
		kind error
		part string
	}{
		"empty":         {nil, io.ErrUnexpectedEOF, "no data"},
		"text":          {[]byte("hi"), errors.ErrUnsupported, `begins with "hi"`},
		"gif":           {gf.Bytes(), errors.ErrUnsupported, "want PNG or JPEG"},
		"png signature": {good[:8], nil, "EOF"},
		"png cut":       {good[:len(good)-20], nil, "unexpected EOF (was the file cut off?)"},
		"png corrupt":   {flipped, nil, "png: invalid format"},
		"jpeg start":    {jpg.Bytes()[:2], io.ErrUnexpectedEOF, ""},
		"jpeg cut":      {jpg.Bytes()[:jpg.Len()-10], nil, "(was the file cut off?)"},
		"jpeg corrupt":  {[]byte("\xff\xd8\xff\xc0\x00\x00garbage"), nil, "JPEG"},
		"too large":     {bombPNG(1<<15, 1<<13+1), nil, "picture of 32768 x 8193 pixels"},
		"no pixels":     {bombPNG(0, 10), nil, "dimension"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeImage(bytes.NewReader(c.data))
			wantError(t, err, c.kind, "tensor: DecodeImage: ", c.part)
		})
	}
	boom := errors.New("boom")
	for _, n := range []int{0, 4, 20, len(good) - 20} {
		_, err := DecodeImage(io.MultiReader(bytes.NewReader(good[:n]), iotest.ErrReader(boom)))
		wantError(t, err, nil, "boom") // package png keeps the text of the cause alone
	}
}

func TestDecodeImageTooLargeMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := DecodeImage(bytes.NewReader(bombPNG(1<<20, 1<<20)))
	runtime.ReadMemStats(&after)
	wantError(t, err, nil, "picture of 1048576 x 1048576 pixels")
	if grew := after.TotalAlloc - before.TotalAlloc; grew > 1<<20 {
		t.Errorf("allocated %d bytes", grew)
	}
}

func TestLoadImage(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.png")
	img := image.NewRGBA(image.Rect(0, 0, 2, 1))
	copy(img.Pix, []uint8{1, 2, 3, 255, 4, 5, 6, 255})
	if err := SavePNG(path, img); err != nil {
		t.Fatal(err)
	}
	got, err := LoadImage(path)
	if err != nil {
		t.Fatal(err)
	}
	wantTensor[uint8](t, got, Shape{1, 2, 3}, 1, 2, 3, 4, 5, 6)

	_, err = LoadImage(filepath.Join(dir, "none.png"))
	wantError(t, err, fs.ErrNotExist, "tensor: LoadImage", "none.png")
	_, err = LoadImage(dir)
	wantError(t, err, nil, "got a folder")
	if err := os.WriteFile(path, []byte("not a picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = LoadImage(path)
	wantError(t, err, errors.ErrUnsupported, "a.png", "want PNG or JPEG")
}

func TestImageToNCHW(t *testing.T) {
	in := Must(From([]uint8{0, 51, 255, 1, 2, 3}, 1, 2, 3))
	got, err := ImageToNCHW(in)
	if err != nil {
		t.Fatal(err)
	}
	wantTensor[float32](t, got, Shape{1, 3, 1, 2}, 0, float32(1)/255, 0.2, float32(2)/255, 1, float32(3)/255)
	got, err = ImageToNCHWScaled(in, 1)
	if err != nil {
		t.Fatal(err)
	}
	wantTensor[float32](t, got, Shape{1, 3, 1, 2}, 0, 1, 51, 2, 255, 3)

	for _, d := range []float32{0, float32(math.NaN()), float32(math.Inf(1))} {
		_, err = ImageToNCHWScaled(in, d)
		wantError(t, err, nil, "tensor: ImageToNCHWScaled: divisor is ")
	}
	_, err = ImageToNCHW(count[uint8](2, 2))
	wantError(t, err, nil, "tensor: ImageToNCHW: got rank 2", "[H,W,C]")
	_, err = ImageToNCHW(count[float32](2, 2, 3))
	wantError(t, err, nil, "elements are float32, want uint8")
	_, err = ImageToNCHW(nil)
	wantError(t, err, nil, "nil")
}

func TestGrayMean(t *testing.T) {
	third := float32(1.0 / 3)
	for _, c := range []struct {
		in   *Tensor
		want []float32
	}{
		{Must(From([]uint8{255, 255, 255, 0, 0, 1}, 1, 2, 3)), []float32{255, third}},
		{Must(From([]uint8{9, 8}, 1, 2, 1)), []float32{9, 8}},
		{Must(From([]float32{1 << 25, 1, 1, 0.5, 0.25, 0.75}, 1, 2, 3)), []float32{(1<<25 + 2) / 3.0, 0.5}}, // a float32 sum loses the ones
		{Must(From([]float64{1, 0, 0, -1, -1, -1}, 1, 2, 3)), []float32{third, -1}},
	} {
		got, err := GrayMean(c.in)
		if err != nil {
			t.Fatal(err)
		}
		wantTensor(t, got, Shape{1, 1, 1, 2}, c.want...)
	}
	_, err := GrayMean(count[int32](1, 1, 3))
	wantError(t, err, nil, "tensor: GrayMean: elements are int32")
	_, err = GrayMean(count[uint8](1, 3))
	wantError(t, err, nil, "got rank 2")
	_, err = GrayMean(count[uint8](2, 2, 0))
	wantError(t, err, nil, "at least one channel")
	_, err = GrayMean(nil)
	wantError(t, err, nil, "nil")
}

// The gray flower that another program made with another JPEG decoder, which
// may round a level or two differently.
func TestConformanceGrayFlower(t *testing.T) {
	dir := conformance(t)
	want, err := LoadNPY(filepath.Join(dir, "seed_golden", "flower_gray_maxpool4", "input.npy"))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := LoadImage(filepath.Join(dir, "data", "images", "flower.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := GrayMean(picture)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Shape().Equal(Shape{1, 1, 427, 640}) {
		t.Fatalf("shape %v, want [1,1,427,640]", got.Shape())
	}
	var sum, worst float64
	for i, v := range got.Float32s() {
		d := math.Abs(float64(v - want.Float32s()[i]))
		sum, worst = sum+d, max(worst, d)
	}
	mean := sum / float64(got.Size())
	t.Logf("levels apart: mean %.4f, largest %.2f", mean, worst)
	if mean > 0.2 || worst > 2 {
		t.Errorf("levels apart: mean %v, largest %v; want at most 0.2 and 2", mean, worst)
	}
}
