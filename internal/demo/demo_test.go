package demo

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	_ "github.com/convgl/convgl/backend/ref"
	"github.com/convgl/convgl/internal/demo/scene"
	"github.com/convgl/convgl/tensor"
)

// picture writes a small colourful PNG and returns its path.
func picture(t *testing.T, h, w int) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, color.RGBA{uint8(x * 37), uint8(y * 29), uint8(128 + 100*math.Sin(float64(x*y)/9)), 255})
		}
	}
	path := filepath.Join(t.TempDir(), "picture.png")
	if err := tensor.SavePNG(path, img); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs the demo and returns its report and its files.
func run(t *testing.T, o Options) (string, map[string][]byte, error) {
	t.Helper()
	var out bytes.Buffer
	o.Stdout = &out
	if o.Out == "" {
		o.Out = t.TempDir()
	}
	err := Run(context.Background(), o)
	files := map[string][]byte{}
	entries, _ := os.ReadDir(o.Out)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(o.Out, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = data
	}
	return out.String(), files, err
}

func TestRun(t *testing.T) {
	path := picture(t, 50, 70)
	report, files, err := run(t, Options{Image: path, Backends: []string{"ref", "cpu"}})
	if err != nil {
		t.Fatalf("%v\n%s", err, report)
	}
	for _, want := range []string{
		"50 rows × 70 columns", "3 × 50 × 70  →  16 × 50 × 70", "50 × 70  →  12 × 17  (5.83 % of the values)",
		"ref   [[6,4],[8,5]]  as in the course note", "cpu   [[6,4],[8,5]]  as in the course note",
		"All results of ref, cpu agree.",
		"net two blocks x[N,3,50,70], figures for N = 1", "conv2    Conv2D     [N,32,12,17]",
		"network          compiled model, probabilities  ref", "network          compiled model, probabilities  cpu",
		"A network of two blocks, compiled model",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("report lacks %q:\n%s", want, report)
		}
	}
	for _, bad := range []string{"FAIL", "NOT RUN", "suspect"} {
		if strings.Contains(report, bad) {
			t.Errorf("report has %q:\n%s", bad, report)
		}
	}
	if len(files) != 8 {
		t.Errorf("%d files, want 7 pictures and a page", len(files))
	}
	page := string(files["index.html"])
	for _, want := range []string{"net two blocks x[N,3,50,70]", "<h3>Compiled model</h3>", "<td>compiled model, probabilities</td><td>cpu</td>", "A network of two blocks, compiled model"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for name, data := range files {
		if name == "index.html" {
			continue
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b := img.Bounds(); b.Dx() < 400 || b.Dy() < 300 {
			t.Errorf("%s has %v pixels", name, b.Size())
		}
		if !strings.Contains(page, `src="`+name+`"`) {
			t.Errorf("the page does not show %s", name)
		}
	}
	if strings.Contains(page, "http:") || strings.Contains(page, "https:") || strings.Contains(page, "<script") {
		t.Error("the page needs more than its own folder")
	}
	if n := strings.Count(page, `alt="`); n != 7 || strings.Contains(page, `alt=""`) {
		t.Errorf("%d pictures with an alternative text, want 7", n)
	}
}

// TestSamePictures runs the demo twice: the PNG files are equal, whatever
// backends take part.
func TestSamePictures(t *testing.T) {
	path := picture(t, 21, 18)
	_, a, err := run(t, Options{Image: path, Backends: []string{"cpu"}})
	if err != nil {
		t.Fatal(err)
	}
	_, b, err := run(t, Options{Image: path, Backends: []string{"cpu"}})
	if err != nil {
		t.Fatal(err)
	}
	for name := range a {
		if strings.HasSuffix(name, ".png") && !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s differs from run to run", name)
		}
	}
}

// TestSizes has small, odd and long pictures.
func TestSizes(t *testing.T) {
	for _, s := range [][2]int{{4, 4}, {4, 5}, {7, 4}, {5, 300}, {300, 5}, {16, 17}} {
		report, _, err := run(t, Options{Image: picture(t, s[0], s[1]), Backends: []string{"ref", "cpu"}})
		if err != nil {
			t.Errorf("%v: %v\n%s", s, err, report)
		}
	}
}

// absent is a backend that this machine has no device for.
type absent struct{}

func init() { backend.Register("absent", absent{}) }

func (absent) Open(backend.Config) (backend.Backend, error) {
	return nil, &backend.UnavailableError{Backend: "absent", Err: errors.New("no device")}
}

