package viz

import (
	"fmt"
	"image"
	"image/color"
)

// Table draws rows of text in columns.
type Table struct {
	Head  []string
	Rows  [][]string // as many cells each as Head
	Foot  []string   // a last row, such as sums; nil is none
	Right []bool     // which columns are aligned right; nil is none
}

// Draw returns the table as a picture. It fails when a row has not as many cells
// as the head.
func (t Table) Draw() (*image.RGBA, error) {
	p, err := newPen()
	if err != nil {
		return nil, err
	}
	const gap, rowH = 26, 32
	rows := append([][]string{t.Head}, t.Rows...)
	if t.Foot != nil {
		rows = append(rows, t.Foot)
	}
	bold := func(i int) bool { return i == 0 || t.Foot != nil && i == len(rows)-1 }
	widths := make([]int, len(t.Head))
	for i, r := range rows {
		if len(r) != len(t.Head) {
			return nil, fmt.Errorf("viz: Table: row %d has %d cells, want %d", i, len(r), len(t.Head))
		}
		for c, s := range r {
			widths[c] = max(widths[c], p.width(style{19, bold(i)}, s))
		}
	}
	w := gap * len(widths)
	for _, x := range widths {
		w += x
	}
	if err := p.page(w, rowH*len(rows)+2); err != nil {
		return nil, err
	}
	for i, r := range rows {
		y := i * rowH
		if i%2 == 0 && !bold(i) {
			p.fill(image.Rect(0, y, w, y+rowH), color.RGBA{0xf2, 0xf4, 0xf7, 255})
		}
		x := gap / 2
		for c, s := range r {
			st, at := style{19, bold(i)}, x
			if c < len(t.Right) && t.Right[c] {
				at += widths[c] - p.width(st, s)
			}
			p.text(st, at, y+4, ink, s)
			x += widths[c] + gap
		}
		if bold(i) {
			p.fill(image.Rect(0, y+max(1-i, 0)*rowH, w, y+max(1-i, 0)*rowH+2), faint)
		}
	}
	return p.img, nil
}
