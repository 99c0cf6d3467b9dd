package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/tensor"
)

// wrong is a backend that computes by ref, but whose every result is NaN in its
// first element.
type wrong struct{ backend.Backend }

type wrongKernel struct {
	backend.Kernel
	be backend.Backend
}

type wrongDriver struct{}

func init() { backend.Register("wrong", wrongDriver{}) }

func (wrongDriver) Open(backend.Config) (backend.Backend, error) {
	be, err := backend.Open("ref")
	return wrong{be}, err
}

func (wrongDriver) Devices() ([]backend.DeviceInfo, error) { return backend.Devices("ref") }

func (wrong) Name() string { return "wrong" }

func (w wrong) Prepare(ctx context.Context, d backend.Desc) (backend.Kernel, error) {
	if d.Op.Kind() == "Softmax" {
		return nil, backend.Unsupported("wrong", "Softmax", "never learned it")
	}
	k, err := w.Backend.Prepare(ctx, d)
	if err != nil {
		return nil, err
	}
	return wrongKernel{k, w.Backend}, nil
}

func (k wrongKernel) Run(ctx context.Context, a backend.Args) error {
	return errors.Join(k.Kernel.Run(ctx, a), k.be.Write(ctx, a.Out[0], []byte{0xff, 0xff, 0xff, 0xff}))
}

