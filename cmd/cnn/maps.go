package main

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strings"

	"github.com/convgl/convgl/tensor"
	"github.com/convgl/convgl/viz"
)

// A feature map has a few strong values; the colours end at this quantile of their magnitudes.
const quantile = .985

// plane is a part of a value that is drawn, [H,W].
type plane struct {
	title string
	t     *tensor.Tensor
}

// planes cuts the value of one picture into planes: a map for each channel of [N,C,H,W], the middle
// slice of each for [N,C,D,H,W], and as few as show all of other shapes. Only the first of the
// batch counts. About says what the planes are, total how many there are before the limit
// most.
func planes(t *tensor.Tensor, most int) (list []plane, about string, total int, err error) {
	t = t.AsFloat32()
	s := t.Shape()
	if s.Size() == 0 {
		return nil, "", 0, fmt.Errorf("shape %v has no elements", s)
	}
	first := t.Float32s()
	if len(s) > 1 {
		first = first[:s.Size()/s[0]]
	}
	switch len(s) {
	case 4, 5:
		c, h, w := s[1], s[len(s)-2], s[len(s)-1]
		depth := 1
		about = fmt.Sprintf("%s of %d × %d", plural(c, "map"), h, w)
		if len(s) == 5 {
			depth = s[2]
			about = fmt.Sprintf("%s of %d × %d × %d, of each the middle slice, number %d", plural(c, "map"), depth, h, w, depth/2)
		}
		for i := range min(c, most) {
			from := (i*depth + depth/2) * h * w
			p, err := tensor.From(first[from:from+h*w], h, w)
			if err != nil {
				return nil, "", 0, err
			}
			list = append(list, plane{fmt.Sprint("map ", i), p})
		}
		return list, about, c, nil
	case 3:
		c, n := s[1], s[2]
		if max(c, n) <= 16*min(c, n) {
			p, err := tensor.From(first, c, n)
			return []plane{{"", p}}, fmt.Sprintf("%s as rows, %s each", plural(c, "channel"), plural(n, "element")), 1, err
		}
		// A long strip: what there are few of are planes.
		for k := range min(c, n, most) {
			part, title := first[k*n:][:n], fmt.Sprint("channel ", k)
			if n < c {
				part, title = make([]float32, c), fmt.Sprint("element ", k)
				for i := range part {
					part[i] = first[i*n+k]
				}
			}
			p, in, err := flat(part)
			if err != nil {
				return nil, "", 0, err
			}
			about = fmt.Sprintf("%s of %s%s", plural(c, "channel"), plural(n, "element"), in)
			list = append(list, plane{title, p})
		}
		return list, about, min(c, n), nil
	}
	p, in, err := flat(first)
	return []plane{{"", p}}, plural(len(first), "element") + in, 1, err
}

// flat lays a row of elements, which would be a thin line, out in several, and says how.
func flat(v []float32) (t *tensor.Tensor, how string, err error) {
	n := len(v)
	columns := min(n, 10)
	if n > mostCells {
		columns = 10 * int(math.Ceil(math.Sqrt(2*float64(n))/10))
	}
	rows := (n + columns - 1) / columns
	if rows > 1 {
		how = fmt.Sprintf(", %d in each row", columns)
	}
	if n < rows*columns {
		how += " (the last row is filled up with 0)"
		v = append(slices.Clone(v), make([]float32, rows*columns-n)...)
	}
	t, err = tensor.From(v, rows, columns)
	return t, how, err
}

// mostCells is how many elements of a flat value are drawn as numbers.
const mostCells = 100

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// boxSide returns the room of each of n panels, in pixels: a little more than multiples of 224, which
// the usual sizes of maps divide.
func boxSide(n int) int {
	switch {
	case n <= 2:
		return 680
	case n <= 6:
		return 450
	}
	return 230
}

// columnsOf returns how many of n panels stand in a row, for a page that is wider than high.
func columnsOf(n int) int {
	return min(max(int(math.Ceil(math.Sqrt(1.3*float64(n)))), 1), 10)
}

