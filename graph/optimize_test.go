package graph

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	"github.com/convgl/convgl/tensor"
)

// stem is what a file holds of a residual network's beginning: every bias, pad and
// activation in a node of its own.
func stem(b *builder) {
	pad := backend.Pad{Pads: []int{0, 0, 1, 1, 0, 0, 1, 1}}
	v := b.node("pad1", pad, b.input("x", Shape{Symbol("N"), Static(3), Symbol("H"), Symbol("W")}))
	v = b.node("conv1", backend.Conv{Window: backend.Window{Strides: []int{2, 2}}}, v, b.ints("conv1.weight", 4, 3, 3, 3))
	v = b.relu("relu1", b.batchNorm("bn1", b.add("bias1", v, b.ints("conv1.bias", 1, 4, 1, 1))))
	v = b.node("pool", backend.MaxPool{Window: backend.Window{Kernel: []int{3, 3}, Strides: []int{2, 2}}}, b.node("pad2", pad, v))
	short := v
	v = b.relu("relu2", b.batchNorm("bn2", b.conv("conv2", v, 4)))
	v = b.batchNorm("bn3", b.conv("conv3", v, 4))
	v = b.relu("relu3", b.add("add", v, b.node("id", Identity{}, short)))
	v = b.node("gap", backend.GlobalPool{}, v)
	v = b.node("drop", Dropout{Rate: 0.5}, b.node("flatten", backend.Flatten{Axis: 1}, v))
	half := b.node("scale", backend.Binary{Fn: backend.Mul}, b.ints("fc.weight", 4, 5), b.values("two", nil, 2))
	b.out("logits", b.add("fc.bias", b.node("fc", backend.MatMul{}, v, half), b.ints("bias", 5)))
}

