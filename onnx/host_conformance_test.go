package onnx

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// conformanceDir returns a folder of independent cases, and skips the test when there is none.
func conformanceDir(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("CONVGL_CONFORMANCE")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "conformance")
	}
	dir := filepath.Join(root, name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no conformance data: %v (set CONVGL_CONFORMANCE)", err)
	}
	return dir
}

// TestHostConformance holds the host's functions to ONNX's own cases: the values of
// integers and bools exactly, floats to a few units in the last place of their type.
func TestHostConformance(t *testing.T) {
	dir := conformanceDir(t, "onnx_node")
	data, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index []struct {
		ID    string   `json:"id"`
		Path  string   `json:"path"`
		Ops   []string `json:"ops"`
		Opset int      `json:"opset"`
	}
	if err := json.Unmarshal(data, &index); err != nil {
		t.Fatal(err)
	}
	ran, other := 0, 0
	for _, c := range index {
		if len(c.Ops) != 1 || hostFuncs[c.Ops[0]] == nil {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			if err := hostConformance(t, filepath.Join(dir, c.Path), c.Opset); errors.Is(err, errors.ErrUnsupported) {
				other++
				t.Skipf("a type that the host does not compute: %v", err)
			} else if err != nil {
				t.Error(err)
			}
			ran++
		})
	}
	t.Logf("%d cases, and %d of types that the host does not compute", ran, other)
	if ran < 200 {
		t.Errorf("got %d cases, want 200 or more", ran)
	}
}

func hostConformance(t *testing.T, dir string, opset int) error {
	data, err := os.ReadFile(filepath.Join(dir, "model.onnx"))
	if err != nil {
		return err
	}
	m, err := pb.Decode(data, pb.Limits{})
	if err != nil {
		return err
	}
	if len(m.Graph.Nodes) != 1 {
		return fmt.Errorf("got %d nodes, want 1", len(m.Graph.Nodes))
	}
	values := map[string]*tensor.Tensor{}
	for _, p := range m.Graph.Initializers {
		if values[p.Name], _, err = p.Value(pb.ValueOptions{}); err != nil {
			return err
		}
	}
	inputs := 0
	for _, v := range m.Graph.Inputs {
		if values[v.Name] != nil {
			continue
		}
		if values[v.Name], err = loadPB(filepath.Join(dir, "test_data_set_0", fmt.Sprintf("input_%d.pb", inputs))); err != nil {
			return err
		}
		inputs++
	}
	node := m.Graph.Nodes[0]
	c := &hostCall{node: node, version: opset, budget: newBudget(1 << 23), attrs: newAttrs(node)}
	for _, name := range node.Inputs {
		c.in = append(c.in, values[name])
	}
	out, err := hostFuncs[node.OpType](c)
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return err
	}
	got := map[string]*tensor.Tensor{}
	for i, name := range node.Outputs {
		got[name] = out[i]
	}
	for i, v := range m.Graph.Outputs {
		want, err := loadPB(filepath.Join(dir, "test_data_set_0", fmt.Sprintf("output_%d.pb", i)))
		if err != nil {
			return err
		}
		unit := map[pb.DataType]float64{pb.Float16: 0x1p-10, pb.BFloat16: 0x1p-7}[v.ElemType] // float32 is not rounded to them
		if unit == 0 {
			unit = 0x1p-21
		}
		if g := got[v.Name]; !closeTo(g, want, unit) {
			t.Errorf("output %d: got %s, want %s", i, show(g), show(want))
		}
	}
	return nil
}

// closeTo is same, but for a relative error of floats.
func closeTo(a, b *tensor.Tensor, unit float64) bool {
	if a == nil || a.DType() != tensor.Float32 || b.DType() != tensor.Float32 || !a.Shape().Equal(b.Shape()) {
		return same(a, b)
	}
	y := b.Float32s()
	for i, x := range a.Float32s() {
		d := math.Abs(float64(x) - float64(y[i]))
		if x != y[i] && !(x != x && y[i] != y[i]) && !(d <= unit*math.Abs(float64(y[i]))) {
			return false
		}
	}
	return true
}

func loadPB(path string) (*tensor.Tensor, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := pb.DecodeTensor(data, pb.Limits{})
	if err != nil {
		return nil, err
	}
	t, _, err := p.Value(pb.ValueOptions{})
	return t, err
}
