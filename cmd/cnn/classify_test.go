package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convgl/convgl/preprocess"
	"github.com/convgl/convgl/tensor"
)

// brightest is a network whose scores are the mean of the red, the green and the blue of x
// [dims], of pictures of 4×4.
func brightest(t *testing.T, dims ...any) string {
	out := []any{dims[0], 3}
	return net{
		nodes: []message{
			node("GlobalAveragePool", "pool", []string{"x"}, []string{"p"}),
			node("Flatten", "flat", []string{"p"}, []string{"y"}),
		},
		inputs:  []message{value("x", typeFloat, dims)},
		outputs: []message{value("y", typeFloat, out)},
	}.save(t)
}

// plain saves a picture of one colour.
func plain(t *testing.T, path string, w, h int, c color.Color) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, c)
		}
	}
	if err := tensor.SavePNG(path, img); err != nil {
		t.Fatal(err)
	}
	return path
}

var (
	red   = color.RGBA{255, 0, 0, 255}
	green = color.RGBA{0, 255, 0, 255}
	blue  = color.RGBA{0, 0, 255, 255}
)

// jsonLine is what -json prints of a picture.
type jsonLine struct {
	Path    string
	Error   string
	Classes []class
	Softmax *bool
	Batch   int
	Decode  *float64 `json:"decode_ms"`
	Prepare *float64 `json:"prepare_ms"`
	Run     *float64 `json:"run_ms"`
}

func jsonLines(t *testing.T, out string) []jsonLine {
	t.Helper()
	var list []jsonLine
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	for d.More() {
		var l jsonLine
		if err := d.Decode(&l); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		list = append(list, l)
	}
	if len(list) != strings.Count(out, "\n") {
		t.Errorf("%d objects in %d lines", len(list), strings.Count(out, "\n"))
	}
	return list
}

