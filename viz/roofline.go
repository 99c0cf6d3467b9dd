package viz

import (
	"cmp"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Roofline is a chart of what workloads reach under what a device allows, on
// logarithmic axes: a roof is min(FLOPS, Bytes·x) over the arithmetic intensity x.
//
// Source: Williams, Waterman and Patterson, Roofline: An Insightful Visual Performance
// Model for Multicore Architectures, 2009.
type Roofline struct {
	Title string
	Roofs []Roof // a colour each
	W, H  int    // pixels
}

// Roof is the measured peaks of a device, and what was measured under them.
type Roof struct {
	Name   string  // "2 threads"
	FLOPS  float64 // GFLOP/s
	Bytes  float64 // GB/s
	Points []RoofPoint
}

// RoofPoint is a workload. It has one label, though it may lie under several roofs.
type RoofPoint struct {
	Name      string
	Intensity float64 // FLOP/byte
	FLOPS     float64 // GFLOP/s
}

// Draw returns the chart, and the names of workloads for which there was no room.
// Where points are dense they have numbers, with a key. It fails when there is no point, or a number is not positive and finite.
func (r Roofline) Draw() (img *image.RGBA, unlabelled []string, err error) {
	if r.W < 300 || r.H < 200 || r.W > 8192 || r.H > 8192 {
		return nil, nil, fmt.Errorf("viz: Roofline: %d x %d pixels: want 300 x 200 to 8192", r.W, r.H)
	}
	x, y, err := r.extent()
	if err != nil {
		return nil, nil, err
	}
	p := plot.New()
	p.Title.Text, p.Y.Label.Text = r.Title, "GFLOP/s"
	for _, s := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label} {
		s.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Weight: xfont.WeightNormal, Size: 17}
		s.Color = ink
	}
	p.Title.Padding, p.X.Padding, p.Y.Padding = 8, 0, 0
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Scale, a.Tick.Marker = plot.LogScale{}, decades{}
		a.LineStyle.Color, a.Tick.LineStyle.Color = faint, faint
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = x[0], x[1], y[0], y[1]
	body := &roofBody{roofs: r.Roofs, style: p.X.Tick.Label}
	p.Add(body)
	canvas := vgimg.NewWith(vgimg.UseWH(vg.Length(r.W), vg.Length(r.H)), vgimg.UseDPI(72))
	c := draw.New(canvas)
	p.Draw(draw.Crop(c, 8, -16, 32, -8))
	// Not as the axis's label, for which plot leaves room at the right where the scale
	// is logarithmic.
	under := p.X.Label.TextStyle
	under.XAlign, under.YAlign = draw.XCenter, draw.YBottom
	c.FillText(under, vg.Point{X: c.Max.X / 2, Y: 9}, "arithmetic intensity, FLOP / byte")
	return Beside(0, canvas.Image()), body.unlabelled, nil
}

// extent returns the ranges of the axes. It checks the numbers.
func (r Roofline) extent() (x, y [2]float64, err error) {
	x, y = [2]float64{math.Inf(1), 0}, [2]float64{math.Inf(1), 0}
	n := 0
	for _, f := range r.Roofs {
		for _, v := range []float64{f.FLOPS, f.Bytes} {
			if !(v > 0) || math.IsInf(v, 0) {
				return x, y, fmt.Errorf("viz: Roofline: roof %q: peaks %g GFLOP/s, %g GB/s: want positive numbers", f.Name, f.FLOPS, f.Bytes)
			}
		}
		y[1] = max(y[1], f.FLOPS)
		ridge := f.FLOPS / f.Bytes
		x[0], x[1] = min(x[0], ridge), max(x[1], ridge)
		for _, p := range f.Points {
			if !(p.Intensity > 0) || !(p.FLOPS > 0) || math.IsInf(p.Intensity, 0) || math.IsInf(p.FLOPS, 0) {
				return x, y, fmt.Errorf("viz: Roofline: point %q: %g FLOP/byte, %g GFLOP/s: want positive numbers", p.Name, p.Intensity, p.FLOPS)
			}
			n++
			x[0], x[1] = min(x[0], p.Intensity), max(x[1], p.Intensity)
			y[0], y[1] = min(y[0], p.FLOPS), max(y[1], p.FLOPS)
		}
	}
	if n == 0 {
		return x, y, fmt.Errorf("viz: Roofline: %d roofs without a point: want one or more", len(r.Roofs))
	}
	for _, f := range r.Roofs {
		y[0] = min(y[0], f.FLOPS/4) // so that the roofs show
	}
	return [2]float64{x[0] / 2, x[1] * 2}, [2]float64{y[0] / 1.8, y[1] * 1.8}, nil
}

