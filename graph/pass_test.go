package graph

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/ref"
	"github.com/convgl/convgl/tensor"
)

var update = flag.Bool("update", false, "write the golden files")

// passCase is a graph and how many places a pass changes in it: 0 for what it must
// leave alone.
type passCase struct {
	name    string
	changes int
	build   func(b *builder)
	// tolerance of the results, relative to the largest; 0 demands equality, on
	// integers.
	tolerance float64
}

// builder makes graphs for tests. Constants and inputs are small integers unless
// said otherwise.
type builder struct {
	t   *testing.T
	g   *Graph
	rng *rand.Rand
}

func newBuilder(t *testing.T, name string, seed uint64) *builder {
	return &builder{t: t, g: New(name), rng: rand.New(rand.NewPCG(seed, 1))}
}

func (b *builder) input(name string, s Shape) *Value { b.t.Helper(); return input(b.t, b.g, name, s) }

// image is the input x [N,c,8,8].
func (b *builder) image(c int) *Value { b.t.Helper(); return b.input("x", Dims(-1, c, 8, 8)) }

func (b *builder) node(name string, op backend.Op, in ...*Value) *Value {
	b.t.Helper()
	return apply(b.t, b.g, name, op, in...)
}

func (b *builder) out(name string, v *Value) { b.t.Helper(); output(b.t, b.g, name, v) }

// values makes a constant of given numbers; one alone fills it.
func (b *builder) values(name string, shape []int, v ...float32) *Value {
	b.t.Helper()
	t := tensor.Must(tensor.New(tensor.Float32, shape...))
	d := t.Float32s()
	for i := range d {
		d[i] = v[i%len(v)]
	}
	k, err := b.g.Const(name, t)
	if err != nil {
		b.t.Fatal(err)
	}
	return k
}

// ints makes a constant of integers from −3 to 3.
func (b *builder) ints(name string, shape ...int) *Value {
	b.t.Helper()
	v := make([]float32, max(tensor.Shape(shape).Size(), 1))
	for i := range v {
		v[i] = float32(b.rng.IntN(7) - 3)
	}
	return b.values(name, shape, v...)
}

// powers makes a constant of the powers 1, 2 and 4 of two, by which products and
// quotients of integers stay exact.
func (b *builder) powers(name string, shape ...int) *Value {
	b.t.Helper()
	v := make([]float32, tensor.Shape(shape).Size())
	for i := range v {
		v[i] = float32(int(1) << b.rng.IntN(3))
	}
	return b.values(name, shape, v...)
}

// conv adds a 3×3 convolution that keeps the size, with weights name.weight.
func (b *builder) conv(name string, x *Value, out int) *Value {
	b.t.Helper()
	c := x.sizes[0][1]
	return b.node(name, backend.Conv{Window: backend.Window{Pads: []int{1, 1, 1, 1}}}, x, b.ints(name+".weight", out, c, 3, 3))
}

// batchNorm adds a BatchNorm whose statistics make it exact on integers: variances
// of 4^k and no epsilon.
func (b *builder) batchNorm(name string, x *Value) *Value {
	b.t.Helper()
	c := x.sizes[0][1]
	vars := make([]float32, c)
	for i := range vars {
		vars[i] = []float32{0.25, 1, 4}[b.rng.IntN(3)]
	}
	return b.node(name, backend.BatchNorm{}, x, b.ints(name+".scale", c), b.ints(name+".shift", c), b.ints(name+".mean", c), b.values(name+".var", []int{c}, vars...))
}

func (b *builder) relu(name string, x *Value) *Value {
	b.t.Helper()
	return b.node(name, backend.Activation{}, x)
}

func (b *builder) add(name string, x, y *Value) *Value {
	b.t.Helper()
	return b.node(name, backend.Binary{}, x, y)
}

