package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// folder writes a manifest and tensors by file name into a new folder.
func folder(t *testing.T, manifest string, tensors map[string]*tensor.Tensor) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(manifest), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, x := range tensors {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := tensor.SaveNPY(path, x); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func f32s(shape []int, v ...float32) *tensor.Tensor { return tensor.Must(tensor.From(v, shape...)) }

func conform(t *testing.T, dir, dump string, ts ...Target) map[string]Conformance {
	t.Helper()
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Conformance{}
	if err := Conform(t.Context(), ConformConfig{Targets: ts, Dump: dump}, m, func(r Conformance) error {
		got[r.Case] = r
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

const small = `{"cases": [
{"name":"good","op":"relu","attrs":{},"tensors":{"x":{"file":"x.npy","shape":[4],"dtype":"float32"},"y":{"file":"y.npy","shape":[4],"dtype":"float32"},"gy":{"file":"none.npy"}},"tol":{"rtol":0,"atol":0}},
{"name":"loose","op":"relu","attrs":{"note":"x"},"tensors":{"x":{"file":"x.npy"},"y":{"file":"off.npy"}},"tol":{"rtol":0,"atol":1,"y":{"rtol":0,"atol":0.25}}},
{"name":"wrong","op":"relu","attrs":{},"tensors":{"x":{"file":"x.npy"},"y":{"file":"off.npy"}},"tol":{"rtol":0,"atol":0.1}},
{"name":"nan","op":"relu","attrs":{},"tensors":{"x":{"file":"x.npy"},"y":{"file":"nan.npy"}},"tol":{"rtol":1e9,"atol":1e9}},
{"name":"argue","op":"relu","attrs":{},"tensors":{"x":{"file":"x.npy"},"y":{"file":"nan.npy"}},"tol":{"rtol":0,"atol":0},"note":"engines differ: report only"},
{"name":"shape","op":"relu","attrs":{},"tensors":{"x":{"file":"x.npy"},"y":{"file":"pool.npy"}},"tol":{"rtol":0,"atol":9}},
{"name":"missing","op":"relu","attrs":{},"tensors":{"x":{"file":"none.npy"},"y":{"file":"y.npy"}},"tol":{"rtol":0,"atol":0}},
{"name":"lies","op":"relu","attrs":{},"tensors":{"x":{"file":"x.npy","shape":[5],"dtype":"float32"},"y":{"file":"y.npy"}},"tol":{"rtol":0,"atol":0}},
{"name":"aimless","op":"relu","attrs":{},"tensors":{"x":{"file":"x.npy"}},"tol":{"rtol":0,"atol":0}},
{"name":"kind","op":"gru","attrs":{},"tensors":{"x":{"file":"x.npy"},"y":{"file":"y.npy"}},"tol":{"rtol":0,"atol":0}},
{"name":"attr","op":"relu","attrs":{"slope":3},"tensors":{"x":{"file":"x.npy"},"y":{"file":"y.npy"}},"tol":{"rtol":0,"atol":0}},
{"name":"tensor","op":"relu","attrs":{},"tensors":{"x":{"file":"x.npy"},"mask":{"file":"x.npy"},"y":{"file":"y.npy"}},"tol":{"rtol":0,"atol":0}},
{"name":"layout","op":"relu","attrs":{},"layout":"NHWC","tensors":{"x":{"file":"x.npy"},"y":{"file":"y.npy"}},"tol":{"rtol":0,"atol":0}},
{"name":"pool","op":"maxpool1d","attrs":{"kernel":[2],"strides":[2]},"tensors":{"x":{"file":"pool_x.npy"},"y":{"file":"pool.npy"},"indices":{"file":"at.npy","dtype":"int64"}},"tol":{"rtol":1,"atol":1}},
{"name":"place","op":"maxpool1d","attrs":{"kernel":[2],"strides":[2]},"tensors":{"x":{"file":"pool_x.npy"},"y":{"file":"pool.npy"},"indices":{"file":"at_off.npy"}},"tol":{"rtol":1,"atol":1}},
{"name":"train","op":"batchnorm","attrs":{"training":true,"eps":1},"tensors":{"x":{"file":"pool_x.npy"},"running_mean":{"file":"one.npy"},"running_var":{"file":"one.npy"},"y":{"file":"pool_x.npy"}},"tol":{"rtol":0,"atol":0}},
{"name":"adapt","op":"adaptive_avgpool1d","attrs":{"output_size":[2]},"tensors":{"x":{"file":"pool_x.npy"},"y":{"file":"adapt.npy"}},"tol":{"rtol":0,"atol":0}},
{"name":"double","op":"upsample","attrs":{"scale_factor":2,"mode":"nearest"},"tensors":{"x":{"file":"adapt.npy"},"y":{"file":"double.npy"}},"tol":{"rtol":0,"atol":0}},
{"name":"corners","op":"upsample","attrs":{"size":[3],"mode":"linear","align_corners":true},"tensors":{"x":{"file":"adapt.npy"},"y":{"file":"corners.npy"}},"tol":{"rtol":0,"atol":0}},
{"name":"cubic","op":"upsample","attrs":{"scale_factor":[2],"mode":"bicubic"},"tensors":{"x":{"file":"adapt.npy"},"y":{"file":"double.npy"}},"tol":{"rtol":0,"atol":0}},
{"name":"sizeless","op":"upsample","attrs":{"mode":"nearest"},"tensors":{"x":{"file":"adapt.npy"},"y":{"file":"double.npy"}},"tol":{"rtol":0,"atol":0}},
{"name":"norm","op":"batchnorm","attrs":{"training":false,"eps":0},"tensors":{"x":{"file":"pool_x.npy"},"running_mean":{"file":"one.npy"},"running_var":{"file":"one.npy"},"y":{"file":"norm.npy"}},"tol":{"rtol":0,"atol":1e-6}}
]}`

var smallTensors = map[string]*tensor.Tensor{
	"x.npy":       f32s([]int{4}, -1, 0, 2, 3),
	"y.npy":       f32s([]int{4}, 0, 0, 2, 3),
	"off.npy":     f32s([]int{4}, 0, 0, 2, 3.25),
	"nan.npy":     f32s([]int{4}, 0, 0, 2, nan()),
	"pool_x.npy":  f32s([]int{1, 1, 4}, 1, 5, 7, 6),
	"pool.npy":    f32s([]int{1, 1, 2}, 5, 7),
	"at.npy":      tensor.Must(tensor.From([]int64{1, 2}, 1, 1, 2)),
	"at_off.npy":  tensor.Must(tensor.From([]int64{1, 3}, 1, 1, 2)),
	"one.npy":     f32s([]int{1}, 1),
	"adapt.npy":   f32s([]int{1, 1, 2}, 3, 6.5),
	"double.npy":  f32s([]int{1, 1, 4}, 3, 3, 6.5, 6.5),
	"corners.npy": f32s([]int{1, 1, 3}, 3, 4.75, 6.5),
	"norm.npy":    f32s([]int{1, 1, 4}, 0, 4, 6, 5),
}

func TestConform(t *testing.T) {
	dir, dump := folder(t, small, smallTensors), t.TempDir()
	ts := targets(t, "ref", "cpu")
	for _, target := range ts {
		got := conform(t, dir, dump, target)
		for name, want := range map[string]struct {
			status Status
			detail string
		}{
			"good": {Passed, ""}, "loose": {Passed, ""}, "pool": {Passed, ""}, "norm": {Passed, ""},
			"adapt": {Passed, ""}, "double": {Passed, ""}, "corners": {Passed, ""},
			"cubic":    {Unsupported, `mode "bicubic"`},
			"sizeless": {Failed, `"scale_factor" is missing`},
			"wrong":    {Failed, "1 of 4 elements differ by more than 0.1 + 0·|want|, most at [3]: got 3, want 3.25"},
			"nan":      {Failed, "want NaN"},
			"shape":    {Failed, "shape [4], want [1,1,2]"},
			"missing":  {Failed, "none.npy"},
			"lies":     {Failed, "the manifest says float32[5]"},
			"aimless":  {Failed, `"y" is missing`},
			"place":    {Failed, "indices: 1 of 2"},
			"argue":    {Reported, "want NaN"},
			"kind":     {Unsupported, `kind "gru"`},
			"attr":     {Unsupported, `attribute "slope"`},
			"tensor":   {Unsupported, `tensor "mask"`},
			"layout":   {Unsupported, `layout "NHWC"`},
			"train":    {Unsupported, "training"},
		} {
			r, ok := got[name]
			if !ok || r.Status != want.status || !strings.Contains(r.Detail, want.detail) || r.Backend != target.Label {
				t.Errorf("%s on %s: got %+v, want %v %q", name, target.Label, r, want.status, want.detail)
			}
		}
		if len(got) != 22 {
			t.Errorf("%d outcomes", len(got))
		}
		// What was computed is there, also where it is not what was wanted.
		for file, want := range map[string]*tensor.Tensor{"wrong/y.npy": smallTensors["y.npy"], "place/indices.npy": smallTensors["at.npy"]} {
			x, err := tensor.LoadNPY(filepath.Join(dump, target.Label, file))
			if err != nil {
				t.Error(err)
			} else if x.DType() != want.DType() || !x.Shape().Equal(want.Shape()) || !bytes.Equal(x.Bytes(), want.Bytes()) {
				t.Errorf("%s: got %v%v, want %v%v", file, x.DType(), x.Shape(), want.DType(), want.Shape())
			}
		}
		if _, err := os.Stat(filepath.Join(dump, target.Label, "kind")); err == nil {
			t.Error("a dump of a case that did not run")
		}
	}
}

// The note's functions work on H, W, C pictures and matrices.
func TestConformNote(t *testing.T) {
	manifest := `[
{"name":"conv","op":"convolution_3d","attrs":{"stride":1,"padding":0,"layout":"image H W Cin"},"shapes":{"input":[1,2,2],"filters":[1,1,2,3],"output":[1,2,3]},"dtypes":{"input":"float32","filters":"float32","output":"float32"}},
{"name":"pool","op":"max_pooling_2d","attrs":{"pool_size":[1,2],"stride":2,"note":"n"},"shapes":{"input":[2,4],"output":[1,2]},"dtypes":{"input":"float64","output":"float64"}},
{"name":"odd","op":"max_pooling_2d","attrs":{"pool_size":2,"stride":2,"mode":"reflect"},"shapes":{"input":[2,4],"output":[1,2]}}]`
	dir := folder(t, manifest, map[string]*tensor.Tensor{
		"conv/input.npy":   f32s([]int{1, 2, 2}, 1, 2, 3, 4),
		"conv/filters.npy": f32s([]int{1, 1, 2, 3}, 1, 0, 1, 0, 1, 10),
		"conv/output.npy":  f32s([]int{1, 2, 3}, 1, 2, 21, 3, 4, 43),
		"pool/input.npy":   tensor.Must(tensor.From([]float64{1, 2, 3, 4, 9, 9, 9, 9}, 2, 4)),
		"pool/output.npy":  tensor.Must(tensor.From([]float64{2, 4}, 1, 2)),
		"odd/input.npy":    f32s([]int{2, 4}, 1, 2, 3, 4, 9, 9, 9, 9),
		"odd/output.npy":   f32s([]int{1, 2}, 9, 9),
	})
	dump := t.TempDir()
	got := conform(t, dir, dump, targets(t, "cpu")...)
	if got["conv"].Status != Passed || got["pool"].Status != Passed || got["odd"].Status != Unsupported {
		t.Errorf("got %+v", got)
	}
	x, err := tensor.LoadNPY(filepath.Join(dump, "cpu", "conv", "output.npy"))
	if err != nil || !x.Shape().Equal(tensor.Shape{1, 2, 3}) || x.Float32s()[5] != 43 {
		t.Errorf("dump: %v, %v", x, err)
	}
	if x, err := tensor.LoadNPY(filepath.Join(dump, "cpu", "pool", "output.npy")); err != nil || x.DType() != tensor.Float64 || !x.Shape().Equal(tensor.Shape{1, 2}) {
		t.Errorf("dump: %v, %v", x, err)
	}
}

func TestConformReports(t *testing.T) {
	dir := folder(t, small, smallTensors)
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	var rs []Conformance
	if err := Conform(t.Context(), ConformConfig{Targets: targets(t, "ref", "cpu")}, m, func(r Conformance) error { rs = append(rs, r); return nil }); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteConformance(&b, JSON, dir, rs); err != nil {
		t.Fatal(err)
	}
	var report ConformReport
	if err := json.Unmarshal(b.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	want := Tally{Backend: "ref", Family: "relu", Passed: 2, Failed: 6, Unsupported: 3, Reported: 1}
	if len(report.Results) != 44 || !slices.Contains(report.Summary, want) {
		t.Errorf("got %+v", report.Summary)
	}
	b.Reset()
	if err := WriteConformance(&b, Table, dir, rs); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"fail: wrong on cpu: y: 1 of 4", "report: argue on ref", `unsupported: 1 case on ref, cpu: kind "gru"`} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("no %q in\n%s", part, b.String())
		}
	}
}

func TestManifestErrors(t *testing.T) {
	for manifest, part := range map[string]string{
		``:                                "unexpected end",
		`{}`:                              `no "cases"`,
		`[]`:                              "no case",
		`{"cases":[{"name":"a"}]}`:        `name "a", op ""`,
		`[{"name":"../a","op":"conv2d"}]`: `name "../a"`,
		`{"cases":[{"name":"a","op":"b"},{"name":"a","op":"b"}]}`:                  "comes twice",
		`{"cases":[{"name":"a","op":"b","tensors":{"x":{"file":"/etc/passwd"}}}]}`: "outside of the folder",
		`{"cases":[{"name":"a","op":"b","tensors":{"../x":{"file":"x.npy"}}}]}`:    "want a plain name",
		`{"cases":[{"name":"a","op":"b","tol":{"rtol":"x"}}]}`:                     "rtol",
		`[{"name":"a","op":"b","attrs":{"note":1}}]`:                               "note",
	} {
		if _, err := ReadManifest(folder(t, manifest, nil)); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: got %v, want %q", manifest, err, part)
		}
	}
	if _, err := ReadManifest(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no error for a missing folder")
	}
}

func TestConformStops(t *testing.T) {
	dir := folder(t, small, smallTensors)
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	ts := targets(t, "ref")
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err = Conform(ctx, ConformConfig{Targets: ts}, m, func(Conformance) error { n++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("after cancel: %v, %d outcomes", err, n)
	}
	err = Conform(t.Context(), ConformConfig{Targets: ts, Dump: filepath.Join(dir, "x.npy")}, m, func(Conformance) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "dump") {
		t.Errorf("a dump into a file: %v", err)
	}
}

// No manifest makes the reader panic, and none is understood without an output.
func FuzzManifest(f *testing.F) {
	dir := f.TempDir()
	for name, x := range smallTensors {
		if err := tensor.SaveNPY(filepath.Join(dir, name), x); err != nil {
			f.Fatal(err)
		}
	}
	f.Add([]byte(small))
	for _, kind := range CaseKinds() {
		f.Add([]byte(`{"cases":[{"name":"a","op":"` + kind + `","attrs":{"kernel":[2],"pads":[1,1],"axis":0,"mode":"edge","eps":1,"alpha":1,"min":0,"max":1,"count_include_pad":true,"stride":1,"padding":0,"pool_size":2},"tensors":{"x":{"file":"pool_x.npy"},"w":{"file":"pool_x.npy"},"a":{"file":"x.npy"},"b":{"file":"x.npy"},"y":{"file":"y.npy"},"input":{"file":"x.npy"},"filters":{"file":"x.npy"},"output":{"file":"x.npy"},"running_mean":{"file":"one.npy"},"running_var":{"file":"one.npy"}}}]}`))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m := &Manifest{Dir: dir}
		if unmarshal(text, &m.Cases) != nil || m.check() != nil {
			return
		}
		for _, c := range m.Cases {
			if p, err := c.plan(dir); err == nil && (p.op == nil || len(p.out) == 0) {
				t.Errorf("%+v is understood as %+v", c, p)
			}
		}
	})
}

// later are the kinds of torch_cases that come with training.
var later = regexp.MustCompile(`^train_|_train|^softmax_ce|^mse$|^bce_with_logits$`)

// The folders of the conformance data: every forward case passes on every backend.
func TestConformanceData(t *testing.T) {
	root := os.Getenv("CONVGL_CONFORMANCE")
	if root == "" {
		root = "../../shared/conformance"
	}
	for name, want := range map[string]int{"torch_cases": 304, "seed_golden": 47} {
		dir := filepath.Join(root, name)
		if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err != nil {
			t.Skipf("no conformance data: %v (set CONVGL_CONFORMANCE)", err)
		}
		for _, be := range []string{"ref", "cpu", "gl"} {
			t.Run(name+"/"+be, func(t *testing.T) {
				if be == "gl" {
					needGL(t)
				}
				passed := 0
				for _, r := range conform(t, dir, "", targets(t, be)...) {
					switch {
					case r.Status == Passed:
						passed++
					case r.Status == Unsupported && later.MatchString(r.Case):
					default:
						t.Errorf("%s: %v: %s", r.Case, r.Status, r.Detail)
					}
				}
				if passed < want {
					t.Errorf("%d passed, want %d", passed, want)
				}
			})
		}
	}
}

// needGL skips a test where there is no OpenGL; with CONVGL_REQUIRE_GL=1 it fails.
func needGL(t *testing.T) {
	t.Helper()
	be, err := backend.Open("gl")
	if err == nil {
		err = be.Close()
	} else if os.Getenv("CONVGL_REQUIRE_GL") != "1" {
		t.Skipf("no OpenGL: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