func TestClassify(t *testing.T) {
	dir := t.TempDir()
	model := brightest(t, "N", 3, 4, 4)
	fixed := brightest(t, 4, 3, 4, 4)
	labels := write(t, "rouge\nvert\r\nbleu\n\n")
	r := plain(t, filepath.Join(dir, "all", "r.png"), 9, 7, red)
	g := plain(t, filepath.Join(dir, "all", "inner", "g.png"), 4, 4, green)
	b := plain(t, filepath.Join(dir, "all", "z.png"), 30, 40, blue)
	text := write(t, "not a picture")
	if err := os.WriteFile(filepath.Join(dir, "all", "notes.txt"), []byte("hello"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "all", "empty"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	half, err := os.ReadFile(r)
	if err != nil {
		t.Fatal(err)
	}
	damaged := write(t, string(half[:len(half)/2]))
	base := []string{"classify", "-backend", "cpu", "-scale", "1/255", "-model", model}
	with := func(more ...string) []string { return append(slices.Clone(base), more...) }
	check(t, []expect{
		{with("-labels", labels, r), 0, "100.00 %      0  rouge", ""},
		{with("-labels", labels, "-top", "1", b, r), 0, "bleu\n" + r, ""},
		{with("-softmax", "no", r), 0, "100.00 %      0\n", ""},
		{with("-softmax", "yes", r), 0, "57.61 %", ""},
		{with("-softmax", "yes", "-channels", "BGR", r), 0, "57.61 %      2\n", ""},
		{with(), 2, "", "want pictures or folders"},
		{with("-top", "0", r), 2, "", "-top 0: want 1 or more"},
		{with("-batch", "-1", r), 2, "", "-batch -1: want 0 to 65536"},
		{with("-softmax", "maybe", r), 2, "", "-softmax maybe: want auto, yes or no"},
		{with("-labels", write(t, "a\nb\n"), r), 2, "", "has 2 lines, the output y has 3 classes"},
		{with("-labels", write(t, ""), r), 2, "", "no lines"},
		{with("-labels", "nowhere", r), 2, "", "nowhere: no such file"},
		{with("-output", "p", r), 2, "", "-output p: there are y float32[N,3]"},
		{with("-crop", "9", r), 2, "", "crop: 9 x 9 is larger than what resize gives, 4 x 4"},
		{with("-mean", "1,2", r), 2, "", "mean: got 2 numbers"},
		{with("-resize", "5", r), 2, "", "resize: pictures become [?,3,?,?], the model's input is [?,3,4,4] (resize gives the shorter side alone; a crop, or resize with height and width, fixes both) (preprocessing as the input suggests, and flags; the input is x float32[N,3,4,4]; see cnn help classify)"},
		{with("-preprocess", write(t, " \n"), r), 2, "", ": the file is empty"},
		{with("-preprocess", "nowhere.json", r), 2, "", "nowhere.json: no such file"},
		{with(text, r), 2, r + "     100.00 %", "cnn: 1 of 2 pictures failed:\n" + text + ": preprocess: not a PNG or JPEG picture: begins with \"not a pi\"\n"},
		{with(damaged, "nowhere.png", r), 2, r, "2 of 3 pictures failed:\n" + damaged + ": preprocess: tensor: DecodeImage: unexpected EOF (was the file cut off?)\n"},
		{with(damaged, "nowhere.png", r), 2, r, "nowhere.png: no such file"},
		{with(t.TempDir()), 2, "", "no files in"},
		{with(filepath.Join(dir, "all")), 0, "", "2 files in folders are no pictures and were skipped"},
		{[]string{"classify", "-backend", "cpu", "-model", model, r}, 0, "", `preprocessing as the input x float32[N,3,4,4] suggests: {"resize": [4, 4], "crop": null,`},
		{[]string{"classify", "-backend", "cpu", "-model", two(t), r}, 2, "", "which output has the scores? want -output NAME; there are sum float32[n,3], is_less bool[n,3]"},
		{[]string{"classify", "-backend", "cpu", "-output", "sum", "-model", two(t), r}, 2, "", "want a model with one input, which takes pictures"},
		{[]string{"classify", "-backend", "cpu", "-model", small(t), "-scale", "1", r}, 2, "", "the output y has shape [N,1,4,4], want [N,classes]"},
		{[]string{"classify", "-model", fixed, "-scale", "1", "-batch", "3", r}, 2, "", "-batch 3: the model takes x float32[4,3,4,4], 4 at once"},
		{[]string{"classify", "-model", model, "-backend", "dance", "-scale", "1", r}, 2, "", "-backend dance: got"},
	})

	// Files come in the order of the arguments and of their names, whatever the batch.
	all := filepath.Join(dir, "all")
	var first []jsonLine
	for _, args := range [][]string{{"-model", model}, {"-model", model, "-batch", "2"}, {"-model", model, "-batch", "100"}, {"-model", fixed}} {
		args = append([]string{"classify", "-json", "-labels", labels, "-softmax", "no", "-scale", "1/255", "-backend", "cpu", b, text, all}, args...)
		code, out, errs := command(t, args...)
		if code != 2 || !strings.Contains(errs, "1 of 5 pictures failed") || !strings.Contains(errs, "2 files in folders") {
			t.Errorf("%v: exit %d, %s", args, code, errs)
		}
		got := jsonLines(t, out)
		var paths []string
		for i := range got {
			paths = append(paths, got[i].Path)
			if (got[i].Error == "") != (got[i].Path != text) {
				t.Errorf("%+v", got[i])
			}
			if got[i].Error == "" && (got[i].Softmax == nil || *got[i].Softmax || got[i].Batch < 1 || got[i].Decode == nil || got[i].Prepare == nil || *got[i].Run <= 0) {
				t.Errorf("%+v", got[i])
			}
			got[i].Batch, got[i].Decode, got[i].Prepare, got[i].Run = 0, nil, nil, nil
		}
		if want := []string{b, text, g, r, b}; !slices.Equal(paths, want) {
			t.Errorf("%v: got %q, want %q", args, paths, want)
		}
		if first == nil {
			first = got
		} else if !reflect.DeepEqual(got, first) {
			t.Errorf("%v: got %v, want %v", args, got, first)
		}
	}
	if want := []class{{1, "vert", 1}, {0, "rouge", 0}, {2, "bleu", 0}}; len(first) != 5 || !slices.Equal(first[2].Classes, want) {
		t.Errorf("got %v, want %v", first, want)
	}
}

// What a picture becomes is described beside the model, and flags override it.
func TestClassifyDescription(t *testing.T) {
	model := brightest(t, 1, 3, 4, 4)
	r := plain(t, filepath.Join(t.TempDir(), "r.png"), 4, 4, red)
	describe := func(text string) {
		t.Helper()
		if err := os.WriteFile(preprocess.Path(model), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"classify", "-backend", "cpu", "-softmax", "no", "-model", model, r}
	describe(`{"scale": 1, "mean": [5, 0, 0]}`)
	check(t, []expect{
		{args, 0, "25000.00 %      0\n", ""},
		{append(args, "-channels", "BGR"), 0, "25500.00 %      2\n", ""},
		{append(args, "-mean", "55"), 0, "20000.00 %      0\n", ""},
		{append(args, "-preprocess", write(t, `{"std": 2, "scale": 1}`)), 0, "12750.00 %      0\n", ""},
	})
	describe(`{"scale": 1, "means": 2}`)
	check(t, []expect{{args, 2, "", `model.json: unknown key "means"`}})
	describe(`{"layout": "NHWC"}`)
	check(t, []expect{{args, 2, "", `layout: pictures become [?,4,4,3], the model's input is [1,3,4,4]`}})
}

// A photograph that was stored turned is looked at upright.
func TestClassifyTurned(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 64, 32))
	for y := range 32 {
		for x := range 64 {
			img.Set(x, y, color.Gray{Y: uint8(255 * (x / 32))}) // dark left, bright right
		}
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, nil); err != nil {
		t.Fatal(err)
	}
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	data := file.String()
	path := write(t, data[:2]+"\xff\xe1\x00"+string(rune(len(exif)+2))+exif+data[2:])
	// The scores are the means of the upper and of the lower half.
	model := net{
		nodes: []message{
			node("AveragePool", "pool", []string{"x"}, []string{"p"}, ints("kernel_shape", 1, 2)),
			node("Flatten", "flat", []string{"p"}, []string{"y"}),
		},
		inputs:  []message{value("x", typeFloat, []any{1, 1, 2, 2})},
		outputs: []message{value("y", typeFloat, []any{1, 2})},
	}.save(t)
	code, out, errs := command(t, "classify", "-backend", "cpu", "-json", "-softmax", "no", "-model", model, "-scale", "1/255", "-filter", "box", path)
	if code != 0 {
		t.Fatal(code, errs)
	}
	// Orientation 6: what was stored left is up.
	if c := jsonLines(t, out)[0].Classes; c[0].Index != 1 || c[0].Probability < .95 || c[1].Probability > .05 {
		t.Errorf("got %v, want class 1, the lower half, to be bright", c)
	}
}

func TestProbabilities(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		scores    []float32
		how       string
		want      []float64
		softmaxed bool
	}{
		{[]float32{.25, .75}, "auto", []float64{.25, .75}, false},
		{[]float32{.25, .75}, "yes", []float64{1 / (1 + math.Exp(.5)), 1 / (1 + math.Exp(-.5))}, true},
		{[]float32{1, 1}, "auto", []float64{.5, .5}, true},
		{[]float32{2, -1}, "auto", []float64{1 / (1 + math.Exp(-3)), 1 / (1 + math.Exp(3))}, true},
		{[]float32{-2, -3}, "no", []float64{-2, -3}, false},
		{[]float32{.25}, "auto", []float64{.25}, false},
		{[]float32{.25}, "yes", []float64{1}, true},
		{[]float32{1000, 0}, "auto", []float64{1, 0}, true},
		{[]float32{0, -inf}, "auto", []float64{1, 0}, true},
		{[]float32{.6, .3995}, "auto", []float64{float64(float32(.6)), float64(float32(.3995))}, false},
	} {
		got, softmaxed := probabilities(c.scores, c.how)
		if softmaxed != c.softmaxed || len(got) != len(c.want) {
			t.Errorf("%v, %s: got %v, %v", c.scores, c.how, got, softmaxed)
			continue
		}
		for i := range got {
			if math.Abs(got[i]-c.want[i]) > 1e-15 {
				t.Errorf("%v, %s: got %v, want %v", c.scores, c.how, got, c.want)
			}
		}
	}
	nan := float32(math.NaN())
	for _, scores := range [][]float32{{nan, 1}, {1, nan}, {inf, 0}, {inf, inf}} {
		p, _ := probabilities(scores, "auto")
		if _, err := likeliest(p, nil, 1); err == nil {
			t.Errorf("%v: got %v and no error", scores, p)
		}
	}
	got, err := likeliest([]float64{.1, .4, .4, .1}, []string{"a", "b", "c", "d"}, 3)
	if want := []class{{1, "b", .4}, {2, "c", .4}, {0, "a", .1}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, want %v (%v)", got, want, err)
	}
}

