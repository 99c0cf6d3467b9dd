package viz

import (
	"image"
	"image/color"

	"github.com/convgl/convgl/tensor"
)

// Cells draws a small matrix with its numbers.
type Cells struct {
	Size int // of a cell, in pixels; 8 to 512
	// Color gives the colour of a cell. Scale's Color serves most matrices; the
	// position helps to mark windows.
	Color func(y, x int, v float32) color.RGBA
	// Format writes the number; nil is Number, and an empty text leaves the cell
	// without one.
	Format func(v float32) string
}

// Draw returns the float32 tensor [H,W] as squares of one colour each, not
// smeared, with their values written in them where these fit.
func (c Cells) Draw(t *tensor.Tensor) (*image.RGBA, error) {
	h, w, err := plane("Cells", t)
	if err != nil {
		return nil, err
	}
	size := min(max(c.Size, 8), 512)
	p, err := newPen()
	if err != nil {
		return nil, err
	}
	if err := p.page(w*size+1, h*size+1); err != nil {
		return nil, err
	}
	p.fill(p.img.Bounds(), line)
	format := c.Format
	if format == nil {
		format = func(v float32) string { return Number(float64(v)) }
	}
	// One size of text for all cells: the largest that leaves the widest number some room
	// at its sides, so that two of them are not read as one.
	room := size - max(3, size/8)
	text := style{min(size*45/100, 40), size >= 48}
	for _, v := range t.Float32s() {
		for text.size > 7 && p.width(text, format(v)) > room {
			text.size--
		}
	}
	for i, v := range t.Float32s() {
		y, x := i/w, i%w
		cell := image.Rect(x*size+1, y*size+1, (x+1)*size, (y+1)*size)
		fill := paper
		if c.Color != nil {
			fill = c.Color(y, x, v)
		}
		p.fill(cell, fill)
		if s := format(v); p.width(text, s) <= size-1 {
			p.middle(text, cell, textOn(fill), s)
		}
	}
	return p.img, nil
}

// textOn returns black or white, whichever is easier to read on c.
func textOn(c color.Color) color.RGBA {
	if lightness(c) > .62 {
		return ink
	}
	return paper
}