// decades marks 1 to 9 of each power of ten, with numbers at 1, 2 and 5.
type decades struct{}

// Ticks implements plot.Ticker.
func (decades) Ticks(lo, hi float64) (ticks []plot.Tick) {
	for e := math.Floor(math.Log10(lo)); e <= math.Log10(hi); e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, e)
			if v < lo || v > hi {
				continue
			}
			t := plot.Tick{Value: v}
			if m == 1 || m == 2 || m == 5 {
				t.Label = strconv.FormatFloat(v, 'g', 3, 64)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// roofBody draws everything within the axes.
type roofBody struct {
	roofs      []Roof
	style      text.Style
	unlabelled []string
}

// spot is a workload with its points.
type spot struct {
	name string
	at   []vg.Point
}

const (
	dotRadius = 5
	leaderGap = 2 * dotRadius // a label further away has a line to its point
)

// Plot implements plot.Plotter.
func (b *roofBody) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	at := func(x, y float64) vg.Point { return vg.Point{X: trX(x), Y: trY(y)} }
	b.grid(c, p, at)
	l := &labeller{area: c.Rectangle}
	var corners [][3]vg.Point
	for i, f := range b.roofs {
		foot, ridge := max(p.X.Min, p.Y.Min/f.Bytes), f.FLOPS/f.Bytes
		k := [3]vg.Point{at(foot, f.Bytes*foot), at(ridge, f.FLOPS), at(p.X.Max, f.FLOPS)}
		c.StrokeLines(draw.LineStyle{Color: seriesColors[i%len(seriesColors)], Width: 2}, k[:])
		l.lines = append(l.lines, segment{k[0], k[1]}, segment{k[1], k[2]})
		corners = append(corners, k)
	}
	var spots []spot
	for i, f := range b.roofs {
		for _, q := range f.Points {
			dot := at(q.Intensity, q.FLOPS)
			l.boxes = append(l.boxes, around(dot, dotRadius+1))
			k := slices.IndexFunc(spots, func(s spot) bool { return s.name == q.Name })
			if k < 0 {
				k = len(spots)
				spots = append(spots, spot{name: q.Name})
			} else if last := spots[k].at[len(spots[k].at)-1]; last.X == dot.X {
				c.StrokeLine2(draw.LineStyle{Color: line, Width: 1.5}, last.X, last.Y, dot.X, dot.Y)
				l.lines = append(l.lines, segment{last, dot})
			}
			spots[k].at = append(spots[k].at, dot)
			c.DrawGlyph(draw.GlyphStyle{Color: seriesColors[i%len(seriesColors)], Radius: dotRadius, Shape: draw.CircleGlyph{}}, dot)
		}
	}
	for i, f := range b.roofs {
		s, k := b.style, corners[i]
		s.Font.Size, s.Color, s.YAlign = 15, seriesColors[i%len(seriesColors)], draw.YCenter
		l.along(c, s, k[2], k[1], fmt.Sprintf("%s: %.3g GFLOP/s", f.Name, f.FLOPS))
		l.along(c, s, k[0], k[1], fmt.Sprintf("%s: copy %.3g GB/s", f.Name, f.Bytes))
	}
	slices.SortFunc(spots, func(s, t spot) int { return cmp.Compare(s.at[0].X, t.at[0].X) })
	name := b.style
	name.Font.Size, name.Color, name.YAlign = 15, ink, draw.YCenter
	var best *labels
	for _, longest := range []int{math.MaxInt, 10, 0} {
		if best == nil || len(best.without) > 0 {
			if t := l.labels(name, spots, longest); best == nil || len(t.without) < len(best.without) {
				best = t
			}
		}
	}
	best.draw(c, name)
	b.unlabelled = best.without
}

// labels is what is written on a chart: names, or numbers with a key.
type labels struct {
	texts   []labelText
	key     []string
	keyBox  vg.Rectangle
	without []string // names for which there was no room
}

// labelText is a text in a box, and the point that it belongs to.
type labelText struct {
	text string
	box  vg.Rectangle
	from vg.Point
}

// labels finds room for all names of at most longest letters. The other names, and those
// without room, get numbers.
func (l *labeller) labels(s text.Style, spots []spot, longest int) *labels {
	l = &labeller{l.area, slices.Clone(l.boxes), slices.Clone(l.lines)}
	out := &labels{}
	var rest []spot
	for _, q := range spots {
		if len(q.name) > longest || !l.label(out, s, q.name, q.at) {
			rest = append(rest, q)
		}
	}
	if len(rest) == 0 {
		return out
	}
	row := s.Height("0") * 1.2
	size := vg.Point{Y: row * vg.Length(len(rest))}
	for i, q := range rest {
		size.X = max(size.X, s.Width(keyLine(i+1, q.name)))
	}
	var ok bool
	if out.keyBox, ok = l.corner(size); ok {
		l.boxes = append(l.boxes, out.keyBox)
	}
	for _, q := range rest {
		n := len(out.key) + 1
		if !ok || !l.label(out, s, strconv.Itoa(n), q.at) {
			out.without = append(out.without, q.name)
			continue
		}
		out.key = append(out.key, keyLine(n, q.name))
	}
	return out
}

