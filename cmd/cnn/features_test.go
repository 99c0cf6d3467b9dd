package main

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/tensor"
	"github.com/convgl/convgl/viz"
)

// twoConvs is conv1 [2,3,3,3], ReLU, conv2 [4,2,1,1] of x [N,3,8,8]. The first filter of conv1
// is 1 at the middle of red, the second −1 at the top left of blue.
func twoConvs(t *testing.T) string {
	w := make([]float32, 2*3*9)
	w[4], w[27+18] = 1, -1
	return net{
		nodes: []message{
			node("Conv", "conv1", []string{"x", "w1"}, []string{"c1"}, ints("pads", 1, 1, 1, 1)),
			node("Relu", "", []string{"c1"}, []string{"r1"}),
			node("Identity", "", []string{"w2"}, []string{"w2same"}),
			node("Conv", "conv2", []string{"r1", "w2same"}, []string{"y"}),
		},
		weights: []message{weights("w1", w, 2, 3, 3, 3), weights("w2", []float32{1, 2, 3, 4, 5, 6, 7, 8}, 4, 2, 1, 1)},
		inputs:  []message{value("x", typeFloat, []any{"N", 3, 8, 8})},
		outputs: []message{value("y", typeFloat, []any{"N", 4, 8, 8})},
	}.save(t)
}

func loadPNG(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// shows counts the pixels of a colour.
func shows(img image.Image, c color.Color) int {
	n := 0
	want := color.RGBAModel.Convert(c)
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if color.RGBAModel.Convert(img.At(x, y)) == want {
				n++
			}
		}
	}
	return n
}

func TestFeatures(t *testing.T) {
	dir := t.TempDir()
	model := twoConvs(t)
	r := plain(t, filepath.Join(dir, "in", "r.png"), 8, 8, red)
	b := plain(t, filepath.Join(dir, "in", "b.png"), 8, 8, blue)
	umlaut := plain(t, filepath.Join(dir, "u", "ä.png"), 8, 8, red)
	dots := plain(t, filepath.Join(dir, "u", "….png"), 8, 8, red)
	out := filepath.Join(dir, "maps")
	one := filepath.Join(dir, "one.png")
	base := []string{"features", "-backend", "cpu", "-scale", "1/255", "-model", model}
	with := func(more ...string) []string { return append(slices.Clone(base), more...) }
	check(t, []expect{
		{with("-layer", "list"), 0, "node              op        value\n                  input     x\nconv1             Conv      c1\nRelu(r1)          Relu      r1\n", ""},
		{with("-layer", "conv1", r, "-out", one), 0, one + ": conv1 [1,2,8,8] of " + r + ", ", ""},
		{with("-layer", "c1", r, "-out", one), 0, one + ": conv1 [1,2,8,8] of " + r + ", ", ""},
		{with("-layer", "conv1", "-layer", "Relu(r1)", "-layer", "y", "-layer", "x", r, b, "-out", out), 0, filepath.Join(out, "b-Relu_r1.png") + ": Relu(r1) [1,2,8,8] of " + b + ", ", ""},
		{with("-layer", "r1", "-max", "1", filepath.Join(dir, "in"), "-out", out), 0, filepath.Join(out, "b-Relu_r1.png"), ""},
		{with("-layer", "r1", r, r, "-out", out), 0, filepath.Join(out, "r-Relu_r1-2.png"), ""},
		{with("-layer", "c1", umlaut, dots, "-out", out), 0, filepath.Join(out, "ä-conv1.png") + ": conv1 [1,2,8,8] of " + umlaut + ", ", ""},
		{with("-layer", "c1", dots, dots, "-out", out), 0, filepath.Join(out, "conv1-2.png") + ": conv1 [1,2,8,8] of " + dots + ", ", ""},
		{with("-layer", "w1", r, "-out", one), 2, "", "-layer w1: there is no such node or value; the nearest are"},
		{with("-layer", "konv1", r, "-out", one), 2, "", "the nearest are conv1, "},
		{with(r, "-out", one), 2, "", "-layer is missing"},
		{with("-layer", "c1", "-max", "-1", r, "-out", one), 2, "", "-max -1: want 0 or more"},
		{with("-layer", "c1", r, "-out", filepath.Join(dir, "x.jpg")), 2, "", "x.jpg: pictures are written as .png"},
		{with("-layer", "c1", "-out", one), 2, "", "want pictures or folders"},
		{with("-layer", "c1", r), 2, "", "-out is missing"},
		{with("-layer", "c1", "-layer", "y", r, "-out", one), 2, "", "want a folder for several pictures"},
		{with("-layer", "c1", r, b, "-out", one), 2, "", "want a folder for several pictures"},
		{with("-layer", "c1", r, "-out", filepath.Join(r, "x")), 2, "", "-out: mkdir"},
		{with("-layer", "c1", write(t, "text"), r, "-out", out), 2, filepath.Join(out, "r-conv1.png"), "1 of 2 pictures failed"},
		{with("-layer", "c1", r, "-out", filepath.Join(dir, "nowhere", "x.png")), 2, "", "no such file"},
	})
	// A red picture: filter 0 finds red, filter 1 nothing, and nothing is negative.
	img := loadPNG(t, one)
	if n := shows(img, viz.Sequential.At(1)); n < 200*200 {
		t.Errorf("map 0 of red has %d pixels of the strongest colour", n)
	}
	if n := shows(img, viz.Sequential.At(0)); n < 200*200 {
		t.Errorf("map 1 of red has %d pixels of the colour of 0", n)
	}
	if n := shows(img, red); n < 200*200 {
		t.Errorf("the picture itself has %d pixels", n)
	}
	// In blue, filter 1 is negative, but not at two sides, and ReLU takes it away.
	if n := shows(loadPNG(t, filepath.Join(out, "b-conv1.png")), viz.Diverging.At(0)); n < 392*392 || n > 393*393 { // 7 × 7 of the 8 × 8, each 56 × 56 pixels
		t.Errorf("map 1 of blue has %d pixels of the lowest colour", n)
	}
	if n := shows(loadPNG(t, filepath.Join(out, "b-Relu_r1.png")), viz.Sequential.At(0)); n < 200*200 {
		t.Errorf("after ReLU there are %d pixels of the colour of 0", n)
	}
}

