package bench

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convgl/convgl/internal/onnxtest"
	"github.com/convgl/convgl/tensor"
)

// smallNet is y = softmax(z) with z = w·flatten(relu(conv(x))), for x [batch,1,4,4].
func smallNet(batch any) onnxtest.Model {
	kernel := []float32{.5, -1, .25, 1, 2, -.5, .125, 0, 1}
	dense := make([]float32, 3*16)
	for i := range dense {
		dense[i] = float32(i%7)/8 - .25
	}
	return onnxtest.Model{
		Nodes: []onnxtest.Message{
			onnxtest.Node("Conv", "conv", []string{"x", "k"}, []string{"c"}, onnxtest.Ints("pads", 1, 1, 1, 1)),
			onnxtest.Node("Relu", "relu", []string{"c"}, []string{"r"}),
			onnxtest.Node("Flatten", "flat", []string{"r"}, []string{"f"}),
			onnxtest.Node("MatMul", "dense", []string{"f", "w"}, []string{"z"}),
			onnxtest.Node("Softmax", "softmax", []string{"z"}, []string{"y"}),
		},
		Weights: []onnxtest.Message{onnxtest.Floats("k", kernel, 1, 1, 3, 3), onnxtest.Floats("w", dense, 16, 3)},
		Inputs:  []onnxtest.Message{onnxtest.Value("x", tensor.Float32, batch, 1, 4, 4)},
		Outputs: []onnxtest.Message{onnxtest.Value("y", tensor.Float32, batch, 3)},
	}
}

// Networks of files are measured and judged as those that are built, and say so.
func TestPeersModels(t *testing.T) {
	dir := t.TempDir()
	put(t, smallNet("N").File(), dir, "open.onnx")
	put(t, smallNet(1).File(), dir, "fixed.onnx")
	two := smallNet("N")
	two.Inputs = append(two.Inputs, onnxtest.Value("other", tensor.Float32, 1))
	put(t, two.File(), dir, "two.onnx")
	put(t, []byte("none"), dir, "bad.onnx")
	var ws []Workload
	for _, name := range []string{"open", "fixed", "two", "bad", "lenet"} {
		ws = append(ws, Workload{Kind: "net", Name: name, Cin: 1, D: 1, H: 4, W: 4, Cout: 3})
	}
	ts := targets(t, "ref", "cpu")
	var b bytes.Buffer
	c := PeersConfig{Batches: []int{1, 2}, Samples: 3, Budget: time.Millisecond, Models: dir, Ref: ts[0], Targets: ts[1:]}
	if err := Peers(t.Context(), c, ws, &b); err != nil {
		t.Fatal(err)
	}
	cells, failed := map[string]int{}, map[string]string{}
	for dec := json.NewDecoder(&b); dec.More(); {
		var l struct {
			PeerLine
			Error string
		}
		if err := dec.Decode(&l); err != nil {
			t.Fatal(err)
		}
		switch {
		case l.Error != "":
			failed[l.Workload] = l.Error
		case l.Workload != "":
			cells[l.Workload]++
			// 2·(16·9 + 16·3)
			if l.Source != "onnx" || l.Worst == nil || !(*l.Worst <= 1) || l.FLOPs != int64(384*l.Batch) {
				t.Errorf("%+v", l)
			}
		}
	}
	if cells["open"] != 2 || cells["fixed"] != 1 || len(cells) != 2 {
		t.Errorf("cells %v", cells)
	}
	for name, want := range map[string]string{
		"fixed": "got float32[2,1,4,4], want float32[1,1,4,4]", "two": "want one input of float32", "bad": "bad.onnx", "lenet": "lenet.onnx",
	} {
		if !strings.Contains(failed[name], want) {
			t.Errorf("%s: got %q, want %q", name, failed[name], want)
		}
	}
}

// Times of a network from two sources are not those of one thing.
func TestReadPeersSources(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lines")
	line := `{"peer":"convgl-cpu","workload":"n","threads":1,"batch":1,"ms_median":2,"ms_min":1,"gflops":3`
	put(t, []byte(line+"}\n"+line+`,"source":"onnx"}`), file)
	if _, err := ReadPeers(file); err == nil || !strings.Contains(err.Error(), `lines:2: convgl-cpu n: got times of a network with source ""`) {
		t.Error(err)
	}
}
