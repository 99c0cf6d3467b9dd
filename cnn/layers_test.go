package cnn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	"github.com/convgl/convgl/tensor"
)

// outShape returns the output shape of one layer.
func outShape(t *testing.T, l Layer, dims ...int) string {
	t.Helper()
	n, err := New("n", dims, l)
	if err != nil {
		return err.Error()
	}
	g, err := n.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g.Outputs()[0].Value.Shape().String()
}

func TestShapes(t *testing.T) {
	for _, c := range []struct {
		name  string
		layer Layer
		in    InputShape
		want  string
	}{
		{"conv1d", Conv1D(5, 3, Dilation(2), Padding(4, 0)), Shape(2, 9), "[N,5,9]"},
		{"conv2d", Conv2D(5, 3), Shape(2, 9, 10), "[N,5,7,8]"},
		{"conv2d asymmetric", Conv2D(4, 0, KernelSize(3, 5), Stride(2, 1), Padding(1, 0, 0, 2), Groups(2)), Shape(2, 9, 10), "[N,4,4,8]"},
		{"conv2d same", Conv2D(4, 3, Stride(2), Same()), Shape(2, 9, 10), "[N,4,5,5]"},
		{"conv3d", Conv3D(4, 2, Stride(1, 2, 3)), Shape(2, 5, 6, 7), "[N,4,4,3,2]"},
		{"transpose1d", ConvTranspose1D(4, 3, Stride(2), OutputPadding(1)), Shape(2, 5), "[N,4,12]"},
		{"transpose2d", ConvTranspose2D(4, 3, Stride(2), Padding(1), OutputPadding(1)), Shape(2, 5, 6), "[N,4,10,12]"},
		{"transpose2d same", ConvTranspose2D(4, 3, Stride(2), Same()), Shape(2, 5, 6), "[N,4,10,12]"},
		{"transpose3d", ConvTranspose3D(4, 2, Stride(2), Groups(2)), Shape(2, 3, 4, 5), "[N,4,6,8,10]"},
		{"maxpool1d", MaxPool1D(3), Shape(2, 10), "[N,2,3]"},
		{"maxpool2d", MaxPool2D(3, Stride(2), Padding(1)), Shape(2, 112, 112), "[N,2,56,56]"},
		{"maxpool2d ceil", MaxPool2D(2, CeilMode()), Shape(2, 5, 6), "[N,2,3,3]"},
		{"maxpool3d", MaxPool3D(2, Dilation(2), Stride(1)), Shape(2, 5, 5, 5), "[N,2,3,3,3]"},
		{"avgpool1d", AvgPool1D(2), Shape(2, 10), "[N,2,5]"},
		{"avgpool2d", AvgPool2D(0, KernelSize(2, 3), CountIncludePad(), Padding(1)), Shape(2, 4, 4), "[N,2,3,2]"},
		{"avgpool3d same", AvgPool3D(2, Same()), Shape(2, 5, 5, 5), "[N,2,3,3,3]"},
		{"adaptive one", AdaptiveAvgPool(7), Shape(2, 13, 5), "[N,2,7,7]"},
		{"adaptive each", AdaptiveMaxPool(2, 3), Shape(2, Dynamic, 5), "[N,2,2,3]"},
		{"global", GlobalAvgPool(), Shape(2, 13, Dynamic), "[N,2,1,1]"},
		{"global max", GlobalMaxPool(), Shape(2, 13, 5, 3), "[N,2,1,1,1]"},
		{"batchnorm", BatchNorm(), Shape(2), "[N,2]"},
		{"batchnorm plain", BatchNorm(NoAffine()), Shape(2, 3, 4, 5), "[N,2,3,4,5]"},
		{"layernorm", LayerNorm(), Shape(2, 3, 4), "[N,2,3,4]"},
		{"layernorm last", LayerNorm(Axis(-1), NoAffine()), Shape(Dynamic, 4), "[N,C,4]"},
		{"groupnorm", GroupNorm(2), Shape(4, 3), "[N,4,3]"},
		{"instancenorm", InstanceNorm(Affine()), Shape(4, 3, 3), "[N,4,3,3]"},
		{"lrn", LRN(5, Response(1e-3, 0.5, 2)), Shape(4, 3, 3), "[N,4,3,3]"},
		{"dropout", Dropout(0.5), Shape(4, 3), "[N,4,3]"},
		{"flatten", Flatten(), Shape(4, 3, 2), "[N,24]"},
		{"reshape", Reshape(2, -1), Shape(4, 3, 2), "[N,2,12]"},
		{"dense", Dense(7, NoBias()), Shape(4), "[N,7]"},
		{"dense last", Dense(7, LastDim()), Shape(Dynamic, 4), "[N,C,7]"},
		{"softmax", Softmax(), Shape(4), "[N,4]"},
		{"logsoftmax", LogSoftmax(Axis(-1)), Shape(4, 2), "[N,4,2]"},
		{"upsample", Upsample(2, Nearest), Shape(4, 3, 5), "[N,4,6,10]"},
		{"upsample part", Upsample(1.5, Linear, AlignCorners()), Shape(4, 3), "[N,4,4]"},
		{"upsample open", Upsample(2, Linear), Shape(4, Dynamic, Dynamic), "[N,4,2H,2W]"},
		{"resize", Resize(Linear, 4, 5), Shape(4, 3, 3), "[N,4,4,5]"},
		{"pad", Pad(1, 2), Shape(4, 3, 3), "[N,4,5,7]"},
		{"pad sides", ConstantPad(2, 1, 0, 0, 3), Shape(4, 3, 3), "[N,4,4,6]"},
		{"reflect", ReflectPad(2), Shape(4, 3), "[N,4,7]"},
		{"edge", EdgePad(2), Shape(4, 3, 1, 1), "[N,4,7,5,5]"},
		{"residual", Residual(Conv2D(4, 3, Same()), Conv2D(4, 1)), Shape(3, 8, 8), "[N,4,8,8]"},
		{"no layers", Sequential(), Shape(3), "[N,3]"},
	} {
		if got := outShape(t, c.layer, c.in...); got != c.want {
			t.Errorf("%s of %v: got %s, want %s", c.name, []int(c.in), got, c.want)
		}
	}
}