func TestFilters(t *testing.T) {
	dir := t.TempDir()
	model := twoConvs(t)
	one := filepath.Join(dir, "one.png")
	base := []string{"filters", "-model", model}
	with := func(more ...string) []string { return append(slices.Clone(base), more...) }
	dynamic := net{
		nodes:   []message{node("Conv", "c", []string{"x", "w"}, []string{"y"})},
		inputs:  []message{value("x", typeFloat, []any{1, 1, 8, 8}), value("w", typeFloat, []any{1, 1, 3, 3})},
		outputs: []message{value("y", typeFloat, []any{1, 1, 6, 6})},
	}.save(t)
	transposed := net{
		nodes:   []message{node("ConvTranspose", "up", []string{"x", "w"}, []string{"y"})},
		weights: []message{weights("w", []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 3, 1, 2, 2)},
		inputs:  []message{value("x", typeFloat, []any{1, 3, "h", "w"})},
		outputs: []message{value("y", typeFloat, []any{1, 1, "h2", "w2"})},
	}.save(t)
	check(t, []expect{
		{with("-out", one), 0, one + ": conv1 [2,3,3,3], ", ""},
		{with("-out", dir, "-layer", "y"), 0, filepath.Join(dir, "model-conv2.png") + ": conv2 [4,2,1,1], ", ""},
		{with("-layer", "list"), 0, "node   op    value\nconv1  Conv  c1\nconv2  Conv  y\n", ""},
		{with("-out", one, "-layer", "conv3"), 2, "", "the nearest are conv1, conv2"},
		{with("-out", one, "-layer", "r1"), 2, "", "-layer r1: is of Relu, want a convolution"},
		{with("-out", one, "-max", "-2"), 2, "", "-max -2: want 0 or more"},
		{with("-out", one, "-channels", "-2"), 2, "", "-channels -2: want 0 or more"},
		{with("-out", filepath.Join(dir, "x.JPEG")), 2, "", "pictures are written as .png: want a .png file or a folder"},
		{with(), 2, "", "-out is missing"},
		{[]string{"filters", "-model", two(t), "-out", one}, 2, "", "has no convolution"},
		{[]string{"filters", "-model", dynamic, "-out", one}, 2, "", "its weights w depend on the input w"},
		{[]string{"filters", "-model", transposed, "-out", filepath.Join(dir, "up.png")}, 0, "up [3,1,2,2]", ""},
	})
	img := loadPNG(t, one)
	top, bottom := shows(img, viz.Diverging.At(1)), shows(img, viz.Diverging.At(0))
	if top < 30*30 || bottom < 30*30 {
		t.Errorf("%d pixels of m, %d of −m", top, bottom)
	}
	// Their colours together: red at the middle, and no blue at the top left, over gray.
	if n := shows(img, color.RGBA{255, 128, 128, 255}); n < 90*90 {
		t.Errorf("%d pixels of red", n)
	}
	if n := shows(img, color.RGBA{128, 128, 0, 255}); n < 90*90 {
		t.Errorf("%d pixels without blue", n)
	}
}