// testPass runs one pass alone on each case until it finds nothing more, and then
// removes dead code. It holds the listings against testdata/pass/<name>.golden and
// the results of the graphs against each other.
func testPass(t *testing.T, name string, cases []passCase) {
	t.Helper()
	be := openRef(t)
	i := slices.IndexFunc(passes, func(p pass) bool { return p.name == name })
	if i < 0 {
		t.Fatalf("no pass %q in %v", name, PassNames())
	}
	var listing strings.Builder
	for k, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBuilder(t, c.name, uint64(k))
			c.build(b)
			before := b.g.String()
			after, changes := runPass(t, b.g, passes[i], be)
			if b.g.String() != before {
				t.Errorf("the graph itself was changed:\n%s", b.g)
			}
			if changes != c.changes {
				t.Errorf("%d changes, want %d:\n%s", changes, c.changes, after)
			}
			if again, _ := runPass(t, b.g, passes[i], be); again.String() != after.String() {
				t.Errorf("two runs differ:\n%s\n%s", after, again)
			}
			fmt.Fprintf(&listing, "before: %safter %d changes: %s\n", before, changes, after)
			sameResults(t, be, b.g, after, c.tolerance)
		})
	}
	golden(t, name, listing.String())
}

// golden holds a text against testdata/pass/<name>.golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "pass", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !t.Failed() && string(want) != got {
		w, g := strings.Split(string(want), "\n"), strings.Split(got, "\n")
		i := 0
		for i < min(len(w), len(g))-1 && w[i] == g[i] {
			i++
		}
		t.Errorf("%s, line %d:\n%s\nwant\n%s\nrun with -update and look at the difference", file, i+1, g[i], w[i])
	}
}

// runPass runs p on a copy of g until it changes nothing.
func runPass(t *testing.T, g *Graph, p pass, be backend.Backend) (*Graph, int) {
	t.Helper()
	o := &options{eval: evaluator(be), foldCap: 1000, disabled: map[string]bool{}}
	g = g.Clone()
	changes := 0
	for range 20 {
		n, err := p.apply(g, o)
		if err != nil {
			t.Fatal(err)
		}
		checkGraph(t, g)
		if n == 0 {
			if _, err := deadCode(g, o); err != nil {
				t.Fatal(err)
			}
			checkGraph(t, g)
			return g, changes
		}
		changes += n
	}
	t.Fatalf("pass %s does not end", p.name)
	return nil, 0
}

// checkGraph checks what passes must keep: every value is made before it is used,
// by the node that it names, names are unique, and shapes are what the ops infer.
func checkGraph(t *testing.T, g *Graph) {
	t.Helper()
	made := map[*Value]bool{}
	names := map[string]*Value{}
	name := func(v *Value) {
		if w := names[v.name]; w != nil && w != v {
			t.Fatalf("two values are called %s:\n%s", v.name, g)
		}
		names[v.name] = v
	}
	for _, v := range g.inputs {
		made[v] = true
		name(v)
	}
	read := func(v *Value, by string) {
		if v.konst == nil && !made[v] {
			t.Fatalf("%s reads %s, which is not made before it:\n%s", by, v.name, g)
		}
		name(v)
	}
	for _, n := range g.nodes {
		for _, v := range n.in {
			read(v, n.name)
		}
		copied := &Node{name: n.name, op: n.op, in: n.in}
		if err := g.infer(copied); err != nil {
			t.Fatalf("%v:\n%s", err, g)
		}
		for i, v := range n.out {
			w := copied.out[i]
			if v.from != n || v.konst != nil || v.dtype != w.dtype || v.name != w.name || v.shape.String() != w.shape.String() || !sameShape(v, w) {
				t.Fatalf("%s: output %d is %s %v%v, want %s %v%v:\n%s", n.name, i, v.name, v.dtype, v.shape, w.name, w.dtype, w.shape, g)
			}
			made[v] = true
		}
	}
	for _, o := range g.outputs {
		read(o.Value, "output "+o.Name)
	}
}

func openRef(t *testing.T) backend.Backend {
	t.Helper()
	be, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := be.Close(); err != nil {
			t.Error(err)
		}
	})
	return be
}

func evaluator(be backend.Backend) Evaluator {
	return func(op backend.Op, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		return backend.RunOnce(context.Background(), be, op, in...)
	}
}

