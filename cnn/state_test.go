package cnn

import (
	"bytes"
	little "encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/safetensors"
	"github.com/convgl/convgl/tensor"
)

// moments returns mean, standard deviation and the greatest magnitude.
func moments(w []float32) (mean, dev, top float64) {
	for _, v := range w {
		mean += float64(v)
		top = max(top, math.Abs(float64(v)))
	}
	mean /= float64(len(w))
	for _, v := range w {
		dev += (float64(v) - mean) * (float64(v) - mean)
	}
	return mean, math.Sqrt(dev / float64(len(w))), top
}

func TestInitStatistics(t *testing.T) {
	const he, glorot = "He", "Glorot"
	for _, c := range []struct {
		name       string
		layers     []Layer
		kind       string
		in, out    int
		parameters string
	}{
		{"conv relu", []Layer{Conv2D(64, 3), ReLU()}, he, 32 * 9, 64 * 9, "0.weight"},
		{"conv bn relu", []Layer{Conv2D(64, 3), BatchNorm(), ReLU6()}, he, 32 * 9, 64 * 9, "0.weight"},
		{"conv pool drop leaky", []Layer{Conv2D(64, 3), MaxPool2D(2), Dropout(0.1), LeakyReLU(0.01)}, he, 32 * 9, 64 * 9, "0.weight"},
		{"conv sum relu", []Layer{Residual(Conv2D(64, 3), Conv2D(64, 3)), ReLU()}, he, 32 * 9, 64 * 9, "0.shortcut.weight"},
		{"conv tanh", []Layer{Conv2D(64, 3), Tanh()}, glorot, 32 * 9, 64 * 9, "0.weight"},
		{"conv last", []Layer{Conv2D(64, 3)}, glorot, 32 * 9, 64 * 9, "0.weight"},
		{"conv conv relu", []Layer{Conv2D(64, 3), Conv2D(8, 1), ReLU()}, glorot, 32 * 9, 64 * 9, "0.weight"},
		{"clip", []Layer{Conv2D(64, 3), Clip(-1, 1)}, glorot, 32 * 9, 64 * 9, "0.weight"},
		{"groups", []Layer{Conv2D(64, 3, Groups(4)), ReLU()}, he, 8 * 9, 16 * 9, "0.weight"},
		{"groups glorot", []Layer{Conv2D(64, 3, Groups(4))}, glorot, 8 * 9, 16 * 9, "0.weight"},
		{"transpose", []Layer{ConvTranspose2D(64, 3, Groups(2)), ReLU()}, he, 16 * 9, 32 * 9, "0.weight"},
		{"dense", []Layer{Flatten(), Dense(100), ReLU()}, he, 32 * 64, 100, "1.weight"},
		{"dense softmax", []Layer{Flatten(), Dense(100), Softmax()}, glorot, 32 * 64, 100, "1.weight"},
		{"gelu", []Layer{Conv2D(64, 3), GELU()}, he, 32 * 9, 64 * 9, "0.weight"},
		{"prelu", []Layer{Conv2D(64, 3), PReLU(PerChannel())}, he, 32 * 9, 64 * 9, "0.weight"},
		{"selu", []Layer{Conv2D(64, 3), SELU()}, glorot, 32 * 9, 64 * 9, "0.weight"},
		{"asked for", []Layer{Conv2D(64, 3, Init(GlorotUniform)), ReLU()}, glorot, 32 * 9, 64 * 9, "0.weight"},
		{"asked for he", []Layer{Conv2D(64, 3, Init(HeNormal))}, he, 32 * 9, 64 * 9, "0.weight"},
	} {
		n := must(t)(New("n", Shape(32, 8, 8), c.layers...))
		w, err := n.Param(c.parameters)
		if err != nil {
			t.Fatal(err)
		}
		mean, dev, top := moments(w.Float32s())
		bound := math.Sqrt(6 / float64(c.in+c.out))
		want := bound / math.Sqrt(3)
		if c.kind == he {
			want = math.Sqrt(2 / float64(c.in))
		}
		// Five standard errors of the estimates; the kurtosis is at most 3.
		count := math.Sqrt(float64(w.Size()))
		if math.Abs(mean) > 5*want/count || math.Abs(dev-want) > 5*want/count {
			t.Errorf("%s: mean %.4g, deviation %.4g; want 0, %.4g", c.name, mean, dev, want)
		}
		if normal := top > bound*1.001; normal != (c.kind == he) {
			t.Errorf("%s: greatest magnitude %.4g, the bound of Glorot is %.4g: not %s", c.name, top, bound, c.kind)
		}
	}
}

