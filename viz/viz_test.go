package viz

import (
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/convgl/convgl/tensor"
)

var (
	nan = float32(math.NaN())
	inf = float32(math.Inf(1))
)

// TestColormapLightness holds the maps to what they promise: even steps of
// lightness, rising (Gray, Sequential) or up and down alike (Diverging).
func TestColormapLightness(t *testing.T) {
	for _, m := range []*Colormap{Gray, Sequential, Diverging} {
		last := 255
		if m == Diverging {
			last = 127
		}
		lo, hi := lightness(m.table[0]), lightness(m.table[last])
		for i := range last + 1 {
			// Rounding to 8 bits moves the lightness of dark colours by up to 0.05.
			want, got := lo+(hi-lo)*float64(i)/float64(last), lightness(m.table[i])
			if m != Gray && math.Abs(got-want) > .05 {
				t.Errorf("%v: lightness at %d is %.3f, want %.3f", m, i, got, want)
			}
			if i > 0 && got < lightness(m.table[i-1])-.01 {
				t.Errorf("%v: lightness falls at %d", m, i)
			}
		}
	}
	for i := range 128 {
		if l, r := lightness(Diverging.table[i]), lightness(Diverging.table[255-i]); math.Abs(l-r) > .08 {
			t.Errorf("diverging: lightness %.3f at %d, but %.3f at %d", l, i, r, 255-i)
		}
	}
}

func TestScaleColor(t *testing.T) {
	s := Scale{Gray, -1, 1}
	for _, c := range []struct {
		v    float32
		want color.RGBA
	}{
		{-1, color.RGBA{0, 0, 0, 255}}, {1, color.RGBA{255, 255, 255, 255}}, {-5, color.RGBA{0, 0, 0, 255}},
		{inf, color.RGBA{255, 255, 255, 255}}, {-inf, color.RGBA{0, 0, 0, 255}}, {nan, tensor.NaNColor},
		{0, color.RGBA{128, 128, 128, 255}},
	} {
		if got := s.Color(c.v); got != c.want {
			t.Errorf("Color(%v) = %v, want %v", c.v, got, c.want)
		}
	}
	constant := Scale{Gray, 2, 2}
	if a, b := constant.Color(2), constant.Color(3); a != Gray.At(0) || b != Gray.At(1) {
		t.Errorf("a scale from 2 to 2 gives %v for 2 and %v for 3", a, b)
	}
}

func TestScales(t *testing.T) {
	v := tensor.Must(tensor.From([]float32{-4, 1, 2, 3, nan, inf}, 2, 3))
	for name, c := range map[string]struct {
		got    Scale
		lo, hi float32
	}{
		"span":       {Span(v, Gray), -4, 3},
		"quantiles":  {Quantiles(v, Gray, .34, .67), 1, 2},
		"symmetric":  {Symmetric(v, Gray), -4, 4},
		"sym median": {SymmetricQuantile(v, Gray, .34), -2, 2},
		"all zero":   {Symmetric(tensor.Must(tensor.From(make([]float32, 4), 2, 2)), Gray), -1, 1},
		"few":        {SymmetricQuantile(tensor.Must(tensor.From([]float32{0, 0, 0, 5}, 2, 2)), Gray, .5), -5, 5},
		"empty":      {Span(tensor.Must(tensor.From([]float32{nan}, 1, 1)), Gray), 0, 1},
		"nil":        {Span(nil, Gray), 0, 1},
	} {
		if c.got.Lo != c.lo || c.got.Hi != c.hi {
			t.Errorf("%s: %v to %v, want %v to %v", name, c.got.Lo, c.got.Hi, c.lo, c.hi)
		}
	}
}

func TestStrongest(t *testing.T) {
	v := tensor.Must(tensor.From([]float32{
		1, -3, 2, 0, 2,
		0, 2, 9, -9, -1,
		1, 4, nan, 6, 0,
	}, 3, 5))
	got, err := Strongest(v, 2)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Shape().Equal(tensor.Shape{2, 3}) {
		t.Fatalf("shape %v, want [2,3]", got.Shape())
	}
	for i, want := range []float32{-3, 9, 2, 4, nan, 0} {
		if g := got.Float32s()[i]; g != want && (g == g || want == want) {
			t.Errorf("element %d is %v, want %v", i, g, want)
		}
	}
}

