package graph

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func zeros(t *testing.T, g *Graph, name string, shape ...int) *Value {
	t.Helper()
	v, err := g.Const(name, tensor.Must(tensor.New(tensor.Float32, shape...)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func input(t *testing.T, g *Graph, name string, s Shape) *Value {
	t.Helper()
	v, err := g.Input(name, tensor.Float32, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func apply(t *testing.T, g *Graph, name string, op backend.Op, in ...*Value) *Value {
	t.Helper()
	n, err := g.Apply(name, op, in...)
	if err != nil {
		t.Fatal(err)
	}
	return n.Out()[0]
}

func output(t *testing.T, g *Graph, name string, v *Value) {
	t.Helper()
	if err := g.Output(name, v); err != nil {
		t.Fatal(err)
	}
}

func TestSymbolicShapes(t *testing.T) {
	g := New("shapes")
	x := input(t, g, "x", Shape{Symbol("N"), Static(3), Symbol("H"), Symbol("W")})
	w := zeros(t, g, "w", 8, 3, 3, 3)
	conv := apply(t, g, "conv", backend.Conv{Window: backend.Window{Strides: []int{2, 2}, Pads: []int{1, 1, 1, 1}}}, x, w)
	pool := apply(t, g, "pool", backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}, Strides: []int{2, 2}}}, conv)
	valid := apply(t, g, "valid", backend.Conv{}, x, w)
	padded := apply(t, g, "padded", backend.Pad{Pads: []int{0, 0, 1, 0, 0, 0, 1, 0}}, conv)
	gap := apply(t, g, "gap", backend.GlobalPool{Mean: true}, pool)
	flat := apply(t, g, "flat", backend.Flatten{Axis: 1}, gap)
	area := apply(t, g, "area", backend.Flatten{Axis: 1}, x) // a product of symbols is no expression of one
	for _, c := range []struct {
		v    *Value
		want string
	}{
		{x, "[N,3,H,W]"}, {conv, "[N,8,H/2,W/2]"}, {pool, "[N,8,H/4,W/4]"}, {valid, "[N,8,H-2,W-2]"}, {padded, "[N,8,H/2+2,W/2]"}, {gap, "[N,8,1,1]"}, {flat, "[N,8]"}, {area, "[N,?]"},
	} {
		if got := c.v.Shape().String(); got != c.want {
			t.Errorf("%s: shape %s, want %s", c.v.Name(), got, c.want)
		}
	}
	rows := apply(t, g, "rows", backend.Flatten{Axis: 2}, input(t, g, "r", Shape{Static(2), Symbol("H"), Static(8), Static(5)}))
	columns := apply(t, g, "columns", backend.Flatten{Axis: 1}, input(t, g, "c", Shape{Static(2), Static(24), Symbol("W")}))
	for _, c := range []struct {
		v    *Value
		want string
	}{{rows, "[2H,40]"}, {columns, "[2,24W]"}} {
		if got := c.v.Shape().String(); got != c.want {
			t.Errorf("%s: shape %s, want %s", c.v.Name(), got, c.want)
		}
	}
	// H and W are different dims, so a transposed sum does not broadcast.
	tr, err := g.Input("t", tensor.Float32, Shape{Symbol("N"), Static(3), Symbol("W"), Symbol("H")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Apply("sum", backend.Binary{}, x, tr); err == nil {
		t.Error("a sum of [N,3,H,W] and [N,3,W,H] was accepted")
	}
}

// Whichever symbol comes first, five poolings suit most sizes.
func TestFirstSymbolIsNotTheBatch(t *testing.T) {
	g := New("pools")
	v := input(t, g, "x", Shape{Static(1), Static(3), Symbol("H"), Symbol("W")})
	for i := range 5 {
		v = apply(t, g, fmt.Sprint("pool", i), backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}, Strides: []int{2, 2}}}, v)
	}
	if got := v.Shape().String(); got != "[1,3,H/32,W/32]" {
		t.Errorf("shape %s, want [1,3,H/32,W/32]", got)
	}
}

func TestErrorsNameTheNode(t *testing.T) {
	g := New("errors")
	x := input(t, g, "x", Dims(-1, 3, 8, 8))
	w := zeros(t, g, "w", 8, 4, 3, 3)
	_, err := g.Apply("stem", backend.Conv{}, x, w)
	var shape *backend.ShapeError
	if !errors.As(err, &shape) || shape.Node != "stem" {
		t.Errorf("a conv of 3 channels by weights of 4: got %v, want a ShapeError at stem", err)
	}
	for name, f := range map[string]func() error{
		"nil input":     func() error { _, err := g.Apply("a", Identity{}, nil); return err },
		"nil op":        func() error { _, err := g.Apply("a", nil, x); return err },
		"no name":       func() error { _, err := g.Apply("", Identity{}, x); return err },
		"taken":         func() error { _, err := g.Apply("x", Identity{}, x); return err },
		"nil const":     func() error { _, err := g.Const("c", nil); return err },
		"bad rate":      func() error { _, err := g.Apply("a", Dropout{Rate: 1}, x); return err },
		"inputs":        func() error { _, err := g.Apply("a", backend.Conv{}, x); return err },
		"pointer":       func() error { _, err := g.Apply("a", &backend.Conv{}, x, w); return err },
		"nil output":    func() error { return g.Output("y", nil) },
		"negative dim":  func() error { _, err := g.Input("z", tensor.Float32, Shape{Static(-2)}); return err },
		"empty symbol":  func() error { _, err := g.Input("z", tensor.Float32, Shape{Symbol("")}); return err },
		"unknown dtype": func() error { _, err := g.Input("z", tensor.DType(99), Shape{}); return err },
	} {
		if err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if n := len(g.Nodes()); n != 0 {
		t.Errorf("refused nodes are in the graph: %d", n)
	}
}

func TestCloneIsIndependent(t *testing.T) {
	g := New("clone")
	x := input(t, g, "x", Dims(-1, 4))
	y := apply(t, g, "y", backend.Activation{}, x)
	output(t, g, "y", y)
	before := g.String()
	c := g.Clone()
	if c.String() != before {
		t.Errorf("clone:\n%s\nwant\n%s", c, before)
	}
	c.nodes[0].op = backend.Activation{Act: backend.Act{Kind: backend.Tanh}}
	apply(t, c, "z", backend.Activation{}, c.Outputs()[0].Value)
	if g.String() != before {
		t.Errorf("a change of the clone changed the graph:\n%s", g)
	}
	if !strings.Contains(before, "y = Activation{Relu}(x) float32[N,4]") {
		t.Errorf("listing:\n%s", before)
	}
}

func TestDeadCode(t *testing.T) {
	g := New("dead")
	x := input(t, g, "x", Dims(-1, 4))
	y := apply(t, g, "y", backend.Activation{}, x)
	apply(t, g, "unused2", backend.Activation{}, apply(t, g, "unused1", backend.Activation{}, y))
	output(t, g, "y", y)
	o, report, err := Optimize(g)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Nodes()) != 1 || len(g.Nodes()) != 3 {
		t.Errorf("%s:\n%s", report, o)
	}
}
