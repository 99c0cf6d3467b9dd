package viz

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/convgl/convgl/tensor"
)

var update = flag.Bool("update", false, "write the golden pictures of testdata anew")

// tolerance is how far a component of a pixel may be from the golden picture, of
// 255: text and scaling round differently where the compiler fuses operations.
const tolerance = 3

// golden compares img with testdata/name.png. On a difference it leaves the
// picture and the difference in the test's folder and names them.
func golden(t *testing.T, name string, img image.Image) {
	t.Helper()
	path := filepath.Join("testdata", name+".png")
	if *update {
		if err := tensor.SavePNG(path, img); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run go test ./viz -update)", err)
	}
	want, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds().Size() != want.Bounds().Size() {
		t.Fatalf("%s: size %v, want %v", name, img.Bounds().Size(), want.Bounds().Size())
	}
	b := img.Bounds()
	diff := image.NewGray(b)
	worst, count := 0, 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, a := img.At(x, y).RGBA()
			r2, g2, b2, a2 := want.At(x, y).RGBA()
			d := 0
			for _, p := range [][2]uint32{{r, r2}, {g, g2}, {bl, b2}, {a, a2}} {
				d = max(d, int(math.Abs(float64(p[0]>>8)-float64(p[1]>>8))))
			}
			if d > tolerance {
				count++
				diff.SetGray(x, y, color.Gray{Y: 255})
			}
			worst = max(worst, d)
		}
	}
	if count == 0 {
		return
	}
	dir, err := os.MkdirTemp("", "viz-"+name+"-")
	if err != nil {
		t.Fatal(err)
	}
	for file, img := range map[string]image.Image{"got.png": img, "diff.png": diff} {
		if err := tensor.SavePNG(filepath.Join(dir, file), img); err != nil {
			t.Fatal(err)
		}
	}
	t.Errorf("%s: %d pixels differ by more than %d of 255, the worst by %d; see %s (go test ./viz -update accepts)", name, count, tolerance, worst, dir)
}

// wave is a smooth matrix with values from −1 to 1.
func wave(h, w int) *tensor.Tensor {
	d := make([]float32, h*w)
	for i := range d {
		d[i] = float32(math.Sin(float64(i%w)*.5) * math.Cos(float64(i/w)*.4))
	}
	return tensor.Must(tensor.From(d, h, w))
}

func TestGoldenFigure(t *testing.T) {
	m := wave(20, 30)
	scale := Symmetric(m, Diverging)
	img, err := HeatMap(m, scale)
	if err != nil {
		t.Fatal(err)
	}
	weights := tensor.Must(tensor.From([]float32{0, .5, -.5, 1, -1, .25, -.25, .125, -.33, 0, 2, -2, .1, -.1, 1, 1, 1, 1}, 1, 2, 3, 3))
	filter, err := Filter(weights, 0, 30, Scale{Diverging, -1, 1}, "R", "G")
	if err != nil {
		t.Fatal(err)
	}
	big, _ := Fit(img, 200, 200)
	fig, err := Figure{
		Title: "Title", Subtitle: "a × b → c",
		Panels: []Panel{
			{Title: "Map", Image: big, Bar: &scale, Caption: "a caption that is longer than the picture is wide"},
			{Title: "Filter", Image: filter, Bare: true},
		},
		Columns: 2, Legend: &scale, LegendText: "the colours", LegendEnds: [2]string{"−m", "m"}, Note: "a note",
	}.Draw()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "figure", fig)
}

func TestGoldenTable(t *testing.T) {
	img, err := Table{Head: []string{"layer", "count"}, Rows: [][]string{{"Conv", "448"}, {"ReLU", "0"}}, Foot: []string{"Sum", "448"}, Right: []bool{false, true}}.Draw()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "table", img)
}

func TestGoldenBars(t *testing.T) {
	img, err := Bars{XLabel: "class", YLabel: "p", Groups: []string{"0", "1", "2"}, W: 300, H: 200,
		Series: []Series{{"ref", []float64{.2, .5, .3}}, {"cpu", []float64{.2, .5, .3}}}}.Draw()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "bars", img)
}

func TestGoldenColormaps(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 256, 30))
	for i, m := range []*Colormap{Gray, Sequential, Diverging} {
		for x := range 256 {
			for y := range 10 {
				img.SetRGBA(x, 10*i+y, m.At(float64(x)/255))
			}
		}
	}
	golden(t, "colormaps", img)
}

// TestDeterministic draws everything twice, the second time on several goroutines.
func TestDeterministic(t *testing.T) {
	draw := func() []byte {
		m := wave(9, 9)
		s := Span(m, Sequential)
		cells, err := Cells{Size: 30, Color: func(_, _ int, v float32) color.RGBA { return s.Color(v) }}.Draw(m)
		if err != nil {
			t.Error(err)
			return nil
		}
		bars, err := Bars{Groups: []string{"a"}, Series: []Series{{"x", []float64{1}}}, W: 200, H: 200}.Draw()
		if err != nil {
			t.Error(err)
			return nil
		}
		fig, err := Figure{Title: "T", Panels: []Panel{{Image: cells, Bar: &s}, {Image: bars}}}.Draw()
		if err != nil {
			t.Error(err)
			return nil
		}
		return fig.Pix
	}
	first := draw()
	results := make(chan []byte)
	for range 4 {
		go func() { results <- draw() }()
	}
	for range 4 {
		if !bytes.Equal(first, <-results) {
			t.Error("two drawings of the same figure differ")
		}
	}
}
