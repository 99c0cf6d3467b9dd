package ref

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// attrs are the attributes of the cases of both manifests.
type attrs struct {
	Kernel, Strides, Dilations, Pads  []int
	OutputPadding                     []int `json:"output_padding"`
	Groups                            int
	Bias, Training                    bool
	CeilMode                          bool `json:"ceil_mode"`
	CountIncludePad                   bool `json:"count_include_pad"`
	Eps, Alpha, Beta, Min, Max, Value float32
	K                                 float32
	Axis                              int
	Size                              any // a number, or a list of other ops
	Mode                              string
	Stride, Padding                   int // seed_golden
	PoolSize                          any `json:"pool_size"`
}

const ulp = 1.0 / (1 << 23) // relative distance of neighbours, at most

type opCase struct {
	Name, Op string
	Attrs    attrs
	Tensors  map[string]struct{ File string }
	Tol      json.RawMessage

	dir string
}

// conformance reads a manifest of the conformance data into v and returns its
// folder; it skips the test where there is none.
func conformance(t *testing.T, set string, v any) string {
	t.Helper()
	root := os.Getenv("CONVGL_CONFORMANCE")
	if root == "" {
		root = "../../../shared/conformance"
	}
	dir := filepath.Join(root, set)
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if os.IsNotExist(err) {
		t.Skipf("no conformance data in %s (set CONVGL_CONFORMANCE)", dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
	return dir
}

func load(t *testing.T, path ...string) *tensor.Tensor {
	t.Helper()
	x, err := tensor.LoadNPY(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (c opCase) has(name string) bool { _, ok := c.Tensors[name]; return ok }

func (c opCase) tensor(t *testing.T, name string) *tensor.Tensor {
	t.Helper()
	return load(t, c.dir, c.Tensors[name].File)
}

// check holds a result against the tensor of that name.
func (c opCase) check(t *testing.T, name string, got *tensor.Tensor) {
	t.Helper()
	want := c.tensor(t, name)
	if !got.Shape().Equal(want.Shape()) {
		t.Fatalf("%s: got shape %v, want %v", name, got.Shape(), want.Shape())
	}
	var tol struct{ RTol, ATol float64 }
	var own map[string]json.RawMessage
	if err := json.Unmarshal(c.Tol, &own); err != nil {
		t.Fatal(err)
	}
	text := c.Tol
	if own[name] != nil {
		text = own[name]
	}
	if err := json.Unmarshal(text, &tol); err != nil {
		t.Fatal(err)
	}
	// Both sides are sums in float64, rounded once: they differ by an ULP at most.
	near(t, name, got, want.Float32s(), min(tol.RTol, ulp), min(tol.ATol, 1e-9))
}

func (c opCase) window() backend.Window {
	a := c.Attrs
	return backend.Window{Kernel: a.Kernel, Strides: a.Strides, Dilations: a.Dilations, Pads: a.Pads}
}

var dims = regexp.MustCompile(`[123]d$`)

func TestTorchCases(t *testing.T) {
	var manifest struct{ Cases []opCase }
	dir := conformance(t, "torch_cases", &manifest)
	ran := map[string]int{}
	for _, c := range manifest.Cases {
		c.dir = dir
		test := torchTest(c)
		if test == nil {
			continue
		}
		kind := dims.ReplaceAllString(c.Op, "")
		ran[kind]++
		t.Run(c.Name, test)
	}
	for kind, least := range map[string]int{"conv": 100, "conv_transpose": 30, "maxpool": 30, "avgpool": 20, "global_avgpool": 3, "global_maxpool": 3, "batchnorm": 5,
		"dense": 5, "matmul": 5, "relu": 2, "leaky_relu": 1, "relu6": 1, "sigmoid": 2, "tanh": 2,
		"elu": 2, "selu": 1, "celu": 1, "softplus": 2, "softsign": 1, "hardsigmoid": 1, "hardswish": 1, "silu": 2, "mish": 2,
		"gelu_erf": 1, "gelu_tanh": 2, "exp": 1, "prelu": 1, "softmax": 5, "log_softmax": 5,
		"groupnorm": 3, "instancenorm": 2, "layernorm": 1, "lrn": 3,
		"add": 5, "sub": 5, "mul": 5, "div": 5, "pad": 3} {
		if ran[kind] < least {
			t.Errorf("%s: %d cases in the manifest, want at least %d", kind, ran[kind], least)
		}
	}
}

// torchTest returns the test of a case; nil for an op that is not one of the
// contract's.
func torchTest(c opCase) func(*testing.T) {
	a := c.Attrs
	simple := func(op backend.Op, in ...string) func(*testing.T) {
		return func(t *testing.T) {
			var x []*tensor.Tensor
			for _, name := range in {
				x = append(x, c.tensor(t, name))
			}
			c.check(t, "y", run(t, op, x...)[0])
		}
	}
	activate := func(act backend.Act) func(*testing.T) { return simple(backend.Activation{Act: act}, "x") }
	switch c.Op {
	case "conv1d", "conv2d", "conv3d":
		return c.conv
	case "conv_transpose1d", "conv_transpose2d", "conv_transpose3d":
		op := backend.ConvTranspose{Window: c.window(), OutputPadding: a.OutputPadding, Groups: a.Groups, Bias: a.Bias}
		if a.Bias {
			return simple(op, "x", "w", "b")
		}
		return simple(op, "x", "w")
	case "maxpool1d", "maxpool2d", "maxpool3d":
		return c.maxPool
	case "avgpool1d", "avgpool2d", "avgpool3d":
		return simple(backend.AvgPool{Window: c.window(), CeilMode: a.CeilMode, CountIncludePad: a.CountIncludePad}, "x")
	case "global_avgpool1d", "global_avgpool2d", "global_avgpool3d":
		return simple(backend.GlobalPool{Mean: true}, "x")
	case "global_maxpool1d", "global_maxpool2d", "global_maxpool3d":
		return simple(backend.GlobalPool{}, "x")
	case "batchnorm":
		if a.Training {
			return nil
		}
		return c.batchNorm
	case "groupnorm":
		return simple(backend.GroupNorm{Groups: a.Groups, Epsilon: a.Eps}, "x", "scale", "bias")
	case "instancenorm":
		return simple(backend.InstanceNorm{Epsilon: a.Eps}, "x", "scale", "bias")
	case "layernorm":
		return simple(backend.LayerNorm{Axis: a.Axis, Epsilon: a.Eps}, "x", "scale", "bias")
	case "lrn":
		size, _ := a.Size.(float64)
		return simple(backend.LRN{Size: int(size), Alpha: a.Alpha, Beta: a.Beta, K: a.K}, "x")
	case "dense":
		if a.Bias {
			return simple(backend.Dense{Bias: true}, "x", "w", "b")
		}
		return simple(backend.Dense{}, "x", "w")
	case "matmul":
		return simple(backend.MatMul{}, "a", "b")
	case "relu":
		return activate(backend.Act{Kind: backend.Relu})
	case "leaky_relu":
		return activate(backend.Act{Kind: backend.LeakyRelu, Alpha: a.Alpha})
	case "relu6":
		return activate(backend.Act{Kind: backend.Clip, Alpha: a.Min, Beta: a.Max})
	case "sigmoid":
		return activate(backend.Act{Kind: backend.Sigmoid})
	case "tanh":
		return activate(backend.Act{Kind: backend.Tanh})
	case "elu":
		return activate(backend.Act{Kind: backend.Elu, Alpha: a.Alpha})
	case "celu":
		return activate(backend.Act{Kind: backend.Celu, Alpha: a.Alpha})
	case "hardsigmoid":
		return func(t *testing.T) { // the case's α is 1/6, of which a float32 is off by u, and so is α·x
			op := backend.Activation{Act: backend.Act{Kind: backend.HardSigmoid, Alpha: a.Alpha, Beta: a.Beta}}
			near(t, "y", run(t, op, c.tensor(t, "x"))[0], c.tensor(t, "y").Float32s(), ulp, 0x1p-24)
		}
	case "selu", "softplus", "softsign", "hardswish", "silu", "mish", "gelu_erf", "gelu_tanh", "exp":
		return activate(backend.Act{Kind: map[string]backend.ActKind{"selu": backend.Selu, "softplus": backend.Softplus,
			"softsign": backend.Softsign, "hardswish": backend.HardSwish, "silu": backend.Silu, "mish": backend.Mish,
			"gelu_erf": backend.Gelu, "gelu_tanh": backend.GeluTanh, "exp": backend.Exp}[c.Op]})
	case "prelu":
		return func(t *testing.T) {
			x, slope := c.tensor(t, "x"), c.tensor(t, "slope")
			s := append(slope.Shape(), slices.Repeat([]int{1}, len(x.Shape())-2)...)
			c.check(t, "y", run(t, backend.Binary{Fn: backend.PRelu}, x, tensor.Must(slope.Reshape(s...)))[0])
		}
	case "softmax", "log_softmax":
		return simple(backend.Softmax{Axis: a.Axis, Log: c.Op == "log_softmax"}, "x")
	case "add", "sub", "mul", "div":
		fn := map[string]backend.BinaryKind{"add": backend.Add, "sub": backend.Sub, "mul": backend.Mul, "div": backend.Div}[c.Op]
		return simple(backend.Binary{Fn: fn}, "a", "b")
	case "pad":
		// The manifest pads the two spatial dims only.
		p := a.Pads
		mode := map[string]backend.PadMode{"constant": backend.PadConstant, "reflect": backend.PadReflect, "replicate": backend.PadEdge}[a.Mode]
		return simple(backend.Pad{Pads: []int{0, 0, p[0], p[1], 0, 0, p[2], p[3]}, Mode: mode, Value: a.Value}, "x")
	}
	return nil
}

// conv checks the forward pass and both backward passes.
func (c opCase) conv(t *testing.T) {
	op := backend.Conv{Window: c.window(), Groups: c.Attrs.Groups, Bias: c.Attrs.Bias}
	x, w, gy := c.tensor(t, "x"), c.tensor(t, "w"), c.tensor(t, "gy")
	in := []*tensor.Tensor{x, w}
	if op.Bias {
		in = append(in, c.tensor(t, "b"))
	}
	c.check(t, "y", run(t, op, in...)[0])
	c.check(t, "gx", runDesc(t, backwardData(op, x, w, gy), gy, w)[0])
	grads := runDesc(t, backwardWeights(op, x, w, gy), x, gy)
	c.check(t, "gw", grads[0])
	if op.Bias {
		c.check(t, "gb", grads[1])
	}
}

func (c opCase) maxPool(t *testing.T) {
	op := backend.MaxPool{Window: c.window(), CeilMode: c.Attrs.CeilMode, Indices: true}
	got := run(t, op, c.tensor(t, "x"))
	c.check(t, "y", got[0])
	if !c.has("indices") {
		return
	}
	want, err := tensor.Data[int64](c.tensor(t, "indices"))
	if err != nil {
		t.Fatal(err)
	}
	idx, err := tensor.Data[int32](got[1])
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if int64(idx[i]) != want[i] {
			t.Fatalf("indices: element %d: got %d, want %d", i, idx[i], want[i])
		}
	}
}

func (c opCase) batchNorm(t *testing.T) {
	mean, variance := c.tensor(t, "running_mean"), c.tensor(t, "running_var")
	channels := mean.Size()
	scale := from(slices.Repeat(f32(1), channels), channels)
	bias := from(make([]float32, channels), channels)
	if c.has("scale") {
		scale, bias = c.tensor(t, "scale"), c.tensor(t, "bias")
	}
	c.check(t, "y", run(t, backend.BatchNorm{Epsilon: c.Attrs.Eps}, c.tensor(t, "x"), scale, bias, mean, variance)[0])
}

// TestNoteCases holds the two functions of the course note, convolution_3d on
// H×W×C pictures and max_pooling_2d, against an independent implementation.
func TestNoteCases(t *testing.T) {
	var cases []opCase
	dir := conformance(t, "seed_golden", &cases)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			x, want := load(t, dir, c.Name, "input.npy"), load(t, dir, c.Name, "output.npy")
			a := c.Attrs
			switch c.Op {
			case "convolution_3d":
				x := tensor.Must(tensor.HWCToNCHW(x.AsFloat32()))
				w := tensor.Must(tensor.KKIOToOIHW(load(t, dir, c.Name, "filters.npy").AsFloat32()))
				op := backend.Conv{Window: backend.Window{Strides: []int{a.Stride, a.Stride}, Pads: slices.Repeat([]int{a.Padding}, 4)}}
				y := tensor.Must(tensor.NCHWToHWC(run(t, op, x, w)[0]))
				if s := want.Shape(); !y.Shape()[1:].Equal(s) {
					t.Fatalf("got shape %v, want [1,%v]", y.Shape(), s)
				}
				near(t, "output", y, want.AsFloat32().Float32s(), ulp, 1e-7)
			case "max_pooling_2d":
				s := x.Shape()
				size := poolSize(t, a.PoolSize)
				op := backend.MaxPool{Window: backend.Window{Kernel: size, Strides: []int{a.Stride, a.Stride}}}
				y := run(t, op, tensor.Must(x.AsFloat32().Reshape(1, 1, s[0], s[1])))[0]
				if !y.Shape()[2:].Equal(want.Shape()) {
					t.Fatalf("got shape %v, want [1,1,%v]", y.Shape(), want.Shape())
				}
				same(t, "output", y, want.AsFloat32().Float32s())
			default:
				t.Fatalf("unknown op %q", c.Op)
			}
		})
	}
}

// poolSize accepts a number or a pair.
func poolSize(t *testing.T, v any) []int {
	t.Helper()
	switch v := v.(type) {
	case float64:
		return []int{int(v), int(v)}
	case []any:
		if len(v) == 2 {
			h, okH := v[0].(float64)
			w, okW := v[1].(float64)
			if okH && okW {
				return []int{int(h), int(w)}
			}
		}
	}
	t.Fatalf("pool_size %v", v)
	return nil
}
