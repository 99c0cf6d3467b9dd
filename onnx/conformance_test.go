package onnx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	_ "github.com/convgl/convgl/backend/gl"
	_ "github.com/convgl/convgl/backend/ref"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// conformance returns the folder of the conformance data.
func conformance(t testing.TB, sub string) string {
	root := os.Getenv("CONVGL_CONFORMANCE")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "conformance")
	}
	dir := filepath.Join(root, sub)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no conformance data: %v", err)
	}
	return dir
}

// backends opens those that the machine has.
func backends(t testing.TB) []backend.Backend {
	var list []backend.Backend
	for _, name := range []string{"ref", "cpu", "gl"} {
		be, err := backend.Open(name)
		if err != nil {
			var missing *backend.UnavailableError
			if errors.As(err, &missing) && os.Getenv("CONVGL_REQUIRE_GL") == "" {
				t.Logf("skipped: %v", err)
				continue
			}
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := be.Close(); err != nil {
				t.Error(err)
			}
		})
		list = append(list, be)
	}
	return list
}

// nodeCase is an entry of index.json.
type nodeCase struct {
	ID     string   `json:"id"`
	Path   string   `json:"path"`
	Ops    []string `json:"ops"`
	Opset  int      `json:"opset"`
	DTypes []string `json:"dtypes"`
	Agrees bool     `json:"onnxruntime_agrees"`
}

// counts reports whether the case is one that must pass: ONNX Runtime agrees with it, and it
// has only types that are computed with.
func (c nodeCase) counts() bool {
	for _, d := range c.DTypes {
		if !slices.Contains([]string{"float32", "int32", "int64", "bool"}, d) {
			return false
		}
	}
	return c.Agrees
}

func readTensor(path string) (*tensor.Tensor, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := pb.DecodeTensor(data, pb.Limits{})
	if err != nil {
		return nil, err
	}
	v, _, err := p.Value(pb.ValueOptions{})
	return v, err
}

