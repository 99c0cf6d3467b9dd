package viz

import (
	"fmt"
	"image"
)

// Panel is one picture of a figure.
type Panel struct {
	Title   string      // above the picture
	Image   image.Image // shown pixel by pixel; see Fit
	Caption string      // below it; it may have line breaks
	Bar     *Scale      // a colour bar to the right of the picture; nil is none
	Bare    bool        // no frame: for tables, charts and cells
}

// Figure is a page of panels in rows and columns, with a title.
type Figure struct {
	Title, Subtitle string
	Columns         int // 0 is all panels in one row
	Panels          []Panel
	// Legend is a colour bar for all panels, under them; nil is none. LegendText
	// stands beside it.
	Legend     *Scale
	LegendText string
	// LegendEnds replaces the numbers at the ends of the legend, for panels with a
	// range each; "" keeps them.
	LegendEnds [2]string
	Note       string // the last lines
}

// The measures of a figure in pixels.
const (
	margin    = 36
	columnGap = 32
	rowGap    = 30
	textGap   = 9
	barGap    = 12
	barWidth  = 18
	minPanel  = 150 // so that a title over a small picture has room
)

var (
	styleTitle    = style{34, true}
	styleSubtitle = style{21, false}
	stylePanel    = style{22, true}
	styleCaption  = style{19, false}
	styleBar      = style{17, false}
)

// box is a panel with its measures.
type box struct {
	Panel
	title, caption []string
	w              int
	size           image.Point // of the picture
}

// Draw returns the figure as one picture. It fails when a panel has no picture,
// a scale is invalid, or the page would have more than 2²⁶ pixels.
func (f Figure) Draw() (*image.RGBA, error) {
	p, err := newPen()
	if err != nil {
		return nil, err
	}
	columns := f.Columns
	if columns < 1 {
		columns = max(len(f.Panels), 1)
	}
	widths := make([]int, min(columns, max(len(f.Panels), 1)))
	boxes := make([]box, len(f.Panels))
	for i, panel := range f.Panels {
		b := &boxes[i]
		b.Panel = panel
		if panel.Image == nil {
			return nil, fmt.Errorf("viz: Figure %q: panel %d %q has no picture", f.Title, i, panel.Title)
		}
		b.size = panel.Image.Bounds().Size()
		b.w = b.size.X
		if panel.Bar != nil {
			if err := panel.Bar.check("Figure: panel " + panel.Title); err != nil {
				return nil, err
			}
			b.w += barGap + barWidth + p.barLabels(panel.Bar)
		}
		widths[i%columns] = max(widths[i%columns], b.w, minPanel)
	}
	type row struct{ title, image, caption int }
	rows := make([]row, (len(boxes)+columns-1)/columns)
	for i := range boxes {
		b, r := &boxes[i], &rows[i/columns]
		b.title = p.wrap(stylePanel, widths[i%columns], b.Title)
		b.caption = p.wrap(styleCaption, widths[i%columns], b.Caption)
		r.title = max(r.title, len(b.title)*stylePanel.lineHeight())
		r.image = max(r.image, b.size.Y)
		r.caption = max(r.caption, len(b.caption)*styleCaption.lineHeight())
	}
	inner := columnGap * (len(widths) - 1)
	for _, w := range widths {
		inner += w
	}
	inner = max(inner, 480)
	title, subtitle := p.wrap(styleTitle, inner, f.Title), p.wrap(styleSubtitle, inner, f.Subtitle)
	note := p.wrap(styleCaption, inner, f.Note)
	legendW := min(360, inner/3)
	legendText := p.wrap(styleCaption, inner-legendW-2*columnGap, f.LegendText)
	legendH := max(barWidth+styleBar.lineHeight(), len(legendText)*styleCaption.lineHeight())

	h := margin + len(title)*styleTitle.lineHeight() + len(subtitle)*styleSubtitle.lineHeight()
	for _, r := range rows {
		h += rowGap + gapped(r.title) + r.image + gapped(r.caption)
	}
	if f.Legend != nil {
		if err := f.Legend.check("Figure: legend"); err != nil {
			return nil, err
		}
		h += rowGap + legendH
	}
	if len(note) > 0 {
		h += rowGap + len(note)*styleCaption.lineHeight()
	}
	if err := p.page(inner+2*margin, h+margin); err != nil {
		return nil, err
	}

	y := p.lines(styleTitle, margin, margin-4, ink, title)
	y = p.lines(styleSubtitle, margin, y, faint, subtitle)
	for ri, r := range rows {
		x := margin
		y += rowGap
		top := y + gapped(r.title)
		for c := range widths {
			if i := ri*columns + c; i < len(boxes) {
				b := boxes[i]
				// Titles of different heights stand on the picture, not under the row's top.
				p.lines(stylePanel, x, top-gapped(len(b.title)*stylePanel.lineHeight()), ink, b.title)
				p.put(x, top, b.Image)
				if !b.Bare {
					p.frame(image.Rect(x, top, x+b.size.X, top+b.size.Y), line)
				}
				if b.Bar != nil {
					p.verticalBar(*b.Bar, x+b.size.X+barGap, top, b.size.Y)
				}
				p.lines(styleCaption, x, top+b.size.Y+textGap, faint, b.caption)
			}
			x += widths[c] + columnGap
		}
		y = top + r.image + gapped(r.caption)
	}
	if f.Legend != nil {
		y += rowGap
		p.horizontalBar(*f.Legend, f.LegendEnds, margin, y, legendW)
		p.lines(styleCaption, margin+legendW+columnGap, y-2, faint, legendText)
		y += legendH
	}
	if len(note) > 0 {
		p.lines(styleCaption, margin, y+rowGap, faint, note)
	}
	return p.img, nil
}

