package demo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"slices"

	"github.com/convgl/convgl/tensor"
	"github.com/convgl/convgl/viz"
)

// file is a picture to be written.
type file struct {
	Name, Title, Alt string
	Text             string // what it shows, for the page
	W, H             int
	data             []byte
}

// The boxes that pictures are fitted to, in pixels.
const (
	largeW, largeH = 640, 440
	gridW, gridH   = 320, 222
)

// draw makes all pictures, from the reference's results.
func draw(img *tensor.Tensor, steps []*step) ([]file, error) {
	planes, err := tensor.ImageToNCHW(img)
	if err != nil {
		return nil, err
	}
	original, err := tensor.ToRGB(planes, 0, 1)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, f := range []func(image.Image, []*step) (viz.Figure, file, error){
		firstFilter, filterGrid, reluPool, pooling, noteExample, networkTable, networkMaps,
	} {
		fig, out, err := f(original, steps)
		if err != nil {
			return nil, fmt.Errorf("demo: draw %s: %w", out.Name, err)
		}
		page, err := fig.Draw()
		if err != nil {
			return nil, fmt.Errorf("demo: draw %s: %w", out.Name, err)
		}
		var b bytes.Buffer
		if err := tensor.EncodePNG(&b, page); err != nil {
			return nil, fmt.Errorf("demo: draw %s: %w", out.Name, err)
		}
		out.W, out.H, out.data = page.Bounds().Dx(), page.Bounds().Dy(), b.Bytes()
		files = append(files, out)
	}
	return files, nil
}

// A feature map has a few strong edges; the colours end at this quantile.
const quantile = .985

var weightScale = viz.Scale{Colors: viz.Diverging, Lo: -1, Hi: 1}

// shown is a picture in its frame with what its caption needs.
func shown(img image.Image, w, h int) (image.Image, string) {
	fitted, f := viz.Fit(img, w, h)
	switch {
	case f == 1:
		return fitted, ""
	case f > 1:
		return fitted, fmt.Sprintf(", each pixel shown as %.0f×%.0f", f, f)
	}
	return fitted, fmt.Sprintf(", shown at %.0f %%", 100*f)
}

// shades is how a map's values become colours.
type shades int

const (
	signed   shades = iota // around zero
	positive               // from zero on
	spread                 // from the low to the high values
)

// mapPanel shows channel c of maps [1,C,H,W].
func mapPanel(maps *tensor.Tensor, c int, how shades, w, h int) (viz.Panel, viz.Scale, error) {
	var none viz.Panel
	p, err := viz.Plane(maps, 0, c)
	if err != nil {
		return none, viz.Scale{}, err
	}
	var s viz.Scale
	switch how {
	case signed:
		s = viz.SymmetricQuantile(p, viz.Diverging, quantile)
	case positive:
		s = viz.Quantiles(p, viz.Sequential, 0, quantile)
		s.Lo = 0
	case spread:
		s = viz.Quantiles(p, viz.Sequential, 1-quantile, quantile)
	}
	caption := size(p.Shape())
	ph, pw := p.Shape()[0], p.Shape()[1]
	if k := max((ph+h-1)/h, (pw+w-1)/w); k > 1 {
		if p, err = viz.Strongest(p, k); err != nil {
			return none, s, err
		}
		caption += fmt.Sprintf(", of each %d×%d the strongest value", k, k)
	}
	img, err := viz.HeatMap(p, s)
	if err != nil {
		return none, s, err
	}
	fitted, text := shown(img, w, h)
	return viz.Panel{Image: fitted, Caption: caption + text}, s, nil
}