func TestFit(t *testing.T) {
	for name, c := range map[string]struct{ w, h, boxW, boxH, outW, outH int }{
		"same":      {64, 40, 64, 40, 64, 40},
		"enlarged":  {10, 7, 64, 40, 50, 35},
		"not 1.5":   {40, 30, 64, 48, 40, 30},
		"reduced":   {128, 100, 64, 64, 64, 50},
		"very wide": {5000, 1, 100, 100, 100, 1},
		"very high": {1, 5000, 100, 100, 1, 100},
		"one pixel": {1, 1, 9, 9, 9, 9},
	} {
		img, f := Fit(image.NewRGBA(image.Rect(3, 4, 3+c.w, 4+c.h)), c.boxW, c.boxH)
		if s := img.Bounds().Size(); s.X != c.outW || s.Y != c.outH || f <= 0 {
			t.Errorf("%s: %v, factor %v, want %d x %d", name, s, f, c.outW, c.outH)
		}
	}
}

// TestEnlargeIsCrisp shows that no colour appears that was not there.
func TestEnlargeIsCrisp(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 2, 1))
	a, b := color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}
	img.SetRGBA(0, 0, a)
	img.SetRGBA(1, 0, b)
	big := Enlarge(img, 5)
	for y := range 5 {
		for x := range 10 {
			want := a
			if x >= 5 {
				want = b
			}
			if got := big.RGBAAt(x, y); got != want {
				t.Fatalf("pixel %d,%d is %v, want %v", x, y, got, want)
			}
		}
	}
}

