package models

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

var update = flag.Bool("update", false, "write the golden files in testdata again")

type architecture struct {
	name    string
	make    func(...Option) (*cnn.Net, error)
	plain   func() (*cnn.Net, error) // without options, made once
	in, out string                   // shapes
	params  int                      // published number
	macs    float64                  // published multiply-adds; 0: none
	big     bool
}

// Parameters and multiply-adds are those that torchvision publishes with its weights.
// LeNet's are the sums of its layers. UNet2D's are those of the implementation that
// it takes its names from; UNet3D's are the paper's and two for each channel of a
// BatchNorm.
var architectures = []architecture{
	{name: "lenet", make: LeNet, in: "[N,1,28,28]", out: "[N,10]", params: 61706, macs: 416520},
	{name: "vgg16", make: VGG16, in: "[N,3,224,224]", out: "[N,1000]", params: 138357544, macs: 15.47e9, big: true},
	{name: "resnet18", make: ResNet18, in: "[N,3,224,224]", out: "[N,1000]", params: 11689512, macs: 1.814e9},
	{name: "resnet50", make: ResNet50, in: "[N,3,224,224]", out: "[N,1000]", params: 25557032, macs: 4.089e9},
	{name: "mobilenet_v2", make: MobileNetV2, in: "[N,3,224,224]", out: "[N,1000]", params: 3504872, macs: 0.301e9},
	{name: "squeezenet1_1", make: SqueezeNet, in: "[N,3,224,224]", out: "[N,1000]", params: 1235496, macs: 0.349e9},
	{name: "unet2d", make: UNet2D, in: "[N,3,H,W]", out: "[N,2,H,W]", params: 31037698},
	{name: "unet3d", make: UNet3D, in: "[N,3,D,H,W]", out: "[N,3,D,H,W]", params: 19069955 + 2*2336},
}

func init() {
	for i := range architectures {
		a := &architectures[i]
		a.plain = sync.OnceValues(func() (*cnn.Net, error) { return a.make() })
	}
}

// net returns the architecture without options.
func (a *architecture) net(t *testing.T) *cnn.Net {
	t.Helper()
	n, err := a.plain()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func graphOf(t *testing.T, n *cnn.Net) *graph.Graph {
	t.Helper()
	g, err := n.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestFigures holds the sums of the summary, which needs no weights, against the
// published ones.
func TestFigures(t *testing.T) {
	for _, a := range architectures {
		n := a.net(t)
		table := strings.Split(n.Summary(), "\n")
		if want := fmt.Sprintf("net %s x%s", a.name, a.in); !strings.HasPrefix(table[0], want) {
			t.Errorf("%s: summary of %s, want %s", a.name, table[0], want)
		}
		var last, total []string
		for i, line := range table {
			if strings.HasPrefix(line, "total ") {
				last, total = strings.Fields(table[i-2]), strings.Fields(strings.ReplaceAll(line, ",", ""))
			}
		}
		if len(total) < 4 {
			t.Fatalf("%s: no sums in\n%s", a.name, n.Summary())
		}
		if last[2] != a.out {
			t.Errorf("%s: output %s, want %s", a.name, last[2], a.out)
		}
		if total[1] != fmt.Sprint(a.params) {
			t.Errorf("%s: %s parameters, want %d", a.name, total[1], a.params)
		}
		if a.macs == 0 {
			continue
		}
		if got, err := strconv.ParseFloat(total[2], 64); err != nil || math.Abs(got/a.macs-1) > 0.003 {
			t.Errorf("%s: %s multiply-adds, want %.4g", a.name, total[2], a.macs)
		}
	}
}

// TestUNet3DCountOfThePaper leaves out what the paper leaves out.
func TestUNet3DCountOfThePaper(t *testing.T) {
	n, err := UNet3D()
	if err != nil {
		t.Fatal(err)
	}
	norms := map[string]bool{}
	for _, b := range n.Buffers() {
		if layer, ok := strings.CutSuffix(b.Name, ".running_mean"); ok {
			norms[layer+".weight"], norms[layer+".bias"] = true, true
		}
	}
	sum := 0
	for _, p := range n.Params() {
		if !norms[p.Name] {
			sum += p.Tensor.Size()
		}
	}
	if sum != 19069955 || len(norms) != 28 {
		t.Errorf("got %d parameters beside those of %d norms, want 19069955 and 28 arrays", sum, len(norms))
	}
}

// TestState holds all names, types and shapes against files that list them.
func TestState(t *testing.T) {
	for _, a := range architectures {
		if a.big && (testing.Short() || raceEnabled) {
			continue // its 138 million weights take long to fill
		}
		golden(t, a.name+".txt", stateList(a.net(t)))
	}
}

// stateList lists parameters and buffers by name, those of a layer together.
func stateList(n *cnn.Net) string {
	buffers := map[string][]cnn.Param{}
	for _, b := range n.Buffers() {
		layer := b.Name[:strings.LastIndexByte(b.Name, '.')]
		buffers[layer] = append(buffers[layer], b)
	}
	var s strings.Builder
	line := func(p cnn.Param) { fmt.Fprintf(&s, "%s %v%v\n", p.Name, p.Tensor.DType(), p.Tensor.Shape()) }
	for _, p := range n.Params() {
		line(p)
		if layer, ok := strings.CutSuffix(p.Name, ".bias"); ok {
			for _, b := range buffers[layer] {
				line(b)
			}
			delete(buffers, layer)
		}
	}
	if len(buffers) > 0 {
		fmt.Fprintf(&s, "without a bias: %v\n", buffers)
	}
	return s.String()
}

// golden holds got against the file testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(name))
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (-update writes it)", err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	i := 0
	for i < min(len(g), len(w)) && g[i] == w[i] {
		i++
	}
	t.Errorf("%s: line %d:\ngot  %s\nwant %s\n(-update accepts it)", path, i+1, at(g, i), at(w, i))
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing"
}

func TestSummary(t *testing.T) {
	golden(t, "lenet_summary.txt", architectures[0].net(t).Summary())
	n, err := UNet2D(WithBase(4), WithDepth(1), WithInput(3, 16, 16))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "unet2d_summary.txt", n.Summary())
}

