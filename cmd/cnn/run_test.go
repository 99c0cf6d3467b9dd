package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/onnxtest"
	"github.com/convgl/convgl/tensor"
)

// interrupted is a backend that computes by ref, but gets an interrupt in its first
// kernel.
type interrupted struct{ backend.Backend }

type interruptedKernel struct{ backend.Kernel }

type interruptedDriver struct{}

func init() { backend.Register("interrupted", interruptedDriver{}) }

func (interruptedDriver) Open(backend.Config) (backend.Backend, error) {
	be, err := backend.Open("ref")
	return interrupted{be}, err
}

func (interruptedDriver) Devices() ([]backend.DeviceInfo, error) { return backend.Devices("ref") }

func (b interrupted) Prepare(ctx context.Context, d backend.Desc) (backend.Kernel, error) {
	k, err := b.Backend.Prepare(ctx, d)
	if err != nil {
		return nil, err
	}
	return interruptedKernel{k}, nil
}

func (k interruptedKernel) Run(ctx context.Context, a backend.Args) error {
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// files lists a folder.
func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// oneToSixteen is an input of small, and windowSums its output: the sums over 3×3 pixels.
func oneToSixteen(t *testing.T) string {
	x := make([]float32, 16)
	for i := range x {
		x[i] = float32(i + 1)
	}
	return npy(t, filepath.Join(t.TempDir(), "x.npy"), x, 1, 1, 4, 4)
}

var windowSums = []float32{14, 24, 30, 22, 33, 54, 63, 45, 57, 90, 99, 69, 46, 72, 78, 54}

func TestRun(t *testing.T) {
	model, x := small(t), oneToSixteen(t)
	for _, be := range []string{"cpu", "ref", "cpu:generic"} {
		out := filepath.Join(t.TempDir(), "new", "folder")
		check(t, []expect{{[]string{"run", "-model", model, "-backend", be, "-input", x, "-outdir", out}, 0,
			"y float32[1,1,4,4] " + filepath.Join(out, "output_0.npy") + "\n", ""}})
		y, err := tensor.LoadNPY(filepath.Join(out, "output_0.npy"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(y.Float32s(), windowSums) || len(files(t, out)) != 1 {
			t.Errorf("%s: got %v in %v", be, y.Float32s(), files(t, out))
		}
	}
}

// Outputs come in the model's order and types, and inputs by their names.
func TestRunTwo(t *testing.T) {
	dir := t.TempDir()
	a := npy(t, filepath.Join(dir, "a.npy"), []float32{1, 2, 3, 4, 5, 6}, 2, 3)
	b := npy(t, filepath.Join(dir, "b.npy"), []float32{1, 3, 0, 5, 5, 7}, 2, 3)
	out := filepath.Join(dir, "out")
	check(t, []expect{{[]string{"run", "-model", two(t), "-backend", "cpu", "-input", "b=" + b, "-input", "a=" + a, "-outdir", out}, 0,
		"sum float32[2,3] " + out + "/output_0.npy\nis_less bool[2,3] " + out + "/output_1.npy\n", ""}})
	sum, err := tensor.LoadNPY(filepath.Join(out, "output_0.npy"))
	if err != nil || !slices.Equal(sum.Float32s(), []float32{2, 5, 3, 9, 10, 13}) {
		t.Errorf("%v, %v", sum, err)
	}
	less, err := tensor.LoadNPY(filepath.Join(out, "output_1.npy"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tensor.Data[bool](less); err != nil || !slices.Equal(got, []bool{false, true, false, true, false, true}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestRunCompareAndRepeat(t *testing.T) {
	model, x, dir := small(t), oneToSixteen(t), t.TempDir()
	expected := func(name string, change float32) string {
		sub := filepath.Join(dir, name)
		if err := os.Mkdir(sub, 0o777); err != nil {
			t.Fatal(err)
		}
		y := slices.Clone(windowSums)
		y[5] += change
		npy(t, filepath.Join(sub, "output_0.npy"), y, 1, 1, 4, 4)
		return sub
	}
	same, near, far := expected("same", 0), expected("near", 0.05), expected("far", 1)
	more := expected("more", 0)
	npy(t, filepath.Join(more, "output_1.npy"), []float32{1}, 1)
	base := []string{"run", "-model", model, "-backend", "cpu", "-input", x}
	with := func(args ...string) []string { return slices.Concat(base, args) }
	check(t, []expect{
		{with("-compare", same), 0, "y as expected? ok: equal in all 16 elements\n", ""},
		{with("-compare", near), 0, "y as expected? ok: largest difference 0.05, 0.000505 of the maximum 99 (allowed 0.001); at [0,0,1,1] got 54, expected 54.05", ""},
		{with("-compare", near, "-tol", "1e-4"), 1, "y as expected? FAIL", "1 of 1 outputs are not as expected"},
		{with("-compare", far), 1, "y as expected? FAIL: largest difference 1, 0.0101 of the maximum 99", "1 of 1 outputs are not as expected in " + far},
		{with("-compare", more), 2, "", "there is an output_1.npy, but the model has 1 output"},
		{with("-compare", t.TempDir()), 2, "", "there is no output_0.npy"},
		{with("-compare", filepath.Join(dir, "none")), 2, "", "no such file"},
		{with("-compare", same, "-outdir", same), 2, "", "would replace what -compare expects"},
		{with("-repeat", "3"), 0, "3 more runs: median ", ""},
	})
	_, out, _ := command(t, with("-repeat", "3", "-compare", same)...)
	if !regexp.MustCompile(`^y as expected\? ok: .*\nload [0-9.]+[µm]?s, open cpu [0-9.]+[µm]?s, compile [0-9.]+[µm]?s, first run [0-9.]+[µm]?s\n3 more runs: median [0-9.]+[µm]?s, min [0-9.]+[µm]?s, max [0-9.]+[µm]?s\n$`).MatchString(out) {
		t.Errorf("got %s", out)
	}
}

func TestRunFaults(t *testing.T) {
	model, x, dir := small(t), oneToSixteen(t), t.TempDir()
	file := write(t, "no model")
	wrong := npy(t, filepath.Join(dir, "wrong.npy"), []float32{1}, 1)
	ints := npy(t, filepath.Join(dir, "ints.npy"), make([]int64, 16), 1, 1, 4, 4)
	full, own := filepath.Join(dir, "full"), filepath.Join(dir, "own")
	for _, d := range []string{full, own} {
		if err := os.Mkdir(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/dev/full", filepath.Join(full, "output_0.npy")); err != nil { // each write fails as on a full disk
		t.Fatal(err)
	}
	input := npy(t, filepath.Join(own, "output_0.npy"), make([]float32, 16), 1, 1, 4, 4)
	out := filepath.Join(dir, "out")
	with := func(args string) []string { return append([]string{"run", "-model", model}, words(args)...) }
	check(t, []expect{
		{words("run"), 2, "", "-model is missing"},
		{words("run -model none.onnx"), 2, "", "none.onnx: no such file"},
		{words("run -model " + model), 2, "", "run: nothing to do: want -outdir DIR"},
		{words("run -outdir x"), 2, "", "-model is missing"},
		{words("run -outdir x extra"), 2, "", "extra"},
		{words("run -repeat 1 -model " + filepath.Join(dir, "none.onnx")), 2, "", "none.onnx: no such file"},
		{words("run -repeat 1 -model " + dir), 2, "", "want a regular file"},
		{words("run -repeat 1 -model " + file), 4, "", "refused"},
		{with("-repeat -1"), 2, "", "-repeat -1: want 0 to 10000000"},
		{with("-repeat 10000001"), 2, "", "want 0 to 10000000"},
		{with("-repeat x"), 2, "", "invalid argument"},
		{with("-repeat 1 -tol -1"), 2, "", "-tol -1"},
		{with("-repeat 1 -tol NaN"), 2, "", "-tol NaN"},
		{with("-repeat 1"), 2, "", `no -input for "x"; the model takes x float32[N,1,4,4]`},
		{with("-repeat 1 -input " + wrong), 2, "", "got the shape [1], want [N,1,4,4]"},
		{with("-repeat 1 -input " + ints), 2, "", "got int64[1,1,4,4], want float32"},
		{with("-repeat 1 -input " + x + " -input b=" + x), 2, "", `no input "b"`},
		{with("-repeat 1 -input cat.png"), 2, "", "cnn classify takes pictures"},
		{with("-repeat 1 -backend none -input " + x), 2, "", `-backend none: got "none", want auto, cpu, gl, `},
		{with("-repeat 1 -backend= -input " + x), 2, "", `got "", want auto, `},
		{with("-repeat 1 -backend cpu:none -input " + x), 2, "", `got "none", want generic`},
		{with("-repeat 1 -backend cpu -threads -1 -input " + x), 2, "", "-threads -1: want 0 to 4096"},
		{with("-repeat 1 -backend cpu -threads 4097 -input " + x), 2, "", "-threads 4097: want 0 to 4096"},
		{with("-repeat 1 -backend gl:none -input " + x), 2, "", `-backend gl:none: variant: got "none", want texel or tiled`},
		{with("-repeat 1 -backend ref:none -input " + x), 2, "", `-backend ref:none: variant: got "none", want definition`},
		{with("-repeat 1 -backend auto:none -input " + x), 2, "", `got "none", want generic`},
		{with("-backend cpu -input " + x + " -outdir " + file), 2, "", "not a directory"},
		{with("-backend cpu -input " + x + " -outdir " + full), 2, "", "no space left"},
		{with("-backend cpu -input " + input + " -outdir " + own), 2, "", "would replace the input"},
		{with("-backend interrupted -input " + x + " -outdir " + out), 130, "", "cnn: interrupted"},
	})
	if left := files(t, out); len(left) != 0 {
		t.Errorf("an interrupted run left %v", left)
	}
	if left := files(t, full); len(left) != 1 {
		t.Errorf("a full disk: left %v", left)
	}
	var errs strings.Builder
	args := []string{"run", "-model", model, "-backend", "cpu", "-input", x, "-repeat", "1"}
	if code := run(args, failingWriter{}, &errs); code != 2 || strings.Count(errs.String(), "no space left") != 1 {
		t.Errorf("stdout on a full disk: exit %d: %s", code, errs.String())
	}
}

// Arrays also come in ONNX's own files.
func TestRunPB(t *testing.T) {
	model, dir := small(t), t.TempDir()
	pb := func(name string, data []float32, dims ...int) string {
		file := filepath.Join(dir, name)
		m := onnxtest.Tensor("", tensor.Must(tensor.From(data, dims...)))
		if err := os.WriteFile(file, m, 0o666); err != nil {
			t.Fatal(err)
		}
		return file
	}
	x := make([]float32, 16)
	for i := range x {
		x[i] = float32(i + 1)
	}
	in := pb("x.pb", x, 1, 1, 4, 4)
	pb("output_0.pb", windowSums, 1, 1, 4, 4)
	base := []string{"run", "-model", model, "-backend", "cpu", "-compare", dir, "-input"}
	with := func(file string) []string { return append(slices.Clone(base), file) }
	check(t, []expect{
		{with(in), 0, "y as expected? ok: equal in all 16 elements\n", ""},
		{with("x=" + in), 0, "equal", ""},
		{with(pb("y.pb", x, 16)), 2, "", "got the shape [16], want [N,1,4,4]"},
		{with(filepath.Join(dir, "none.pb")), 2, "", "no such file"},
	})
	if err := os.WriteFile(in, []byte("\x08"), 0o666); err != nil {
		t.Fatal(err)
	}
	check(t, []expect{{with(in), 2, "", "-input x: onnx: " + in + ": refused"}})
	pb("x.pb", x, 1, 1, 4, 4)
	pb("output_1.pb", x, 16)
	check(t, []expect{{with(in), 2, "", "there is an output_1.pb, but the model has 1 output"}})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Times that were taken before an interrupt are printed.
func TestStatistics(t *testing.T) {
	ms := func(n ...int) (list []time.Duration) {
		for _, v := range n {
			list = append(list, time.Duration(v)*time.Millisecond)
		}
		return list
	}
	for want, got := range map[string]string{
		"3 more runs: median 2ms, min 1ms, max 9ms":         statistics(ms(9, 1, 2), 3),
		"2 of 1000 more runs: median 3ms, min 2ms, max 4ms": statistics(ms(4, 2), 1000),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	args := []string{"run", "-model", small(t), "-backend", "cpu", "-input", oneToSixteen(t), "-repeat", fmt.Sprint(maxRepeat)}
	var all, said strings.Builder
	code := run(args, writerFunc(func(p []byte) (int, error) {
		if strings.HasPrefix(string(p), "load ") { // then come the runs
			time.AfterFunc(200*time.Millisecond, func() { syscall.Kill(os.Getpid(), syscall.SIGTERM) })
		}
		return all.Write(p)
	}), &said)
	out, errs := all.String(), said.String()
	if code != 130 || !regexp.MustCompile(`\n\d+ of 10000000 more runs: median `).MatchString(out) || !strings.HasSuffix(errs, "cnn: interrupted\n") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// Auto says what it took, in a line.
func TestRunAuto(t *testing.T) {
	code, _, errs := command(t, "run", "-model", small(t), "-input", oneToSixteen(t), "-repeat", "1")
	if code != 0 || !regexp.MustCompile(`^auto: .*using .*\n$`).MatchString(errs) {
		t.Errorf("exit %d: %s", code, errs)
	}
	check(t, []expect{{[]string{"inspect", small(t)}, 0, "backend ", "auto: using"}})
}

// The most threads are those of backend cpu.
func TestMaxThreads(t *testing.T) {
	_, err := backend.Open("cpu", backend.WithThreads(maxThreads+1))
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("to %d", maxThreads)) {
		t.Errorf("got %v", err)
	}
}

// Times of an emulated GPU are said to be that.
func TestSoftware(t *testing.T) {
	be, err := backend.Open("gl")
	var missing *backend.UnavailableError
	if errors.As(err, &missing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	software := be.Device().Software
	if err := be.Close(); err != nil {
		t.Fatal(err)
	}
	args := []string{"run", "-model", small(t), "-input", oneToSixteen(t), "-backend", "gl"}
	for _, more := range [][]string{{"-repeat", "1"}, {"-outdir", t.TempDir()}} {
		code, _, errs := command(t, append(slices.Clone(args), more...)...)
		if said := strings.Contains(errs, "gl: a software renderer, "); code != 0 || said != (software && more[0] == "-repeat") {
			t.Errorf("%s: exit %d: %s", more, code, errs)
		}
	}
}

// Half-precision values come as float32, which is said.
func TestRunHalf(t *testing.T) {
	dims := []any{2}
	model := net{
		nodes:   []message{node("Relu", "r", []string{"x"}, []string{"y"})},
		inputs:  []message{value("x", typeHalf, dims)},
		outputs: []message{value("y", typeHalf, dims)},
	}.save(t)
	dir := t.TempDir()
	x := npy(t, filepath.Join(dir, "x.npy"), []float32{-1, 2.5}, 2)
	out := filepath.Join(dir, "out")
	check(t, []expect{{[]string{"run", "-model", model, "-backend", "cpu", "-input", x, "-outdir", out}, 0, "y float32[2] ", "note: "}})
	y, err := tensor.LoadNPY(filepath.Join(out, "output_0.npy"))
	if err != nil || !slices.Equal(y.Float32s(), []float32{0, 2.5}) {
		t.Errorf("%v, %v", y, err)
	}
}

// A model of integers is computed exactly, on the host.
func TestRunInts(t *testing.T) {
	dims := []any{2}
	model := net{
		nodes:   []message{node("Add", "a", []string{"x", "x"}, []string{"y"})},
		inputs:  []message{value("x", typeInt64, dims)},
		outputs: []message{value("y", typeInt64, dims)},
	}.save(t)
	dir := t.TempDir()
	x := npy(t, filepath.Join(dir, "x.npy"), []int64{-1, 1<<60 + 1}, 2)
	npy(t, filepath.Join(dir, "output_0.npy"), []int64{-2, 1<<61 + 2}, 2)
	check(t, []expect{{[]string{"run", "-model", model, "-backend", "cpu", "-input", x, "-compare", dir}, 0, "y as expected? ok: equal in all 2 elements", ""}})
}

// Sizes that fit the inputs' types but not the network are the user's fault.
func TestRunSizesThatDoNotFit(t *testing.T) {
	model := net{
		nodes:   []message{node("MaxPool", "pool", []string{"x"}, []string{"y"}, ints("kernel_shape", 5, 5))},
		inputs:  []message{value("x", typeFloat, []any{"N", 1, "H", "W"})},
		outputs: []message{value("y", typeFloat, []any{"N", 1, "P", "Q"})},
	}.save(t)
	check(t, []expect{
		{[]string{"run", "-model", model, "-backend", "cpu", "-input", oneToSixteen(t), "-repeat", "1"}, 2, "", `MaxPool "pool"`},
		{[]string{"inspect", "-backend", "cpu", "-shape", "1,1,4,4", model}, 2, "parameters", `MaxPool "pool"`},
	})
}