func TestPlane(t *testing.T) {
	v := tensor.Must(tensor.From([]float32{0, 1, 2, 3, 4, 5, 6, 7}, 2, 2, 1, 2))
	p, err := Plane(v, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if d := p.Float32s(); d[0] != 4 || d[1] != 5 {
		t.Errorf("image 1, channel 0 is %v, want [4 5]", d)
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", -0.5: "−0.5", 1234.4: "1234", 0.000123: "0.000123", 2.345: "2.35", 1e9: "1e+09"} {
		if got := Number(v); got != want {
			t.Errorf("Number(%v) = %q, want %q", v, got, want)
		}
	}
	for v, want := range map[float32]string{0: "0", -0.001: "0", .333: ".33", -.5: "−.5", 1: "1", -2: "−2", 10: "10", 100: "100", 1.25: "1.25", -10.5: "−10.5"} {
		if got := weight(v); got != want {
			t.Errorf("weight(%v) = %q, want %q", v, got, want)
		}
	}
}

// TestBadInput shows that nothing panics and every error says what is wrong.
func TestBadInput(t *testing.T) {
	f32 := func(shape ...int) *tensor.Tensor { return tensor.Must(tensor.New(tensor.Float32, shape...)) }
	bytes := tensor.Must(tensor.New(tensor.Uint8, 2, 2))
	good := Scale{Gray, 0, 1}
	img := image.NewRGBA(image.Rect(0, 0, 2, 2))
	fail := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"heat map: nil":          fail(HeatMap(nil, good)),
		"heat map: rank":         fail(HeatMap(f32(3), good)),
		"heat map: planes":       fail(HeatMap(f32(2, 3, 3), good)),
		"heat map: type":         fail(HeatMap(bytes, good)),
		"heat map: empty":        fail(HeatMap(f32(0, 3), good)),
		"heat map: no map":       fail(HeatMap(f32(2, 2), Scale{})),
		"heat map: turned scale": fail(HeatMap(f32(2, 2), Scale{Gray, 1, 0})),
		"heat map: NaN scale":    fail(HeatMap(f32(2, 2), Scale{Gray, nan, 0})),
		"heat map: inf scale":    fail(HeatMap(f32(2, 2), Scale{Gray, 0, inf})),
		"strongest: nil":         fail(Strongest(nil, 2)),
		"strongest: 0":           fail(Strongest(f32(2, 2), 0)),
		"plane: nil":             fail(Plane(nil, 0, 0)),
		"plane: rank":            fail(Plane(f32(2, 2), 0, 0)),
		"plane: channel":         fail(Plane(f32(1, 2, 2, 2), 0, 2)),
		"plane: negative":        fail(Plane(f32(1, 2, 2, 2), -1, 0)),
		"filter: nil":            fail(Filter(nil, 0, 20, good)),
		"filter: rank":           fail(Filter(f32(3, 3), 0, 20, good)),
		"filter: number":         fail(Filter(f32(1, 1, 3, 3), 1, 20, good)),
		"filter: no channels":    fail(Filter(f32(1, 0, 3, 3), 0, 20, good)),
		"filter: scale":          fail(Filter(f32(1, 1, 3, 3), 0, 20, Scale{})),
		"cells: huge":            fail(Cells{Size: 512}.Draw(f32(4000, 4000))),
		"cells: nil":             fail(Cells{Size: 9}.Draw(nil)),
		"table: ragged":          fail(Table{Head: []string{"a", "b"}, Rows: [][]string{{"c"}}}.Draw()),
		"table: empty":           fail(Table{}.Draw()),
		"bars: empty":            fail(Bars{W: 200, H: 200}.Draw()),
		"bars: count":            fail(Bars{W: 200, H: 200, Groups: []string{"a"}, Series: []Series{{"x", nil}}}.Draw()),
		"bars: NaN":              fail(Bars{W: 200, H: 200, Groups: []string{"a"}, Series: []Series{{"x", []float64{math.NaN()}}}}.Draw()),
		"bars: size":             fail(Bars{W: 1, H: 1, Groups: []string{"a"}, Series: []Series{{"x", []float64{1}}}}.Draw()),
		"figure: no picture":     fail(Figure{Panels: []Panel{{Title: "x"}}}.Draw()),
		"figure: bar":            fail(Figure{Panels: []Panel{{Image: img, Bar: &Scale{}}}}.Draw()),
		"figure: legend":         fail(Figure{Panels: []Panel{{Image: img}}, Legend: &Scale{}}.Draw()),
		"figure: huge":           fail(Figure{Panels: []Panel{{Image: image.NewUniform(color.White)}}}.Draw()),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if len(err.Error()) < 12 || err.Error()[:5] != "viz: " {
			t.Errorf("%s: error %q", name, err)
		}
	}
	if _, err := (Figure{Title: "empty"}).Draw(); err != nil {
		t.Errorf("a figure without panels: %v", err)
	}
}

// No line is longer than the page, and no letter gets lost.
func TestWrap(t *testing.T) {
	p, err := newPen()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "one", "two words", "/features/features.0/Conv_output_0/and/further/on", "a verylongwordwithoutanyspaceatall b", "größe_äöü_größe_äöü_größe", "\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe"} {
		lines := p.wrap(styleCaption, 90, text)
		for _, l := range lines {
			if w := p.width(styleCaption, l); w > 90 {
				t.Errorf("%q: line %q is %d pixels wide, want at most 90", text, l, w)
			}
		}
		if got := strings.Join(lines, ""); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(text, " ", "") {
			t.Errorf("%q became %q", text, lines)
		}
	}
	if lines := p.wrap(styleCaption, 1, "abc"); len(lines) != 3 {
		t.Errorf("lines of a pixel: %q", lines)
	}
}

// Numbers leave room at the sides of their cells, or two of them are read as one.
func TestCellsRoom(t *testing.T) {
	const size = 76
	m := tensor.Must(tensor.From([]float32{.796, -3.12, -.00123}, 1, 3))
	img, err := Cells{Size: size}.Draw(m)
	if err != nil {
		t.Fatal(err)
	}
	for x := range 3 {
		for _, from := range []int{x*size + 1, (x+1)*size - 4} {
			for dx := range 4 {
				for y := 1; y < size; y++ {
					if c := img.RGBAAt(from+dx, y); c != paper {
						t.Fatalf("cell %d has ink at its side, pixel %d,%d: %v", x, from+dx, y, c)
					}
				}
			}
		}
	}
}
