package cnn

import (
	"errors"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// must returns a net that the test cannot do without.
func must(t *testing.T) func(*Net, error) *Net {
	return func(n *Net, err error) *Net {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

func names(ps []Param) string {
	var s []string
	for _, p := range ps {
		s = append(s, p.Name+p.Tensor.Shape().String())
	}
	return strings.Join(s, " ")
}

func TestParamNames(t *testing.T) {
	net := must(t)(New("names", Shape(3, 32, 32),
		Conv2D(8, 3, Same(), NoBias()),
		BatchNorm(),
		ReLU(),
		Named("block", Residual(Sequential(Conv2D(8, 3, Padding(1)), ReLU()), nil)),
		MaxPool2D(2),
		Flatten(),
		Dense(10),
	))
	want := "0.weight[8,3,3,3] 1.weight[8] 1.bias[8] block.main.0.weight[8,8,3,3] block.main.0.bias[8] 6.weight[10,2048] 6.bias[10]"
	if got := names(net.Params()); got != want {
		t.Errorf("parameters\n%s\nwant\n%s", got, want)
	}
	want = "1.running_mean[8] 1.running_var[8] 1.num_batches_tracked[]"
	if got := names(net.Buffers()); got != want {
		t.Errorf("buffers %s, want %s", got, want)
	}
	if got := net.Buffers()[2].Tensor.DType(); got != tensor.Int64 {
		t.Errorf("num_batches_tracked is %v", got)
	}
	g, err := net.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if got := g.Outputs()[0].Value.Shape().String(); got != "[N,10]" {
		t.Errorf("output %s", got)
	}
	if got := strings.Join(net.Layers(), " "); got != "0 1 2 block block.main block.main.0 block.main.1 4 5 6" {
		t.Errorf("layers %s", got)
	}
}

func TestFunctional(t *testing.T) {
	x := Input("x", 3, Dynamic, Dynamic)
	a := Apply("a", Conv2D(4, 3, Same()), x)
	b := Apply("b", Conv2D(4, 1), x)
	sum := Apply("relu", ReLU(), Add(a, b))
	both := Concat(sum, a)
	net := must(t)(NewNet("two", []*Tensor{x}, []*Tensor{both, sum}))
	g, err := net.Graph()
	if err != nil {
		t.Fatal(err)
	}
	want := `graph two
in  x float32[N,3,H,W]
a = Conv{Kernel:[3,3] AutoPad:SAME_UPPER Bias}(x, a.weight float32[4,3,3,3], a.bias float32[4]) float32[N,4,H,W]
b = Conv{Kernel:[1,1] Bias}(x, b.weight float32[4,3,1,1], b.bias float32[4]) float32[N,4,H,W]
add1 = Binary{Fn:Add}(a, b) float32[N,4,H,W]
relu = Activation{Relu}(add1) float32[N,4,H,W]
concat1 = Concat{Axis:1 Inputs:2}(relu, a) float32[N,8,H,W]
out concat1 = concat1
out relu = relu
`
	if got := g.String(); got != want {
		t.Errorf("graph\n%s\nwant\n%s", got, want)
	}
}

func TestErrorsNameTheLayer(t *testing.T) {
	x := Input("x", 3, 8, 8)
	y := Input("y", 3, 8, 8)
	one := func(in *Tensor) []*Tensor { return []*Tensor{in} }
	net := func(l ...Layer) func() (*Net, error) {
		return func() (*Net, error) { return New("net", Shape(3, 8, 8), l...) }
	}
	for _, c := range []struct {
		name string
		make func() (*Net, error)
		want string
	}{
		{"no flatten", net(Conv2D(4, 3), Dense(2)), `cnn: layer "1" (Dense): x: got shape [N,4,6,6], want [N,features] (is a Flatten missing before it?`},
		{"kernel too large", net(ReLU(), Conv2D(4, 9)), `cnn: layer "1" (Conv2D): backend: Conv "1": x: dim H: got 8, want at least the kernel's 9 (kernel larger than the padded input); the input is [N,3,8,8]`},
		{"nested", net(Sequential(ReLU(), Sequential(MaxPool3D(2)))), `cnn: layer "0.1.0" (MaxPool3D): x: got shape [N,3,8,8] of rank 4, want rank 5`},
		{"option", net(MaxPool2D(2, Groups(2))), `cnn: layer "0" (MaxPool2D): it has no option Groups: want KernelSize, Stride, Padding, Same, Dilation, CeilMode`},
		{"option twice", net(Conv2D(4, 3, Stride(1), Stride(2))), `option Stride is given twice`},
		{"zero option", net(Conv2D(4, 3, Option{})), `cnn: layer "0" (Conv2D): an option that no function made`},
		{"same and padding", net(Conv2D(4, 3, Same(), Padding(1))), `options Same and Padding`},
		{"kernel twice", net(Conv2D(4, 3, KernelSize(1, 2))), `kernel: got 3 and KernelSize[1 2]`},
		{"filters", net(Conv2D(0, 3)), `cnn: layer "0" (Conv2D): filters: got 0, want a positive multiple of Groups`},
		{"kernel", net(Conv2D(4, -1)), `kernel: got -1, want 1 or more`},
		{"stride", net(Conv2D(4, 3, Stride(0))), `Stride: got 0, want 1 or more`},
		{"strides", net(Conv2D(4, 3, Stride(1, 1, 1))), `Stride: got 3 numbers [1 1 1], want 1 or 2`},
		{"paddings", net(Conv2D(4, 3, Padding(1, 1, 1))), `padding: got 3 numbers [1 1 1], want 1, 2 or 4`},
		{"groups", net(Conv2D(4, 3, Groups(2))), `x: got 3 channels (x [N,3,8,8]), want a multiple of Groups, which is 2`},
		{"no groups", net(Conv2D(4, 3, Groups(0))), `Groups: got 0`},
		{"huge", net(Conv2D(1<<40, 1<<20)), `cnn: layer "0" (Conv2D): parameter "weight": got shape`},
		{"units", net(Flatten(), Dense(-5)), `cnn: layer "1" (Dense): units: got -5`},
		{"nil layer", net(ReLU(), nil), `cnn: layer "1": the layer is nil`},
		{"nil named", net(Named("a", nil)), `cnn: layer "a": the layer is nil`},
		{"nil residual", net(Residual(nil, nil)), `cnn: layer "0.main": the layer is nil`},
		{"no name", net(Named("", ReLU())), `cnn: a layer in it has no name`},
		{"same name", net(Named("a", ReLU()), Named("a", ReLU())), `cnn: layer "a" (ReLU): there is a layer of this name`},
		{"nil init", net(Conv2D(1, 1, Init(nil))), `option Init: got nil`},
		{"dropout", net(Dropout(1)), `cnn: layer "0" (Dropout): backend: Dropout "0": rate: got 1`},
		{"no func", net(Func("Mine", nil)), `cnn: layer "0" (Mine): no function`},
		{"no value", net(Func("Mine", func(*Scope, ...*graph.Value) (*graph.Value, error) { return nil, nil })), `cnn: layer "0" (Mine): Build returned no value`},
		{"adaptive", net(AdaptiveAvgPool()), `sizes: got none`},
		{"pads", net(Pad()), `padding: got no number`},
		{"reshape", net(Reshape(0, 2)), `cnn: layer "0" (Reshape): dims: got [0 2]`},
		{"reshape count", net(Reshape(5)), `cnn: layer "0" (Reshape): backend: Reshape "0"`},
		{"align", net(Upsample(2, Nearest, AlignCorners())), `option AlignCorners: got mode nearest`},
		{"axis", net(Softmax(Axis(7))), `cnn: layer "0" (Softmax): backend: Softmax "0": axis: got 7`},
		{"layernorm axis", net(LayerNorm(Axis(7))), `cnn: layer "0" (LayerNorm): backend: LayerNorm: axis: got 7, want -4 to 3 for rank 4; the input is [N,3,8,8]`},
		{"groupnorm", net(GroupNorm(2)), `cnn: layer "0" (GroupNorm): backend: GroupNorm "0": x: channels: got 3`},
		{"rank", func() (*Net, error) { return New("n", Shape(3), Conv2D(1, 1)) }, `cnn: layer "0" (Conv2D): x: got shape [N,3] of rank 2`},
		{"scalar", func() (*Net, error) { return New("n", Shape(), BatchNorm()) }, `cnn: layer "0" (BatchNorm): there is no dim 1 in x [N]`},
		{"dynamic channels", func() (*Net, error) { return New("n", Shape(Dynamic, 8, 8), Conv2D(1, 1)) }, `dim 1 of x [N,C,8,8] must be a number`},
		{"dynamic features", func() (*Net, error) { return New("n", Shape(3, Dynamic, 8), Flatten(), Dense(1)) }, `cnn: layer "1" (Dense): dim 1 of x [N,24H] must be a number`},
		{"negative dim", func() (*Net, error) { return New("n", Shape(3, -2)) }, `cnn: input "x": dim 1: got -2`},
		{"many dims", func() (*Net, error) { return New("n", Shape(1, 1, 1, 1, 1, 1, 1, 1)) }, `want at most 8`},
		{"empty input name", func() (*Net, error) { i := Input(""); return NewNet("n", one(i), one(i)) }, `an input has no name`},
		{"nil input", func() (*Net, error) { return NewNet("n", one(nil), one(x)) }, `input 0 is nil`},
		{"nil output", func() (*Net, error) { return NewNet("n", one(x), one(nil)) }, `an output is nil`},
		{"no outputs", func() (*Net, error) { return NewNet("n", one(x), nil) }, `got no outputs`},
		{"not an input", func() (*Net, error) { a := Apply("a", ReLU(), x); return NewNet("n", one(a), one(a)) }, `input 0 is the output of layer "a"`},
		{"input twice", func() (*Net, error) { return NewNet("n", []*Tensor{x, x}, one(x)) }, `input "x" is given twice`},
		{"other input", func() (*Net, error) { return NewNet("n", one(x), one(Add(x, y))) }, `input "y" is used but not among the inputs`},
		{"unused input", func() (*Net, error) { return NewNet("n", []*Tensor{x, y}, one(x)) }, `input "y" is not used`},
		{"nil tensor", func() (*Net, error) { return NewNet("n", one(x), one(Add(x, nil))) }, `cnn: Add: input 1 is nil`},
		{"first error", func() (*Net, error) {
			a := Apply("a", nil, x)
			return NewNet("n", one(x), one(Apply("b", ReLU(), Add(a, x))))
		}, `cnn: layer "a": the layer is nil`},
		{"unnamed", func() (*Net, error) { return NewNet("n", one(x), one(Apply("", ReLU(), x))) }, `a layer (ReLU) has no name`},
		{"no inputs", func() (*Net, error) { return NewNet("n", one(x), one(Apply("a", ReLU()))) }, `cnn: layer "a" (ReLU): inputs: got none`},
		{"two inputs", func() (*Net, error) { return NewNet("n", one(x), one(Apply("a", ReLU(), x, x))) }, `cnn: layer "a" (ReLU): inputs: got 2, want 1`},
		{"empty concat", func() (*Net, error) { return NewNet("n", one(x), []*Tensor{x, Concat()}) }, `cnn: Concat: inputs: got none`},
		{"nil to a layer", func() (*Net, error) { return NewNet("n", one(x), one(Apply("a", ReLU(), nil))) }, `cnn: layer "a" (ReLU): input 0 is nil`},
		{"no stride", net(Conv2D(4, 3, Stride())), `Stride: got 0 numbers [], want 1 or 2`},
		{"no padding", net(Conv2D(4, 3, Padding())), `padding: got 0 numbers [], want 1, 2 or 4`},
		{"no kernel size", net(Conv2D(4, 0, KernelSize())), `KernelSize: got 0 numbers []`},
		{"no output padding", net(ConvTranspose2D(4, 3, OutputPadding())), `OutputPadding: got 0 numbers []`},
		{"two dynamic dims", func() (*Net, error) { return New("n", Shape(3, Dynamic, Dynamic), Flatten(), Dense(1)) }, `dim 1 of x [N,?] must be a number`},
		{"output twice", func() (*Net, error) { return NewNet("n", one(x), []*Tensor{x, x}) }, `there is an output of this name`},
		{"shapes", func() (*Net, error) { return NewNet("n", one(x), one(Add(Apply("a", MaxPool2D(2), x), x))) }, `cnn: layer "add1" (Add): backend: Add "add1": a, b: got [N,3,4,4], [N,3,8,8], want shapes that broadcast (4 against 8 in dim 1 from the right)`},
		{"layer named as input", func() (*Net, error) { return NewNet("n", one(x), one(Apply("x", ReLU(), x))) }, `cnn: layer "x" (ReLU): an input of the network has this name`},
	} {
		n, err := c.make()
		if err == nil || n != nil {
			t.Errorf("%s: no error", c.name)
		} else if !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "cnn: ") {
			t.Errorf("%s: got  %v\nwant %s", c.name, err, c.want)
		}
	}
	_, err := New("n", Shape(3, 8, 8), Conv2D(4, 9))
	var shape *backend.ShapeError
	var layer *LayerError
	if !errors.As(err, &shape) || !errors.As(err, &layer) || layer.Layer != "0" || layer.Kind != "Conv2D" {
		t.Errorf("got %v, want a LayerError that wraps a ShapeError", err)
	}
}
