package graph

import (
	"fmt"
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestPassEpilogue(t *testing.T) {
	clip := backend.Activation{Act: backend.Act{Kind: backend.Clip, Beta: 6}}
	testPass(t, "epilogue", []passCase{
		{name: "activation", changes: 1, build: func(b *builder) {
			b.out("y", b.relu("relu", b.conv("conv", b.image(3), 4)))
		}},
		{name: "residual block", changes: 2, build: func(b *builder) {
			x := b.image(3)
			b.out("y", b.relu("relu", b.add("add", b.conv("conv", x, 3), x)))
		}},
		{name: "the later of two convs takes the sum", changes: 2, build: func(b *builder) {
			x := b.image(3)
			left, right := b.conv("conv1", x, 4), b.conv("conv2", x, 4)
			b.out("y", b.relu("relu", b.add("add", left, right)))
		}},
		{name: "the node moves behind the other operand", changes: 2, build: func(b *builder) {
			x := b.image(3)
			c := b.conv("conv", x, 3)
			other := b.node("pool", backend.MaxPool{Window: backend.Window{Kernel: []int{3, 3}, Pads: []int{1, 1, 1, 1}}}, x)
			b.out("y", b.node("clip", clip, b.add("add", other, c)))
		}},
		{name: "the earlier conv where the later one is read elsewhere", changes: 1, build: func(b *builder) {
			x := b.image(3)
			left, right := b.conv("conv1", x, 4), b.conv("conv2", x, 4)
			b.out("y", b.add("add", left, right))
			b.out("z", right)
		}},
		{name: "scale and shift where weights are not constant", changes: 2, build: func(b *builder) {
			c := b.node("conv", backend.Conv{}, b.image(3), b.input("w", Dims(4, 3, 3, 3)))
			b.out("y", b.relu("relu", b.batchNorm("bn", c)))
		}},
		{name: "scale and shift after an activation", changes: 3, build: func(b *builder) {
			v := b.batchNorm("bn", b.relu("relu", b.conv("conv", b.image(3), 4)))
			b.out("y", b.node("minus", backend.Binary{Fn: backend.Sub}, v, b.ints("k", 4, 1, 1)))
		}},
		{name: "an epilogue that is there already", changes: 1, build: func(b *builder) {
			x := b.image(4)
			e := backend.Epilogue{{Kind: backend.ScaleShift}, {Kind: backend.Residual}}
			c := b.node("conv", backend.Conv{Bias: true, Epilogue: e}, x, b.ints("w", 4, 4, 1, 1), b.ints("b", 4), b.powers("s", 4), b.ints("h", 4), x)
			b.out("y", b.add("add", c, b.relu("relu", x)))
		}},
		{name: "clamps in a row are one step", changes: 2, build: func(b *builder) {
			b.out("y", b.node("clip", clip, b.relu("relu", b.conv("conv", b.image(3), 4))))
		}},
		{name: "dense", changes: 3, build: func(b *builder) {
			x := b.input("x", Dims(-1, 5, 4))
			v := b.node("fc", backend.Dense{}, x, b.input("w", Dims(4, 4)))
			b.out("y", b.relu("relu", b.add("add", x, b.node("scale", backend.Binary{Fn: backend.Mul}, v, b.powers("s", 4)))))
		}},
		{name: "transposed conv", changes: 3, build: func(b *builder) {
			x := b.image(3)
			up := b.node("up", backend.ConvTranspose{Groups: 3}, x, b.ints("w", 3, 1, 1, 1))
			b.out("y", b.batchNorm("bn", b.relu("relu", b.add("add", x, up))))
		}},
		{name: "two residuals, not three", changes: 2, build: func(b *builder) {
			x := b.image(3)
			v := b.conv("conv", x, 3)
			for _, name := range []string{"add1", "add2", "add3"} {
				v = b.add(name, v, b.relu(name+".relu", x))
			}
			b.out("y", v)
		}},
		{name: "six steps, not seven", changes: 6, build: func(b *builder) {
			v := b.node("conv", backend.Conv{}, b.image(3), b.ints("w", 4, 3, 1, 1))
			for _, name := range []string{"1", "2", "3", "4"} {
				v = b.relu("relu"+name, b.add("add"+name, v, b.ints("k"+name, 4, 1, 1)))
			}
			b.out("y", v)
		}},
		{name: "six activations, not seven", changes: 6, build: func(b *builder) {
			v := b.node("conv", backend.Conv{}, b.image(3), b.ints("w", 4, 3, 1, 1))
			for i := range 7 {
				v = b.node(fmt.Sprint("leaky", i), backend.Activation{Act: backend.Act{Kind: backend.LeakyRelu, Alpha: 2}}, v)
			}
			b.out("y", v)
		}},

		{name: "not: another reader", build: func(b *builder) {
			c := b.conv("conv", b.image(3), 4)
			b.out("y", b.add("add", b.relu("relu", c), c))
		}},
		{name: "not: the result is an output", build: func(b *builder) {
			c := b.conv("conv", b.image(3), 4)
			b.out("y", b.relu("relu", c))
			b.out("features", c)
		}},
		{name: "not: a sum with itself", build: func(b *builder) {
			c := b.conv("conv", b.image(3), 4)
			b.out("y", b.add("add", c, c))
		}},
		{name: "not: the other operand is broadcast", build: func(b *builder) {
			c := b.conv("conv", b.image(3), 4)
			b.out("y", b.add("add", c, b.input("row", Dims(-1, 4, 1, 8))))
		}},
		{name: "not: the conv is broadcast", build: func(b *builder) {
			c := b.node("conv", backend.Conv{}, b.input("x", Dims(-1, 3, 3, 3)), b.ints("w", 4, 3, 3, 3))
			b.out("y", b.add("add", c, b.input("z", Dims(-1, 4, 5, 5))))
		}},
		{name: "not: another size of a symbol", build: func(b *builder) {
			x := b.input("x", Shape{Static(1), Static(3), Symbol("H"), Static(1)})
			z := b.input("z", Shape{Static(1), Static(4), Static(1), Symbol("W")})
			c := b.node("conv", backend.Conv{}, x, b.ints("w", 4, 3, 1, 1))
			b.out("y", b.add("add", c, z))
		}},
		{name: "not: differences and products of tensors", build: func(b *builder) {
			x := b.image(3)
			b.out("y", b.node("sub", backend.Binary{Fn: backend.Sub}, b.conv("conv1", x, 3), x))
			b.out("z", b.node("mul", backend.Binary{Fn: backend.Mul}, b.conv("conv2", x, 3), x))
		}},
		{name: "not: another op", build: func(b *builder) {
			b.out("y", b.relu("relu", b.node("pool", backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}}}, b.image(3))))
		}},
		{name: "not: a scale that is not finite", build: func(b *builder) {
			b.out("y", b.node("div", backend.Binary{Fn: backend.Div}, b.conv("conv", b.image(3), 4), b.values("k", nil, 0)))
		}},
	})
}
