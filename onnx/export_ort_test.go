package onnx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/cnn/models"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// ortJob is a model that ONNX Runtime computes; see testdata/ort.cjs.
type ortJob struct {
	Model  string      `json:"model"`
	Inputs []ortTensor `json:"inputs"`
	Out    string      `json:"out"`
}

type ortTensor struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Dims []int  `json:"dims"`
	File string `json:"file"`
}

type ortAnswer struct {
	Outputs []ortTensor `json:"outputs"`
	Error   string      `json:"error"`
}

// runtimeFolder returns the folder of onnxruntime-node, and skips the test where there is none.
func runtimeFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("CONVGL_ORT")
	if dir == "" {
		t.Skip("no ONNX Runtime: set CONVGL_ORT to a folder where npm installed onnxruntime-node")
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skipf("no Node.js: %v", err)
	}
	dir, err := filepath.Abs(filepath.Join(dir, "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "onnxruntime-node")); err != nil {
		t.Skipf("no ONNX Runtime: %v", err)
	}
	return dir
}

// runORT computes models, all in one process.
func runORT(t *testing.T, folder string, jobs []ortJob) []ortAnswer {
	t.Helper()
	text, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "jobs.json")
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", filepath.Join("testdata", "ort.cjs"), file)
	cmd.Env = append(os.Environ(), "NODE_PATH="+folder)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.Bytes())
	}
	answers := make([]ortAnswer, len(jobs))
	d := json.NewDecoder(bytes.NewReader(out))
	for i := range answers {
		if err := d.Decode(&answers[i]); err != nil {
			t.Fatalf("answer %d: %v\n%s", i, err, stderr.Bytes())
		}
	}
	return answers
}

