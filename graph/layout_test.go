package graph

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// picky is a backend that prefers channels-last and says of each node, by its
// slope, in which layouts it runs.
type picky struct{ backend.Backend }

func (picky) Caps() backend.Caps {
	return backend.Caps{Layouts: []backend.Layout{backend.ChannelsLast, backend.Plain}}
}

// A LeakyRelu of slope 1 is plain, of 2 channels-last, of 3 either, of 4 converts
// too; a Binary takes either.
func (picky) Algorithms(d backend.Desc) []string {
	in, out := d.In[0].Layout, d.Out[0].Layout
	for _, i := range d.In {
		if i.Layout != in {
			return nil
		}
	}
	ok := in == out
	if a, is := d.Op.(backend.Activation); is {
		switch a.Alpha {
		case 1:
			ok = in == backend.Plain && out == in
		case 2:
			ok = in == backend.ChannelsLast && out == in
		case 4:
			ok = true
		}
	}
	if ok {
		return []string{"picky"}
	}
	return nil
}

// randomLayouts is a random graph of such nodes.
func randomLayouts(t *testing.T, rnd *rand.Rand) *Graph {
	g := New("random")
	vs := []*Value{input(t, g, "x", Dims(2, 3, 4, 5))}
	for i := range 2 + rnd.IntN(5) {
		v := vs[rnd.IntN(len(vs))]
		name := fmt.Sprint("n", i)
		if rnd.IntN(3) == 0 {
			vs = append(vs, apply(t, g, name, backend.Binary{}, v, vs[rnd.IntN(len(vs))]))
			continue
		}
		act := backend.Act{Kind: backend.LeakyRelu, Alpha: float32(1 + rnd.IntN(4))}
		vs = append(vs, apply(t, g, name, backend.Activation{Act: act}, v))
	}
	output(t, g, "y", vs[len(vs)-1])
	if rnd.IntN(2) == 0 {
		output(t, g, "z", vs[rnd.IntN(len(vs))])
	}
	return g
}

// price counts the reorders that an assignment needs.
func price(g *Graph, a *assignment) int {
	need := map[string]bool{}
	made := func(v *Value) backend.Layout {
		if v.from == nil {
			return backend.Plain
		}
		return a.made[v]
	}
	for _, n := range g.nodes {
		for _, v := range n.in {
			if made(v) != a.wanted[n] {
				need[v.name] = true
			}
		}
	}
	for _, o := range g.outputs {
		if made(o.Value) != backend.Plain {
			need[o.Value.name] = true
		}
	}
	return len(need)
}

// The assignment is one that the backend supports, and none needs fewer reorders.
func TestLayoutsAreOptimal(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	layouts := []backend.Layout{backend.Plain, backend.ChannelsLast}
	for range 200 {
		g := randomLayouts(t, rnd)
		supported := func(n *Node, in, out backend.Layout) bool {
			d := backend.Desc{Op: n.op, Out: []backend.TensorDesc{{Layout: out}}}
			for range n.in {
				d.In = append(d.In, backend.TensorDesc{Layout: in})
			}
			return picky{}.Algorithms(d) != nil
		}
		got := assign(picky{}, g, func(v *Value) tensor.Shape { return v.sizes[0] })
		for _, n := range g.nodes {
			if !supported(n, got.wanted[n], got.made[n.out[0]]) {
				t.Fatalf("%s\n%s: %v to %v is not supported", g, n.name, got.wanted[n], got.made[n.out[0]])
			}
		}
		best := len(g.nodes) * 4
		for mask := range 1 << (2 * len(g.nodes)) {
			a := &assignment{made: map[*Value]backend.Layout{}, wanted: map[*Node]backend.Layout{}}
			ok := true
			for i, n := range g.nodes {
				in, out := layouts[mask>>(2*i)&1], layouts[mask>>(2*i+1)&1]
				ok = ok && supported(n, in, out)
				a.wanted[n], a.made[n.out[0]] = in, out
			}
			if ok {
				best = min(best, price(g, a))
			}
		}
		if p := price(g, got); p != best {
			t.Fatalf("%s\n%d reorders, %d would do", g, p, best)
		}
	}
}