// TestSummaryMemory holds the sum of the memory against the values of the graph, each
// taken once.
func TestSummaryMemory(t *testing.T) {
	for name, arch := range map[string]func(...Option) (*cnn.Net, error){
		"vgg16": VGG16, "resnet18": ResNet18, "resnet50": ResNet50, "mobilenet_v2": MobileNetV2, "squeezenet1_1": SqueezeNet, "unet2d": UNet2D,
	} {
		n, err := arch(WithInput(3, 64, 64))
		if err != nil {
			t.Fatal(err)
		}
		g, err := n.Graph()
		if err != nil {
			t.Fatal(err)
		}
		var bytes float64
		for _, node := range g.Nodes() {
			for _, v := range node.Out() {
				size := float64(v.DType().Size())
				for _, d := range v.Shape()[1:] { // N = 1
					k, static := d.Size()
					if !static {
						t.Fatalf("%s: %s has shape %v", name, v.Name(), v.Shape())
					}
					size *= float64(k)
				}
				bytes += size
			}
		}
		want := fmt.Sprintf(" %.1f MiB\nparameters", bytes/(1<<20))
		if s := n.Summary(); !strings.Contains(s, want) {
			t.Errorf("%s: want%s:\n%s", name, want, s)
		}
	}
}

func TestOptions(t *testing.T) {
	const dyn = cnn.Dynamic
	for _, c := range []struct {
		name string
		make func(...Option) (*cnn.Net, error)
		opts []Option
		out  string // "": that it builds is enough
	}{
		{"lenet", LeNet, []Option{WithClasses(3), WithInput(2, 32, 36)}, "[N,3]"},
		{"vgg16", VGG16, []Option{WithClasses(4), WithHidden(8), WithInput(1, dyn, dyn)}, "[N,4]"},
		{"resnet18", ResNet18, []Option{WithClasses(7), WithInput(1, dyn, dyn)}, "[N,7]"},
		{"resnet50", ResNet50, []Option{WithInput(3, dyn, 64)}, "[N,1000]"},
		{"resnet18 least", ResNet18, []Option{WithInput(3, 1, 1)}, ""},
		{"resnet50 least", ResNet50, []Option{WithInput(3, 1, 1)}, ""},
		{"vgg16 least", VGG16, []Option{WithInput(3, 32, 32)}, ""},
		{"mobilenet least", MobileNetV2, []Option{WithInput(3, 1, 1)}, ""},
		{"mobilenet", MobileNetV2, []Option{WithClasses(1), WithInput(4, dyn, dyn)}, "[N,1]"},
		{"squeezenet", SqueezeNet, []Option{WithClasses(5), WithInput(3, dyn, dyn)}, "[N,5]"},
		{"squeezenet least", SqueezeNet, []Option{WithInput(3, 25, 25)}, ""},
		{"unet2d", UNet2D, []Option{WithClasses(1), WithInput(1, 64, dyn), WithBase(4), WithDepth(6)}, "[N,1,64,W]"},
		{"unet3d", UNet3D, []Option{WithClasses(4), WithInput(1, dyn, 8, 16), WithBase(2), WithDepth(2)}, "[N,4,D,8,16]"},
		{"unet3d least", UNet3D, []Option{WithBase(1), WithDepth(1), WithInput(1, 2, 2, 2)}, "[N,3,2,2,2]"},
	} {
		n, err := c.make(c.opts...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.out == "" {
			continue
		}
		if got := graphOf(t, n).Outputs()[0].Value.Shape().String(); got != c.out {
			t.Errorf("%s: output %s, want %s", c.name, got, c.out)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		make func(...Option) (*cnn.Net, error)
		opts []Option
		want string
	}{
		{LeNet, []Option{WithHidden(3)}, "models: LeNet: it has no option WithHidden: want WithClasses, WithInput"},
		{VGG16, []Option{WithBase(3)}, "models: VGG16: it has no option WithBase: want WithClasses, WithInput, WithHidden"},
		{ResNet18, []Option{{}}, "models: ResNet18: an option that no function made"},
		{ResNet50, []Option{WithClasses(2), WithClasses(2)}, "models: ResNet50: option WithClasses is given twice"},
		{MobileNetV2, []Option{WithClasses(0)}, "models: MobileNetV2: WithClasses: got 0, want 1 to 1048576"},
		{VGG16, []Option{WithHidden(-1)}, "models: VGG16: WithHidden: got -1"},
		{UNet2D, []Option{WithBase(1 << 60)}, "models: UNet2D: WithBase: got 1152921504606846976"},
		{UNet2D, []Option{WithBase(1 << 20)}, `cnn: layer "inc.double_conv.3" (Conv2D): parameter "weight"`},
		{UNet3D, []Option{WithDepth(7)}, "models: UNet3D: WithDepth: got 7, want 1 to 6"},
		{SqueezeNet, []Option{WithInput(3, 224)}, "models: SqueezeNet: WithInput: got 2 numbers [3 224], want 3"},
		{SqueezeNet, []Option{WithInput(cnn.Dynamic, 224, 224)}, "models: SqueezeNet: WithInput: channels: got -1"},
		{SqueezeNet, []Option{WithInput(3, 224, 0)}, "models: SqueezeNet: WithInput: spatial dim 1: got 0"},
		{SqueezeNet, []Option{WithInput(3, 24, 24)}, `cnn: layer "features.8" (MaxPool2D)`},
		{VGG16, []Option{WithInput(3, 31, 31)}, `cnn: layer "features.30" (MaxPool2D)`},
		{LeNet, []Option{WithInput(1, cnn.Dynamic, 28)}, `cnn: layer "fc1" (Dense)`},
		{UNet2D, []Option{WithInput(3, 64, 40)}, "models: UNet2D: WithInput: spatial dim 1: got 40, want a multiple of 16"},
	} {
		n, err := c.make(c.opts...)
		if err == nil || n != nil {
			t.Errorf("no error, want %s", c.want)
		} else if !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

// runZeros runs a network on zeros.
func runZeros(t *testing.T, be backend.Backend, n *cnn.Net, shape ...int) error {
	t.Helper()
	m, err := n.Compile(ctx, be)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, err = m.Predict(ctx, tensor.Must(tensor.New(tensor.Float32, shape...)))
	return err
}

// TestUNetRefusesOddSizes runs networks of dynamic size on one that does not halve, and
// describes them for it.
func TestUNetRefusesOddSizes(t *testing.T) {
	be, err := backend.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	defer be.Close()
	for _, c := range []struct {
		make     func(...Option) (*cnn.Net, error)
		depth    int
		sizes    []int
		node     string
		want     []string
		multiple string
	}{
		{UNet2D, 1, []int{5, 4}, "up1", []string{`"inc.double_conv.`, `gives [1,1,5,4]`, `"up1.up" gives [1,1,4,4]`, "multiples of 2 fit, as x [1,3,6,4]"}, "multiples of 2"},
		{UNet2D, 2, []int{8, 10}, "up1", []string{`"down1.maxpool_conv.`, `gives [1,2,4,5]`, `"up1.up" gives [1,2,4,4]`, "multiples of 4 fit, as x [1,3,8,12]"}, "multiples of 4"},
		{UNet2D, 2, []int{9, 8}, "up2", []string{`"inc.double_conv.`, `gives [1,1,9,8]`, `"up2.up" gives [1,1,8,8]`, "multiples of 4 fit, as x [1,3,12,8]"}, "multiples of 4"},
		{UNet2D, 4, []int{31, 33}, "up1", []string{"multiples of 16 fit, as x [1,3,32,48]"}, "multiples of 16"},
		{UNet3D, 2, []int{4, 8, 6}, "up1", []string{`"up1.up" gives [1,8,2,4,2]`, "multiples of 4 fit, as x [1,3,4,8,8]"}, "multiples of 4"},
	} {
		n, err := c.make(WithBase(1), WithDepth(c.depth))
		if err != nil {
			t.Fatal(err)
		}
		err = runZeros(t, be, n, append([]int{1, 3}, c.sizes...)...)
		var shape *backend.ShapeError
		if !errors.As(err, &shape) || shape.Op != "Concat" || shape.Node != c.node {
			t.Errorf("%v: got %v, want a ShapeError of the Concat of %s", c.sizes, err, c.node)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v: got %v, want %s", c.sizes, err, want)
			}
		}
		err = n.WriteSummary(io.Discard, append(cnn.Shape(3), c.sizes...))
		var layer *cnn.LayerError
		if !errors.As(err, &layer) || layer.Layer != c.node || !strings.Contains(err.Error(), "must be "+c.multiple) {
			t.Errorf("summary of %v: got %v, want that layer %s wants %s", c.sizes, err, c.node, c.multiple)
		}
	}
}

// TestTooSmall gives each architecture an input of one less than it can take, as its
// own size and as one of dynamic dims. The error names the first layer that has no
// output.
func TestTooSmall(t *testing.T) {
	be, err := backend.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	defer be.Close()
	const dyn = cnn.Dynamic
	small := []Option{WithHidden(2)}
	unet := []Option{WithBase(1), WithDepth(2)}
	for _, c := range []struct {
		name          string
		make          func(...Option) (*cnn.Net, error)
		opts          []Option
		input         []int // too small
		static        string
		dynamic, node string // "": the size cannot be dynamic
	}{
		{"lenet", LeNet, nil, []int{1, 11, 28}, `cnn: layer "pool2" (MaxPool2D)`, "", ""},
		{"vgg16", VGG16, small, []int{3, 31, 32}, `cnn: layer "features.30" (MaxPool2D)`, "kernel larger than the padded input", "features.30"},
		{"resnet18", ResNet18, nil, []int{3, 32, 0}, "models: ResNet18: WithInput: spatial dim 1: got 0", "the input is empty", "conv1"},
		{"resnet50", ResNet50, nil, []int{3, 0, 32}, "models: ResNet50: WithInput: spatial dim 0: got 0", "the input is empty", "conv1"},
		{"mobilenet", MobileNetV2, nil, []int{3, 0, 32}, "models: MobileNetV2: WithInput: spatial dim 0: got 0", "the input is empty", "features.0.0"},
		{"squeezenet", SqueezeNet, nil, []int{3, 32, 24}, `cnn: layer "features.8" (MaxPool2D)`, "kernel larger than the padded input", "features.8"},
		{"squeezenet of nothing", SqueezeNet, nil, []int{3, 2, 2}, `cnn: layer "features.0" (Conv2D)`, "kernel larger than the padded input", "features.0"},
		{"unet2d", UNet2D, unet, []int{3, 4, 1}, "models: UNet2D: WithInput: spatial dim 1: got 1, want a multiple of 4", "kernel larger than the padded input", "down1.maxpool_conv.0"},
		{"unet3d", UNet3D, unet, []int{3, 4, 4, 3}, "models: UNet3D: WithInput: spatial dim 2: got 3, want a multiple of 4", "kernel larger than the padded input", "down2.maxpool_conv.0"},
	} {
		n, err := c.make(append(c.opts, WithInput(c.input...))...)
		if err == nil || n != nil || !strings.HasPrefix(err.Error(), c.static) || strings.HasPrefix(c.static, "cnn: ") && !strings.Contains(err.Error(), "kernel larger than the padded input") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.static)
		}
		if c.node == "" {
			continue
		}
		open := []int{c.input[0]}
		for range c.input[1:] {
			open = append(open, dyn)
		}
		if n, err = c.make(append(c.opts, WithInput(open...))...); err != nil {
			t.Fatal(err)
		}
		err = runZeros(t, be, n, append([]int{1}, c.input...)...)
		var shape *backend.ShapeError
		if !errors.As(err, &shape) || shape.Node != c.node || !strings.Contains(err.Error(), c.dynamic) {
			t.Errorf("%s of dynamic size: got %v, want of %s that %s", c.name, err, c.node, c.dynamic)
		}
	}
}

// An option keeps the numbers that it was given.
func TestWithInputCopies(t *testing.T) {
	dims := []int{2, 28, 28}
	o := WithInput(dims...)
	dims[0] = 9
	n, err := LeNet(o)
	if err != nil {
		t.Fatal(err)
	}
	w, err := n.Param("conv1.weight")
	if err != nil {
		t.Fatal(err)
	}
	if got := w.Shape().String(); got != "[6,2,5,5]" {
		t.Errorf("conv1.weight %s, want [6,2,5,5]", got)
	}
}
