package cnn_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/tensor"
)

// torchCase is one op, or one training run, that PyTorch has computed.
type torchCase struct {
	Name, Op, Note string
	Attrs          torchAttrs
	Tensors        map[string]struct{ File string }
	Tol            struct{ RTol, ATol float64 }

	dir string
}

type torchAttrs struct {
	Kernel, Strides, Dilations, Pads []int
	OutputPadding                    []int `json:"output_padding"`
	OutputSize                       []int `json:"output_size"`
	Groups, Axis                     int
	Bias, Affine, Training           bool
	CeilMode                         bool `json:"ceil_mode"`
	CountIncludePad                  bool `json:"count_include_pad"`
	AlignCorners                     bool `json:"align_corners"`
	Eps, Alpha, Beta, K, Value       float32
	ScaleFactor                      float64 `json:"scale_factor"`
	Mode                             string
	Size                             any // a number or a list
	Layers                           []torchLayer
}

type torchLayer struct {
	Kind                         string
	Out, Kernel, Padding, Groups int
}

func torchCases(t *testing.T) []torchCase {
	t.Helper()
	root := os.Getenv("CONVGL_CONFORMANCE")
	if root == "" {
		root = "../../shared/conformance"
	}
	dir := filepath.Join(root, "torch_cases")
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if os.IsNotExist(err) {
		t.Skipf("no conformance data in %s (set CONVGL_CONFORMANCE)", dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct{ Cases []torchCase }
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	for i := range manifest.Cases {
		manifest.Cases[i].dir = dir
	}
	return manifest.Cases
}

func (c torchCase) tensor(t *testing.T, name string) *tensor.Tensor {
	t.Helper()
	x, err := tensor.LoadNPY(filepath.Join(c.dir, c.Tensors[name].File))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (c torchCase) has(name string) bool { _, ok := c.Tensors[name]; return ok }

// layer returns what is PyTorch's layer here, and nil for an op that is none.
func (c torchCase) layer(x, y tensor.Shape) cnn.Layer {
	a := c.Attrs
	window := []cnn.Option{cnn.KernelSize(a.Kernel...), cnn.Stride(a.Strides...), cnn.Padding(a.Pads...)}
	if a.Dilations != nil {
		window = append(window, cnn.Dilation(a.Dilations...))
	}
	conv := slices.Concat(window, []cnn.Option{cnn.Groups(a.Groups)})
	if !a.Bias {
		conv = append(conv, cnn.NoBias())
	}
	pool := slices.Clone(window)
	if a.CeilMode {
		pool = append(pool, cnn.CeilMode())
	}
	average := slices.Clone(pool)
	if a.CountIncludePad {
		average = append(average, cnn.CountIncludePad())
	}
	up := slices.Concat(conv, []cnn.Option{cnn.OutputPadding(a.OutputPadding...)})
	eps := cnn.Epsilon(a.Eps)
	switch c.Op {
	case "conv1d":
		return cnn.Conv1D(y[1], 0, conv...)
	case "conv2d":
		return cnn.Conv2D(y[1], 0, conv...)
	case "conv3d":
		return cnn.Conv3D(y[1], 0, conv...)
	case "conv_transpose1d":
		return cnn.ConvTranspose1D(y[1], 0, up...)
	case "conv_transpose2d":
		return cnn.ConvTranspose2D(y[1], 0, up...)
	case "conv_transpose3d":
		return cnn.ConvTranspose3D(y[1], 0, up...)
	case "maxpool1d":
		return cnn.MaxPool1D(0, pool...)
	case "maxpool2d":
		return cnn.MaxPool2D(0, pool...)
	case "maxpool3d":
		return cnn.MaxPool3D(0, pool...)
	case "avgpool1d":
		return cnn.AvgPool1D(0, average...)
	case "avgpool2d":
		return cnn.AvgPool2D(0, average...)
	case "avgpool3d":
		return cnn.AvgPool3D(0, average...)
	case "global_avgpool1d", "global_avgpool2d", "global_avgpool3d":
		return cnn.GlobalAvgPool()
	case "global_maxpool1d", "global_maxpool2d", "global_maxpool3d":
		return cnn.GlobalMaxPool()
	case "adaptive_avgpool2d":
		return cnn.AdaptiveAvgPool(a.OutputSize...)
	case "batchnorm":
		switch {
		case a.Training:
			return nil
		case !a.Affine:
			return cnn.BatchNorm(eps, cnn.NoAffine())
		}
		return cnn.BatchNorm(eps)
	case "groupnorm":
		return cnn.GroupNorm(a.Groups, eps)
	case "instancenorm":
		return cnn.InstanceNorm(eps, cnn.Affine())
	case "layernorm":
		return cnn.LayerNorm(eps, cnn.Axis(a.Axis))
	case "dense":
		if !a.Bias {
			return cnn.Dense(y[1], cnn.NoBias())
		}
		return cnn.Dense(y[1])
	case "relu":
		return cnn.ReLU()
	case "leaky_relu":
		return cnn.LeakyReLU(a.Alpha)
	case "prelu":
		return cnn.PReLU(cnn.PerChannel())
	case "relu6":
		return cnn.ReLU6()
	case "elu":
		return cnn.ELU(a.Alpha)
	case "selu":
		return cnn.SELU()
	case "celu":
		return cnn.CELU(a.Alpha)
	case "sigmoid":
		return cnn.Sigmoid()
	case "tanh":
		return cnn.Tanh()
	case "softplus":
		return cnn.Softplus()
	case "softsign":
		return cnn.Softsign()
	case "hardsigmoid":
		return cnn.HardSigmoid()
	case "hardswish":
		return cnn.HardSwish()
	case "silu":
		return cnn.SiLU()
	case "mish":
		return cnn.Mish()
	case "gelu_erf":
		return cnn.GELU()
	case "gelu_tanh":
		return cnn.GELUTanh()
	case "exp":
		return cnn.Exp()
	case "lrn":
		return cnn.LRN(int(a.Size.(float64)), cnn.Response(a.Alpha, a.Beta, a.K))
	case "softmax":
		return cnn.Softmax(cnn.Axis(a.Axis))
	case "log_softmax":
		return cnn.LogSoftmax(cnn.Axis(a.Axis))
	case "upsample":
		mode, opts := cnn.Linear, []cnn.Option(nil)
		if a.Mode == "nearest" {
			mode = cnn.Nearest
		}
		if a.AlignCorners {
			opts = append(opts, cnn.AlignCorners())
		}
		if a.Size != nil {
			return cnn.Resize(mode, y[2:]...)
		}
		return cnn.Upsample(a.ScaleFactor, mode, opts...)
	case "pad":
		switch a.Mode {
		case "reflect":
			return cnn.ReflectPad(a.Pads...)
		case "replicate":
			return cnn.EdgePad(a.Pads...)
		}
		return cnn.ConstantPad(a.Value, a.Pads...)
	}
	return nil
}

// within reports the first element that is further from want than the tolerance.
func within(t *testing.T, got, want *tensor.Tensor, rtol, atol float64) {
	t.Helper()
	if !got.Shape().Equal(want.Shape()) {
		t.Errorf("got shape %v, want %v", got.Shape(), want.Shape())
		return
	}
	w := want.Float32s()
	for i, v := range got.Float32s() {
		g, w := float64(v), float64(w[i])
		if g == w || math.IsNaN(g) && math.IsNaN(w) {
			continue
		}
		if !(math.Abs(g-w) <= atol+rtol*math.Abs(w)) {
			t.Errorf("element %d: got %v, want %v", i, g, w)
			return
		}
	}
}

// Layers with PyTorch's parameters compute what PyTorch does.
func TestLayersAsPyTorch(t *testing.T) {
	be := open(t)
	parameter := map[string]string{"w": "weight", "b": "bias", "scale": "weight", "bias": "bias", "slope": "weight", "running_mean": "running_mean", "running_var": "running_var"}
	ran := 0
	for _, c := range torchCases(t) {
		if !c.has("x") || !c.has("y") || strings.Contains(c.Note, "report only") {
			continue
		}
		x, y := c.tensor(t, "x"), c.tensor(t, "y")
		if len(x.Shape()) == 1 { // the layers' inputs have a batch
			x, _ = x.Reshape(1, x.Size())
			y, _ = y.Reshape(1, y.Size())
		}
		l := c.layer(x.Shape(), y.Shape())
		if l == nil {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			n := net(t, cnn.InputShape(x.Shape()[1:]), l)
			for from, to := range parameter {
				if c.has(from) {
					if err := n.SetParam("0."+to, c.tensor(t, from)); err != nil {
						t.Fatal(err)
					}
				}
			}
			m := compile(t, n, be)
			got, err := m.Predict(t.Context(), x)
			if err != nil {
				t.Fatal(err)
			}
			within(t, got, y, c.Tol.RTol, c.Tol.ATol)
		})
		ran++
	}
	if ran < 200 {
		t.Errorf("%d cases ran, want 200 or more", ran)
	}
}

// A PyTorch Sequential that was trained there gives the same logits here, from its
// state dict.
func TestStateDictFromPyTorch(t *testing.T) {
	be := open(t)
	for _, c := range torchCases(t) {
		if c.Op != "train" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			var layers []cnn.Layer
			for _, l := range c.Attrs.Layers {
				conv := []cnn.Option{cnn.Padding(l.Padding), cnn.Groups(max(l.Groups, 1))}
				switch l.Kind {
				case "conv2d":
					layers = append(layers, cnn.Conv2D(l.Out, l.Kernel, conv...))
				case "conv3d":
					layers = append(layers, cnn.Conv3D(l.Out, l.Kernel, conv...))
				case "batchnorm2d", "batchnorm3d":
					layers = append(layers, cnn.BatchNorm())
				case "relu":
					layers = append(layers, cnn.ReLU())
				case "tanh":
					layers = append(layers, cnn.Tanh())
				case "maxpool2d":
					layers = append(layers, cnn.MaxPool2D(l.Kernel))
				case "maxpool3d":
					layers = append(layers, cnn.MaxPool3D(l.Kernel))
				case "avgpool2d":
					layers = append(layers, cnn.AvgPool2D(l.Kernel))
				case "global_avgpool":
					layers = append(layers, cnn.GlobalAvgPool())
				case "flatten":
					layers = append(layers, cnn.Flatten())
				case "dense":
					layers = append(layers, cnn.Dense(l.Out))
				default:
					t.Fatalf("layer %q is not known", l.Kind)
				}
			}
			batches := c.tensor(t, "x")
			s := batches.Shape()
			n := net(t, cnn.InputShape(s[2:]), layers...)
			state := map[string]*tensor.Tensor{}
			for name := range c.Tensors {
				if p, ok := strings.CutPrefix(name, "final."); ok {
					state[p] = c.tensor(t, name)
				}
			}
			for _, b := range n.Buffers() { // the cases leave out how many batches there were
				if b.Tensor.DType() == tensor.Int64 {
					state[b.Name] = b.Tensor
				}
			}
			if err := n.LoadStateDict(state); err != nil {
				t.Fatal(err)
			}
			size := batches.Size() / s[0]
			last := tensor.Must(tensor.From(batches.Float32s()[batches.Size()-size:], s[1:]...))
			got, err := compile(t, n, be).Predict(t.Context(), last)
			if err != nil {
				t.Fatal(err)
			}
			within(t, got, c.tensor(t, "eval_logits"), 1e-4, 1e-4)
		})
	}
}