// newJob writes a model and its inputs to files.
func newJob(t *testing.T, data []byte, g *graph.Graph, in []*tensor.Tensor) ortJob {
	t.Helper()
	dir := t.TempDir()
	job := ortJob{Model: filepath.Join(dir, "model.onnx"), Out: dir}
	if err := os.WriteFile(job.Model, data, 0o666); err != nil {
		t.Fatal(err)
	}
	for i, v := range g.Inputs() {
		o := ortTensor{Name: v.Name(), Type: in[i].DType().String(), Dims: in[i].Shape(), File: filepath.Join(dir, fmt.Sprintf("input_%d.raw", i))}
		var raw bytes.Buffer
		if err := in[i].WriteRaw(&raw); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(o.File, raw.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		job.Inputs = append(job.Inputs, o)
	}
	return job
}

// load reads an output.
func (o ortTensor) load(t *testing.T) *tensor.Tensor {
	t.Helper()
	types := map[string]tensor.DType{"float32": tensor.Float32, "int32": tensor.Int32, "int64": tensor.Int64, "bool": tensor.Bool, "uint8": tensor.Uint8}
	x, err := tensor.New(types[o.Type], o.Dims...)
	if err != nil {
		t.Fatalf("output %q: %s%v: %v", o.Name, o.Type, o.Dims, err)
	}
	raw, err := os.ReadFile(o.File)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.ReadRaw(bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	for i, v := range x.Float32s() {
		if v == -math.MaxFloat32 { // with which ONNX Runtime begins a maximum, of nothing too
			x.Float32s()[i] = float32(math.Inf(-1))
		}
	}
	return x
}

// judge compares the answer to the reference's outputs.
func (a ortAnswer) judge(t *testing.T, g *graph.Graph, want []*tensor.Tensor, limit float64) {
	t.Helper()
	if a.Error != "" {
		t.Fatal(a.Error)
	}
	if len(a.Outputs) != len(want) {
		t.Fatalf("got %d outputs, want %d", len(a.Outputs), len(want))
	}
	worst := 0.0
	for i, o := range a.Outputs {
		d := deviation(t, o.load(t), want[i])
		if d > limit {
			t.Errorf("output %q: differs by %.2g of the largest element, want at most %.2g", g.Outputs()[i].Name, d, limit)
		}
		worst = max(worst, d)
	}
	t.Logf("differs by at most %.2g of the largest element", worst)
}

// TestExportRuntime has ONNX Runtime compute every case, as built and optimised.
func TestExportRuntime(t *testing.T) {
	folder := runtimeFolder(t)
	var jobs []ortJob
	var graphs []*graph.Graph
	var inputs [][]*tensor.Tensor
	for _, c := range exportCases {
		g, plain, optimised := exported(t, c)
		in := feeds(g)
		graphs, inputs = append(graphs, g), append(inputs, in)
		jobs = append(jobs, newJob(t, plain, g, in), newJob(t, optimised, g, in))
	}
	answers := runORT(t, folder, jobs)
	for i, c := range exportCases {
		t.Run(c.name, func(t *testing.T) {
			want := reference(t, graphs[i], inputs[i])
			limit := 1e-5
			if c.exact {
				limit = 0
			}
			t.Run("as built", func(t *testing.T) { answers[2*i].judge(t, graphs[i], want, limit) })
			t.Run("optimised", func(t *testing.T) { answers[2*i+1].judge(t, graphs[i], want, limit) })
		})
	}
}

// layerCases are networks with every layer of package cnn.
func layerCases(t *testing.T) []*cnn.Net {
	var nets []*cnn.Net
	add := func(name string, shape cnn.InputShape, layers ...cnn.Layer) {
		t.Helper()
		n, err := cnn.New(name, shape, layers...)
		if err != nil {
			t.Fatal(err)
		}
		n.Init(7)
		nets = append(nets, n)
	}
	picture := cnn.Shape(3, 12, 14)
	add("activations", picture, cnn.Conv2D(4, 3), cnn.CELU(1.5), cnn.Clip(-2, 2), cnn.ELU(0.5), cnn.Exp(), cnn.GELU(), cnn.GELUTanh(),
		cnn.HardSigmoid(), cnn.HardSwish(), cnn.LeakyReLU(0.1), cnn.Mish(), cnn.ReLU(), cnn.ReLU6(), cnn.SELU(), cnn.SiLU(), cnn.Sigmoid(),
		cnn.Softplus(), cnn.Softsign(), cnn.Tanh(), cnn.PReLU(cnn.PerChannel()), cnn.Softmax(), cnn.LogSoftmax())
	add("norms", picture, cnn.Conv2D(8, 3, cnn.Same()), cnn.BatchNorm(), cnn.GroupNorm(4), cnn.InstanceNorm(cnn.Affine()), cnn.InstanceNorm(),
		cnn.LRN(5), cnn.LRN(4), cnn.LayerNorm(), cnn.GroupNorm(2, cnn.NoAffine()))
	add("pads and pools", picture, cnn.Pad(1, 2), cnn.ConstantPad(0.5, 1), cnn.EdgePad(2), cnn.ReflectPad(1),
		cnn.MaxPool2D(3, cnn.Stride(2), cnn.Padding(1), cnn.CeilMode()), cnn.AvgPool2D(2, cnn.Stride(1), cnn.Padding(1), cnn.CountIncludePad(), cnn.CeilMode()),
		cnn.Upsample(2, cnn.Nearest), cnn.Upsample(1.5, cnn.Linear), cnn.Upsample(2, cnn.Linear, cnn.AlignCorners()), cnn.Resize(cnn.Linear, 17, 9), cnn.Resize(cnn.Nearest, 13, 15),
		cnn.AdaptiveMaxPool(8, 7), cnn.AdaptiveAvgPool(3, 4))
	add("convolutions", picture, cnn.Conv2D(6, 3, cnn.Stride(2), cnn.Padding(1), cnn.NoBias()), cnn.Conv2D(6, 3, cnn.Groups(3), cnn.Dilation(2), cnn.Same()),
		cnn.ConvTranspose2D(4, 3, cnn.Stride(2), cnn.OutputPadding(1)), cnn.Residual(cnn.Sequential(cnn.Conv2D(4, 3, cnn.Same()), cnn.ReLU()), nil),
		cnn.GlobalAvgPool(), cnn.Flatten(), cnn.Dropout(0.5), cnn.Dense(10), cnn.Dense(6, cnn.NoBias()), cnn.Reshape(2, 3), cnn.Dense(4, cnn.LastDim()))
	add("one dim", cnn.Shape(2, 20), cnn.Conv1D(4, 3, cnn.Same()), cnn.MaxPool1D(2), cnn.AvgPool1D(2), cnn.ConvTranspose1D(3, 2, cnn.Stride(2)), cnn.GlobalMaxPool())
	add("three dims", cnn.Shape(2, 6, 7, 8), cnn.Conv3D(4, 3, cnn.Same()), cnn.MaxPool3D(2, cnn.CeilMode()), cnn.AvgPool3D(2, cnn.Stride(1)), cnn.ConvTranspose3D(3, 2, cnn.Stride(2)), cnn.Upsample(2, cnn.Linear))
	add("open sizes", cnn.Shape(3, cnn.Dynamic, cnn.Dynamic), cnn.Conv2D(4, 3, cnn.Same(), cnn.Stride(2)), cnn.MaxPool2D(2, cnn.CeilMode()), cnn.Upsample(2, cnn.Nearest), cnn.GroupNorm(2), cnn.AdaptiveAvgPool(1), cnn.Flatten(), cnn.Dense(3))
	return nets
}

// modelCases are the ready architectures, with small inputs and few classes.
func modelCases(t *testing.T) []*cnn.Net {
	var nets []*cnn.Net
	for _, m := range []struct {
		make func(...models.Option) (*cnn.Net, error)
		opts []models.Option
	}{
		{models.LeNet, nil},
		{models.MobileNetV2, []models.Option{models.WithInput(3, 64, 64)}},
		{models.ResNet18, []models.Option{models.WithInput(3, 64, 64)}},
		{models.ResNet50, []models.Option{models.WithInput(3, 64, 64)}},
		{models.SqueezeNet, []models.Option{models.WithInput(3, 64, 64)}},
		{models.UNet2D, []models.Option{models.WithInput(3, 32, 48), models.WithBase(8)}},
		{models.UNet3D, []models.Option{models.WithInput(1, 16, 16, 16), models.WithBase(4)}},
		{models.VGG16, []models.Option{models.WithInput(3, 32, 32), models.WithHidden(128)}},
	} {
		n, err := m.make(m.opts...)
		if err != nil {
			t.Fatal(err)
		}
		n.Init(11)
		nets = append(nets, n)
	}
	return nets
}

// netCase is a network as a graph, with inputs of one or two images.
func netCase(t *testing.T, n *cnn.Net) (*graph.Graph, []*tensor.Tensor) {
	t.Helper()
	g, err := n.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g, feeds(g)
}

// TestExportNetworks has ONNX Runtime compute every layer and every architecture.
func TestExportNetworks(t *testing.T) {
	folder := runtimeFolder(t)
	for _, n := range append(layerCases(t), modelCases(t)...) {
		t.Run(n.Name(), func(t *testing.T) {
			g, in := netCase(t, n)
			data, err := Export(g)
			if err != nil {
				t.Fatal(err)
			}
			checkModel(t, data, g)
			runORT(t, folder, []ortJob{newJob(t, data, g, in)})[0].judge(t, g, reference(t, g, in), 1e-5)
		})
	}
}