func keyLine(n int, name string) string { return fmt.Sprintf("%d  %s", n, name) }

// draw writes them.
func (t *labels) draw(c draw.Canvas, s text.Style) {
	s.XAlign = draw.XCenter
	for _, v := range t.texts {
		if end := nearest(v.box, v.from); distance(end, v.from) > leaderGap {
			c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.7}, v.from.X, v.from.Y, end.X, end.Y)
		}
		c.FillText(s, vg.Point{X: (v.box.Min.X + v.box.Max.X) / 2, Y: (v.box.Min.Y + v.box.Max.Y) / 2}, v.text)
	}
	s.XAlign = draw.XLeft
	row := s.Height("0") * 1.2
	for i, line := range t.key {
		c.FillText(s, vg.Point{X: t.keyBox.Min.X, Y: t.keyBox.Max.Y - row*(vg.Length(i)+0.5)}, line)
	}
}

// grid draws a line for each number on the axes.
func (b *roofBody) grid(c draw.Canvas, p *plot.Plot, at func(x, y float64) vg.Point) {
	style := draw.LineStyle{Color: color.RGBA{0xe6, 0xe9, 0xee, 255}, Width: 1}
	for _, t := range (decades{}).Ticks(p.X.Min, p.X.Max) {
		if t.Label != "" {
			x := at(t.Value, p.Y.Min).X
			c.StrokeLine2(style, x, c.Min.Y, x, c.Max.Y)
		}
	}
	for _, t := range (decades{}).Ticks(p.Y.Min, p.Y.Max) {
		if t.Label != "" {
			y := at(p.X.Min, t.Value).Y
			c.StrokeLine2(style, c.Min.X, y, c.Max.X, y)
		}
	}
}

// labeller finds free places.
type labeller struct {
	area  vg.Rectangle
	boxes []vg.Rectangle // taken
	lines []segment      // likewise
}

type segment struct{ a, b vg.Point }

// label puts text as near as it can to one of the points, with a line from there if it is
// not beside it. It reports whether there was room.
func (l *labeller) label(out *labels, s text.Style, text string, points []vg.Point) bool {
	box, from, ok := l.place(points, vg.Point{X: s.Width(text), Y: s.Height(text)})
	if !ok {
		return false
	}
	if end := nearest(box, from); distance(end, from) > leaderGap {
		l.lines = append(l.lines, segment{from, end})
	}
	l.boxes = append(l.boxes, box)
	out.texts = append(out.texts, labelText{text, box, from})
	return true
}

// corner returns a free box of a size, as low and as far right as there is one.
func (l *labeller) corner(size vg.Point) (vg.Rectangle, bool) {
	const step, margin = 8, 12
	for y := l.area.Min.Y + margin; y+size.Y < l.area.Max.Y; y += step {
		for x := l.area.Max.X - margin - size.X; x > l.area.Min.X; x -= step {
			b := vg.Rectangle{Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + size.X, Y: y + size.Y}}
			if l.clear(b) {
				return b, true
			}
		}
	}
	return vg.Rectangle{}, false
}

// place returns a free box of a size near one of the points, as near as can be, with
// the point that it is nearest to.
func (l *labeller) place(points []vg.Point, size vg.Point) (box vg.Rectangle, from vg.Point, ok bool) {
	const directions = 24
	for gap := vg.Length(dotRadius + 2); gap < 120; gap *= 1.25 {
		for _, q := range points {
			for k := range directions {
				sin, cos := math.Sincos(2 * math.Pi * float64(k) / directions)
				m := vg.Point{X: q.X + vg.Length(cos)*(gap+size.X/2), Y: q.Y + vg.Length(sin)*(gap+size.Y/2)}
				b := vg.Rectangle{Min: vg.Point{X: m.X - size.X/2, Y: m.Y - size.Y/2}, Max: vg.Point{X: m.X + size.X/2, Y: m.Y + size.Y/2}}
				if l.free(b, q) {
					return b, q, true
				}
			}
		}
	}
	return box, from, false
}