func TestClasses(t *testing.T) {
	for _, c := range []struct {
		shape []int
		want  int
	}{{[]int{1, 10}, 10}, {[]int{-1, 1000}, 1000}, {[]int{8, 1000, 1, 1}, 1000}, {[]int{8, 1, 1, 5}, 5}, {[]int{7}, 7}, {[]int{4, 1}, 1}, {[]int{1, -1}, 0}} {
		if got, err := classes("y", c.shape, tensor.Shape(c.shape)); err != nil || got != c.want {
			t.Errorf("%v: got %d, want %d (%v)", c.shape, got, c.want, err)
		}
	}
	for _, shape := range [][]int{{}, {1, 2, 3}, {1, 0}} {
		_, err := classes("y", shape, tensor.Shape(shape))
		wantUsage(t, fmt.Sprint(shape), err, "want [N,classes]")
	}
}

// Scores that are no numbers are the network's fault, not the picture's.
func TestClassifyNaN(t *testing.T) {
	model := net{
		nodes: []message{
			node("GlobalAveragePool", "pool", []string{"x"}, []string{"p"}),
			node("Flatten", "flat", []string{"p"}, []string{"f"}),
			node("Log", "log", []string{"f"}, []string{"y"}),
		},
		inputs:  []message{value("x", typeFloat, []any{1, 3, 2, 2})},
		outputs: []message{value("y", typeFloat, []any{1, 3})},
	}.save(t)
	r := plain(t, filepath.Join(t.TempDir(), "r.png"), 4, 4, red)
	check(t, []expect{
		{[]string{"classify", "-backend", "cpu", "-model", model, "-mean", "9", r}, 1, "", "r.png: the probability of class 0 is NaN"},
		{[]string{"classify", "-backend", "cpu", "-json", "-model", model, "-mean", "9", r}, 1, `r.png: the probability of class 0 is NaN"}`, "1 of 1 pictures failed"},
	})
}