// mapsFigure draws a value: the picture that it was computed for, and its planes.
func mapsFigure(title, subtitle string, t *tensor.Tensor, most int, input image.Image) (viz.Figure, error) {
	list, about, total, err := planes(t, most)
	if err != nil {
		return viz.Figure{}, err
	}
	negative := false
	for _, p := range list {
		for _, v := range p.t.Float32s() {
			negative = negative || v < 0
		}
	}
	fig := viz.Figure{
		Title:      title,
		Subtitle:   fmt.Sprintf("%s %v: %s", subtitle, t.Shape(), about),
		Columns:    columnsOf(1 + len(list)),
		Legend:     &viz.Scale{Colors: viz.Sequential, Lo: 0, Hi: 1},
		LegendEnds: [2]string{"0", "m"},
		LegendText: fmt.Sprintf("%.1f %% of the magnitudes of a map are at most its m.", 100*quantile),
	}
	if list[0].title == "" {
		fig.LegendText = fmt.Sprintf("%.1f %% of the magnitudes are at most m.", 100*quantile)
	}
	if negative {
		fig.Legend = &viz.Scale{Colors: viz.Diverging, Lo: -1, Hi: 1}
		fig.LegendEnds[0] = "−m"
	}
	if len(list) < total {
		fig.Note = fmt.Sprintf("These are the first %d of %d maps; -max 0 draws all.", len(list), total)
	}
	side := boxSide(1 + len(list))
	b := input.Bounds()
	inputSide := side
	if list[0].title == "" {
		inputSide = 300 // the numbers beside it need no more
	}
	shown, _ := viz.Fit(input, inputSide, inputSide)
	fig.Panels = []viz.Panel{{Title: "input", Image: shown, Caption: fmt.Sprintf("%d × %d", b.Dy(), b.Dx())}}
	if s := list[0].t.Shape(); max(s[0], s[1]) > side {
		fig.LegendText += " The maps are shown smaller: of each block of elements, the strongest."
	}
	for _, p := range list {
		panel, err := mapPanel(p, negative, side)
		if err != nil {
			return fig, err
		}
		fig.Panels = append(fig.Panels, panel)
	}
	return fig, nil
}

// mapPanel draws a plane within side×side pixels, with its range or what is odd in its caption.
func mapPanel(p plane, negative bool, side int) (viz.Panel, error) {
	s := viz.SymmetricQuantile(p.t, viz.Diverging, quantile)
	if !negative {
		s.Colors, s.Lo = viz.Sequential, 0
	}
	nans, infs, zero := 0, 0, true
	for _, v := range p.t.Float32s() {
		switch {
		case v != v:
			nans++
		case math.IsInf(float64(v), 0):
			infs++
		}
		zero = zero && v == 0
	}
	caption := "m = " + viz.Number(float64(s.Hi))
	if zero {
		caption = "all 0"
	}
	for _, odd := range []struct {
		n    int
		name string
	}{{nans, "NaN"}, {infs, "infinite"}} {
		if odd.n > 0 {
			caption += fmt.Sprintf("\n%d %s", odd.n, odd.name)
		}
	}
	t := p.t
	h, w := t.Shape()[0], t.Shape()[1]
	if k := max((h+side-1)/side, (w+side-1)/side); k > 1 {
		var err error
		if t, err = viz.Strongest(t, k); err != nil {
			return viz.Panel{}, err
		}
	}
	if p.title == "" && h*w <= mostCells {
		img, err := viz.Cells{Size: 76, Color: func(_, _ int, v float32) color.RGBA { return s.Color(v) }}.Draw(t)
		return viz.Panel{Image: img, Caption: caption, Bare: true}, err
	}
	img, err := viz.HeatMap(t, s)
	if err != nil {
		return viz.Panel{}, err
	}
	fitted, _ := viz.Fit(img, side, side)
	return viz.Panel{Title: p.title, Image: fitted, Caption: caption}, nil
}