// gapped adds the gap between text and picture where there is text.
func gapped(text int) int {
	if text > 0 {
		text += textGap
	}
	return text
}

// ticks returns the values that a colour bar names.
func (s Scale) ticks() []float64 {
	lo, hi := float64(s.Lo), float64(s.Hi)
	return []float64{lo, (lo + hi) / 2, hi}
}

// barLabels returns the room that the labels of a vertical bar take.
func (p *pen) barLabels(s *Scale) int {
	w := 0
	for _, v := range s.ticks() {
		w = max(w, p.width(styleBar, Number(v)))
	}
	return w + 9
}

// verticalBar draws the colours of s from top (Hi) to bottom (Lo).
func (p *pen) verticalBar(s Scale, x, y, h int) {
	for i := range h {
		p.fill(image.Rect(x, y+i, x+barWidth, y+i+1), s.Colors.At(1-float64(i)/float64(max(h-1, 1))))
	}
	p.frame(image.Rect(x, y, x+barWidth, y+h), line)
	ticks := s.ticks()
	if h < 3*styleBar.lineHeight() {
		ticks = []float64{ticks[0], ticks[2]}
	}
	for i, v := range ticks {
		at := y + h - 1 - i*(h-1)/(len(ticks)-1)
		p.fill(image.Rect(x+barWidth, at, x+barWidth+4, at+1), faint)
		top := at - styleBar.size*2/3
		top = min(max(top, y-3), y+h-styleBar.size-1) // keep the ends inside
		p.text(styleBar, x+barWidth+8, top, faint, Number(v))
	}
}

// horizontalBar draws the colours of s from left (Lo) to right (Hi).
func (p *pen) horizontalBar(s Scale, ends [2]string, x, y, w int) {
	for i := range w {
		p.fill(image.Rect(x+i, y, x+i+1, y+barWidth), s.Colors.At(float64(i)/float64(max(w-1, 1))))
	}
	p.frame(image.Rect(x, y, x+w, y+barWidth), line)
	ticks := s.ticks()
	labels := []string{Number(ticks[0]), Number(ticks[1]), Number(ticks[2])}
	for i, j := range []int{0, 2} {
		if ends[i] != "" {
			labels[j] = ends[i]
		}
	}
	if ends != [2]string{} && s.Lo != -s.Hi {
		labels[1] = "" // the number in the middle says nothing between other ends
	}
	for i, l := range labels {
		lw := p.width(styleBar, l)
		p.text(styleBar, min(max(x+i*w/2-lw/2, x), x+w-lw), y+barWidth+3, faint, l)
	}
}