func firstFilter(original image.Image, steps []*step) (viz.Figure, file, error) {
	out := file{Name: "1-first-filter.png", Title: "One filter, one feature map",
		Text: "Each filter looks at the 3×3 surroundings of every pixel in all three colours and gives one number. Here its sign says whether the picture gets brighter or darker to the right. The frame of the map comes from the zeros around the picture."}
	s := steps[stepFilters]
	kernel, err := viz.Filter(s.layers[0].weights[0], 0, 44, weightScale, "R", "G", "B")
	if err != nil {
		return viz.Figure{}, out, err
	}
	first, scale, err := mapPanel(s.ref[0], 0, signed, largeW, largeH)
	if err != nil {
		return viz.Figure{}, out, err
	}
	first.Title, first.Bar = "First feature map", &scale
	pic, how := shown(original, largeW, largeH)
	in := s.input.Shape()
	out.Alt = "The original picture, the first of the 16 filters as three 3×3 matrices, and the feature map that it gives: " + bank[0].what + "."
	return viz.Figure{
		Title:    "One filter, one feature map",
		Subtitle: fmt.Sprintf("Convolution %s → %s, 3×3 filters, padding (k − 1)/2 = 1: the size stays the same", shapeText(in), shapeText(s.ref[0].Shape())),
		Panels: []viz.Panel{
			{Title: "Original", Image: pic, Caption: size(in) + ", RGB" + how},
			{Title: "First filter: " + bank[0].name, Image: kernel, Caption: "3 × 3 × 3 weights", Bare: true, Bar: &weightScale},
			first,
		},
	}, out, nil
}

func filterGrid(_ image.Image, steps []*step) (viz.Figure, file, error) {
	out := file{Name: "2-filters.png", Title: "All 16 filters and their feature maps",
		Alt:  "A grid of 16 filters, each drawn as three 3×3 matrices for red, green and blue, beside the feature map that it gives.",
		Text: "Edges in four directions, bars, corners, blur, and differences of colours: the filters that a trained first layer is found to resemble."}
	s := steps[stepFilters]
	fig := viz.Figure{
		Title:      "All 16 filters and their feature maps",
		Subtitle:   "Left the weights for red, green and blue, from top to bottom; right what the filter finds, before ReLU",
		Columns:    4,
		Legend:     &viz.Scale{Colors: viz.Diverging, Lo: -1, Hi: 1},
		LegendEnds: [2]string{"−m", "m"},
		LegendText: fmt.Sprintf("Weights: m = 1. Feature maps: m is in each caption; %.1f %% of the map's absolute values are below it. A map that is shown smaller has, of each block, the strongest value.", 100*quantile),
	}
	for i, f := range bank {
		kernel, err := viz.Filter(s.layers[0].weights[0], i, 23, weightScale)
		if err != nil {
			return fig, out, err
		}
		p, scale, err := mapPanel(s.ref[0], i, signed, gridW, gridH)
		if err != nil {
			return fig, out, err
		}
		fig.Panels = append(fig.Panels, viz.Panel{
			Title:   fmt.Sprintf("%d  %s", i+1, f.name),
			Image:   viz.Beside(10, kernel, p.Image),
			Caption: fmt.Sprintf("%s\nm = %s", f.what, viz.Number(float64(scale.Hi))),
			Bare:    true,
		})
	}
	return fig, out, nil
}

func reluPool(_ image.Image, steps []*step) (viz.Figure, file, error) {
	out := file{Name: "3-relu-pooling.png", Title: "ReLU, then max pooling",
		Alt:  "The first feature map before ReLU, after it, and after max pooling with windows of 2×2.",
		Text: "ReLU keeps one direction of the edge. Max pooling keeps the strongest answer of each window, a quarter of the values."}
	s := steps[stepFilters]
	fig := viz.Figure{Title: "ReLU, then max pooling",
		Subtitle: fmt.Sprintf("%s, the first of %d feature maps", bank[0].name, len(bank))}
	for i, title := range []string{"Feature map", "After ReLU: max(x, 0)", "After max pooling 2×2"} {
		how := positive
		if i == 0 {
			how = signed
		}
		p, scale, err := mapPanel(s.ref[i], 0, how, largeW, largeH)
		if err != nil {
			return fig, out, err
		}
		p.Title, p.Bar = title, &scale
		fig.Panels = append(fig.Panels, p)
	}
	return fig, out, nil
}

