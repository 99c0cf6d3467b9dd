package graph

import (
	"errors"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Errors have the names of dims, and never a size that stands for one.
func TestErrorsNameSymbols(t *testing.T) {
	n := Symbol("N")
	img := Shape{n, Static(3), Static(8), Static(8)}
	half := Shape{n, Static(4), Static(6), Static(6)}
	dyn := Shape{n, Static(3), Symbol("H"), Symbol("W")}
	table := Shape{n, Static(24)}
	four := Dims(4, 3, 8, 8) // a batch that cannot be N
	window := func(k int) backend.Window { return backend.Window{Kernel: []int{k, k}} }
	for _, c := range []struct {
		name string
		op   backend.Op
		in   []Shape
		want string
	}{
		{"add", backend.Binary{Fn: backend.Add}, []Shape{half, img}, "Add \"node\": a, b: got [N,4,6,6], [N,3,8,8], want shapes that broadcast (6 against 8 in dim 1 from the right)"},
		{"add, same", backend.Binary{Fn: backend.Add, SameShape: true}, []Shape{half, img}, "a, b: got [N,4,6,6], [N,3,8,8], want equal shapes"},
		{"add, batch", backend.Binary{Fn: backend.Add}, []Shape{img, four}, "a, b: got [N,3,8,8], [4,3,8,8], want shapes that broadcast (N against 4 in dim 4 from the right)"},
		{"concat", backend.Concat{Axis: 1, Inputs: 2}, []Shape{img, half}, "x1: dim 2: got 6 ([N,4,6,6]), want 8, as x0 [N,3,8,8] ("},
		{"concat, batch", backend.Concat{Axis: 1, Inputs: 2}, []Shape{img, four}, "x1: dim 0: got 4 ([4,3,8,8]), want N, as x0 [N,3,8,8] ("},
		{"concat, rank", backend.Concat{Axis: 1, Inputs: 2}, []Shape{img, table}, "x1: rank: got 2 ([N,24]), want 4, as x0 [N,3,8,8]"},
		{"conv", backend.Conv{}, []Shape{img, Dims(4, 5, 3, 3)}, "x: channels: got 3 (x [N,3,8,8]), want 5 (w [4,5,3,3] × groups 1)"},
		{"conv, rank", backend.Conv{}, []Shape{table, Dims(4, 5, 3, 3)}, "x: rank: got 2 ([N,24]), want 3, 4 or 5"},
		{"conv, kernel", backend.Conv{}, []Shape{dyn, Dims(4, 3, 999, 1)}, "x: dim H: got x [N,3,H,W], w [4,3,999,1], want at least the kernel's 999 ("},
		{"conv, kernel, some sizes", backend.Conv{}, []Shape{dyn, Dims(4, 3, 400, 1)}, "x: dim H: got x [N,3,H,W], w [4,3,400,1], want at least the kernel's 400 ("},
		{"transposed", backend.ConvTranspose{}, []Shape{img, Dims(5, 4, 3, 3)}, "x: channels: got 3 (x [N,3,8,8]), want 5 (w [5,4,3,3])"},
		{"transposed, pads", backend.ConvTranspose{Window: backend.Window{Pads: []int{800, 0, 800, 0}}}, []Shape{dyn, Dims(3, 4, 3, 3)}, "pads of dim H: got 800 + 800, want shapes that fit ("},
		{"pool", backend.MaxPool{Window: window(9)}, []Shape{img}, "x: dim H: got 8, want at least the kernel's 9 ("},
		{"dense", backend.Dense{}, []Shape{table, Dims(10, 5)}, "w: got [10,5], want [out, in=24] for x [N,24]"},
		{"dense, dynamic", backend.Dense{}, []Shape{{n, Symbol("C")}, Dims(10, 5)}, "w: got [10,5], want [out, in=C] for x [N,C]"},
		{"matmul", backend.MatMul{}, []Shape{table, table}, "b: rows: got N (b [N,24]), want 24 (columns of a [N,24])"},
		{"matmul, batch", backend.MatMul{}, []Shape{img, Dims(4, 3, 8, 8)}, "a, b: leading dims: got [N,3,8,8], [4,3,8,8], want dims that broadcast (N against 4 in dim 4 from the right)"},
		{"reshape", backend.Reshape{Shape: []int{4, 10}}, []Shape{table}, "shape: got [4 10], want the elements of x [N,24]"},
		{"pad", backend.Pad{Mode: backend.PadReflect, Pads: []int{1000, 0, 0, 0}}, []Shape{table}, "pads of dim 0: got 1000, 0, want less than the dim, which is N, in mode reflect"},
		{"group norm", backend.GroupNorm{Groups: 2}, []Shape{img, Dims(3), Dims(3)}, "x: channels: got 3 (x [N,3,8,8]), want a multiple of groups = 2"},
		{"batch norm", backend.BatchNorm{}, []Shape{{n}, Dims(3), Dims(3), Dims(3), Dims(3)}, "x: rank: got 1 ([N])"},
		{"memory", backend.Resize{Size: []int{1 << 30, 1 << 30}}, []Shape{img}, "y: got x [N,3,8,8], want a size that fits in memory"},
	} {
		g := New("g")
		var in []*Value
		for i, s := range c.in {
			v, err := g.Input(string(rune('p'+i)), tensor.Float32, s)
			if err != nil {
				t.Fatal(err)
			}
			in = append(in, v)
		}
		_, err := g.Apply("node", c.op, in...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", c.name, err, c.want)
			continue
		}
		for k := range 2 {
			for i := range g.Symbols() {
				if size := Static(probe(k, i)).String(); strings.Contains(err.Error(), size) {
					t.Errorf("%s: %v has %s, which stands for %s", c.name, err, size, g.Symbols()[i])
				}
			}
		}
	}
	_, err := New("g").Input("x", tensor.Float32, Shape{n, Static(-3)})
	var shape *backend.ShapeError
	if !errors.As(err, &shape) || shape.Got != "[N,-3]" {
		t.Errorf("input: got %v, want one with [N,-3]", err)
	}
}
