package feed

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// shape makes a shape of numbers and names.
func shape(dims ...any) graph.Shape {
	s := graph.Shape{}
	for _, d := range dims {
		switch d := d.(type) {
		case int:
			s = append(s, graph.Static(d))
		case string:
			s = append(s, graph.Symbol(d))
		}
	}
	return s
}

// wantUsage fails unless err is a usage error with the text, or nil for no text.
func wantUsage(t *testing.T, what string, err error, text string) {
	t.Helper()
	var usage cli.UsageError
	switch {
	case text == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case text != "" && (!errors.As(err, &usage) || !strings.Contains(err.Error(), text)):
		t.Errorf("%s: got error %v, want a usage error with %q", what, err, text)
	}
}

func TestFiles(t *testing.T) {
	odd := npy(t, filepath.Join(t.TempDir(), "k=1.npy"), []float32{1}, 1)
	one := []onnx.ValueInfo{{Name: "x", Type: onnx.Float32, Shape: shape("N", 3)}}
	two := []onnx.ValueInfo{{Name: "a", Type: onnx.Float32, Shape: shape("N", 3)}, {Name: "a=b", Type: onnx.Int64}}
	for _, c := range []struct {
		inputs []onnx.ValueInfo
		args   string
		want   string // files, or
		err    string
	}{
		{one, "f.npy", "f.npy", ""},
		{one, "x=f.npy", "f.npy", ""},
		{one, odd, odd, ""},
		{two, "a=b=g a=f", "f g", ""},
		{nil, "", "", ""},
		{nil, "x", "", "the model takes no inputs"},
		{one, "", "", `no -input for "x"; the model takes x float32[N,3]`},
		{one, "y=f.npy", "", `no input "y"; the model takes x float32[N,3]`},
		{one, "x=f x=g", "", `has a file already, f`},
		{one, "x=", "", `want a file after "x="`},
		{two, "f.npy", "", "which one? want NAME=FILE; the model takes a float32[N,3], a=b int64 of any rank"},
		{two, "a=f", "", `no -input for "a=b"`},
	} {
		files, err := Files(c.inputs, words(c.args))
		wantUsage(t, c.args, err, c.err)
		if err == nil && strings.Join(files, " ") != c.want {
			t.Errorf("%s: got %q, want %q", c.args, files, c.want)
		}
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	npy(t, in("f.npy"), make([]float32, 12), 2, 2, 3)
	npy(t, in("f2.npy"), make([]float32, 12), 1, 4, 3)
	npy(t, in("d.npy"), make([]float64, 12), 2, 2, 3)
	npy(t, in("last.npy"), make([]float32, 48), 1, 4, 4, 3)
	v := func(e onnx.ElemType, dims ...any) onnx.ValueInfo {
		return onnx.ValueInfo{Name: "x", Type: e, Shape: shape(dims...)}
	}
	y := v(onnx.Float32, "N", 4, 3)
	y.Name = "y"
	for _, c := range []struct {
		name   string
		inputs []onnx.ValueInfo
		files  []string
		err    string
	}{
		{"fits", []onnx.ValueInfo{v(onnx.Float32, "N", 2, 3)}, []string{in("f.npy")}, ""},
		{"half", []onnx.ValueInfo{v(onnx.Float16, "N", 2, 3)}, []string{in("f.npy")}, ""},
		{"double", []onnx.ValueInfo{v(onnx.Float64, "N", 2, 3)}, []string{in("d.npy")}, ""},
		{"any rank", []onnx.ValueInfo{{Name: "x", Type: onnx.Float32}}, []string{in("f.npy")}, ""},
		{"no double", []onnx.ValueInfo{v(onnx.Float32, "N", 2, 3)}, []string{in("d.npy")}, "got float64[2,2,3], want float32 (x.astype(np.float32) in NumPy)"},
		{"type", []onnx.ValueInfo{v(onnx.Int64, "N", 2, 3)}, []string{in("f.npy")}, "got float32[2,2,3], want int64"},
		{"size", []onnx.ValueInfo{v(onnx.Float32, "N", 2, 4)}, []string{in("f.npy")}, "got the shape [2,2,3], want [N,2,4]"},
		{"batch", []onnx.ValueInfo{v(onnx.Float32, "N", 2, 2, 3)}, []string{in("f.npy")}, "no batch dim? x[None]"},
		{"order", []onnx.ValueInfo{v(onnx.Float32, "N", 3, "H", "W")}, []string{in("last.npy")}, "channels last? x.transpose(0, 3, 1, 2)"},
		{"one name", []onnx.ValueInfo{v(onnx.Float32, "N", 2, 3), y}, []string{in("f.npy"), in("f2.npy")}, `-input y: ` + in("f2.npy") + `: got the shape [1,4,3], want [N,4,3], in which N is 2 in the input "x"`},
		{"missing", []onnx.ValueInfo{v(onnx.Float32, "N")}, []string{in("none.npy")}, "no such file"},
		{"not npy", []onnx.ValueInfo{v(onnx.Float32, "N")}, []string{write(t, "hello there")}, "not an npy file"},
		{"picture", []onnx.ValueInfo{v(onnx.Float32, "N", 3)}, []string{in("cat.JPG")}, "is a picture: want an .npy or .pb file with float32[N,3]; cnn classify takes pictures"},
	} {
		ts, err := Read(c.inputs, c.files)
		wantUsage(t, c.name, err, c.err)
		if err == nil && (len(ts) != 1 || ts[0].DType() != tensor.Float32 || !ts[0].Shape().Equal(tensor.Shape{2, 2, 3})) {
			t.Errorf("%s: got %v", c.name, ts)
		}
	}
}

func TestShapes(t *testing.T) {
	x := onnx.ValueInfo{Name: "x", Type: onnx.Float32, Shape: shape("N", 3, "H", "W")}
	m := onnx.ValueInfo{Name: "m", Type: onnx.Float32, Shape: shape("N", "H")}
	b := onnx.ValueInfo{Name: "b=c", Type: onnx.Float32, Shape: shape("N", 3)}
	any := onnx.ValueInfo{Name: "z", Type: onnx.Float32}
	for _, c := range []struct {
		inputs []onnx.ValueInfo
		args   string
		want   []tensor.Shape
		err    string
	}{
		{[]onnx.ValueInfo{b}, "", []tensor.Shape{{1, 3}}, ""},
		{[]onnx.ValueInfo{b}, "b=c=5,3", []tensor.Shape{{5, 3}}, ""},
		{[]onnx.ValueInfo{x}, "2x3x8x9", []tensor.Shape{{2, 3, 8, 9}}, ""},
		{[]onnx.ValueInfo{m, x}, "x=2,3,8,9", []tensor.Shape{{2, 8}, {2, 3, 8, 9}}, ""},
		{[]onnx.ValueInfo{x}, "", nil, "open dims in x float32[N,3,H,W]: want -shape x=… with a size for each dim"},
		{[]onnx.ValueInfo{any}, "", nil, "open dims in z float32 of any rank"},
		{[]onnx.ValueInfo{any}, "7", []tensor.Shape{{7}}, ""},
		{[]onnx.ValueInfo{x}, "y=1", nil, `no input "y"`},
		{[]onnx.ValueInfo{x}, "1,3,8", nil, "the model takes x float32[N,3,H,W]"},
		{[]onnx.ValueInfo{x}, "1,4,8,8", nil, "the model takes x float32[N,3,H,W]"},
		{[]onnx.ValueInfo{x}, "1,3,,8", nil, `got ""`},
		{[]onnx.ValueInfo{x}, "1,3,-8,8", nil, `got "-8"`},
		{[]onnx.ValueInfo{x}, "1,3,65536,65536", nil, "at most 1073741824 elements"},
		{[]onnx.ValueInfo{x}, "1,3,8,8 x=1,3,8,8", nil, "has a shape already"},
		{[]onnx.ValueInfo{x, m}, "1,3,8,8", nil, "of which input? want NAME=1,3,8,8"},
	} {
		got, err := Shapes(c.inputs, words(c.args))
		var open OpenShapes
		if errors.As(err, &open) {
			err = cli.UsageError{Err: err}
		}
		wantUsage(t, c.args, err, c.err)
		if !slices.EqualFunc(got, c.want, tensor.Shape.Equal) {
			t.Errorf("%s: got %v, want %v", c.args, got, c.want)
		}
	}
}

func words(text string) []string { return strings.Fields(text) }

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// npy writes a tensor and returns the file.
func npy[T tensor.Element](t *testing.T, file string, data []T, shape ...int) string {
	t.Helper()
	if err := tensor.SaveNPY(file, tensor.Must(tensor.From(data, shape...))); err != nil {
		t.Fatal(err)
	}
	return file
}

// Random values are those of the seed and the input's place alone.
func TestRandom(t *testing.T) {
	inputs := []onnx.ValueInfo{{Name: "x", Type: onnx.Float32}, {Name: "y", Type: onnx.Float16}, {Name: "i", Type: onnx.Int64}, {Name: "b", Type: onnx.Bool}, {Name: "u", Type: onnx.Uint8}, {Name: "k", Type: onnx.Int32}}
	shapes := []tensor.Shape{{2, 3, 4, 5}, {50}, {40}, {40}, {40}, {40}}
	ts, about, err := Random(inputs, shapes, 7)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"random, seed 7: uniform, 0 to 1", "random, seed 7: normal, 0 ± 1", "random, seed 7: 0 or 1", "random, seed 7: true or false"} {
		if about[i] != want {
			t.Errorf("%v: got %q, want %q", inputs[i], about[i], want)
		}
	}
	for i, v := range ts {
		if v.DType() != inputs[i].Type.DType() || !v.Shape().Equal(shapes[i]) {
			t.Errorf("%v: got %v%v", inputs[i], v.DType(), v.Shape())
		}
		if zero := tensor.Must(tensor.New(v.DType(), v.Shape()...)); v.Equal(zero) {
			t.Errorf("%v is 0", inputs[i])
		}
	}
	x, y := ts[0].Float32s(), ts[1].Float32s()
	if slices.Min(x) < 0 || slices.Max(x) > 1 || slices.Max(x) < 0.9 || slices.Min(y) > -0.5 || slices.Max(y) < 0.5 {
		t.Errorf("x from %g to %g, y from %g to %g", slices.Min(x), slices.Max(x), slices.Min(y), slices.Max(y))
	}
	again, _, err := Random(inputs[:1], shapes, 7)
	if err != nil || !again[0].Equal(ts[0]) {
		t.Errorf("the same seed gives other values, %v", err)
	}
	other, _, err := Random(inputs[:1], shapes, 8)
	if err != nil || other[0].Equal(ts[0]) {
		t.Errorf("another seed gives the same values, %v", err)
	}
	if _, _, err := Random(inputs[:1], []tensor.Shape{{1 << 20, 1 << 20}}, 1); err == nil {
		t.Error("a huge input is made")
	}
}