func (absent) Devices() ([]backend.DeviceInfo, error) { return nil, nil }

// A name that is no backend's is refused before anything is done.
func TestUnknownBackend(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	report, _, err := run(t, Options{Image: picture(t, 8, 8), Out: dir, Backends: []string{"cpu", "nosuch"}})
	var u *backend.UnavailableError
	if !errors.As(err, &u) || u.Backend != "nosuch" || !strings.Contains(err.Error(), "registered are: absent, cpu, ref") {
		t.Errorf("got error %v, want one that nosuch is no backend, and which are", err)
	}
	if report != "" {
		t.Errorf("got a report:\n%s", report)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the output folder: got %v, want none", err)
	}
}

func TestMissingBackend(t *testing.T) {
	path := picture(t, 8, 8)
	report, files, err := run(t, Options{Image: path, Backends: []string{"cpu", "absent"}})
	var u *backend.UnavailableError
	if !errors.As(err, &u) || u.Backend != "absent" {
		t.Errorf("got error %v, want one that absent is not available", err)
	}
	for where, text := range map[string]string{"report": report, "page": string(files["index.html"])} {
		if !strings.Contains(text, "NOT RUN") || !strings.Contains(text, "no device") {
			t.Errorf("the %s does not say that absent did not run, and why:\n%s", where, text)
		}
	}
	if len(files) != 8 {
		t.Errorf("%d files: the demo did not go on with the rest", len(files))
	}

	old := DefaultBackends
	defer func() { DefaultBackends = old }()
	DefaultBackends = []string{"ref", "nosuch"}
	report, _, err = run(t, Options{Image: path})
	if err != nil {
		t.Errorf("a missing backend that nobody asked for: %v", err)
	}
	if !strings.Contains(report, "nosuch did NOT run") || !strings.Contains(report, "nothing to compare it with") {
		t.Errorf("the report takes a missing backend for a pass:\n%s", report)
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	half, err := os.ReadFile(picture(t, 64, 64))
	if err != nil {
		t.Fatal(err)
	}
	good := picture(t, 8, 8)
	file := write("file", "x")
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"missing":      {Options{Image: filepath.Join(dir, "none.png")}, "none.png"},
		"not a image":  {Options{Image: write("a.png", "hello")}, "a.png"},
		"empty":        {Options{Image: write("b.png", "")}, "b.png"},
		"cut off":      {Options{Image: write("c.png", string(half[:len(half)/2]))}, "c.png"},
		"too low":      {Options{Image: picture(t, 3, 9)}, "at least 4 × 4"},
		"too narrow":   {Options{Image: picture(t, 9, 3)}, "at least 4 × 4"},
		"out is file":  {Options{Image: good, Out: file}, "folder"},
		"out in file":  {Options{Image: good, Out: filepath.Join(file, "out")}, "folder"},
		"a folder":     {Options{Image: dir}, filepath.Base(dir)},
		"no out given": {Options{Image: good, Out: ""}, "-out"},
	} {
		if c.o.Out == "" && name != "no out given" {
			c.o.Out = filepath.Join(dir, "out")
		}
		c.o.Stdout = io.Discard
		c.o.Backends = []string{"ref"}
		if err := Run(context.Background(), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, c.want)
		} else if picture := c.o.Image != good; errors.Is(err, ErrPicture) != picture {
			t.Errorf("%s: error %v is ErrPicture: %v, want %v", name, err, !picture, picture)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("a folder was made for a picture that cannot be read")
	}
}

func TestTooLarge(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 2049, 2048))
	path := filepath.Join(t.TempDir(), "large.png")
	if err := tensor.SavePNG(path, img); err != nil {
		t.Fatal(err)
	}
	err := Run(context.Background(), Options{Image: path, Out: t.TempDir(), Stdout: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "2048 × 2049") || !strings.Contains(err.Error(), "smaller") {
		t.Errorf("got error %v", err)
	}
}

func TestReadOnlyFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root writes to read-only folders; TestBadInput has unwritable places")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	if err := Run(context.Background(), Options{Out: dir, Stdout: io.Discard}); err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("got error %v", err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	if err := Run(ctx, Options{Image: picture(t, 8, 8), Out: dir, Stdout: io.Discard, Backends: []string{"cpu"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want context canceled", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d files were written", len(entries))
	}
}

// broken is a writer that always fails.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("pipe is gone") }