// sameResults runs both graphs op by op on the same inputs and compares all
// outputs. With a tolerance the inputs are random numbers.
func sameResults(t *testing.T, be backend.Backend, g, h *Graph, tolerance float64) {
	t.Helper()
	for seed := range uint64(2) {
		rng := rand.New(rand.NewPCG(seed, 2))
		sizes := map[string]int{}
		for _, s := range g.symbols {
			sizes[s] = 2 + 2*len(sizes) + int(seed)
		}
		in := map[string]*tensor.Tensor{}
		for _, v := range g.inputs {
			in[v.name] = randomInput(v, sizes, rng, tolerance == 0)
		}
		want, got := interpret(t, be, g, in), interpret(t, be, h, in)
		for i, o := range g.outputs {
			if h.outputs[i].Name != o.Name {
				t.Fatalf("output %d is called %s, want %s", i, h.outputs[i].Name, o.Name)
			}
			if diff := difference(got[i], want[i], tolerance); diff != "" {
				t.Errorf("output %s: %s\n%s", o.Name, diff, h)
			}
		}
	}
}

func randomInput(v *Value, sizes map[string]int, rng *rand.Rand, exact bool) *tensor.Tensor {
	shape := make([]int, len(v.shape))
	for i, d := range v.shape {
		n, static := d.Size()
		if !static {
			n = sizes[d.String()]
		}
		shape[i] = n
	}
	t := tensor.Must(tensor.New(v.dtype, shape...))
	d := t.Float32s()
	for i := range d {
		if exact {
			d[i] = float32(rng.IntN(9) - 4)
		} else {
			d[i] = float32(rng.NormFloat64())
		}
	}
	return t
}

// interpret computes the outputs of g, one op after the other.
func interpret(t *testing.T, be backend.Backend, g *Graph, in map[string]*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	out, err := tryInterpret(be, g, in)
	if err != nil {
		t.Fatalf("%v\n%s", err, g)
	}
	return out
}

// tryInterpret is interpret for sizes that may not suit g.
func tryInterpret(be backend.Backend, g *Graph, in map[string]*tensor.Tensor) ([]*tensor.Tensor, error) {
	values := map[*Value]*tensor.Tensor{}
	get := func(v *Value) *tensor.Tensor {
		if v.konst != nil {
			return v.konst
		}
		return values[v]
	}
	for _, v := range g.inputs {
		values[v] = in[v.name]
	}
	for _, n := range g.nodes {
		var args []*tensor.Tensor
		for _, v := range n.in {
			args = append(args, get(v))
		}
		out, err := args[:1], error(nil)
		if !isView(n.op) {
			if out, err = backend.RunOnce(context.Background(), be, n.op, args...); err != nil {
				return nil, nameNode(err, n.name)
			}
		}
		for i, v := range n.out {
			values[v] = out[i]
		}
	}
	var out []*tensor.Tensor
	for _, o := range g.outputs {
		out = append(out, get(o.Value))
	}
	return out, nil
}

// difference says how got differs from want, and nothing if it is within the
// tolerance, relative to the largest element.
func difference(got, want *tensor.Tensor, tolerance float64) string {
	if !got.Shape().Equal(want.Shape()) || got.DType() != want.DType() {
		return fmt.Sprintf("%v%v, want %v%v", got.DType(), got.Shape(), want.DType(), want.Shape())
	}
	if want.DType() != tensor.Float32 {
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			return "other elements"
		}
		return ""
	}
	g, w := got.Float32s(), want.Float32s()
	largest := 1e-3 // what is smaller is left over of sums of larger numbers
	for _, v := range w {
		if f := math.Abs(float64(v)); f-f == 0 {
			largest = max(largest, f)
		}
	}
	for i := range w {
		if g[i] == w[i] || g[i] != g[i] && w[i] != w[i] {
			continue
		}
		if off := math.Abs(float64(g[i]) - float64(w[i])); !(off <= tolerance*largest) {
			return fmt.Sprintf("element %d of %v is %v, want %v", i, want.Shape(), g[i], w[i])
		}
	}
	return ""
}