// Every rank has a picture, and what is left out is said.
func TestPlanes(t *testing.T) {
	nan := float32(math.NaN())
	counted := func(shape ...int) *tensor.Tensor {
		x := tensor.Must(tensor.New(tensor.Float32, shape...))
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(i)
		}
		return x
	}
	for _, c := range []struct {
		t     *tensor.Tensor
		most  int
		n     int // planes
		total int
		shape tensor.Shape // of each
		first float32
		about string
	}{
		{counted(2, 5, 3, 4), 3, 3, 5, tensor.Shape{3, 4}, 0, "5 maps of 3 × 4"},
		{counted(1, 2, 4, 3, 5), 9, 2, 2, tensor.Shape{3, 5}, 30, "2 maps of 4 × 3 × 5, of each the middle slice, number 2"},
		{counted(2, 6, 7), 9, 1, 1, tensor.Shape{6, 7}, 0, "6 channels as rows, 7 elements each"},
		{counted(1, 100, 2), 1, 1, 2, tensor.Shape{10, 10}, 0, "100 channels of 2 elements, 10 in each row"},
		{counted(1, 2, 40), 9, 2, 2, tensor.Shape{4, 10}, 0, "2 channels of 40 elements, 10 in each row"},
		{counted(1, 10), 9, 1, 1, tensor.Shape{1, 10}, 0, "10 elements"},
		{counted(3, 12), 9, 1, 1, tensor.Shape{2, 10}, 0, "12 elements, 10 in each row (the last row is filled up with 0)"},
		{counted(1, 1000), 9, 1, 1, tensor.Shape{20, 50}, 0, "1000 elements, 50 in each row"},
		{counted(7), 9, 1, 1, tensor.Shape{1, 7}, 0, "7 elements"},
		{counted(), 9, 1, 1, tensor.Shape{1, 1}, 0, "1 element"},
		{tensor.Must(tensor.From([]int64{3, 4}, 2)), 9, 1, 1, tensor.Shape{1, 2}, 3, "2 elements"},
	} {
		list, about, total, err := planes(c.t, c.most)
		if err != nil || len(list) != c.n || total != c.total || about != c.about || !list[0].t.Shape().Equal(c.shape) || list[0].t.Float32s()[0] != c.first {
			t.Errorf("%v: %d planes of %d, %q, %v, %v", c.t.Shape(), len(list), total, about, list, err)
			continue
		}
		fig, err := mapsFigure("layer", "of a net", c.t, c.most, image.NewRGBA(image.Rect(0, 0, 5, 5)))
		if err != nil {
			t.Error(err)
			continue
		}
		if of := strings.Contains(fig.LegendText, "of a map"); of != (len(c.shape) == 2 && list[0].title != "") {
			t.Errorf("%v: legend %q", c.t.Shape(), fig.LegendText)
		}
		if left := strings.Contains(fig.Note, fmt.Sprintf("first %d of %d", c.n, c.total)); left != (c.n < c.total) {
			t.Errorf("%v: note %q", c.t.Shape(), fig.Note)
		}
		if _, err := fig.Draw(); err != nil {
			t.Errorf("%v: %v", c.t.Shape(), err)
		}
	}
	if _, _, _, err := planes(tensor.Must(tensor.New(tensor.Float32, 1, 0, 3, 3)), 9); err == nil {
		t.Error("a value without elements has planes")
	}
	odd, err := mapPanel(plane{"map", tensor.Must(tensor.From([]float32{nan, 1, float32(math.Inf(1)), nan}, 2, 2))}, false, 100)
	if err != nil || !strings.Contains(odd.Caption, "2 NaN\n1 infinite") {
		t.Error(odd.Caption, err)
	}
	zero, err := mapPanel(plane{"map", tensor.Must(tensor.New(tensor.Float32, 300, 400))}, true, 100)
	if err != nil || zero.Caption != "all 0" || zero.Image.Bounds().Dx() > 100 {
		t.Error(zero.Caption, zero.Image.Bounds(), err)
	}
}

