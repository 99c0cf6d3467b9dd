package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convgl/convgl/internal/onnxtest"
	"github.com/convgl/convgl/tensor"
)

// put writes a file and the folders that it lies in.
func put(t *testing.T, data []byte, path ...string) {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// onnxCases writes a folder of ONNX's layout, and returns it.
func onnxCases(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	unary := func(op string, dims ...any) []byte {
		return onnxtest.Model{
			Nodes:  []onnxtest.Message{onnxtest.Node(op, "", []string{"x"}, []string{"y"})},
			Inputs: []onnxtest.Message{onnxtest.Value("x", tensor.Float32, dims...)}, Outputs: []onnxtest.Message{onnxtest.Value("y", tensor.Float32, dims...)},
		}.File()
	}
	set := func(path string, n int, in, out onnxtest.Message) {
		put(t, in, dir, path, fmt.Sprintf("test_data_set_%d", n), "input_0.pb")
		put(t, out, dir, path, fmt.Sprintf("test_data_set_%d", n), "output_0.pb")
	}
	f := onnxtest.Floats
	x, y := f("x", []float32{-1, 0, 2, 3}, 4), f("y", []float32{0, 0, 2, 3}, 4)
	var index []string
	add := func(path, op, dtypes, more string, model []byte) {
		put(t, model, dir, path, "model.onnx")
		index = append(index, fmt.Sprintf(`{"id":%q,"path":%[1]q,"tier":"core","ops":[%q],"dtypes":[%q]%s}`, path, op, dtypes, more))
	}
	relu := unary("Relu", "N")
	add("v1/good", "Relu", "float32", `,"onnxruntime_agrees":true`, relu)
	set("v1/good", 0, x, y)
	set("v1/good", 1, f("x", []float32{-5}, 1), f("y", []float32{0}, 1))
	add("v1/near", "Relu", "float32", "", relu)
	set("v1/near", 0, x, f("y", []float32{5e-8, 0, 2.001, 3}, 4))
	add("v1/second", "Relu", "float32", "", relu)
	set("v1/second", 0, x, y)
	set("v1/second", 1, x, f("y", []float32{0, 0, 2.01, 3}, 4))
	add("v1/argued", "Relu", "float32", `,"onnxruntime_agrees":false`, relu)
	set("v1/argued", 0, x, x)
	add("v1/typed", "Relu", "float32", "", relu)
	set("v1/typed", 0, x, onnxtest.Tensor("y", tensor.Must(tensor.From([]int64{0, 0, 2, 3}, 4))))
	add("v1/many", "Relu", "float32", "", relu)
	set("v1/many", 0, x, y)
	put(t, y, dir, "v1/many/test_data_set_0", "output_1.pb")
	add("v1/no_set", "Relu", "float32", "", relu)
	add("v1/gru", "Gru", "float32", "", unary("Gru", "N"))
	set("v1/gru", 0, x, y)
	add("v1/int8", "Relu", "int8", "", relu)
	set("v1/int8", 0, onnxtest.Raw("x", 3, []byte{1, 2, 3, 4}, 4), y)
	add("v1/damaged", "Relu", "float32", "", []byte("no model"))
	set("v1/damaged", 0, x, y)
	shape := onnxtest.Model{
		Nodes:   []onnxtest.Message{onnxtest.Node("Add", "", []string{"a", "b"}, []string{"y"})},
		Inputs:  []onnxtest.Message{onnxtest.Value("a", tensor.Int64, 1)},
		Weights: []onnxtest.Message{onnxtest.Tensor("b", tensor.Must(tensor.From([]int64{1}, 1)))},
		Outputs: []onnxtest.Message{onnxtest.Value("y", tensor.Int64, 1)},
	}.File()
	add("v1/exact", "Add", "int64", "", shape)
	set("v1/exact", 0, onnxtest.Tensor("a", tensor.Must(tensor.From([]int64{1 << 60}, 1))), onnxtest.Tensor("y", tensor.Must(tensor.From([]int64{1 << 60}, 1))))
	put(t, []byte("["+strings.Join(index, ",\n")+"]"), dir, "index.json")
	return dir
}

func TestConformONNX(t *testing.T) {
	m, err := ReadCases(onnxCases(t))
	if err != nil {
		t.Fatal(err)
	}
	dump := t.TempDir()
	ts := targets(t, "ref", "cpu")
	var all []Conformance
	if err := Conform(t.Context(), ConformConfig{Targets: ts, Dump: dump}, m, func(r Conformance) error {
		all = append(all, r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := map[string]struct {
		status Status
		detail string
	}{
		"v1/good": {Passed, ""}, "v1/near": {Passed, ""},
		"v1/second":  {Failed, "test_data_set_1/output_0: 1 of 4 elements"},
		"v1/argued":  {Reported, "1 of 4 elements"},
		"v1/typed":   {Failed, "type float32, want int64"},
		"v1/many":    {Failed, "1 outputs, want 2"},
		"v1/no_set":  {Failed, "no folder test_data_set_0"},
		"v1/gru":     {Unsupported, "no such op"},
		"v1/int8":    {Unsupported, "int8"},
		"v1/damaged": {Failed, "not an ONNX model"},
		"v1/exact":   {Failed, "beyond 2⁵³"},
	}
	for _, r := range all {
		if w := want[r.Case]; r.Status != w.status || !strings.Contains(filepath.ToSlash(r.Detail), w.detail) {
			t.Errorf("%s on %s: got %+v, want %v %q", r.Case, r.Backend, r, w.status, w.detail)
		}
	}
	if len(all) != 2*len(want) {
		t.Errorf("%d outcomes, want %d", len(all), 2*len(want))
	}
	for _, file := range []string{"v1/near/output_0.npy", "v1/second/test_data_set_1/output_0.npy"} {
		x, err := tensor.LoadNPY(filepath.Join(dump, "cpu", filepath.FromSlash(file)))
		if err != nil {
			t.Error(err)
		} else if !x.Equal(f32s([]int{4}, 0, 0, 2, 3)) {
			t.Errorf("%s: got %v", file, x.Float32s())
		}
	}
	var text bytes.Buffer
	if err := WriteConformance(&text, Table, "folder", all); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"unsupported: 1 case on ref, cpu: Gru: there is no such op, or it is not supported (float32: Gru 1)\n",
		"(int8: Relu 1)\n", "all     cpu      2       6       2            1",
	} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("no %q in\n%s", line, text.String())
		}
	}
}

// What an index says must stay within its folder.
func TestReadCases(t *testing.T) {
	for _, c := range []struct{ file, text, want string }{
		{"index.json", `[{"id":"a","path":"../a","ops":["Relu"]}]`, "outside of the folder"},
		{"index.json", `[{"id":"../a","path":"a","ops":["Relu"]}]`, `"../a"`},
		{"index.json", `[{"id":"a","path":"a","ops":[]}]`, "and an op"},
		{"index.json", `[{"id":"a","path":"a","ops":["Relu"]},{"id":"a","path":"b","ops":["Relu"]}]`, "twice"},
		{"index.json", `[]`, "no case"},
		{"index.json", `{}`, "cannot unmarshal"},
		{"other.json", `[]`, "neither manifest.json nor index.json"},
	} {
		dir := t.TempDir()
		put(t, []byte(c.text), dir, c.file)
		if _, err := ReadCases(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: got %v, want %q", c.file, c.text, err, c.want)
		}
	}
	if _, err := ReadCases(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// TestONNXNode runs some of ONNX's cases from the folder of conformance data.
func TestONNXNode(t *testing.T) {
	root := os.Getenv("CONVGL_CONFORMANCE")
	if root == "" {
		root = "../../shared/conformance"
	}
	m, err := ReadCases(filepath.Join(root, "onnx_node"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no conformance data: %v (set CONVGL_CONFORMANCE)", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	m.Cases = m.Cases[:60]
	passed := 0
	if err := Conform(t.Context(), ConformConfig{Targets: targets(t, "ref")}, m, func(r Conformance) error {
		if r.Status == Failed {
			t.Errorf("%s: %s", r.Case, r.Detail)
		}
		if r.Status == Passed {
			passed++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if passed < 40 {
		t.Errorf("%d of %d pass", passed, len(m.Cases))
	}
}
