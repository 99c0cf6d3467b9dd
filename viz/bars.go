package viz

import (
	"fmt"
	"image"
	"image/color"
	"math"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Bars is a chart of groups of bars, such as class probabilities by backend.
type Bars struct {
	XLabel, YLabel string
	Groups         []string // names under the groups
	Series         []Series // one bar each in every group
	W, H           int      // pixels
}

// Series is the bars of one colour.
type Series struct {
	Name   string
	Values []float64 // one for each group; finite
}

// seriesColors tell series apart, also for the colour-blind.
var seriesColors = []color.RGBA{{0x2f, 0x5d, 0x9b, 255}, {0xe0, 0x8a, 0x2b, 255}, {0x3c, 0x8f, 0x7c, 255}, {0xa8, 0x41, 0x6b, 255}, {0x7a, 0x7f, 0x8a, 255}}

// Draw returns the chart as a picture. It fails when a series has not as many
// values as there are groups, or one is not finite.
func (b Bars) Draw() (*image.RGBA, error) {
	if len(b.Groups) == 0 || len(b.Series) == 0 || b.W < 100 || b.H < 100 || b.W > 8192 || b.H > 8192 {
		return nil, fmt.Errorf("viz: Bars: %d groups, %d series, %d x %d pixels: want at least one of each, and 100 to 8192 pixels", len(b.Groups), len(b.Series), b.W, b.H)
	}
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = b.XLabel, b.YLabel
	for _, s := range []*text.Style{&p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		s.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Weight: xfont.WeightNormal, Size: 19}
		s.Color = ink
	}
	p.X.Padding, p.Y.Padding = 6, 0
	p.X.LineStyle.Color, p.Y.LineStyle.Color = faint, faint
	p.X.Tick.LineStyle.Width = 0
	p.Y.Tick.LineStyle.Color = faint
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal.Color = color.RGBA{0xd5, 0xd9, 0xe0, 255}
	p.Add(grid)

	// Bars of a group share three quarters of its width.
	width := .75 * .85 * float64(b.W) / float64(len(b.Groups)) / float64(len(b.Series))
	top := 0.0
	for i, s := range b.Series {
		if len(s.Values) != len(b.Groups) {
			return nil, fmt.Errorf("viz: Bars: series %q has %d values, want %d", s.Name, len(s.Values), len(b.Groups))
		}
		for g, v := range s.Values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("viz: Bars: series %q: value for %q is %v, want a finite number", s.Name, b.Groups[g], v)
			}
			top = max(top, v)
		}
		bars, err := plotter.NewBarChart(plotter.Values(s.Values), vg.Length(width))
		if err != nil {
			return nil, fmt.Errorf("viz: Bars: %w", err)
		}
		bars.Color = seriesColors[i%len(seriesColors)]
		bars.LineStyle.Width = 0
		bars.Offset = vg.Length(width * (float64(i) - float64(len(b.Series)-1)/2))
		p.Add(bars)
		if len(b.Series) > 1 {
			p.Legend.Add(s.Name, bars)
		}
	}
	p.NominalX(b.Groups...)
	p.X.Tick.Label.Font.Size = 19
	p.X.Min, p.X.Max = -.6, float64(len(b.Groups))-.4
	p.Y.Min = min(p.Y.Min, 0)
	if top > 0 {
		p.Y.Max = top * 1.18 // room for the legend
	}
	p.Legend.Top, p.Legend.Padding, p.Legend.YOffs = true, 4, -4

	// At 72 dots an inch a point is a pixel.
	canvas := vgimg.NewWith(vgimg.UseWH(vg.Length(b.W), vg.Length(b.H)), vgimg.UseDPI(72))
	p.Draw(draw.New(canvas))
	return Beside(0, canvas.Image()), nil
}