// The golden file shows a graph and the layouts that it gets: a chain that wants
// channels-last, with a residual of a node that takes either and a branch that is
// plain.
func TestLayoutGolden(t *testing.T) {
	g := New("layouts")
	node := func(name string, slope float32, v *Value) *Value {
		return apply(t, g, name, backend.Activation{Act: backend.Act{Kind: backend.LeakyRelu, Alpha: slope}}, v)
	}
	x := input(t, g, "x", Dims(2, 3, 4, 5))
	a := node("last1", 2, x)
	b := node("last2", 2, node("either1", 3, a))
	sum := apply(t, g, "sum", backend.Binary{}, a, b)
	c := node("last3", 2, node("either2", 3, sum))
	p := node("plain", 1, node("either3", 3, sum))
	output(t, g, "y", node("converts", 4, c))
	output(t, g, "z", p)
	l := assign(picky{}, g, func(v *Value) tensor.Shape { return v.sizes[0] })
	var got strings.Builder
	fmt.Fprintf(&got, "before:\n%safter:\n", g)
	for _, n := range g.nodes {
		fmt.Fprintf(&got, "%s: %v to %v\n", n.name, l.wanted[n], l.made[n.out[0]])
	}
	fmt.Fprintf(&got, "%d reorders\n", price(g, l))
	golden(t, "layout", got.String())
}

// The golden file shows what dead code is.
func TestDeadCodeGolden(t *testing.T) {
	g := New("dead")
	x := input(t, g, "x", Dims(-1, 4, 8, 8))
	n, err := g.Apply("pool", backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}}, Indices: true}, x)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, g, "unused2", backend.Activation{}, apply(t, g, "unused1", backend.Activation{}, n.out[0]))
	output(t, g, "where", n.out[1]) // the node stays for its second output
	before := g.String()
	if count, err := deadCode(g, nil); count != 2 || err != nil {
		t.Errorf("%d nodes went, want 2: %v", count, err)
	}
	golden(t, "dead-code", "before:\n"+before+"after:\n"+g.String())
}

func TestPermutedColumns(t *testing.T) {
	w := tensor.Must(tensor.From([]float32{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}, 2, 6))
	p := &permuted{shape: tensor.Shape{7, 3, 1, 2}, layout: backend.ChannelsLast4}
	got, err := p.apply(w)
	if err != nil {
		t.Fatal(err)
	}
	want := "[0 2 4 0 1 3 5 0 10 12 14 0 11 13 15 0]"
	if s := fmt.Sprint(got.Float32s()); s != want || p.columns() != 8 {
		t.Errorf("got %s, want %s", s, want)
	}
}

func TestSameMemory(t *testing.T) {
	for _, c := range []struct {
		a, b  backend.Layout
		shape tensor.Shape
		want  bool
	}{
		{backend.Plain, backend.ChannelsLast, tensor.Shape{2, 3, 4, 5}, false},
		{backend.Plain, backend.ChannelsLast, tensor.Shape{2, 1, 4, 5}, true},
		{backend.Plain, backend.ChannelsLast, tensor.Shape{2, 3, 1, 1}, true},
		{backend.Plain, backend.ChannelsLast4, tensor.Shape{2, 3, 1, 1}, false},
		{backend.Plain, backend.ChannelsLast4, tensor.Shape{2, 8, 1, 1}, true},
		{backend.ChannelsLast, backend.ChannelsLast4, tensor.Shape{2, 8, 3, 1}, true},
		{backend.ChannelsLast, backend.ChannelsLast4, tensor.Shape{2, 7, 3, 1}, false},
	} {
		if got := sameMemory(c.a, c.b, c.shape); got != c.want {
			t.Errorf("%v, %v, %v: %v, want %v", c.a, c.b, c.shape, got, c.want)
		}
	}
}

// The listing of a plan shows views, permuted weights and where reorders stand.
func TestGraphListing(t *testing.T) {
	g := New("listing")
	x := input(t, g, "x", Dims(-1, 3, 8, 8))
	w := zeros(t, g, "w", 4, 3, 3, 3)
	y := apply(t, g, "conv", backend.Conv{Window: backend.Window{Pads: []int{1, 1, 1, 1}}, Epilogue: backend.Epilogue{{Kind: backend.Activate, Act: backend.Act{Kind: backend.Clip, Beta: 6}}}}, x, w)
	output(t, g, "y", y)
	want := `graph listing
in  x float32[N,3,8,8]
conv = Conv{Pads:[1,1,1,1] Epilogue:[Clip(0,6)]}(x, w float32[4,3,3,3]) float32[N,4,8,8]
out y = conv
`
	if got := g.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, strings.TrimSpace(want))
	}
}