// A window's sizes follow the formula, whatever the options.
func TestWindowFormula(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		size, k, s, d, p := 1+r.IntN(30), 1+r.IntN(5), 1+r.IntN(4), 1+r.IntN(3), r.IntN(4)
		reach := d*(k-1) + 1
		conv := outShape(t, Conv2D(2, k, Stride(s), Dilation(d), Padding(p)), 3, size, 40)
		if size+2*p < reach {
			if !strings.HasPrefix(conv, `cnn: layer "0" (Conv2D)`) {
				t.Fatalf("size %d kernel %d dilation %d padding %d: %s", size, k, d, p, conv)
			}
			continue
		}
		want := fmt.Sprintf("[N,2,%d,%d]", (size+2*p-reach)/s+1, (40+2*p-reach)/s+1)
		if conv != want {
			t.Errorf("size %d kernel %d stride %d dilation %d padding %d: got %s, want %s", size, k, s, d, p, conv, want)
		}
		want = fmt.Sprintf("[N,3,%d,%d]", (size+2*p-reach)/s+1, (40+2*p-reach)/s+1)
		if got := outShape(t, MaxPool2D(k, Stride(s), Dilation(d), Padding(p)), 3, size, 40); got != want {
			t.Errorf("pooling: got %s, want %s", got, want)
		}
		long := s*(size-1) + reach - 2*p
		if long < 1 {
			continue
		}
		want = fmt.Sprintf("[N,2,%d]", long)
		if got := outShape(t, ConvTranspose1D(2, k, Stride(s), Dilation(d), Padding(p)), 3, size); got != want {
			t.Errorf("transposed: got %s, want %s", got, want)
		}
	}
}