func TestInitializers(t *testing.T) {
	const count = 100000
	for _, c := range []struct {
		name            string
		init            Initializer
		mean, dev, most float64
	}{
		{"HeNormal", HeNormal, 0, math.Sqrt(2. / 50), math.Inf(1)},
		{"HeUniform", HeUniform, 0, math.Sqrt(2. / 50), math.Sqrt(6. / 50)},
		{"GlorotNormal", GlorotNormal, 0, math.Sqrt(2. / 150), math.Inf(1)},
		{"GlorotUniform", GlorotUniform, 0, math.Sqrt(2. / 150), math.Sqrt(6. / 150)},
		{"LeCunNormal", LeCunNormal, 0, math.Sqrt(1. / 50), math.Inf(1)},
		{"Normal", Normal(3, 2), 3, 2, math.Inf(1)},
		{"Uniform", Uniform(1, 4), 2.5, math.Sqrt(9. / 12), 4},
		{"Constant", Constant(7), 7, 0, 7},
		{"Zeros", Zeros, 0, 0, 0},
		{"Ones", Ones, 1, 0, 1},
	} {
		w := make([]float32, count)
		c.init.Fill(w, 50, 100, rand.New(rand.NewPCG(5, 6)))
		mean, dev, top := moments(w)
		if e := 5 * c.dev / math.Sqrt(count); math.Abs(mean-c.mean) > e || math.Abs(dev-c.dev) > e || top > c.most*1.000001 {
			t.Errorf("%s: mean %.4g, deviation %.4g, most %.4g; want %.4g, %.4g, at most %.4g", c.name, mean, dev, top, c.mean, c.dev, c.most)
		}
	}
}

func small(t *testing.T, name string, more ...Layer) *Net {
	t.Helper()
	layers := []Layer{Named("conv", Conv2D(4, 3, Same())), Named("bn", BatchNorm()), ReLU(), GlobalAvgPool(), Flatten(), Named("fc", Dense(5))}
	return must(t)(New(name, Shape(3, 8, 8), append(layers, more...)...))
}

func same(a, b *tensor.Tensor) bool { return bytes.Equal(a.Bytes(), b.Bytes()) }

// A parameter's values depend on the seed and its name alone.
func TestInitDeterminism(t *testing.T) {
	a, b := small(t, "a"), small(t, "b", Named("more", Dense(3)))
	wa, wb := a.StateDict(), b.StateDict()
	for name, w := range wa {
		if !same(w, wb[name]) {
			t.Errorf("%s differs between two networks", name)
		}
	}
	b.Init(0)
	if !same(b.StateDict()["fc.weight"], wa["fc.weight"]) {
		t.Error("Init(0) is not what New does")
	}
	b.Init(1)
	if wc := b.StateDict(); same(wc["fc.weight"], wa["fc.weight"]) || same(wc["conv.weight"], wa["conv.weight"]) {
		t.Error("Init(1) gave the values of Init(0)")
	}
	// A stream that other versions of Go or of this package must keep.
	var got [3]float32
	Normal(0, 1).Fill(got[:], 0, 0, stream(7, "layer1.0.conv1.weight"))
	if want := [3]float32{-0.10593057, 0.36456653, -1.017182}; got != want {
		t.Errorf("stream %v, want %v", got, want)
	}
}

// Options keep the numbers that they were given.
func TestOptionsCopy(t *testing.T) {
	v := []int{1, 1}
	o := Padding(v...)
	v[0] = 99
	n := must(t)(New("n", Shape(1, 4, 4), Conv2D(1, 3, o)))
	g, err := n.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if got := g.Outputs()[0].Value.Shape().String(); got != "[N,1,4,4]" {
		t.Errorf("output %s", got)
	}
}