// kernels returns the picture of one filter [I,k...]: a plane for each input channel, and for
// three of them also one picture of their colours. At most most channels are drawn.
func kernels(data []float32, channels int, kernel tensor.Shape, most, side int) (image.Image, float32, error) {
	k := kernel
	switch len(k) {
	case 1:
		k = tensor.Shape{1, 1, k[0]}
	case 2:
		k = tensor.Shape{1, k[0], k[1]}
	}
	d, h, w := k[0], k[1], k[2]
	whole, err := tensor.From(data, len(data))
	if err != nil {
		return nil, 0, err
	}
	scale := viz.Symmetric(whole, viz.Diverging)
	n := min(channels, most)
	columns := d // the slices of a volume side by side
	if d == 1 {
		columns = int(math.Ceil(math.Sqrt(float64(n*h) / float64(w))))
		columns = min(max(columns, 1), n)
	}
	rows := (n*d + columns - 1) / columns
	colours := channels == 3 && d == 1
	if colours {
		columns, rows = 1, 3
	}
	const gap = 2
	cell := max(1, min((side-gap*(rows-1))/(rows*h), (side-gap*(columns-1))/(columns*w), 40))
	var lines, line []image.Image
	for i := range n * d {
		t, err := tensor.From(data[i*h*w:(i+1)*h*w], h, w)
		if err != nil {
			return nil, 0, err
		}
		img, err := viz.HeatMap(t, scale)
		if err != nil {
			return nil, 0, err
		}
		line = append(line, viz.Enlarge(img, cell))
		if len(line) == columns || i == n*d-1 {
			lines, line = append(lines, viz.Beside(gap, line...)), nil
		}
	}
	all := viz.Stack(gap, lines...)
	if !colours {
		return all, scale.Hi, nil
	}
	t, err := tensor.From(data, 3, h, w)
	if err != nil {
		return nil, 0, err
	}
	img, err := tensor.ToRGB(t, scale.Lo, scale.Hi)
	if err != nil {
		return nil, 0, err
	}
	big := max(1, all.Bounds().Dy()/h)
	return viz.Beside(3*gap, viz.Enlarge(img, big), all), scale.Hi, nil
}

// filtersFigure draws convolution weights [O,I,k...], or [I,O,k...] of a transposed convolution.
func filtersFigure(title string, w *tensor.Tensor, transposed bool, most, mostChannels int) (viz.Figure, error) {
	w = w.AsFloat32()
	s := w.Shape()
	if len(s) < 3 || len(s) > 5 || s.Size() == 0 {
		return viz.Figure{}, fmt.Errorf("the weights have shape %v, want [Cout,Cin,kernel...] with 1 to 3 dims of the kernel", s)
	}
	var sides []string
	for _, k := range s[2:] {
		sides = append(sides, fmt.Sprint(k))
	}
	one, other := "filter", "input channel"
	if transposed {
		one, other = "input", "output channel"
	}
	fig := viz.Figure{
		Title:    title,
		Subtitle: fmt.Sprintf("Weights %v: %s of %s, each for %s", s, plural(s[0], one), strings.Join(sides, " × "), plural(s[1], other)),
		Legend:   &viz.Scale{Colors: viz.Diverging, Lo: -1, Hi: 1}, LegendEnds: [2]string{"−m", "m"},
	}
	switch {
	case s[1] == 3 && len(s) == 4:
		fig.LegendText = fmt.Sprintf("m is the largest magnitude of the %s. Left its three channels as red, green and blue, with gray for 0; right each for itself, from top to bottom.", one)
	case s[1] == 1 && len(s) < 5:
		fig.LegendText = fmt.Sprintf("m is the largest magnitude of the %s.", one)
	default:
		fig.LegendText = fmt.Sprintf("m is the largest magnitude of the %s. A square is one %s, in rows from the top left.", one, other)
		if len(s) == 5 {
			fig.LegendText = fmt.Sprintf("m is the largest magnitude of the %s. A row is one %s, with the slices of the kernel side by side.", one, other)
		}
	}
	n := min(s[0], most)
	var notes []string
	if n < s[0] {
		notes = append(notes, fmt.Sprintf("the first %d of %d %ss (-max 0 draws all)", n, s[0], one))
	}
	if mostChannels < s[1] {
		notes = append(notes, fmt.Sprintf("of each the first %d of %d %ss (-channels 0 draws all)", mostChannels, s[1], other))
	}
	if notes != nil {
		fig.Note = "These are " + strings.Join(notes, ", ") + "."
	}
	fig.Columns = columnsOf(n)
	side := boxSide(n)
	size := s[1:].Size()
	for o := range n {
		img, m, err := kernels(w.Float32s()[o*size:(o+1)*size], s[1], s[2:], mostChannels, side)
		if err != nil {
			return fig, err
		}
		fig.Panels = append(fig.Panels, viz.Panel{Title: fmt.Sprint(one, " ", o), Image: img, Caption: "m = " + viz.Number(float64(m))})
	}
	return fig, nil
}