// Pictures come in order, however long each takes; few wait; and an end in the middle
// leaves nothing behind.
func TestLoadPictures(t *testing.T) {
	dir := t.TempDir()
	var args []string
	for i := range 40 {
		args = append(args, plain(t, filepath.Join(dir, fmt.Sprintf("%02d.png", i)), 1+(i*37)%200, 50, red))
	}
	cfg, err := preprocess.ForInput([]int{1, 3, 4, 4}, tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	list := listPictures(args)
	i := 0
	if err := loadPictures(t.Context(), list, &cfg, 3, func(p *picture) error {
		if p != list[i] || p.x == nil || p.err != nil {
			t.Errorf("picture %d: %+v", i, p)
		}
		i++
		return nil
	}); err != nil || i != 40 {
		t.Fatal(i, err)
	}

	before := runtime.NumGoroutine()
	stop := errors.New("stop")
	list = listPictures(args)
	if err := loadPictures(t.Context(), list, &cfg, 3, func(p *picture) error { return stop }); err != stop {
		t.Error(err)
	}
	made := 0
	for _, p := range list {
		if p.x != nil {
			made++
		}
	}
	if most := 1 + 3 + 2 + runtime.GOMAXPROCS(0); made > most {
		t.Errorf("%d pictures were made, want at most %d", made, most)
	}
	ctx, cancel := context.WithCancel(t.Context())
	i = 0
	err = loadPictures(ctx, listPictures(args), &cfg, 3, func(p *picture) error {
		if i++; i == 5 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || i != 5 {
		t.Error(i, err)
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, want %d", runtime.NumGoroutine(), before)
}

func TestBudget(t *testing.T) {
	b := newBudget(10)
	var mu sync.Mutex
	var wg sync.WaitGroup
	used := 0
	for i := range 50 {
		wg.Go(func() {
			n := b.take(i)
			mu.Lock()
			if used += n; used > 10 {
				t.Errorf("%d are taken", used)
			}
			mu.Unlock()
			mu.Lock()
			used -= n
			mu.Unlock()
			b.give(n)
		})
	}
	wg.Wait()
	if b.free != 10 {
		t.Errorf("%d are free", b.free)
	}
}

// An interrupt leaves what was printed, and says what is missing.
func TestClassifyInterrupt(t *testing.T) {
	model := brightest(t, 1, 3, 4, 4)
	dir := t.TempDir()
	for i := range 20 {
		plain(t, filepath.Join(dir, fmt.Sprintf("%02d.png", i)), 4, 4, red)
	}
	ctx, cancel := context.WithCancel(t.Context())
	root := rootCommand()
	var errs bytes.Buffer
	out := &cancelAfter{lines: 3, cancel: cancel}
	root.SilenceUsage, root.SilenceErrors = true, true
	root.SetOut(out)
	root.SetErr(&errs)
	root.SetArgs([]string{"classify", "--backend", "cpu", "--scale", "1", "--json", "--model", model, dir})
	err := root.ExecuteContext(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := len(jsonLines(t, out.String())); n != 3 || !strings.Contains(errs.String(), "17 of 20 files were not looked at") {
		t.Errorf("%d lines; %s", n, errs.String())
	}
}

// cancelAfter cancels when some lines were written.
type cancelAfter struct {
	bytes.Buffer
	lines  int
	cancel func()
}

func (c *cancelAfter) Write(p []byte) (int, error) {
	if c.lines -= bytes.Count(p, []byte("\n")); c.lines == 0 {
		c.cancel()
	}
	return c.Buffer.Write(p)
}

// The networks that others trained, on pictures that others labelled: the likeliest class of
// each is what the network predicted elsewhere.
func TestClassifyMNIST(t *testing.T) {
	root := os.Getenv("CONVGL_CONFORMANCE")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "conformance")
	}
	f, err := os.Open(filepath.Join(root, "data", "mnist", "t10k-images-idx3-ubyte.gz"))
	if err != nil {
		t.Skipf("no conformance data: %v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	const n, size = 400, 28
	data := make([]byte, 16+n*size*size)
	if _, err := io.ReadFull(z, data); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i := range n {
		img := &image.Gray{Pix: data[16+i*size*size:][:size*size], Stride: size, Rect: image.Rect(0, 0, size, size)}
		if err := tensor.SavePNG(filepath.Join(dir, fmt.Sprintf("%05d.png", i)), img); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range []struct {
		name  string
		flags []string
	}{
		{"mnist_cntk_opset8", []string{"-scale", "1"}},
		{"mnist_burn_bn", []string{"-mean", "0.1307", "-std", "0.3081"}},
	} {
		want, err := os.ReadFile(filepath.Join(root, "models", m.name, "t10k_predictions_u8.bin"))
		if err != nil {
			t.Fatal(err)
		}
		model := filepath.Join(root, "models", m.name, "model.onnx")
		code, out, errs := command(t, append([]string{"classify", "-backend", "cpu", "-json", "-top", "1", "-model", model, dir}, m.flags...)...)
		if code != 0 {
			t.Fatalf("%s: exit %d, %s", m.name, code, errs)
		}
		got := jsonLines(t, out)
		if len(got) != n {
			t.Fatalf("%s: %d lines, want %d", m.name, len(got), n)
		}
		for i, l := range got {
			if l.Classes[0].Index != int(want[i]) {
				t.Errorf("%s: picture %d: got %d, want %d", m.name, i, l.Classes[0].Index, want[i])
			}
		}
	}
}
