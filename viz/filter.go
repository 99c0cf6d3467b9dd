package viz

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"strings"

	"github.com/convgl/convgl/tensor"
)

// Filter draws filter o of convolution weights [O,I,KH,KW]: one matrix of cells
// for each input channel, from top to bottom, in the colours of s. At most eight
// channels are drawn. Names, if given, stand to the left of the channels.
func Filter(w *tensor.Tensor, o, cell int, s Scale, names ...string) (*image.RGBA, error) {
	if w == nil {
		return nil, errors.New("viz: Filter: tensor is nil")
	}
	shape := w.Shape()
	if len(shape) == 4 && shape[1] < 1 {
		return nil, fmt.Errorf("viz: Filter: got shape %v, want at least one input channel", shape)
	}
	if err := s.check("Filter"); err != nil {
		return nil, err
	}
	draw := Cells{Size: cell, Color: func(_, _ int, v float32) color.RGBA { return s.Color(v) }, Format: weight}
	p, err := newPen()
	if err != nil {
		return nil, err
	}
	label := style{max(cell*2/5, 13), true}
	gutter := 0
	for _, n := range names {
		gutter = max(gutter, p.width(label, n)+8)
	}
	var rows []image.Image
	for c := range min(channels(shape), 8) {
		k, err := Plane(w, o, c)
		if err != nil {
			return nil, err
		}
		img, err := draw.Draw(k)
		if err != nil {
			return nil, err
		}
		if gutter > 0 {
			if err := p.page(gutter, img.Bounds().Dy()); err != nil {
				return nil, err
			}
			if c < len(names) {
				p.middle(label, image.Rect(0, 0, gutter-8, img.Bounds().Dy()), ink, names[c])
			}
			img = Beside(0, p.img, img)
		}
		rows = append(rows, img)
	}
	return Stack(max(cell/6, 3), rows...), nil
}

// channels returns the input channels of weights; Plane reports a wrong rank.
func channels(s tensor.Shape) int {
	if len(s) != 4 {
		return 1
	}
	return s[1]
}

// weight writes a weight short: at most two decimals, no zero in front of them.
func weight(v float32) string {
	s := strings.TrimRight(fmt.Sprintf("%.2f", v), "0")
	s = strings.TrimSuffix(s, ".")
	s, negative := strings.CutPrefix(s, "-")
	if s != "0" && s != "" {
		s = strings.TrimPrefix(s, "0")
	}
	if s == "" || s == "0" {
		return "0"
	}
	if negative {
		return "−" + s
	}
	return s
}