// Parameters have PyTorch's names and shapes.
func TestLayerState(t *testing.T) {
	for _, c := range []struct {
		name  string
		layer Layer
		want  string
	}{
		{"conv", Conv2D(8, 3, Groups(2)), "0.weight[8,2,3,3] 0.bias[8]"},
		{"no bias", Conv2D(8, 0, KernelSize(1, 5), NoBias()), "0.weight[8,4,1,5]"},
		{"transpose", ConvTranspose2D(6, 2, Groups(2)), "0.weight[4,3,2,2] 0.bias[6]"},
		{"batchnorm", BatchNorm(), "0.weight[4] 0.bias[4] 0.running_mean[4] 0.running_var[4] 0.num_batches_tracked[]"},
		{"batchnorm plain", BatchNorm(NoAffine()), "0.running_mean[4] 0.running_var[4] 0.num_batches_tracked[]"},
		{"layernorm", LayerNorm(), "0.weight[4,5,6] 0.bias[4,5,6]"},
		{"groupnorm", GroupNorm(2), "0.weight[4] 0.bias[4]"},
		{"instancenorm", InstanceNorm(), ""},
		{"instancenorm affine", InstanceNorm(Affine()), "0.weight[4] 0.bias[4]"},
		{"prelu", PReLU(), "0.weight[1]"},
		{"prelu channels", PReLU(PerChannel()), "0.weight[4]"},
		{"dense", Dense(3, LastDim()), "0.weight[3,6] 0.bias[3]"},
	} {
		n := must(t)(New("n", Shape(4, 5, 6), c.layer))
		if got := names(append(n.Params(), n.Buffers()...)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		for _, p := range append(n.Params(), n.Buffers()...) {
			first := map[string]float32{"bias": 0, "running_mean": 0, "running_var": 1}
			if strings.Contains(c.name, "norm") {
				first["weight"] = 1
			}
			want, known := first[strings.TrimPrefix(p.Name, "0.")]
			for _, v := range p.Tensor.Float32s() {
				if known && v != want {
					t.Errorf("%s: %s begins with %v, want %v", c.name, p.Name, v, want)
					break
				}
			}
			if p.Trainable == (strings.Contains(p.Name, "running") || p.Tensor.DType() == tensor.Int64) {
				t.Errorf("%s: trainable is %v", p.Name, p.Trainable)
			}
		}
	}
}

// Each activation is the function that its name says.
func TestActivations(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	pick := func(below, above func(float64) float64) func(float64) float64 {
		return func(x float64) float64 {
			if x < 0 {
				return below(x)
			}
			return above(x)
		}
	}
	same := func(x float64) float64 { return x }
	clip := func(lo, hi float64) func(float64) float64 {
		return func(x float64) float64 { return min(max(x, lo), hi) }
	}
	be, err := backend.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	defer be.Close()
	x := tensor.Must(tensor.New(tensor.Float32, 1, 161))
	for i, d := 0, x.Float32s(); i < len(d); i++ {
		d[i] = float32(i-80) / 10
	}
	for _, c := range []struct {
		layer Layer
		f     func(float64) float64
	}{
		{ReLU(), clip(0, math.Inf(1))},
		{LeakyReLU(0.1), pick(func(x float64) float64 { return 0.1 * x }, same)},
		{PReLU(), pick(func(x float64) float64 { return 0.25 * x }, same)},
		{ReLU6(), clip(0, 6)},
		{Clip(-2, 3), clip(-2, 3)},
		{Sigmoid(), sigmoid},
		{Tanh(), math.Tanh},
		{ELU(2), pick(func(x float64) float64 { return 2 * math.Expm1(x) }, same)},
		{SELU(), pick(func(x float64) float64 { return 1.0507009873554805 * 1.6732632423543772 * math.Expm1(x) }, func(x float64) float64 { return 1.0507009873554805 * x })},
		{CELU(2), pick(func(x float64) float64 { return 2 * math.Expm1(x/2) }, same)},
		{GELU(), func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }},
		{GELUTanh(), func(x float64) float64 { return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) }},
		{SiLU(), func(x float64) float64 { return x * sigmoid(x) }},
		{Mish(), func(x float64) float64 { return x * math.Tanh(math.Log1p(math.Exp(x))) }},
		{HardSwish(), func(x float64) float64 { return x * clip(0, 6)(x+3) / 6 }},
		{HardSigmoid(), func(x float64) float64 { return clip(0, 1)(x/6 + 0.5) }},
		{Softplus(), func(x float64) float64 { return math.Log1p(math.Exp(x)) }},
		{Softsign(), func(x float64) float64 { return x / (1 + math.Abs(x)) }},
		{Exp(), math.Exp},
	} {
		m, err := must(t)(New("n", Shape(161), c.layer)).Compile(t.Context(), be)
		if err != nil {
			t.Fatal(err)
		}
		y, err := m.Predict(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range x.Float32s() {
			if got, want := float64(y.Float32s()[i]), c.f(float64(v)); math.Abs(got-want) > 2e-6*max(1, math.Abs(want)) {
				t.Errorf("%s of %v: got %v, want %v", c.layer.Kind(), v, got, want)
			}
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}