func TestOptimize(t *testing.T) {
	be := openRef(t)
	b := newBuilder(t, "stem", 1)
	stem(b)
	before := b.g.String()
	o, report, err := Optimize(b.g, WithEvaluator(evaluator(be)))
	if err != nil {
		t.Fatal(err)
	}
	checkGraph(t, o)
	listing := fmt.Sprintf("%s\n%s\n%s", before, report, o)
	file := filepath.Join("testdata", "pass", "optimize.golden")
	if *update {
		if err := os.WriteFile(file, []byte(listing), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if listing != string(want) {
		t.Errorf("got\n%s\nwant\n%s", listing, want)
	}
	if b.g.String() != before {
		t.Errorf("the graph was changed:\n%s", b.g)
	}
	if _, report, err := Optimize(o, WithEvaluator(evaluator(be))); err != nil || report.String() != "nothing to do" {
		t.Errorf("the second time: %v, %v", report, err)
	}
	in := map[string]*tensor.Tensor{"x": randomInput(b.g.inputs[0], map[string]int{"N": 2, "H": 15, "W": 13}, b.rng, true)}
	if diff := difference(interpret(t, be, o, in)[0], interpret(t, be, b.g, in)[0], 0); diff != "" {
		t.Error(diff)
	}
	for _, name := range PassNames() {
		_, report, err := Optimize(b.g, WithEvaluator(evaluator(be)), WithoutPass(name))
		if err != nil {
			t.Errorf("without %s: %v", name, err)
		}
		for _, c := range report {
			if c.Pass == name && c.Count > 0 {
				t.Errorf("pass %s ran", name)
			}
		}
	}
}

// randomNet makes networks of which every result is exact in float32: it knows how
// large a value can be, in steps of which size, and clamps it before it grows too
// large.
type randomNet struct {
	*builder
	exact  bool
	values []grown
}

type grown struct {
	*Value
	largest float64
	bits    int // the value is a multiple of 2^−bits
}

// weights makes a constant of −1, 0 and 1, or of random numbers that keep the size
// of a sum of so many terms.
func (r *randomNet) weights(name string, terms int, shape ...int) *Value {
	v := make([]float32, tensor.Shape(shape).Size())
	for i := range v {
		if v[i] = float32(r.rng.IntN(3) - 1); !r.exact {
			v[i] = float32(r.rng.NormFloat64()) / float32(terms)
		}
	}
	return r.builder.values(name, shape, v...)
}

// small returns v, clamped if what comes next could grow too large.
func (r *randomNet) small(name string, v grown) grown {
	if v.largest <= 64 {
		return v
	}
	act := backend.Act{Kind: backend.Clip, Alpha: -4, Beta: 6}
	return grown{r.node(name+".clip", backend.Activation{Act: act}, v.Value), 6, v.bits}
}

// step adds an op to a value picked at random.
func (r *randomNet) step(name string) {
	n := r.rng.IntN(len(r.values))
	if r.rng.IntN(3) > 0 {
		n = len(r.values) - 1
	}
	if s := r.values[n].sizes[0]; min(s[2], s[3]) < 3 {
		n = 0 // too small for a window
	}
	x := r.small(name, r.values[n])
	c := x.sizes[0][1]
	y := x
	channels := []int{1, c, 1, 1}
	binary := func(fn backend.BinaryKind, k *Value) {
		if r.rng.IntN(2) == 0 || fn == backend.Div {
			y.Value = r.node(name, backend.Binary{Fn: fn}, x.Value, k)
		} else {
			y.Value = r.node(name, backend.Binary{Fn: fn}, k, x.Value)
		}
	}
	win := backend.Window{Kernel: []int{2, 2}, Strides: []int{1 + r.rng.IntN(2), 1}}
	switch r.rng.IntN(20) {
	case 0, 1, 2, 3:
		groups := 1 + r.rng.IntN(2)*(1-c%2)
		out, k := groups*(1+r.rng.IntN(3)), 1+2*r.rng.IntN(2)
		op := backend.Conv{Window: backend.Window{Strides: []int{1, 1 + r.rng.IntN(2)}, Pads: []int{k / 2, k / 2, k / 2, k / 2}}, Groups: groups, Bias: r.rng.IntN(2) == 0}
		args := []*Value{x.Value, r.weights(name+".weight", c, out, c/groups, k, k)}
		if op.Bias {
			args = append(args, r.weights(name+".bias", 1, out))
		}
		y = grown{r.node(name, op, args...), x.largest*float64(c/groups*k*k) + 1, x.bits}
	case 4:
		op := backend.ConvTranspose{Window: backend.Window{Strides: []int{2, 1}}, Groups: c}
		y = grown{r.node(name, op, x.Value, r.weights(name+".weight", 2, c, 2, 2, 2)), 2 * x.largest, x.bits}
	case 5, 6, 7:
		if x.bits < 8 {
			y = grown{r.batchNorm(name, x.Value), 6*(x.largest+3) + 3, x.bits + 1}
		}
	case 8:
		y = grown{r.relu(name, x.Value), x.largest, x.bits}
	case 9:
		act := backend.Act{Kind: backend.Clip, Alpha: float32(r.rng.IntN(3) - 2), Beta: float32(r.rng.IntN(7) + 1)}
		y = grown{r.node(name, backend.Activation{Act: act}, x.Value), min(x.largest, 8), x.bits}
	case 10, 11: // a sum of what has the same shape
		for _, other := range r.values {
			if other.Value != x.Value && sameShape(other.Value, x.Value) {
				y = grown{r.add(name, x.Value, other.Value), x.largest + other.largest, max(x.bits, other.bits)}
				break
			}
		}
	case 12:
		k := r.node(name+".k", backend.Reshape{Shape: channels}, r.ints(name+".const", c))
		y.largest += 3
		if r.rng.IntN(2) == 0 {
			k = r.node(name+".expand", backend.Expand{Shape: []int{c, x.sizes[0][2], 1}}, k)
		}
		binary([]backend.BinaryKind{backend.Add, backend.Sub}[r.rng.IntN(2)], k)
	case 13:
		if x.bits < 8 {
			y.largest, y.bits = y.largest*4, y.bits+2
			binary([]backend.BinaryKind{backend.Mul, backend.Div}[r.rng.IntN(2)], r.powers(name+".const", channels...))
		}
	case 14:
		p := r.node(name, backend.Pad{Pads: []int{0, 0, r.rng.IntN(2), 1, 0, 0, 0, r.rng.IntN(2)}}, x.Value)
		r.values = append(r.values, grown{p, x.largest, x.bits})
		y.Value = r.node(name+".pool", backend.MaxPool{Window: win}, p)
	case 15:
		if x.bits < 8 {
			win.Pads = []int{1, 0, 0, 1}
			y = grown{r.node(name, backend.AvgPool{Window: win, CountIncludePad: true}, x.Value), x.largest, x.bits + 2}
		}
	case 16: // twice the same, joined
		a := r.node(name+".1", backend.MaxPool{Window: win}, r.relu(name+".relu1", x.Value))
		b := r.node(name+".2", backend.MaxPool{Window: win}, r.relu(name+".relu2", x.Value))
		if c <= 4 {
			y.Value = r.node(name, backend.Concat{Axis: 1, Inputs: 2}, a, b)
		}
	case 19: // a product that is an activation function, which rounds
		if !r.exact {
			gate := r.node(name+".gate", backend.Activation{Act: backend.Act{Kind: backend.Sigmoid}}, x.Value)
			y.Value = r.node(name, backend.Binary{Fn: backend.Mul}, gate, x.Value)
		}
	case 18: // parts, in another order
		all, h := backend.SliceEnd, x.sizes[0][2]
		a := r.node(name+".1", backend.Slice{Starts: []int{0, 0, 0, 0}, Ends: []int{all, c / 2, all, all}}, x.Value)
		b := r.node(name+".2", backend.Slice{Starts: []int{0, c / 2, h, 0}, Ends: []int{all, all, -1, all}, Steps: []int{1, 1, -1, 1}}, x.Value)
		b = r.node(name+".3", backend.Slice{Starts: []int{0, 0, 0, all}, Ends: []int{all, c, h, -1}, Steps: []int{1, 1, 1, -1}}, b)
		y.Value = r.node(name, backend.Concat{Axis: 1, Inputs: 2}, b, a)
	case 17:
		v := r.node(name+".1", backend.Transpose{Perm: []int{0, 2, 3, 1}}, x.Value)
		if r.rng.IntN(2) == 0 {
			v = r.node(name+".drop", Dropout{}, r.relu(name+".relu", v))
		}
		y.Value = r.node(name, backend.Transpose{Perm: []int{0, 3, 1, 2}}, v)
	}
	if y.Value != x.Value {
		r.values = append(r.values, y)
	}
}

func makeRandomNet(t *testing.T, seed uint64, exact bool) *Graph {
	r := &randomNet{builder: newBuilder(t, fmt.Sprintf("random %d", seed), seed), exact: exact}
	r.values = []grown{{r.image(2), 4, 0}}
	for i := range 14 {
		r.step(fmt.Sprintf("op%d", i))
	}
	last := r.small("head", r.values[len(r.values)-1])
	v := r.node("flatten", backend.Flatten{Axis: 1}, r.node("gap", backend.GlobalPool{}, last.Value))
	v = r.node("fc", backend.MatMul{}, r.node("reshape", backend.Reshape{Shape: []int{0, -1}}, v), r.weights("fc.weight", 1, last.sizes[0][1], 3))
	r.out("head", r.add("fc.bias", v, r.ints("bias", 3)))
	for i, v := range r.values[1:] {
		if r.rng.IntN(6) == 0 {
			r.out(fmt.Sprintf("out%d", i), v.Value)
		}
	}
	return r.g
}

// Random networks compute the same after Optimize: exactly where rounding has no
// part, and closely where it has. That of Compile on the CPU is the first again, with
// its plan.
func TestOptimizeRandomNets(t *testing.T) {
	ref := openRef(t)
	cpu, err := backend.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cpu.Close(); err != nil {
			t.Error(err)
		}
	}()
	found := map[string]int{}
	compiled := 0
	for seed := range uint64(120) {
		exact := seed%3 != 0
		tolerance := 0.0
		if !exact {
			tolerance = 1e-5
		}
		g := makeRandomNet(t, seed, exact)
		o, report, err := Optimize(g, WithEvaluator(evaluator(ref)))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, g)
		}
		checkGraph(t, o)
		again, _, err := Optimize(g, WithEvaluator(evaluator(ref)))
		if err != nil || again.String() != o.String() {
			t.Fatalf("seed %d: the second time %v, and another result:\n%s\n%s", seed, err, o, again)
		}
		if _, rest, err := Optimize(o, WithEvaluator(evaluator(ref))); err != nil || rest.String() != "nothing to do" {
			t.Fatalf("seed %d: left to do: %v, %v\n%s", seed, rest, err, o)
		}
		for _, c := range report {
			found[c.Pass] += c.Count
		}
		in := map[string]*tensor.Tensor{"x": randomInput(g.inputs[0], map[string]int{"N": 2}, rand.New(rand.NewPCG(seed, 7)), exact)}
		want := interpret(t, ref, g, in)
		compare(t, seed, "ref", g, o, interpret(t, ref, o, in), want, tolerance)
		got, err := runOnce(g, cpu, in["x"])
		if errors.Is(err, errors.ErrUnsupported) { // an op without a kernel there
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, o)
		}
		compiled++
		compare(t, seed, "cpu", g, o, got, want, tolerance)
		if t.Failed() {
			return
		}
	}
	var idle []string
	for _, name := range PassNames() {
		if found[name] == 0 {
			idle = append(idle, name)
		}
	}
	if len(idle) > 0 {
		t.Errorf("the networks give nothing to do to %s", strings.Join(idle, ", "))
	}
	if compiled < 30 {
		t.Errorf("the CPU ran %d of the networks only", compiled)
	}
	t.Log(found, compiled)
}

func runOnce(g *Graph, be backend.Backend, in ...*tensor.Tensor) (out []*tensor.Tensor, err error) {
	m, err := Compile(context.Background(), g, be)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	return m.Run(context.Background(), in...)
}

func compare(t *testing.T, seed uint64, what string, g, o *Graph, got, want []*tensor.Tensor, tolerance float64) {
	t.Helper()
	for i := range want {
		if slices.ContainsFunc(want[i].Float32s(), func(f float32) bool { return f-f != 0 }) {
			t.Fatalf("seed %d: output %d is not finite:\n%s", seed, i, g)
		}
		if diff := difference(got[i], want[i], tolerance); diff != "" {
			t.Errorf("seed %d on %s: output %s: %s\n%s\n%s", seed, what, g.outputs[i].Name, diff, g, o)
		}
	}
}