// What has been handed out is never changed.
func TestInitLeavesOldValues(t *testing.T) {
	n := small(t, "n")
	g, err := n.Graph()
	if err != nil {
		t.Fatal(err)
	}
	old := n.StateDict()
	copies := map[string]*tensor.Tensor{}
	for name, w := range old {
		copies[name] = w.Clone()
	}
	before := g.String()
	n.Init(9)
	if err := n.SetParam("fc.bias", tensor.Must(tensor.From([]float32{1, 2, 3, 4, 5}, 5))); err != nil {
		t.Fatal(err)
	}
	for name := range old {
		if !same(old[name], copies[name]) {
			t.Errorf("%s was changed in place", name)
		}
	}
	if g.String() != before {
		t.Error("the graph changed")
	}
	if w, err := n.Param("fc.bias"); err != nil || w.Float32s()[4] != 5 {
		t.Errorf("fc.bias is %v, %v", w, err)
	}
}

func TestSetParamErrors(t *testing.T) {
	n := small(t, "n")
	for _, c := range []struct {
		name string
		t    *tensor.Tensor
		want string
	}{
		{"fc.bias", nil, `cnn: net "n": parameter "fc.bias": got nil, want float32[5]`},
		{"fc.bias", tensor.Must(tensor.New(tensor.Float32, 4)), `got float32[4], want float32[5]`},
		{"fc.bias", tensor.Must(tensor.New(tensor.Float64, 5)), `got float64[5], want float32[5]`},
		{"fc.b", tensor.Must(tensor.New(tensor.Float32, 5)), `cnn: net "n" has no parameter "fc.b"`},
	} {
		if err := n.SetParam(c.name, c.t); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	if _, err := n.Param("x"); err == nil {
		t.Error("Param of an unknown name: no error")
	}
}

func TestLoadStateDictIsStrict(t *testing.T) {
	n := small(t, "n")
	m := small(t, "m")
	m.Init(3)
	state := m.StateDict()
	bad := m.StateDict()
	delete(bad, "bn.running_var")
	delete(bad, "conv.bias")
	bad["fc.weight"] = bad["fc.bias"]
	bad["zz"], bad["aa"] = bad["fc.bias"], nil
	err := n.LoadStateDict(bad)
	want := `cnn: net "n": state does not fit: 2 missing: conv.bias, bn.running_var; 2 unknown: aa, zz; 1 not fitting: fc.weight: got float32[5], want float32[5,4]`
	var fault *StateError
	if !errors.As(err, &fault) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	fresh := small(t, "n").StateDict()
	for name, w := range n.StateDict() {
		if !same(w, fresh[name]) {
			t.Errorf("%s was changed by a load that failed", name)
		}
	}
	if err := n.LoadStateDict(state); err != nil {
		t.Fatal(err)
	}
	for name, w := range n.StateDict() {
		if !same(w, state[name]) {
			t.Errorf("%s was not loaded", name)
		}
	}
}

// States of other frameworks and of PyTorch before 0.4.1 have no num_batches_tracked.
// It alone may be missing, and stays as it is.
func TestLoadWithoutBatchCounter(t *testing.T) {
	const counter = "bn.num_batches_tracked"
	state := small(t, "n").StateDict()
	delete(state, counter)
	path := filepath.Join(t.TempDir(), "n.safetensors")
	var list []safetensors.Named
	for name, w := range state {
		list = append(list, safetensors.Named{Name: name, Tensor: w})
	}
	if err := safetensors.Save(path, list, nil); err != nil {
		t.Fatal(err)
	}
	for how, load := range map[string]func(n *Net) error{
		"LoadStateDict": func(n *Net) error { return n.LoadStateDict(state) },
		"Load":          func(n *Net) error { return n.Load(path) },
	} {
		for _, before := range []int64{0, 77} {
			n := small(t, "n")
			n.Init(5)
			if before != 0 {
				if err := n.SetParam(counter, tensor.Must(tensor.From([]int64{before}))); err != nil {
					t.Fatal(err)
				}
			}
			if err := load(n); err != nil {
				t.Fatalf("%s: %v", how, err)
			}
			got := n.StateDict()
			for name, w := range state {
				if !same(got[name], w) {
					t.Errorf("%s: %s was not loaded", how, name)
				}
			}
			if c, err := tensor.Data[int64](got[counter]); err != nil || c[0] != before {
				t.Errorf("%s: the counter is %v (%v), want %d", how, c, err, before)
			}
		}
	}
	state[counter] = nil
	if err := small(t, "n").LoadStateDict(state); err == nil || !strings.Contains(err.Error(), counter+": got nil, want int64[]") {
		t.Errorf("a nil counter: got %v", err)
	}
	delete(state, counter)
	for name, w := range state {
		delete(state, name)
		var fault *StateError
		if err := small(t, "n").LoadStateDict(state); !errors.As(err, &fault) || len(fault.Missing) != 1 || fault.Missing[0] != name {
			t.Errorf("without %s: got %v", name, err)
		}
		state[name] = w
	}
	own := must(t)(New("n", Shape(3), Func("Own", func(s *Scope, x ...*graph.Value) (*graph.Value, error) {
		return s.Apply(backend.Binary{}, x[0], s.Buffer("num_batches", tensor.Must(tensor.New(tensor.Float32, 1)))), s.Err()
	})))
	if err := own.LoadStateDict(nil); err == nil || !strings.Contains(err.Error(), "1 missing: 0.num_batches") {
		t.Errorf("a buffer of one's own: got %v", err)
	}
}

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n.safetensors")
	n, m := small(t, "n"), small(t, "m")
	n.Init(11)
	if err := n.SetParam("bn.num_batches_tracked", tensor.Must(tensor.From([]int64{77}))); err != nil {
		t.Fatal(err)
	}
	if err := n.Save(path); err != nil {
		t.Fatal(err)
	}
	if err := m.Load(path); err != nil {
		t.Fatal(err)
	}
	want := n.StateDict()
	for name, w := range m.StateDict() {
		if !same(w, want[name]) {
			t.Errorf("%s differs", name)
		}
	}
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	other := small(t, "o", Named("more", Dense(2)))
	err = other.Load(path)
	if err == nil || !strings.Contains(err.Error(), "2 missing: more.weight, more.bias") || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	if err := n.Load(path + "x"); err == nil {
		t.Error("a file that is not there: no error")
	}
	if err := n.Save(filepath.Join(path, "x")); err == nil {
		t.Error("a folder that is not there: no error")
	}
}

