package viz

import (
	"fmt"
	"image"
	"image/color"
	"strings"
	"sync"
	"unicode/utf8"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// The colours of everything but data.
var (
	ink   = color.RGBA{0x1c, 0x23, 0x2e, 255}
	faint = color.RGBA{0x55, 0x5f, 0x6d, 255}
	line  = color.RGBA{0xc4, 0xca, 0xd3, 255}
	paper = color.RGBA{255, 255, 255, 255}
)

// style is a size of text, in pixels, and its weight.
type style struct {
	size int
	bold bool
}

var fonts = sync.OnceValues(func() (f [2]*opentype.Font, err error) {
	for i, ttf := range [][]byte{liberationsansregular.TTF, liberationsansbold.TTF} {
		if f[i], err = opentype.Parse(ttf); err != nil {
			return f, fmt.Errorf("viz: built-in font: %w", err)
		}
	}
	return f, nil
})

// pen draws on an image. Its faces are its own, since a font.Face must not be
// used from two goroutines.
type pen struct {
	img   *image.RGBA // nil while measuring
	faces map[style]font.Face
	fonts [2]*opentype.Font
}

func newPen() (*pen, error) {
	f, err := fonts()
	if err != nil {
		return nil, err
	}
	return &pen{faces: map[style]font.Face{}, fonts: f}, nil
}

// page gives the pen an empty white page of w×h pixels. It fails above 2²⁶.
func (p *pen) page(w, h int) error {
	if w < 1 || h < 1 || h > 1<<26/w {
		return fmt.Errorf("viz: picture of %d x %d pixels: want 1 to %d pixels", w, h, 1<<26)
	}
	p.img = image.NewRGBA(image.Rect(0, 0, w, h))
	p.fill(p.img.Bounds(), paper)
	return nil
}

func (p *pen) face(s style) font.Face {
	if f := p.faces[s]; f != nil {
		return f
	}
	which := 0
	if s.bold {
		which = 1
	}
	f, err := opentype.NewFace(p.fonts[which], &opentype.FaceOptions{Size: float64(s.size), DPI: 72, Hinting: font.HintingFull})
	if err != nil { // NewFace has no failing path: it reports none for options like these
		panic(err)
	}
	p.faces[s] = f
	return f
}

// width returns the width of one line of text.
func (p *pen) width(s style, text string) int {
	return font.MeasureString(p.face(s), text).Ceil()
}

// lineHeight returns the distance of two lines.
func (s style) lineHeight() int { return s.size*5/4 + 1 }

// text draws one line with its top left corner at x, y.
func (p *pen) text(s style, x, y int, c color.Color, text string) {
	d := font.Drawer{Dst: p.img, Src: image.NewUniform(c), Face: p.face(s), Dot: fixed.P(x, y+s.size)}
	d.DrawString(text)
}

// middle draws one line around the middle of a box.
func (p *pen) middle(s style, box image.Rectangle, c color.Color, text string) {
	x := box.Min.X + (box.Dx()-p.width(s, text))/2
	// Capitals and digits reach about 0.72 of the size above the base line.
	y := box.Min.Y + (box.Dy()+s.size*72/100)/2 - s.size
	p.text(s, x, y, c, text)
}

// lines draws lines from the top left corner x, y on, and returns the y below.
func (p *pen) lines(s style, x, y int, c color.Color, lines []string) int {
	for _, l := range lines {
		p.text(s, x, y, c, l)
		y += s.lineHeight()
	}
	return y
}

// wrap breaks text into lines of at most w pixels, at spaces and at its own line
// breaks, and a word that is longer than a line anywhere.
func (p *pen) wrap(s style, w int, text string) []string {
	if text == "" {
		return nil
	}
	var out []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		current := ""
		for word := range strings.FieldsSeq(paragraph) {
			if current != "" && p.width(s, current+" "+word) > w {
				out = append(out, current)
				current = ""
			}
			current = strings.TrimPrefix(current+" "+word, " ")
			for p.width(s, current) > w {
				n := p.fitting(s, w, current)
				if n == len(current) {
					break
				}
				out, current = append(out, current[:n]), current[n:]
			}
		}
		out = append(out, current)
	}
	return out
}

// fitting returns the bytes of text that fit w pixels, those of one character at least.
func (p *pen) fitting(s style, w int, text string) int {
	n := 0
	for n < len(text) {
		_, size := utf8.DecodeRuneInString(text[n:])
		if n > 0 && p.width(s, text[:n+size]) > w {
			break
		}
		n += size
	}
	return n
}

func (p *pen) fill(r image.Rectangle, c color.Color) {
	draw.Draw(p.img, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// frame draws a line of one pixel around r, outside it.
func (p *pen) frame(r image.Rectangle, c color.Color) {
	o := r.Inset(-1)
	p.fill(image.Rect(o.Min.X, o.Min.Y, o.Max.X, r.Min.Y), c)
	p.fill(image.Rect(o.Min.X, r.Max.Y, o.Max.X, o.Max.Y), c)
	p.fill(image.Rect(o.Min.X, o.Min.Y, r.Min.X, o.Max.Y), c)
	p.fill(image.Rect(r.Max.X, o.Min.Y, o.Max.X, o.Max.Y), c)
}

// put draws img with its top left corner at x, y.
func (p *pen) put(x, y int, img image.Image) {
	b := img.Bounds()
	draw.Draw(p.img, image.Rectangle{Max: b.Size()}.Add(image.Pt(x, y)), img, b.Min, draw.Over)
}