func TestBrokenOutput(t *testing.T) {
	err := Run(context.Background(), Options{Image: picture(t, 8, 8), Out: t.TempDir(), Stdout: broken{}, Backends: []string{"ref"}})
	if err == nil || !strings.Contains(err.Error(), "pipe is gone") {
		t.Errorf("got error %v", err)
	}
}

// liar is a backend that computes with ref and then spoils results.
type liar struct{ backend.Backend }

func (l liar) Read(ctx context.Context, dst []byte, src backend.Buffer) error {
	err := l.Backend.Read(ctx, dst, src)
	if len(dst) >= 4 {
		dst[2] ^= 0x40 // a bit of the first element's exponent or mantissa
	}
	return err
}

type liarDriver struct{}

func (liarDriver) Open(backend.Config) (backend.Backend, error) {
	be, err := backend.Open("ref")
	return liar{be}, err
}
func (liarDriver) Devices() ([]backend.DeviceInfo, error) { return nil, nil }

// TestDisagreement shows that wrong results are found and not called agreement.
func TestDisagreement(t *testing.T) {
	backend.Register("liar", liarDriver{})
	report, files, err := run(t, Options{Image: picture(t, 12, 12), Backends: []string{"liar"}})
	if !errors.Is(err, ErrDisagree) {
		t.Errorf("got error %v, want ErrDisagree", err)
	}
	for where, text := range map[string]string{"report": report, "page": string(files["index.html"])} {
		if !strings.Contains(text, "FAIL") || !strings.Contains(text, "DISAGREEMENT") || strings.Contains(text, "agree.") {
			t.Errorf("the %s does not show the disagreement:\n%s", where, text)
		}
	}
	if _, model, ok := strings.Cut(report, "compiled model, probabilities  liar"); !ok || !strings.Contains(strings.SplitN(model, "\n", 2)[0], "FAIL") {
		t.Errorf("the compiled model is not marked:\n%s", report)
	}
	if !strings.Contains(report, "WRONG: the course note has [[6,4],[8,5]]") {
		t.Errorf("the 4×4 example is not marked:\n%s", report)
	}
}

// TestDefaultPicture holds the built-in picture to the numbers of the course note.
func TestDefaultPicture(t *testing.T) {
	img, _, err := load("")
	if err != nil {
		t.Fatal(err)
	}
	if !img.Shape().Equal(tensor.Shape{427, 640, 3}) {
		t.Fatalf("shape %v", img.Shape())
	}
	want := scene.Draw()
	d, err := tensor.Data[uint8](img)
	if err != nil {
		t.Fatal(err)
	}
	if c := want.RGBAAt(639, 426); !slices.Equal(d[len(d)-3:], []uint8{c.R, c.G, c.B}) {
		t.Errorf("last pixel is %v, want %v", d[len(d)-3:], c)
	}
	steps, err := makeSteps(img)
	if err != nil {
		t.Fatal(err)
	}
	op := steps[stepMaxPool].layers[0].op
	out, err := op.Infer([]backend.TensorDesc{backend.Of(steps[stepMaxPool].input)})
	if err != nil {
		t.Fatal(err)
	}
	if s := out[0].Shape; s[2] != 106 || s[3] != 160 || percent(s.Size(), 427*640) != "6.21 %" {
		t.Errorf("pooled shape %v, %s", s, percent(s.Size(), 427*640))
	}
}

// TestBank checks the filters' names and the conversion from [K,K,Cin,Cout].
func TestBank(t *testing.T) {
	w, err := bankWeights()
	if err != nil {
		t.Fatal(err)
	}
	if len(bank) != 16 || !w.Shape().Equal(tensor.Shape{16, 3, 3, 3}) {
		t.Fatalf("%d filters, weights %v", len(bank), w.Shape())
	}
	names := map[string]bool{}
	for o, f := range bank {
		names[f.name] = true
		for c := range 3 {
			for tap, k := range f.k {
				if got := w.Float32s()[(o*3+c)*9+tap]; got != k*f.rgb[c] {
					t.Errorf("%s: channel %d, tap %d is %v, want %v", f.name, c, tap, got, k*f.rgb[c])
				}
			}
		}
	}
	if len(names) != 16 {
		t.Errorf("%d different names", len(names))
	}
}

func TestTexts(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
	if got := (table{Head: []string{"a", "n"}, Rows: [][]string{{"×", "1"}, {"bb", "22"}}, Right: []bool{false, true}}).String(); got != "  a    n\n  ──  ──\n  ×    1\n  bb  22\n" {
		t.Errorf("table:\n%s", got)
	}
}