func pooling(_ image.Image, steps []*step) (viz.Figure, file, error) {
	gray, biggest, average := steps[stepMaxPool].input, steps[stepMaxPool].ref[0], steps[stepAvgPool].ref[0]
	kept := percent(biggest.Size(), gray.Size())
	out := file{Name: "4-pooling.png", Title: "Pooling, before and after",
		Alt:  fmt.Sprintf("The gray picture of %s pixels beside its max pooled and its average pooled form of %s.", size(gray.Shape()), size(biggest.Shape())),
		Text: "Max pooling keeps bright details and lets them grow; average pooling blurs. Rows and columns beyond the last whole window are left out."}
	fig := viz.Figure{
		Title:    "Pooling, before and after",
		Subtitle: fmt.Sprintf("Gray is the mean of R, G and B. Windows of 4×4, stride 4: %s → %s, %s of the values", size(gray.Shape()), size(biggest.Shape()), kept),
		Columns:  3,
	}
	for _, zoom := range []bool{false, true} {
		for i, t := range []*tensor.Tensor{gray, biggest, average} {
			img, err := tensor.ToGray(t, 0, 255)
			if err != nil {
				return fig, out, err
			}
			p := viz.Panel{Title: []string{"Before", "Max pooling", "Average pooling"}[i], Caption: size(t.Shape())}
			if zoom {
				img = detail(img, biggest.Shape(), i == 0)
				p.Title, p.Caption = "", "The middle, "+size([]int{img.Bounds().Dy(), img.Bounds().Dx()})
			}
			var how string
			p.Image, how = shown(img, largeW, largeH)
			p.Caption += how
			if !zoom && i > 0 {
				p.Caption += "; " + kept + " of the values"
			}
			fig.Panels = append(fig.Panels, p)
		}
		if biggest.Shape()[2] < 8 || biggest.Shape()[3] < 8 {
			break // nothing to zoom into
		}
	}
	return fig, out, nil
}

// detail cuts the middle quarter of the pooled size, and of the picture before
// pooling the same place.
func detail(img *image.RGBA, pooled tensor.Shape, before bool) *image.RGBA {
	h, w := pooled[2], pooled[3]
	r := image.Rect(w*3/8, h*3/8, w*5/8, h*5/8)
	if before {
		r = image.Rect(4*r.Min.X, 4*r.Min.Y, 4*r.Max.X, 4*r.Max.Y)
	}
	return viz.Enlarge(img.SubImage(r), 1)
}

func noteExample(_ image.Image, steps []*step) (viz.Figure, file, error) {
	s := steps[stepNote]
	out := file{Name: "5-note.png", Title: "The 4×4 example",
		Alt:  "A 4×4 matrix with its four 2×2 windows in different colours, and the 2×2 matrix of their maxima: " + matrix(s.ref[0].Float32s(), 2) + ".",
		Text: "Max pooling with windows of 2×2 and stride 2, small enough to check by hand."}
	tints := []color.RGBA{{0xcf, 0xe3, 0xf7, 255}, {0xfb, 0xdf, 0xc2, 255}, {0xd5, 0xee, 0xd8, 255}, {0xee, 0xd9, 0xee, 255}}
	strong := []color.RGBA{{0x2f, 0x79, 0xbd, 255}, {0xb8, 0x5c, 0x00, 255}, {0x3a, 0x93, 0x4f, 255}, {0x9a, 0x4a, 0x9c, 255}}
	best := s.ref[0].Float32s()
	before, err := viz.Cells{Size: 80, Color: func(y, x int, v float32) color.RGBA {
		window := y/2*2 + x/2
		if v == best[window] {
			return strong[window]
		}
		return tints[window]
	}}.Draw(s.input)
	if err != nil {
		return viz.Figure{}, out, err
	}
	after, err := viz.Cells{Size: 80, Color: func(y, x int, _ float32) color.RGBA { return strong[2*y+x] }}.Draw(s.ref[0])
	if err != nil {
		return viz.Figure{}, out, err
	}
	return viz.Figure{
		Title:    "The 4×4 example",
		Subtitle: "Max pooling, windows of 2×2, stride 2: the largest number of each window stays",
		Panels: []viz.Panel{
			{Title: "Before", Image: before, Caption: "4 × 4", Bare: true},
			{Title: "After", Image: after, Caption: "2 × 2, the answer\n" + matrix(best, 2), Bare: true},
		},
	}, out, nil
}

