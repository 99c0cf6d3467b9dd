package preprocess

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/convgl/convgl/tensor"
)

// headBytes is how much of a file is looked at before it is decoded. An EXIF segment has
// at most 64 KiB and stands near the start.
const headBytes = 256 << 10

// Picture is a picture file of which only the start has been read.
type Picture struct {
	r    *bufio.Reader
	head []byte
}

// ErrNoPicture says that a file is of none of the known formats.
var ErrNoPicture = errors.New("not a PNG or JPEG picture")

// Open reads the start of a picture. Its error wraps [ErrNoPicture] where the data is none.
func Open(r io.Reader) (*Picture, error) {
	p := &Picture{r: bufio.NewReaderSize(r, headBytes)}
	var err error
	p.head, err = p.r.Peek(headBytes)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("preprocess: %w", err)
	}
	if !p.png() && !p.jpeg() {
		return nil, fmt.Errorf("preprocess: %w: begins with %q", ErrNoPicture, p.head[:min(8, len(p.head))])
	}
	return p, nil
}

func (p *Picture) png() bool  { return bytes.HasPrefix(p.head, []byte("\x89PNG\r\n\x1a\n")) }
func (p *Picture) jpeg() bool { return bytes.HasPrefix(p.head, []byte("\xff\xd8")) }

// Pixels returns the number of pixels, and [tensor.MaxPixels], the most that Decode takes,
// where the start of the file does not tell.
func (p *Picture) Pixels() int {
	config := png.DecodeConfig
	if p.jpeg() {
		config = jpeg.DecodeConfig
	}
	c, err := config(bytes.NewReader(p.head))
	if err != nil || c.Width < 1 || c.Height < 1 || c.Width > tensor.MaxPixels/c.Height {
		return tensor.MaxPixels
	}
	return c.Width * c.Height
}

// Decode returns the picture by the rules of [tensor.DecodeImage], a JPEG turned as its
// EXIF orientation says: uint8 [H,W,3]. It may be called once.
func (p *Picture) Decode() (*tensor.Tensor, error) {
	turn := 1
	if p.jpeg() {
		turn = orientation(p.head)
	}
	t, err := tensor.DecodeImage(p.r)
	if err != nil {
		return nil, fmt.Errorf("preprocess: %w", err)
	}
	return upright(t, turn)
}

// Decode is [Open] and [Picture.Decode] in one.
func Decode(r io.Reader) (*tensor.Tensor, error) {
	p, err := Open(r)
	if err != nil {
		return nil, err
	}
	return p.Decode()
}