// along writes text beside a line, above it if there is room, as near to its first
// end as there is, and else at that end, over what is there.
func (l *labeller) along(c draw.Canvas, s text.Style, first, second vg.Point, text string) {
	const margin = 8
	w, h, long := s.Width(text), s.Height(text), vg.Length(distance(first, second))
	unit := vg.Point{X: (second.X - first.X) / long, Y: (second.Y - first.Y) / long}
	// at is a point of the text's middle line.
	at := func(along, side vg.Length) vg.Point {
		side *= h/2 + 4
		if unit.X < 0 {
			side = -side
		}
		return vg.Point{X: first.X + along*unit.X - side*unit.Y, Y: first.Y + along*unit.Y + side*unit.X}
	}
	boxes := func(begin, side vg.Length) (list []vg.Rectangle) {
		for a := h / 2; a < w; a += h / 2 {
			list = append(list, around(at(begin+a, side), h/2))
		}
		return list
	}
	begin, side, found := vg.Length(margin), vg.Length(1), false
search:
	for a := begin; a+w+margin < long; a += margin {
		for _, v := range []vg.Length{1, -1} {
			if !slices.ContainsFunc(boxes(a, v), func(b vg.Rectangle) bool { return !l.clear(b) }) {
				begin, side, found = a, v, true
				break search
			}
		}
	}
	l.boxes = append(l.boxes, boxes(begin, side)...)
	s.XAlign = draw.XLeft
	from, to := at(begin, side), at(begin+w, side)
	if to.X < from.X {
		from, to = to, from
	}
	if !found {
		up := vg.Point{X: -unit.Y * h / 2, Y: unit.X * h / 2}
		c.FillPolygon(paper, []vg.Point{from.Add(up), to.Add(up), to.Sub(up), from.Sub(up)})
	}
	s.Rotation = math.Atan2(float64(to.Y-from.Y), float64(to.X-from.X))
	c.FillText(s, from, text)
}

// clear reports whether a box touches nothing.
func (l *labeller) clear(b vg.Rectangle) bool {
	if b.Min.X < l.area.Min.X || b.Max.X > l.area.Max.X || b.Min.Y < l.area.Min.Y || b.Max.Y > l.area.Max.Y {
		return false
	}
	return !slices.ContainsFunc(l.boxes, func(o vg.Rectangle) bool {
		return b.Min.X < o.Max.X && o.Min.X < b.Max.X && b.Min.Y < o.Max.Y && o.Min.Y < b.Max.Y
	}) && !slices.ContainsFunc(l.lines, func(s segment) bool { return s.meets(b) })
}

// free reports whether a box, and the line to it from its point, touch nothing.
func (l *labeller) free(b vg.Rectangle, from vg.Point) bool {
	leader := segment{from, nearest(b, from)}
	return l.clear(b) && !slices.ContainsFunc(l.boxes, func(o vg.Rectangle) bool {
		return !inside(from, o) && leader.meets(o)
	}) && !slices.ContainsFunc(l.lines, leader.crosses)
}

func inside(p vg.Point, b vg.Rectangle) bool {
	return p.X >= b.Min.X && p.X <= b.Max.X && p.Y >= b.Min.Y && p.Y <= b.Max.Y
}

// meets reports whether the segment has a point in the box.
func (s segment) meets(b vg.Rectangle) bool {
	from, to := 0.0, 1.0
	for _, side := range [4][2]vg.Length{
		{s.a.X - s.b.X, s.a.X - b.Min.X}, {s.b.X - s.a.X, b.Max.X - s.a.X},
		{s.a.Y - s.b.Y, s.a.Y - b.Min.Y}, {s.b.Y - s.a.Y, b.Max.Y - s.a.Y},
	} {
		d, q := float64(side[0]), float64(side[1])
		switch {
		case d == 0 && q < 0:
			return false
		case d < 0:
			from = max(from, q/d)
		case d > 0:
			to = min(to, q/d)
		}
	}
	return from <= to
}

// crosses reports whether two segments cross, not at an end of one.
func (s segment) crosses(t segment) bool {
	side := func(s segment, p vg.Point) float64 {
		return float64((s.b.X-s.a.X)*(p.Y-s.a.Y) - (s.b.Y-s.a.Y)*(p.X-s.a.X))
	}
	return side(s, t.a)*side(s, t.b) < 0 && side(t, s.a)*side(t, s.b) < 0
}

func around(p vg.Point, r vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: p.X - r, Y: p.Y - r}, Max: vg.Point{X: p.X + r, Y: p.Y + r}}
}

// nearest returns the point of a box that is nearest to p.
func nearest(b vg.Rectangle, p vg.Point) vg.Point {
	return vg.Point{X: min(max(p.X, b.Min.X), b.Max.X), Y: min(max(p.Y, b.Min.Y), b.Max.Y)}
}

func distance(p, q vg.Point) float64 { return math.Hypot(float64(p.X-q.X), float64(p.Y-q.Y)) }