func networkTable(_ image.Image, steps []*step) (viz.Figure, file, error) {
	s := steps[stepNetwork]
	out := file{Name: "6-network.png", Title: "A network of two blocks",
		Alt:  "The layers of the network with output shapes, parameters and multiply-adds, beside a bar chart of the class probabilities on each backend.",
		Text: "The weights are random (seed 1), so the classes have no meaning: what counts is that every backend finds the same probabilities. The parameters are those that a training would change; mean and variance of a BatchNorm, measured on this picture, are not among them."}
	t := s.layerTable()
	last := len(t.Rows) - 1
	summary, err := viz.Table{Head: t.Head, Rows: t.Rows[:last], Foot: t.Rows[last], Right: t.Right}.Draw()
	if err != nil {
		return viz.Figure{}, out, err
	}
	bars := viz.Bars{XLabel: "class", YLabel: "probability", W: 860, H: summary.Bounds().Dy()}
	for c := range classes {
		bars.Groups = append(bars.Groups, fmt.Sprint(c))
	}
	for _, r := range s.results {
		if r.out == nil {
			continue
		}
		values := make([]float64, classes)
		for c, p := range r.out.Float32s() {
			values[c] = float64(p)
		}
		bars.Series = append(bars.Series, viz.Series{Name: r.name, Values: values})
	}
	chart, err := bars.Draw()
	if err != nil {
		return viz.Figure{}, out, err
	}
	return viz.Figure{
		Title:    "A network of two blocks",
		Subtitle: fmt.Sprintf("(Conv, ReLU, BatchNorm, MaxPool) × 2, Flatten, Dense, ReLU, Dropout, Dense, Softmax; random weights, seed %d", seed),
		Panels: []viz.Panel{
			{Title: "Layers", Image: summary, Bare: true},
			{Title: "Class probabilities", Image: chart, Bare: true},
		},
	}, out, nil
}

func networkMaps(_ image.Image, steps []*step) (viz.Figure, file, error) {
	s := steps[stepNetwork]
	out := file{Name: "7-network-maps.png", Title: "What the network sees",
		Alt:  "Eight feature maps of the first block of the network and eight of the second, after pooling.",
		Text: "Feature maps at the end of each block. Their filters are random, and still many of them find edges and colours."}
	fig := viz.Figure{
		Title: "What the network sees", Columns: 4,
		Subtitle:   fmt.Sprintf("Feature maps after max pooling: eight of the first block's %d, then eight of the second block's %d", block1, block2),
		Legend:     &viz.Scale{Colors: viz.Sequential, Lo: 0, Hi: 1},
		LegendEnds: [2]string{"low", "high"},
		LegendText: "The values from low to high are in each caption. The batch norm made each map's mean 0 and its variance 1; pooling then took the largest.",
	}
	for b, name := range []string{"pool1", "pool2"} {
		layer := slices.IndexFunc(s.layers, func(l layer) bool { return l.name == name })
		for c := range 8 {
			p, scale, err := mapPanel(s.ref[layer], c, spread, gridW, gridH)
			if err != nil {
				return fig, out, err
			}
			p.Title = fmt.Sprintf("Block %d, map %d", b+1, c+1)
			p.Caption += fmt.Sprintf("\n%s to %s", viz.Number(float64(scale.Lo)), viz.Number(float64(scale.Hi)))
			fig.Panels = append(fig.Panels, p)
		}
	}
	return fig, out, nil
}
