package graph

import (
	"math"
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestPassIdentity(t *testing.T) {
	inf := float32(math.Inf(1))
	pool := backend.Window{Kernel: []int{1, 1}, Strides: []int{1, 1}}
	testPass(t, "identity", []passCase{
		{name: "ops that do nothing in inference", changes: 3, build: func(b *builder) {
			v := b.node("dropout", backend.Op(Dropout{Rate: 0.5}), b.relu("relu", b.image(3)))
			b.out("y", b.node("reorder", backend.Reorder{}, b.node("id", Identity{}, v)))
		}},
		{name: "an output that is an input", changes: 1, build: func(b *builder) {
			b.out("y", b.node("id", Identity{}, b.image(3)))
		}},
		{name: "an identity of two readers", changes: 1, build: func(b *builder) {
			v := b.node("id", Identity{}, b.image(3))
			b.out("y", b.add("sum", v, b.relu("relu", v)))
			b.out("z", v)
		}},
		{name: "attributes that change nothing", changes: 8, build: func(b *builder) {
			v := b.node("reshape", backend.Reshape{Shape: []int{0, 3, -1, 8}}, b.relu("relu", b.image(3)))
			v = b.node("pad", backend.Pad{Pads: make([]int, 8), Value: 7}, v)
			v = b.node("clip", backend.Activation{Act: backend.Act{Kind: backend.Clip, Alpha: -inf, Beta: inf}}, v)
			v = b.node("leaky", backend.Activation{Act: backend.Act{Kind: backend.LeakyRelu, Alpha: 1}}, v)
			v = b.node("maxpool", backend.MaxPool{Window: pool}, v)
			v = b.node("avgpool", backend.AvgPool{Window: pool}, v)
			v = b.node("flatten", backend.Flatten{Axis: 1}, v)
			v = b.node("flatten2", backend.Flatten{Axis: 1}, v)
			b.out("y", b.node("reshape2", backend.Reshape{Shape: []int{-1, 192}}, v))
		}},
		{name: "sizes that stay", changes: 3, build: func(b *builder) {
			v := b.node("size", backend.Resize{Size: []int{8, 8}, Mode: backend.ResizeLinear}, b.image(3))
			v = b.node("scale", backend.Resize{Scales: []float64{1, 1}}, v)
			b.out("y", b.node("pool", backend.AdaptivePool{Out: []int{8, 8}, Mean: true}, v))
		}},
		{name: "transpose and concat", changes: 2, build: func(b *builder) {
			v := b.node("concat", backend.Concat{Axis: 1, Inputs: 1}, b.image(3))
			b.out("y", b.node("transpose", backend.Transpose{Perm: []int{0, 1, 2, 3}}, v))
		}},
		{name: "slice, expand and tile", changes: 5, build: func(b *builder) {
			v := b.node("slice", backend.Slice{Starts: make([]int, 4), Ends: []int{backend.SliceEnd, 3, 99, backend.SliceEnd}}, b.image(3))
			v = b.node("expand", backend.Expand{Shape: []int{3, 1, 8}}, v)
			v = b.node("tile", backend.Tile{Repeats: []int{1, 1, 1, 1}}, v)
			one := b.input("one", Shape{Symbol("N"), Static(1)})
			back := b.node("back", backend.Slice{Starts: []int{0, 0}, Ends: []int{backend.SliceEnd, -1}, Steps: []int{1, -7}}, one)
			b.out("y", v)
			b.out("z", b.node("expand2", backend.Expand{}, back))
		}},
		{name: "not: slice, expand and tile", build: func(b *builder) {
			end := backend.SliceEnd
			x := b.image(3)
			b.out("first", b.node("1", backend.Slice{Starts: []int{0, 1, 0, 0}, Ends: []int{end, end, end, end}}, x))
			b.out("flipped", b.node("2", backend.Slice{Starts: []int{0, 0, 0, end}, Ends: []int{end, end, end, -1}, Steps: []int{1, 1, 1, -1}}, x))
			// Which the sizes that stand for N do not tell from all.
			b.out("at most 9999 images", b.node("3", backend.Slice{Starts: make([]int, 4), Ends: []int{9999, end, end, end}}, x))
			b.out("images flipped", b.node("4", backend.Slice{Starts: []int{end, 0, 0, 0}, Ends: []int{-1, end, end, end}, Steps: []int{-1, 1, 1, 1}}, x))
			b.out("stretched", b.node("5", backend.Expand{Shape: []int{2, 1, 1, 1, 1}}, x))
			b.out("twice", b.node("6", backend.Tile{Repeats: []int{1, 2, 1, 1}}, x))
		}},
		{name: "neutral elements", changes: 6, build: func(b *builder) {
			v := b.image(3)
			for i, fn := range []backend.BinaryKind{backend.Add, backend.Sub, backend.Mul, backend.Div} {
				v = b.node("right"+fn.String(), backend.Binary{Fn: fn}, v, b.values("r"+fn.String(), []int{3, 1, 1}, float32(i/2)))
			}
			v = b.add("leftAdd", b.values("zeros", []int{1, 3, 8, 8}, 0), v)
			b.out("y", b.node("leftMul", backend.Binary{Fn: backend.Mul}, b.values("one", nil, 1), v))
		}},

		{name: "not: other attributes", build: func(b *builder) {
			x := b.image(3)
			b.out("a", b.node("flatten", backend.Flatten{Axis: 1}, x))
			b.out("b", b.node("pad", backend.Pad{Pads: []int{0, 0, 0, 0, 0, 0, 1, 0}}, x))
			b.out("c", b.node("clip", backend.Activation{Act: backend.Act{Kind: backend.Clip, Alpha: -inf, Beta: 3}}, x))
			b.out("d", b.node("leaky", backend.Activation{Act: backend.Act{Kind: backend.LeakyRelu, Alpha: 0.5}}, x))
			b.out("e", b.node("stride", backend.MaxPool{Window: backend.Window{Kernel: []int{1, 1}, Strides: []int{2, 2}}}, x))
			b.out("f", b.node("pool", backend.AvgPool{Window: backend.Window{Kernel: []int{3, 3}, Pads: []int{1, 1, 1, 1}}}, x))
			n, err := b.g.Apply("indices", backend.MaxPool{Window: pool, Indices: true}, x)
			if err != nil {
				b.t.Fatal(err)
			}
			b.out("g", n.Out()[1])
		}},
		{name: "not: the pool shifts what it keeps the size of", build: func(b *builder) {
			w := backend.Window{Kernel: []int{1, 1}, Strides: []int{2, 2}, Pads: []int{4, 4, 4, 4}}
			b.out("y", b.node("pool", backend.MaxPool{Window: w}, b.image(3)))
		}},
		{name: "not: a scale that moves what keeps its size", build: func(b *builder) {
			b.out("y", b.node("scale", backend.Resize{Scales: []float64{1.125, 1}, Mode: backend.ResizeLinear}, b.input("x", Dims(-1, 3, 4, 8))))
		}},
		{name: "not: transpose and concat", build: func(b *builder) {
			x := b.image(8)
			b.out("y", b.node("concat", backend.Concat{Axis: 1, Inputs: 2}, x, x))
			b.out("z", b.node("transpose", backend.Transpose{Perm: []int{0, 1, 3, 2}}, x)) // keeps the shape
		}},
		{name: "not: no neutral element", build: func(b *builder) {
			x := b.image(3)
			one, zero := b.values("one", nil, 1), b.values("zero", nil, 0)
			b.out("a", b.add("1", x, one))
			b.out("b", b.node("2", backend.Binary{Fn: backend.Sub}, zero, x))
			b.out("c", b.node("3", backend.Binary{Fn: backend.Mul}, x, b.values("mixed", []int{3, 1, 1}, 1, 1, 0)))
			b.out("d", b.node("4", backend.Binary{Fn: backend.Div}, one, x))
		}},
		{name: "not: a zero that enlarges", build: func(b *builder) {
			b.out("y", b.add("sum", b.input("x", Dims(-1, 3, 1)), b.values("zeros", []int{3, 4}, 0)))
		}},
	})
}