// command runs it.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(args, &out, &errs)
	return code, out.String(), errs.String()
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// cases writes a folder with one case of each kind that is named.
func cases(t *testing.T, kinds ...string) string {
	t.Helper()
	dir := t.TempDir()
	for name, v := range map[string]float32{"x": 1, "good": 1, "bad": 2} {
		if err := tensor.SaveNPY(filepath.Join(dir, name+".npy"), tensor.Must(tensor.From([]float32{v}, 1))); err != nil {
			t.Fatal(err)
		}
	}
	var list []string
	for _, k := range kinds {
		op, y := "relu", k
		if k == "unknown" {
			op, y = "gru", "good"
		}
		list = append(list, fmt.Sprintf(`{"name":%q,"op":%q,"attrs":{},"tensors":{"x":{"file":"x.npy"},"y":{"file":"%s.npy"}},"tol":{"rtol":0,"atol":0}}`, k, op, y))
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(`{"cases":[`+strings.Join(list, ",")+`]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

// progress is what a slow machine gets to see.
var progress = regexp.MustCompile(`(?m)^\d+/\d+, .* left\n`)

func TestExitCodes(t *testing.T) {
	table := write(t, "conv2d\tc\t4\t1\t8\t8\t8\t3\t1\t1\t1\nnet\tn\t1\t1\t8\t8\t8\t0\t0\t0\t1\n")
	times := write(t, `{"peer":"convgl-cpu","workload":"c","threads":1,"batch":1,"ms_median":2,"ms_min":1,"gflops":3}
{"peer":"onednn","workload":"c","threads":1,"batch":1,"ms_median":2,"ms_min":1.5,"gflops":2}`)
	empty := write(t, "")
	points := write(t, `{"peer":"convgl-cpu","device":"d","threads":1,"peak_gflops":100,"peak_gb_s":10}
{"peer":"convgl-cpu","workload":"c","threads":1,"batch":1,"ms_median":2,"ms_min":1,"gflops":3,"flops":1000000,"bytes":10000}`)
	picture := filepath.Join(t.TempDir(), "roofline.png")
	foreign := write(t, `{"problem":"act:relu:4","backend":"ref","status":"pass"}`)
	for _, c := range []struct {
		args string
		code int
		out  string // part of stdout
		err  string // part of stderr
	}{
		{"", 0, "verify", ""},
		{"help", 0, "verify", ""},
		{"-help", 0, "verify", ""},
		{"perf -h", 0, "-peers", ""},
		{"dance", 2, "", "unknown command"},
		{"verify extra", 2, "", "extra"},
		{"verify -dance", 2, "", "unknown flag"},
		{"verify -seed x", 2, "", "invalid argument"},
		{"list", 0, "resnet50", ""},
		{"list -backend none", 2, "", "want -prb too"},
		{"demo -out=", 2, "", "want a folder"},
		{"list -backend ref -prb act:relu:3", 0, "definition", ""},
		{"list -backend none -prb act:relu:3", 2, "", "want auto, cpu, gl, "},
		{"env", 0, "auto: using", ""},

		{"verify -backend cpu -op conv,act", 0, "0 failed", ""},
		{"verify --backend cpu --prb act:relu:3 --fill all", 0, "5 passed", ""},
		{"verify -backend wrong -prb act:relu:3 -fill exact", 1, "cnnbench verify -backend wrong -ref ref -prb 'act:relu:3' -fill exact -seed 1", "not all is well"},
		{"verify -backend wrong -prb softmax:1x3 -fill exact", 0, "1 unsupported", ""},
		{"verify -backend wrong -prb softmax:1x3 -fill exact -strict", 1, "1 unsupported", ""},
		{"verify -backend none", 2, "", `-backend none: got "none", want auto, cpu, gl, `},
		{"verify -backend cpu -ref none -prb act:relu:3", 2, "", "no such backend"},
		{"verify -backend cpu,cpu", 2, "", "each item once"},
		{"verify -backend cpu -prb conv:mb1_ic3zz", 2, "", "position 12"},
		{"verify -backend cpu -prb act:relu:1x2:x", 2, "", "want the end"},
		{"verify -backend cpu -prb conv:mb1_ic3ih2oc3kh5", 2, "", "kernel larger than the padded input"},
		{"verify -backend cpu -batch no-such-file", 2, "", "no-such-file"},
		{"verify -backend cpu -op dance", 2, "", "want one of conv"},
		{"verify -backend cpu -prb act:relu:3 -op conv", 2, "", "no problem of that kind"},
		{"perf -models .", 2, "", "want -peers too"},
		{"perf -peers layers -models no-such-folder", 2, "", "-models: open no-such-folder"},
		{"verify -backend cpu -fill sand", 2, "", "sand"},
		{"verify -backend cpu -format xml", 2, "", "xml"},
		{"verify -backend cpu -prb act:relu:1073741824x9", 2, "", "want at most"},
		{"verify -backend cpu -threads 0", 2, "", "want a number from 1"},

		{"perf -backend ref -prb act:relu:3 -count 1 -min-time 1ms", 0, "GFLOP/s", ""},
		{"perf -backend ref -prb act:relu:3 -count 1 -min-time 0s -format bench", 0, "BenchmarkAct/relu:3/impl=ref", ""},
		{"perf -backend wrong -prb softmax:1x3 -count 1", 0, "never learned it", ""},
		{"perf -backend ref -prb act:relu:3 -count 0", 2, "", "want at least 1"},
		{"perf -backend ref -prb act:relu:1073741824x9", 2, "", "want at most"},
		{"perf -backend ref -prb act:relu:3 -fill exact,normal", 2, "", "want one"},
		{"perf -backend ref -prb act:relu:3 -baseline no-such-file", 2, "", "no-such-file"},
		{"perf -backend ref -prb act:relu:3 -count 1 -min-time 0s -baseline " + foreign, 2, "GFLOP/s", "none of what was measured"},
		{"perf -backend none -prb act:relu:3", 2, "", "want auto, cpu, gl, "},
		{"perf -backend ref -peers " + table + " -prb act:relu:3", 2, "", "none of the others can be"},
		{"perf -backend ref -peers no-such-file", 2, "", "no-such-file"},
		{"perf -backend ref -peers " + table + " -batch-sizes 1,x", 2, "", `got "x"`},
		{"perf -backend none -peers " + table, 2, "", "want auto, cpu, gl, "},
		{"perf -backend ref -peers " + table, 0, `{"peer":"convgl-ref","workload":"n","error":"bench: network \"n\"`, ""},
		{"perf -backend wrong -peers " + table, 1, "wrong result", "1 workload with a wrong result"},
		{"perf -backend wrong -ref= -peers " + table, 0, "ms_median", ""},
		{"perf -backend cpu -ref none -peers " + table, 2, "", "no such backend"},

		{"report " + times, 0, "| c | 1 | 1 | 1 | 6 GFLOP/s | – | – | 1.5 | 1.50 | 100 %, 33 % |", ""},
		{"report " + times + " -plain onednn -peer convgl-gl", 2, "", "no times of peer convgl-gl"},
		{"roofline -o " + picture + " " + points, 0, "", ""},
		{"roofline -o " + picture + " -width 300 -height 200 -peer convgl-gl " + points, 2, "", "nothing that was measured"},
		{"roofline -o " + picture + " -width 10 " + points, 2, "", "10 x 900 pixels"},
		{"roofline -o " + picture + " " + times, 2, "", "no peaks, FLOPs or bytes"},
		{"roofline -o " + picture + " no-such-file", 2, "", "no-such-file"},
		{"roofline -o " + picture + " " + table, 2, "", "invalid character"},
		{"roofline -o " + picture + " -prb act:relu:3 " + points, 2, "", "want no FILE with it"},
		{"roofline -o " + picture + " -backend none -prb act:relu:3", 2, "", "want auto, cpu, gl, "},
		{"roofline -o " + picture + " -backend cpu -prb conv:mb1_ic4ih9oc4oh9kh3ph1 -threads 1", 0, "", ""},
		{"roofline -o " + filepath.Dir(picture) + " " + points, 2, "", "folder"},
		{"roofline -o " + filepath.Join(picture, "in-a-file.png") + " " + points, 2, "", "not a directory"},
		{"roofline -o " + points + " " + points, 2, "", "another file"},
		{"roofline -o= " + points, 2, "", "-o: want a file"},
		{"roofline -backend ref -prb conv:mb1_ic4ih9oc4oh9kh3ph1 -o " + picture, 2, "", "backend ref measures no peaks"},
		{"perf -backend ref -peers " + empty, 2, "", "no rows"},
		{"report " + empty, 2, "", "no times"},
		{"report", 2, "", "requires at least 1 arg"},
		{"report no-such-file", 2, "", "no-such-file"},
		{"report " + table, 2, "", "invalid character"},
		{"report -plain ,, " + times, 2, "", "-plain"},

		{"conform -backend cpu -cases " + cases(t, "good"), 0, "all     cpu      1       0", ""},
		{"conform -backend cpu,ref -cases " + cases(t, "good", "bad"), 1, "fail: bad on ref", "not all is well"},
		{"conform -backend cpu -cases " + cases(t, "good", "unknown"), 0, "all     cpu      1       0       1", ""},
		{"conform -backend cpu -strict -cases " + cases(t, "good", "unknown"), 1, `kind "gru"`, ""},
		{"conform -backend cpu -skip unk -strict -cases " + cases(t, "good", "unknown"), 0, "all     cpu      1       0       0", "leaves out 1 of 2"},
		{"conform -backend cpu -skip unk -strict -cases " + cases(t, "unknown"), 2, "", "leaves no case"},
		{"conform -backend cpu -skip ( -cases " + cases(t, "good"), 2, "", "-skip"},
		{"verify -backend cpu:none -prb act:relu:3", 2, "", `got "none", want generic`},
		{"verify -backend gl:none -prb act:relu:3", 2, "", `got "none", want texel or tiled`},
		{"conform -backend none -cases " + cases(t, "good"), 2, "", "want auto, cpu, gl, "},
		{"conform -backend cpu -cases no-such-folder", 2, "", "no-such-folder"},
		{"conform", 2, "", "-cases is missing"},
	} {
		code, out, errs := command(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.err) {
			t.Errorf("cnnbench %s: exit %d, want %d\nstdout (want %q): %s\nstderr (want %q): %s", c.args, code, c.code, c.out, out, c.err, errs)
		}
		if errs = progress.ReplaceAllString(errs, ""); code == cli.ExitOK && errs != "" && c.err == "" {
			t.Errorf("cnnbench %s: stderr: %s", c.args, errs)
		}
	}
}

// A picture is written whole: after a failure the old one is there, and nothing else.
func TestRooflinePicture(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "roofline.png")
	points := write(t, `{"peer":"convgl-cpu","device":"d","threads":1,"peak_gflops":100,"peak_gb_s":10}
{"peer":"convgl-cpu","workload":"c","threads":1,"batch":1,"ms_median":2,"ms_min":1,"gflops":3,"flops":1000000,"bytes":10000}`)
	for _, size := range []string{"400", "500"} {
		if code, _, errs := command(t, "roofline", "-o", out, "-width", size, points); code != 0 || errs != "" {
			t.Fatalf("exit %d: %s", code, errs)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil || fmt.Sprint(img.Bounds().Dx()) != size {
			t.Errorf("%v, %v", img.Bounds(), err)
		}
		if code, _, _ := command(t, "roofline", "-o", out, write(t, "noise")); code != 2 {
			t.Errorf("noise: exit %d", code)
		}
		if again, err := os.ReadFile(out); err != nil || !bytes.Equal(again, data) {
			t.Errorf("a failed run changed the picture: %v", err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%d files, %v", len(left), err)
	}
}

// failingWriter is a full disk.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestOutputThatCannotBeWritten(t *testing.T) {
	small := filepath.Join(t.TempDir(), "small.png")
	if err := tensor.SavePNG(small, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"help", "list", "env", "verify -backend cpu -prb act:relu:3", "demo -backend cpu -image " + small + " -out " + t.TempDir(),
	} {
		var errs strings.Builder
		if code := run(strings.Fields(args), failingWriter{}, &errs); code != cli.ExitUsage || strings.Count(errs.String(), "no space left") != 1 {
			t.Errorf("cnnbench %s: exit %d, want 2; stderr: %s", args, code, errs.String())
		}
	}
}

// A FILTER that no workload matches is a mistake.
func TestPeersFilter(t *testing.T) {
	t.Setenv("FILTER", "^nosuch$")
	if code, _, errs := command(t, "perf", "-backend", "ref", "-peers", "layers"); code != 2 || !strings.Contains(errs, "FILTER=^nosuch$: no workload") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// With -peers, standard output holds JSON lines and nothing else.
func TestPeersOutput(t *testing.T) {
	t.Setenv("REPS", "3")
	t.Setenv("CELL_MS", "1")
	t.Setenv("FILTER", "^[cm]$")
	table := write(t, "# kind\nconv2d\tc\t4\t1\t8\t8\t8\t3\t1\t1\t1\nmaxpool2d\tm\t4\t1\t8\t8\t4\t2\t2\t0\t1\nconv2d\tno\t4\t1\t8\t8\t8\t3\t1\t1\t1\n")
	code, out, errs := command(t, "perf", "-backend", "cpu", "-peers", table, "-threads", "1,2", "-batch-sizes", "1,3")
	if code != 0 || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2+2*2*2*2 || strings.Count(out, "peak_gflops") != 2 {
		t.Fatalf("%d lines, want 2 with peaks and 16 with times:\n%s", len(lines), out)
	}
	for _, l := range lines[2:] {
		var v map[string]any
		if err := json.Unmarshal([]byte(l), &v); err != nil {
			t.Fatalf("%v: %q", err, l)
		}
		keys := []string{"peer", "workload", "threads", "batch", "ms_median", "ms_min", "samples", "gflops", "worst_ratio"}
		if v["workload"] == "m" {
			keys = append(keys, "gb_s")
		}
		for _, k := range keys {
			if _, ok := v[k]; !ok {
				t.Errorf("no %s in %s", k, l)
			}
		}
	}
	t.Setenv("REPS", "many")
	if code, _, errs := command(t, "perf", "-backend", "cpu", "-peers", table); code != 2 || !strings.Contains(errs, "REPS") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// A kernel that is slower than a baseline ends in exit code 1.
func TestBaseline(t *testing.T) {
	args := []string{"perf", "-backend", "ref", "-prb", "conv:mb1_ic4ih9oc4oh9kh3ph1", "-count", "6", "-min-time", "1ms"}
	code, out, errs := command(t, append(args, "-format", "json")...)
	if code != 0 {
		t.Fatal(errs)
	}
	var m bench.Measurement
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		t.Fatal(err)
	}
	for factor, want := range map[float64]int{1e-3: cli.ExitDisagree, 1e3: cli.ExitOK} {
		was := m
		was.Kernel.Hi, was.Kernel.Median = m.Kernel.Hi*factor, m.Kernel.Median*factor
		text, err := json.Marshal(was)
		if err != nil {
			t.Fatal(err)
		}
		code, _, errs := command(t, append(args, "-baseline", write(t, string(text)))...)
		if code != want || (want != 0) != strings.Contains(errs, "slower than the baseline") {
			t.Errorf("baseline times %g: exit %d, want %d: %s", factor, code, want, errs)
		}
	}
}

func TestConformJSONAndDump(t *testing.T) {
	dump := t.TempDir()
	code, out, errs := command(t, "conform", "-backend", "cpu", "-json", "-dump", dump, "-cases", cases(t, "good", "bad", "unknown"))
	if code != 1 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r bench.ConformReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 3 || r.Results[1].Status != bench.Failed {
		t.Errorf("got %+v", r)
	}
	x, err := tensor.LoadNPY(filepath.Join(dump, "cpu", "bad", "y.npy"))
	if err != nil || x.Float32s()[0] != 1 {
		t.Errorf("dump: %v, %v", x, err)
	}
	if err := os.WriteFile(filepath.Join(dump, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := command(t, "conform", "-backend", "cpu", "-dump", filepath.Join(dump, "file"), "-cases", cases(t, "good")); code != 2 || !strings.Contains(errs, "dump") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