// The subtitle says what the maps are of, for an input too.
func TestSubtitle(t *testing.T) {
	f := featuresFlags{model: modelFlag{path: "dir/net.onnx"}, most: 4}
	y := tensor.Must(tensor.New(tensor.Float32, 1, 2, 3, 3))
	for op, want := range map[string]string{"input": "input of net.onnx for cat.jpg, [1,2,3,3]: 2 maps", "Conv": "Conv of net.onnx for cat.jpg, "} {
		fig, err := f.figure(&picture{path: "in/cat.jpg"}, layer{value: "x", op: op}, y, image.NewRGBA(image.Rect(0, 0, 3, 3)))
		if err != nil || !strings.Contains(fig.Subtitle, want) {
			t.Errorf("got %q, want %q (%v)", fig.Subtitle, want, err)
		}
	}
}

// Weights of every rank have a picture within the room of a panel.
func TestKernels(t *testing.T) {
	for _, shape := range [][]int{{2, 1, 3}, {2, 4, 5}, {2, 1, 3, 3}, {2, 3, 7, 7}, {2, 3, 1, 1}, {2, 64, 3, 3}, {2, 300, 1, 1}, {1, 1, 11, 11}, {2, 2, 3, 3, 3}, {100, 8, 5, 5}, {1, 4, 1, 15}, {1, 4, 15, 1}} {
		w := tensor.Must(tensor.New(tensor.Float32, shape...))
		for i := range w.Float32s() {
			w.Float32s()[i] = float32(i%5) - 2
		}
		fig, err := filtersFigure("conv", w, false, 64, 16)
		if err != nil {
			t.Errorf("%v: %v", shape, err)
			continue
		}
		side := boxSide(len(fig.Panels))
		for _, p := range fig.Panels {
			if b := p.Image.Bounds(); b.Dx() > 2*side || b.Dy() > side || b.Dx() < 3 || b.Dy() < 3 {
				t.Errorf("%v: the picture has %v, the room %d", shape, b, side)
			}
		}
		if img, err := fig.Draw(); err != nil || img.Bounds().Dx() > 5000 {
			t.Errorf("%v: %v, %v", shape, img.Bounds(), err)
		}
	}
	fig, err := filtersFigure("conv", tensor.Must(tensor.New(tensor.Float32, 100, 64, 3, 3)), false, 64, 16)
	if want := "These are the first 64 of 100 filters (-max 0 draws all), of each the first 16 of 64 input channels (-channels 0 draws all)."; err != nil || fig.Note != want {
		t.Errorf("got %q, want %q (%v)", fig.Note, want, err)
	}
	for _, shape := range [][]int{{4, 4}, {4, 0, 3, 3}, {1, 1, 1, 1, 1, 1}} {
		if _, err := filtersFigure("conv", tensor.Must(tensor.New(tensor.Float32, shape...)), false, 64, 16); err == nil {
			t.Errorf("%v: no error", shape)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"conv1", "conv2", "pool", "/layer1/conv1/Conv", "relu", "conv1"}
	for _, c := range []struct {
		text string
		want []string
	}{
		{"conv1", []string{"conv1", "/layer1/conv1/Conv"}},
		{"CONV2", []string{"conv2", "conv1"}},
		{"pol", []string{"pool", "relu"}},
		{"", []string{"pool", "relu"}},
	} {
		if got := nearest(names, c.text, 2); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"same", "same", 0}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestFileName(t *testing.T) {
	for in, want := range map[string]string{"conv1": "conv1", "/layer1/conv/Conv_output_0": "layer1_conv_Conv_output_0", "../../etc": "etc", "Relu(r1)": "Relu_r1", "größe": "größe", "gro\u0308ße": "gro\u0308ße", "猫.2": "猫.2", "-model x": "model_x", "٣": "٣", "a\xff\x1b[2J": "a___2J", "…": "", "": "", strings.Repeat("a", 300): strings.Repeat("a", 100), strings.Repeat("ä猫", 30): strings.Repeat("ä猫", 20), strings.Repeat("-", 99) + "a": "a"} {
		if got := fileName(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