func readTensors(dir, kind string) (list []*tensor.Tensor, err error) {
	for i := 0; ; i++ {
		path := filepath.Join(dir, fmt.Sprintf("%s_%d.pb", kind, i))
		if _, err := os.Stat(path); err != nil {
			return list, nil
		}
		t, err := readTensor(path)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
}

// differs judges as ONNX does for its own cases: within 1e-3 of the value and 1e-7 apart, integers
// and booleans exactly.
func differs(got, want *tensor.Tensor) error {
	if got.DType() != want.DType() || !got.Shape().Equal(want.Shape()) {
		return fmt.Errorf("got %v%v, want %v%v", got.DType(), got.Shape(), want.DType(), want.Shape())
	}
	if want.DType() != tensor.Float32 {
		if !got.Equal(want) {
			return fmt.Errorf("got %v, want %v", got, want)
		}
		return nil
	}
	g := got.Float32s()
	for i, w := range want.Float32s() {
		d := math.Abs(float64(g[i]) - float64(w))
		if g[i] != w && !(d <= 1e-7+1e-3*math.Abs(float64(w))) && !(g[i] != g[i] && w != w) {
			return fmt.Errorf("element %d: got %v, want %v", i, g[i], w)
		}
	}
	return nil
}

func runNodeCase(be backend.Backend, dir string) error {
	m, err := Load(filepath.Join(dir, "model.onnx"))
	if err != nil {
		return err
	}
	s, err := m.Compile(context.Background(), be)
	if err != nil {
		return err
	}
	defer s.Close()
	sets, _ := filepath.Glob(filepath.Join(dir, "test_data_set_*"))
	if len(sets) == 0 {
		return errors.New("no data")
	}
	for _, set := range sets {
		in, err := readTensors(set, "input")
		if err != nil {
			return err
		}
		want, err := readTensors(set, "output")
		if err != nil {
			return err
		}
		out, err := s.Run(context.Background(), in...)
		if err != nil {
			return err
		}
		if len(out) != len(want) {
			return fmt.Errorf("got %d outputs, want %d", len(out), len(want))
		}
		for i := range want {
			if err := differs(out[i], want[i]); err != nil {
				return fmt.Errorf("output %d: %w", i, err)
			}
		}
	}
	return s.Close()
}

// whyNot says in few words why a case does not pass; docs/onnx.md has the counts.
func whyNot(err error) string {
	var u *UnsupportedError
	switch {
	case !errors.As(err, &u):
		return "rounded to another type"
	case u.Nodes[0].Op == "input":
		return "inputs of other types"
	}
	return u.Nodes[0].Op + " of another type"
}

// TestNodeCases runs ONNX's own cases of single ops on every backend.
func TestNodeCases(t *testing.T) {
	root := conformance(t, "onnx_node")
	text, err := os.ReadFile(filepath.Join(root, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []nodeCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, be := range backends(t) {
		t.Run(be.Name(), func(t *testing.T) {
			passed, others := 0, map[string]int{}
			for _, c := range cases {
				err := runNodeCase(be, filepath.Join(root, c.Path))
				switch {
				case err == nil:
					passed++
				case c.counts():
					t.Errorf("%s (opset %d): %v", c.ID, c.Opset, err)
				default:
					others[whyNot(err)]++
				}
			}
			var kinds []string
			for k, n := range others {
				kinds = append(kinds, fmt.Sprintf("%d %s", n, k))
			}
			sort.Strings(kinds)
			t.Logf("%d of %d passed; the others: %s", passed, len(cases), strings.Join(kinds, ", "))
		})
	}
}

// TestModels runs trained networks on every backend and holds their outputs to those of ONNX
// Runtime: within 1e-3 of the output's maximum.
func TestModels(t *testing.T) {
	root := conformance(t, "models")
	dirs, _ := filepath.Glob(filepath.Join(root, "*", "model.onnx"))
	if len(dirs) < 7 {
		t.Fatalf("found %d models", len(dirs))
	}
	for _, be := range backends(t) {
		for _, path := range dirs {
			name := filepath.Base(filepath.Dir(path))
			t.Run(be.Name()+"/"+name, func(t *testing.T) {
				if testing.Short() && be.Name() != "cpu" {
					t.Skip("slow")
				}
				m, err := Load(path)
				if err != nil {
					t.Fatal(err)
				}
				s, err := m.Compile(context.Background(), be)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				sets, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "set_*"))
				if len(sets) == 0 {
					t.Fatal("no data")
				}
				worst := 0.0
				for _, set := range sets {
					var in []*tensor.Tensor
					for i := range m.Inputs() {
						x, err := tensor.LoadNPY(filepath.Join(set, fmt.Sprintf("input_%d.npy", i)))
						if err != nil {
							t.Fatal(err)
						}
						in = append(in, x)
					}
					out, err := s.Run(context.Background(), in...)
					if err != nil {
						t.Fatal(err)
					}
					for i, y := range out {
						want, err := tensor.LoadNPY(filepath.Join(set, fmt.Sprintf("output_%d.npy", i)))
						if err != nil {
							t.Fatal(err)
						}
						e, err := relativeToMax(y, want)
						if err != nil || e > 1e-3 {
							t.Errorf("%s: output %d: error %.2g of the maximum: %v", filepath.Base(set), i, e, err)
						}
						worst = max(worst, e)
					}
				}
				t.Logf("open %v, worst error %.2g of the maximum", m.open, worst)
			})
		}
	}
}

// relativeToMax returns the greatest difference as a share of the largest expected value.
func relativeToMax(got, want *tensor.Tensor) (float64, error) {
	if got.DType() != want.DType() || !got.Shape().Equal(want.Shape()) {
		return math.Inf(1), fmt.Errorf("got %v%v, want %v%v", got.DType(), got.Shape(), want.DType(), want.Shape())
	}
	if want.DType() != tensor.Float32 {
		if !got.Equal(want) {
			return math.Inf(1), errors.New("integers differ")
		}
		return 0, nil
	}
	g, top, diff := got.Float32s(), 0.0, 0.0
	for i, w := range want.Float32s() {
		d := math.Abs(float64(g[i]) - float64(w))
		if d != d {
			return math.Inf(1), fmt.Errorf("element %d: got %v, want %v", i, g[i], w)
		}
		diff, top = max(diff, d), max(top, math.Abs(float64(w)))
	}
	return diff / top, nil
}

// TestLight loads graphs of ImageNet networks with constant weights, and runs them.
func TestLight(t *testing.T) {
	root := conformance(t, "light")
	files, _ := filepath.Glob(filepath.Join(root, "*.onnx"))
	if len(files) < 9 {
		t.Fatalf("found %d models", len(files))
	}
	be := backends(t)[1]
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if testing.Short() && !strings.Contains(path, "shufflenet") {
				t.Skip("slow: packs many weights")
			}
			m, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := m.Compile(context.Background(), be)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			shape, _ := m.Inputs()[0].Shape.Static()
			x := tensor.Must(tensor.New(tensor.Float32, shape...))
			for i := range x.Float32s() {
				x.Float32s()[i] = float32(i) / float32(x.Size())
			}
			out, err := s.Run(context.Background(), x)
			if err != nil {
				t.Fatal(err)
			}
			want, err := readTensor(strings.TrimSuffix(path, ".onnx") + "_output_0.pb")
			if err != nil {
				t.Fatal(err)
			}
			e, err := relativeToMax(out[0], want)
			if err != nil || e > 1e-3 {
				t.Errorf("error %.2g of the maximum: %v", e, err)
			}
		})
	}
}

// TestNegative finds every damaged or hostile file refused, with an error that says what
// is wrong.
func TestNegative(t *testing.T) {
	root := conformance(t, "negative")
	says := map[string]string{
		"empty.onnx": "empty", "truncated_half.onnx": "cut off", "garbage.onnx": "not an ONNX model", "unknown_op.onnx": "Frobnicate",
		"missing_weight.onnx": `"w"`, "channel_mismatch.onnx": "channels", "zero_stride.onnx": "strides", "cycle.onnx": "has a cycle",
		"huge_dims.onnx": "dims", "external_escape.onnx": "folder", "reshape_impossible.onnx": "50",
	}
	files, _ := filepath.Glob(filepath.Join(root, "*.onnx"))
	if len(files) < 11 {
		t.Fatalf("found %d files", len(files))
	}
	for _, path := range files {
		_, err := Load(path)
		var refused *RefusedError
		if !errors.As(err, &refused) {
			t.Errorf("%s: got %v, want it refused", filepath.Base(path), err)
			continue
		}
		t.Log(err)
		if want := says[filepath.Base(path)]; want == "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q in the error: %v", filepath.Base(path), want, err)
		}
	}
}
