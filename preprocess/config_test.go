package preprocess

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/tensor"
)

func imagenet(t *testing.T) Config {
	t.Helper()
	c, err := ForInput([]int{-1, 3, 224, 224}, tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestForInput(t *testing.T) {
	for _, c := range []struct {
		shape []int
		dtype tensor.DType
		want  string // parts of the description, or of the error
	}{
		{[]int{1, 1, 28, 28}, tensor.Float32, `"resize": [28, 28]; "crop": null; "channels": "gray"; "scale": "1/255"; "mean": 0; "std": 1; "layout": "NCHW"`},
		{[]int{-1, 3, 224, 224}, tensor.Float32, `"resize": 256; "crop": [224, 224]; "channels": "RGB"; "mean": [0.485, 0.456, 0.406]; "std": [0.229, 0.224, 0.225]`},
		{[]int{1, 224, 224, 3}, tensor.Float32, `"resize": 256; "layout": "NHWC"; "mean": [0.485`},
		{[]int{1, 3, 240, 320}, tensor.Float32, `"resize": [240, 320]; "crop": null; "mean": 0`},
		{[]int{1, 224, 224, 3}, tensor.Uint8, `"resize": [224, 224]; "scale": 1,; "dtype": "uint8"`},
		{[]int{-1, 3, -1, -1}, tensor.Float32, `"resize": null; "crop": null; "layout": "NCHW"`},
		{[]int{-1, -1, -1, -1}, tensor.Float32, `"channels": "RGB"; "layout": "NCHW"`},
		{[]int{-1, -1, -1, 1}, tensor.Float32, `"channels": "gray"; "layout": "NHWC"`},
		{[]int{-1, 3, 32, 3}, tensor.Float32, `"resize": [32, 3]; "layout": "NCHW"`},
		{[]int{1, 4, 32, 32}, tensor.Float32, `input float32[1,4,32,32] takes no pictures: want 1 or 3 channels`},
		{[]int{-1, 10}, tensor.Float32, `input float32[?,10] takes no pictures: want [N,C,H,W]`},
		{[]int{1, 3, 32, 32}, tensor.Int64, `want type float32 or uint8`},
		{[]int{1, 3, 0, 32}, tensor.Float32, `want sides from 1`},
	} {
		got, err := ForInput(c.shape, c.dtype)
		text := got.String()
		if err != nil {
			text = err.Error()
		} else if err := got.Check(c.shape, c.dtype); err != nil {
			t.Errorf("%v: %v", c.shape, err)
		}
		for part := range strings.SplitSeq(c.want, "; ") {
			if !strings.Contains(text, part) {
				t.Errorf("%v: no %s in %s", c.shape, part, text)
			}
		}
	}
}

// What is printed is read back alike, and by any other JSON reader.
func TestRoundTrip(t *testing.T) {
	c := imagenet(t)
	for _, set := range [][2]string{{"crop", "100x200"}, {"resize", "100x200"}, {"scale", "0.0078125"}, {"channels", "BGR"}, {"antialias", "false"}, {"filter", "lanczos"}, {"layout", "NHWC"}, {"std", "2.5"}} {
		if err := c.Set(set[0], set[1]); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{c.String(), string(must(json.Marshal(c)))} {
			var got Config
			if err := got.Merge([]byte(text)); err != nil || !reflect.DeepEqual(got, c) {
				t.Errorf("got %+v, want %+v (%v)", got, c, err)
			}
			if err := json.Unmarshal([]byte(text), &map[string]any{}); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestMerge(t *testing.T) {
	for _, c := range []struct{ json, want string }{
		{`{}`, ""},
		{`{"resize": 300, "mean": [1,2,3], "std": 4, "scale": 1}`, ""},
		{`{"resize": null, "crop": 7}`, ""},
		{``, "unexpected EOF"},
		{`[]`, "want a JSON object"},
		{`{"mean": [1,2,3]`, "unexpected EOF"},
		{`{"mean": `, "mean: unexpected EOF"},
		{`{"mean": 1} {}`, "more after"},
		{`{"mean": 1, "mean": 2}`, "mean: the key is there twice"},
		{`{"Mean": 1}`, `unknown key "Mean", want resize`},
		{`{"means": 1}`, `unknown key "means"`},
		{`{"mean": [1,2]}`, "mean: got 2 numbers"},
		{`{"mean": null}`, "mean: got null"},
		{`{"std": "1"}`, `std: got "1"`},
		{`{"resize": [1,2,3]}`, "resize: got [1,2,3]"},
		{`{"resize": [224]}`, "resize: got [224]"},
		{`{"resize": 0}`, "resize: got 0, want 1 to"},
		{`{"resize": 1e9}`, "resize"},
		{`{"crop": 2.5}`, "crop: got 2.5"},
		{`{"filter": "cubic"}`, `filter: got "cubic", want nearest, box`},
		{`{"antialias": 1}`, "antialias: got 1"},
		{`{"antialias": null}`, "antialias: got null"},
		{`{"channels": "rgb"}`, `channels: got "rgb", want RGB, BGR, gray`},
		{`{"scale": "1/0"}`, "scale: got"},
		{`{"scale": "x"}`, "scale: got"},
		{`{"scale": null}`, "scale: got null"},
		{`{"layout": "HWC"}`, "layout: got"},
		{`{"dtype": "float16"}`, "dtype: got"},
	} {
		cfg, before := imagenet(t), imagenet(t)
		err := cfg.Merge([]byte(c.json))
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.json, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "preprocess: ") {
			t.Errorf("%s: got %v, want %s", c.json, err, c.want)
		}
		if !reflect.DeepEqual(cfg, before) {
			t.Errorf("%s: the description changed", c.json)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "net.v2.onnx")
	path := Path(model)
	if path != filepath.Join(dir, "net.v2.json") {
		t.Fatal(path)
	}
	c := imagenet(t)
	if found, err := c.Load(path); found || err != nil {
		t.Fatal(found, err)
	}
	save := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	save(`{"std": 1}`)
	if found, err := c.Load(path); !found || err != nil || !slices.Equal(c.Std, []float64{1}) || len(c.Mean) != 3 {
		t.Fatal(found, err, c)
	}
	save(`{"st": 1}`)
	if _, err := c.Load(path); err == nil || !strings.Contains(err.Error(), `net.v2.json: unknown key "st"`) {
		t.Fatal(err)
	}
	save(strings.Repeat(" ", maxFile+1))
	if _, err := c.Load(path); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Fatal(err)
	}
	if _, err := c.Load(dir); err == nil {
		t.Fatal("a folder was read")
	}
}

func TestSet(t *testing.T) {
	for _, c := range []struct{ key, text, want string }{
		{"resize", "256", `"resize": 256`},
		{"resize", "240x320", `"resize": [240, 320]`},
		{"resize", "none", `"resize": null`},
		{"crop", "7", `"crop": [7, 7]`},
		{"scale", "1/128", `"scale": "1/128"`},
		{"scale", "2", `"scale": 2`},
		{"scale", ".5", `"scale": "1/2"`},
		{"mean", "1,2, 3", `"mean": [1, 2, 3]`},
		{"std", "-0.5", `"std": -0.5`},
		{"antialias", "false", `"antialias": false`},
		{"channels", "BGR", `"channels": "BGR"`},
		{"size", "3", `unknown key "size"`},
		{"resize", "1x2x3", `resize: got "1x2x3"`},
		{"resize", "-3", `resize: got -3`},
		{"resize", "", `resize: got ""`},
		{"crop", "1,2", `crop: got "1,2"`},
		{"mean", "1,,2", `mean: got "1,,2"`},
		{"mean", "NaN", `mean: got "NaN"`},
		{"mean", ".1307", `"mean": 0.1307`},
		{"antialias", "x", `antialias: got x`},
		{"channels", "R\"GB", "channels: got"},
	} {
		cfg := imagenet(t)
		text := ""
		if err := cfg.Set(c.key, c.text); err != nil {
			text = err.Error()
		} else {
			text = cfg.String()
		}
		if !strings.Contains(text, c.want) {
			t.Errorf("%s %q: no %s in %s", c.key, c.text, c.want, text)
		}
	}
}

func TestCheck(t *testing.T) {
	shape := []int{-1, 3, 224, 224}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) {}, ""},
		{func(c *Config) { c.Resize, c.Crop = []int{224, 224}, nil }, ""},
		{func(c *Config) { c.Resize = nil }, ""},
		{func(c *Config) { c.Crop = nil }, "resize: pictures become [?,3,?,?], the model's input is [?,3,224,224]"},
		{func(c *Config) { c.Crop = []int{200, 224} }, "crop: pictures become [?,3,200,224]"},
		{func(c *Config) { c.Resize, c.Crop = []int{224, 225}, nil }, "resize: pictures become"},
		{func(c *Config) { c.Resize = []int{200} }, "crop: 224 x 224 is larger than what resize gives, 200 x 200"},
		{func(c *Config) { c.Layout = "NHWC" }, "layout: pictures become [?,224,224,3]"},
		{func(c *Config) { c.Channels, c.Mean, c.Std = "gray", []float64{0}, []float64{1} }, "channels: pictures become [?,1,224,224]"},
		{func(c *Config) { c.Channels = "gray" }, "mean: got 3 numbers, want 1 or 1 (channels gray)"},
		{func(c *Config) { c.Std = []float64{1, 0, 1} }, "std: got 0"},
		{func(c *Config) { c.Std = nil }, "std: got 0 numbers"},
		{func(c *Config) { c.Mean = []float64{math.NaN()} }, "mean: got NaN"},
		{func(c *Config) { c.Scale = 0 }, "scale: got 0"},
		{func(c *Config) { c.DType = "uint8" }, "scale: got 0.00392"},
		{func(c *Config) { c.DType, c.Scale = "uint8", 1 }, "mean: got [0.485"},
		{func(c *Config) { c.DType, c.Scale, c.Mean = "uint8", 1, []float64{0} }, "std: got [0.229"},
		{func(c *Config) { c.DType, c.Scale, c.Mean, c.Std = "uint8", 1, []float64{0}, []float64{1} }, "dtype: got uint8, want float32"},
		{func(c *Config) { c.Filter = "x" }, `filter: got "x"`},
		{func(c *Config) { c.Crop = []int{3} }, "crop: got [3]"},
		{func(c *Config) { c.Resize = []int{1 << 20} }, "resize: got 1048576"},
	} {
		cfg := imagenet(t)
		c.change(&cfg)
		err := cfg.Check(shape, tensor.Float32)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	zero := Config{}
	if _, err := zero.Tensor(formula(2, 2)); err == nil {
		t.Error("the zero description was taken")
	}
}

// The values: scale, mean and std by channel, the order of channels, both layouts.
func TestTensor(t *testing.T) {
	pic := tensor.Must(tensor.From([]uint8{0, 51, 102, 153, 204, 255}, 1, 2, 3))
	for _, c := range []struct {
		set   string
		shape tensor.Shape
		want  []float32
	}{
		{"", tensor.Shape{1, 3, 1, 2}, []float32{0, .6, .2, .8, .4, 1}},
		{"layout=NHWC", tensor.Shape{1, 1, 2, 3}, []float32{0, .2, .4, .6, .8, 1}},
		{"channels=BGR", tensor.Shape{1, 3, 1, 2}, []float32{.4, 1, .2, .8, 0, .6}},
		{"channels=BGR layout=NHWC", tensor.Shape{1, 1, 2, 3}, []float32{.4, .2, 0, 1, .8, .6}},
		{"scale=1 mean=51 std=51", tensor.Shape{1, 3, 1, 2}, []float32{-1, 2, 0, 3, 1, 4}},
		{"scale=1 mean=0,51,102 std=1,2,-4", tensor.Shape{1, 3, 1, 2}, []float32{0, 153, 0, 76.5, 0, -38.25}},
		{"channels=BGR scale=1 mean=0,51,102 std=1,2,4", tensor.Shape{1, 3, 1, 2}, []float32{102, 255, 0, 76.5, -25.5, 12.75}},
		{"channels=gray scale=1", tensor.Shape{1, 1, 1, 2}, []float32{42, 195}}, // .299·0 + .587·51 + .114·102 = 41.6
	} {
		cfg, err := ForInput([]int{1, 3, -1, -1}, tensor.Float32)
		if err != nil {
			t.Fatal(err)
		}
		for f := range strings.FieldsSeq(c.set) {
			k, v, _ := strings.Cut(f, "=")
			if err := cfg.Set(k, v); err != nil {
				t.Fatal(err)
			}
		}
		x, err := cfg.Tensor(pic)
		if err != nil || !x.Shape().Equal(c.shape) || !slices.Equal(x.Float32s(), c.want) {
			t.Errorf("%s: got %v %v, want %v %v (%v)", c.set, x.Shape(), x.Float32s(), c.shape, c.want, err)
		}
	}
	for _, set := range []string{"NCHW", "NHWC"} { // uint8 takes the same way
		cfg := raw(t, "layout", set, "channels", "BGR")
		f := raw(t, "layout", set, "channels", "BGR", "dtype", "float32")
		if a, b := tensor.Must(cfg.Tensor(formula(3, 4))), tensor.Must(f.Tensor(formula(3, 4))); !slices.Equal(a.AsFloat32().Float32s(), b.Float32s()) {
			t.Errorf("%s: uint8 %v, float32 %v", set, a.Bytes(), b.Float32s())
		}
	}
}

func TestTensorErrors(t *testing.T) {
	c := raw(t, "crop", "5x7")
	for _, p := range []struct {
		pic  *tensor.Tensor
		want string
	}{
		{formula(4, 9), "crop: the picture has 4 x 9 pixels, want at least 5 x 7"},
		{tensor.Must(tensor.New(tensor.Uint8, 3, 9, 9)), "want uint8 [H,W,3]"},
		{tensor.Must(tensor.New(tensor.Float32, 9, 9, 3)), "want uint8 [H,W,3]"},
		{tensor.Must(tensor.New(tensor.Uint8, 0, 9, 3)), "want uint8 [H,W,3]"},
	} {
		if _, err := c.Tensor(p.pic); err == nil || !strings.Contains(err.Error(), p.want) {
			t.Errorf("got %v, want %s", err, p.want)
		}
	}
	long := raw(t, "resize", "16384")
	if _, err := long.Tensor(formula(1, 40)); err == nil || !strings.Contains(err.Error(), "resize: the picture would have 16384 x 655360") {
		t.Error(err)
	}
}

func FuzzMerge(f *testing.F) {
	for _, s := range []string{`{}`, `{"mean": [1,2,3], "resize": [3,4]}`, `{"scale": "1/255", "crop": null}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ForInput([]int{1, 3, 8, 8}, tensor.Float32)
		if err != nil {
			t.Fatal(err)
		}
		if c.Merge([]byte(text)) != nil || c.Validate() != nil {
			return
		}
		got := c
		if err := got.Merge([]byte(c.String())); err != nil || !reflect.DeepEqual(got, c) {
			t.Fatalf("%s: %v", c.String(), err)
		}
		if len(c.Resize)+len(c.Crop) == 0 {
			if _, err := c.Tensor(formula(3, 4)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