// A file for another network is refused by its header: its data, a terabyte of holes
// here, is not read.
func TestLoadChecksHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n.safetensors")
	const size = 1 << 40
	header := fmt.Sprintf(`{"conv.weight":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]},"fc.bias":{"dtype":"I8","shape":[2],"data_offsets":[%d,%d]}}`, size/4, size, size, size+2)
	head := append(little.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	if err := os.WriteFile(path, head, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(len(head))+size+2); err != nil {
		t.Skipf("a file with holes: %v", err)
	}
	n := small(t, "n")
	err := n.Load(path)
	var state *StateError
	if !errors.As(err, &state) {
		t.Fatalf("got %v", err)
	}
	want := "conv.weight: got float32[274877906944], want float32[4,3,3,3] fc.bias: got I8[2], want float32[5]"
	if got := strings.Join(state.Wrong, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestStateErrorIsShort(t *testing.T) {
	e := &StateError{Net: "n", Unknown: []string{"z"}}
	for i := range 100 {
		e.Missing = append(e.Missing, fmt.Sprint("m", i))
	}
	want := `cnn: net "n": state does not fit: 100 missing: m0, m1, m2, m3, m4, m5, m6, m7 and 92 more; 1 unknown: z`
	if e.Error() != want {
		t.Errorf("got  %v\nwant %s", e, want)
	}
}

func TestFeatures(t *testing.T) {
	n := small(t, "n")
	f, err := n.Features("bn", "conv")
	if err != nil {
		t.Fatal(err)
	}
	g, err := f.Graph()
	if err != nil {
		t.Fatal(err)
	}
	want := `graph n
in  x float32[N,3,8,8]
conv = Conv{Kernel:[3,3] AutoPad:SAME_UPPER Bias}(x, conv.weight float32[4,3,3,3], conv.bias float32[4]) float32[N,4,8,8]
bn = BatchNorm{Epsilon:1e-05}(conv, bn.weight float32[4], bn.bias float32[4], bn.running_mean float32[4], bn.running_var float32[4]) float32[N,4,8,8]
out bn = bn
out conv = conv
`
	if g.String() != want {
		t.Errorf("graph\n%s\nwant\n%s", g, want)
	}
	if got := names(f.Params()); got != "conv.weight[4,3,3,3] conv.bias[4] bn.weight[4] bn.bias[4]" {
		t.Errorf("parameters %s", got)
	}
	n.Init(5)
	a, _ := n.Param("conv.weight")
	if b, _ := f.Param("conv.weight"); !same(a, b) {
		t.Error("the parameters are not shared")
	}
	for _, bad := range [][]string{nil, {"nothing"}, {"bn", "bn"}} {
		if _, err := n.Features(bad...); err == nil {
			t.Errorf("Features%v: no error", bad)
		}
	}
	if _, err := f.Features("fc"); err != nil {
		t.Errorf("features of features: %v", err)
	}
}

// A Build that does something else the second time is refused.
func TestBuildMustRepeat(t *testing.T) {
	size := 1
	grows := must(t)(New("n", Shape(3), Func("Grows", func(s *Scope, x ...*graph.Value) (*graph.Value, error) {
		size++
		s.Param("w", Zeros, size)
		return x[0], nil
	})))
	if _, err := grows.Graph(); err == nil || !strings.Contains(err.Error(), "as when it was first built") {
		t.Errorf("got %v", err)
	}
	renames := must(t)(New("n", Shape(3), Func("Renames", func(s *Scope, x ...*graph.Value) (*graph.Value, error) {
		size++
		s.Param(fmt.Sprint("w", size), Zeros, 1)
		return x[0], nil
	})))
	if _, err := renames.Graph(); err == nil || !strings.Contains(err.Error(), "when the layer was first built") {
		t.Errorf("got %v", err)
	}
}

// A Build that makes other layers the next time is refused by every method, and so is
// one that hands on a value of an earlier build.
func TestBuildMustRepeatLayers(t *testing.T) {
	for _, second := range []func(s *Scope, x ...*graph.Value) *graph.Value{
		func(s *Scope, x ...*graph.Value) *graph.Value { return s.Call("b", Tanh(), x...) },
		func(s *Scope, x ...*graph.Value) *graph.Value { return s.Call("b", Tanh(), s.Call("a", ReLU(), x...)) },
		func(s *Scope, x ...*graph.Value) *graph.Value { return x[0] },
	} {
		builds := 0
		n := must(t)(New("n", Shape(3), Func("Flips", func(s *Scope, x ...*graph.Value) (*graph.Value, error) {
			if builds++; builds == 1 {
				return s.Call("a", ReLU(), x...), nil
			}
			return second(s, x...), nil
		})))
		_, graphErr := n.Graph()
		_, featuresErr := n.Features("0.a")
		summaryErr := n.WriteSummary(io.Discard, Shape(3))
		for _, err := range []error{graphErr, featuresErr, summaryErr} {
			if err == nil || !strings.Contains(err.Error(), "Build must do the same each time") {
				t.Errorf("got %v", err)
			}
		}
	}
	for _, use := range []func(s *Scope, old *graph.Value) *graph.Value{
		func(s *Scope, old *graph.Value) *graph.Value { return old },
		func(s *Scope, old *graph.Value) *graph.Value {
			return s.Apply(backend.Activation{Act: backend.Act{Kind: backend.Relu}}, old)
		},
	} {
		var old *graph.Value
		n := must(t)(New("n", Shape(3), Func("Keeps", func(s *Scope, x ...*graph.Value) (*graph.Value, error) {
			if old == nil {
				old = x[0]
			}
			return use(s, old), s.Err()
		})))
		if _, err := n.Graph(); err == nil || !strings.Contains(err.Error(), `layer "0" (Keeps)`) || !strings.Contains(err.Error(), "not of this network") {
			t.Errorf("got %v", err)
		}
	}
}

// Parameters count by their use, wherever the ops are that use them.
func TestParamsOfOtherScopes(t *testing.T) {
	mul := Func("Mul", func(s *Scope, x ...*graph.Value) (*graph.Value, error) {
		return s.Apply(backend.Binary{Fn: backend.Mul}, x...), s.Err()
	})
	n := must(t)(New("n", Shape(3),
		Named("a", Func("Sub", func(s *Scope, x ...*graph.Value) (*graph.Value, error) {
			return s.Apply(backend.Binary{Fn: backend.Mul}, x[0], s.Sub("proj").Param("weight", Ones, 3)), s.Err()
		})),
		Named("b", Func("Passes", func(s *Scope, x ...*graph.Value) (*graph.Value, error) {
			return s.Call("mul", mul, x[0], s.Param("weight", Ones, 1, 3)), s.Err()
		}))))
	if got := names(n.Params()); got != "a.proj.weight[3] b.weight[1,3]" {
		t.Errorf("parameters %s", got)
	}
	if got := n.Summary(); !strings.Contains(got, "parameters: 6 trainable") {
		t.Errorf("summary\n%s", got)
	}
	f, err := n.Features("a")
	if err != nil {
		t.Fatal(err)
	}
	if got := names(f.Params()); got != "a.proj.weight[3]" {
		t.Errorf("parameters of a %s", got)
	}
	learned := must(t)(New("n", Shape(3), Func("Constant", func(s *Scope, x ...*graph.Value) (*graph.Value, error) {
		return s.Param("value", Ones, 1, 3), s.Err()
	})))
	if got := names(learned.Params()); got != "0.value[1,3]" {
		t.Errorf("parameters %s", got)
	}
	if got := learned.Summary(); !strings.Contains(got, "parameters: 3 trainable") {
		t.Errorf("summary\n%s", got)
	}
}

func TestScopeErrors(t *testing.T) {
	scalar := tensor.Must(tensor.New(tensor.Float32, 1))
	for _, c := range []struct {
		name  string
		build func(s *Scope, x *graph.Value)
		want  string
	}{
		{"dot", func(s *Scope, x *graph.Value) { s.Param("a.b", nil, 1) }, `parameter "a.b": want a name without a dot`},
		{"no name", func(s *Scope, x *graph.Value) { s.Param("", nil, 1) }, `parameter ""`},
		{"twice", func(s *Scope, x *graph.Value) { s.Param("w", nil, 1); s.Buffer("w", scalar) }, `the name "0.w" is taken`},
		{"dim", func(s *Scope, x *graph.Value) { s.Param("w", nil, 3, 0) }, `got shape [3,0], want every dim 1 or more`},
		{"negative", func(s *Scope, x *graph.Value) { s.Param("w", nil, -3) }, `want every dim 1 or more`},
		{"rank", func(s *Scope, x *graph.Value) { s.Param("w", nil, 1, 1, 1, 1, 1, 1, 1, 1, 1) }, `rank 8`},
		{"nil buffer", func(s *Scope, x *graph.Value) { s.Buffer("b", nil) }, `buffer "b": no tensor`},
		{"nil const", func(s *Scope, x *graph.Value) { s.Const("c", nil) }, `a constant without a tensor`},
		{"nil op", func(s *Scope, x *graph.Value) { s.Apply(nil, x) }, `no op`},
		{"no dim", func(s *Scope, x *graph.Value) { s.Dim(x, 5) }, `there is no dim 5 in x [N,3]`},
		{"nil dim", func(s *Scope, x *graph.Value) { s.Dim(nil, 0) }, `there is no dim 0`},
		{"batch", func(s *Scope, x *graph.Value) { s.Dim(x, 0) }, `dim 0 of x [N,3] must be a number`},
		{"nil input", func(s *Scope, x *graph.Value) { s.Call("a", ReLU(), nil) }, `cnn: layer "0.a": input 0 is nil`},
		{"own", func(s *Scope, x *graph.Value) { s.Fail(errors.New("mine")); s.Fail(errors.New("later")) }, `cnn: layer "0" (Own): mine`},
		{"direct", func(s *Scope, x *graph.Value) { _, err := Conv2D(1, 1).Build(s.Sub("a"), nil); s.Fail(err) }, `input 0 is nil`},
		{"sub", func(s *Scope, x *graph.Value) { s.Sub("a").Param("w", nil, 0) }, `cnn: layer "0.a": parameter "w"`},
	} {
		after := false
		_, err := New("n", Shape(3), Func("Own", func(s *Scope, x ...*graph.Value) (*graph.Value, error) {
			c.build(s, x[0])
			after = s.Err() != nil && s.Apply(nil) == nil && s.Param("p", nil, 1) == nil && s.Call("c", nil) == nil && s.Const("k", nil) == nil && s.Dim(nil, 9) == 1
			return x[0], nil
		}))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		if !after {
			t.Errorf("%s: the scope goes on after an error", c.name)
		}
	}
}

// Methods of a Net may meet.
func TestNetConcurrently(t *testing.T) {
	n := small(t, "n")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			n.Init(uint64(i))
			_ = n.Summary()
			if _, err := n.Graph(); err != nil {
				t.Error(err)
			}
			if len(n.Params()) != 6 || !slices.Contains(n.Layers(), "fc") {
				t.Error("a parameter or layer is gone")
			}
		})
	}
	wg.Wait()
}
