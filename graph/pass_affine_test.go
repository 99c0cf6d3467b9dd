package graph

import (
	"fmt"
	"math"
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestPassAffine(t *testing.T) {
	testPass(t, "affine", []passCase{
		{name: "batch norm after conv", changes: 1, build: func(b *builder) {
			b.out("y", b.batchNorm("bn", b.conv("conv", b.image(3), 4)))
		}},
		{name: "batch norm after conv with bias", changes: 1, build: func(b *builder) {
			c := b.node("conv", backend.Conv{Bias: true}, b.image(3), b.ints("w", 4, 3, 3, 3), b.ints("b", 4))
			b.out("y", b.batchNorm("bn", c))
		}},
		{name: "batch norm after grouped conv", changes: 1, build: func(b *builder) {
			b.out("y", b.batchNorm("bn", b.node("conv", backend.Conv{Groups: 2}, b.image(4), b.ints("w", 6, 2, 3, 3))))
		}},
		{name: "batch norm after depthwise conv", changes: 1, build: func(b *builder) {
			b.out("y", b.batchNorm("bn", b.node("conv", backend.Conv{Groups: 4}, b.image(4), b.ints("w", 4, 1, 3, 3))))
		}},
		{name: "batch norm after dense", changes: 1, build: func(b *builder) {
			b.out("y", b.batchNorm("bn", b.node("fc", backend.Dense{}, b.input("x", Dims(-1, 6)), b.ints("w", 4, 6))))
		}},
		{name: "batch norm after transposed conv, also grouped", changes: 2, build: func(b *builder) {
			x := b.image(4)
			b.out("y", b.batchNorm("bn1", b.node("up1", backend.ConvTranspose{}, x, b.ints("w1", 4, 3, 2, 2))))
			up := b.node("up2", backend.ConvTranspose{Groups: 2, Bias: true}, x, b.ints("w2", 4, 3, 2, 2), b.ints("b2", 6))
			b.out("z", b.batchNorm("bn2", up))
		}},
		{name: "batch norm of random numbers", changes: 1, tolerance: 1e-6, build: func(b *builder) {
			n := func(k float32) []float32 {
				v := make([]float32, 4)
				for i := range v {
					v[i] = k * b.rng.Float32()
				}
				return v
			}
			c := b.conv("conv", b.image(3), 4)
			b.out("y", b.node("bn", backend.BatchNorm{Epsilon: 1e-5}, c, b.values("scale", []int{4}, n(2)...), b.values("shift", []int{4}, n(1)...), b.values("mean", []int{4}, n(1)...), b.values("var", []int{4}, n(3)...)))
		}},
		{name: "chain of bias, batch norm, scale and shift", changes: 4, build: func(b *builder) {
			v := b.add("bias", b.conv("conv", b.image(3), 4), b.ints("b", 1, 4, 1, 1))
			v = b.node("scale", backend.Binary{Fn: backend.Mul}, b.powers("s", 4, 1, 1), b.batchNorm("bn", v))
			b.out("y", b.node("shift", backend.Binary{Fn: backend.Sub}, v, b.ints("h", 4, 1, 1)))
		}},
		{name: "scalars, both sides", changes: 3, build: func(b *builder) {
			v := b.node("half", backend.Binary{Fn: backend.Div}, b.conv("conv", b.image(3), 4), b.values("two", nil, 2))
			v = b.node("minus", backend.Binary{Fn: backend.Sub}, b.values("one", []int{1, 1, 1, 1}, 1), v)
			b.out("y", b.add("plus", b.values("three", []int{1}, 3), v))
		}},
		{name: "bias of dense of rank 3", changes: 1, build: func(b *builder) {
			b.out("y", b.add("bias", b.node("fc", backend.Dense{}, b.input("x", Dims(-1, 5, 6)), b.ints("w", 4, 6)), b.ints("b", 4)))
		}},
		{name: "bias where the weights are not constant", changes: 1, build: func(b *builder) {
			w := b.input("w", Dims(4, 3, 3, 3))
			b.out("y", b.add("bias", b.node("conv", backend.Conv{}, b.image(3), w), b.ints("b", 4, 1, 1)))
		}},
		{name: "weights that two convs share", changes: 2, build: func(b *builder) {
			x, w := b.image(3), b.ints("w", 4, 3, 3, 3)
			b.out("y", b.batchNorm("bn1", b.node("conv1", backend.Conv{}, x, w)))
			b.out("z", b.batchNorm("bn2", b.node("conv2", backend.Conv{}, b.relu("relu", x), w)))
		}},

		{name: "not: weights are not constant", build: func(b *builder) {
			b.out("y", b.batchNorm("bn", b.node("conv", backend.Conv{}, b.image(3), b.input("w", Dims(4, 3, 3, 3)))))
		}},
		{name: "not: a bias that is not constant", build: func(b *builder) {
			c := b.node("conv", backend.Conv{Bias: true}, b.image(3), b.ints("w", 4, 3, 3, 3), b.input("b", Dims(4)))
			b.out("y", b.add("sum", b.batchNorm("bn", c), b.ints("k", 4, 1, 1)))
		}},
		{name: "not: variances of 0 and below", build: func(b *builder) {
			for i, v := range []float32{0, -1} {
				name := fmt.Sprint(i)
				c := b.node("conv"+name, backend.Conv{}, b.input("x"+name, Dims(-1, 3, 4, 4)), b.ints("w"+name, 2, 3, 3, 3))
				k := b.ints("k"+name, 2)
				b.out("y"+name, b.node("bn"+name, backend.BatchNorm{}, c, k, k, k, b.values("var"+name, []int{2}, 1, v)))
			}
		}},
		{name: "not: statistics are not constant", build: func(b *builder) {
			k := b.powers("k", 4)
			b.out("y", b.node("bn", backend.BatchNorm{}, b.conv("conv", b.image(3), 4), k, k, b.input("mean", Dims(4)), b.values("var", []int{4}, 1)))
		}},
		{name: "not: another reader", build: func(b *builder) {
			c := b.conv("conv", b.image(3), 4)
			b.out("y", b.add("sum", b.batchNorm("bn", c), b.relu("relu", c)))
		}},
		{name: "not: read twice by one node", build: func(b *builder) {
			c := b.conv("conv", b.image(3), 4)
			b.out("y", b.add("sum", c, c))
		}},
		{name: "not: the result is an output", build: func(b *builder) {
			c := b.conv("conv", b.image(3), 4)
			b.out("y", b.batchNorm("bn", c))
			b.out("features", c)
		}},
		{name: "not: after an epilogue", build: func(b *builder) {
			c := b.node("conv", backend.Conv{Epilogue: backend.Epilogue{{Kind: backend.Activate}}}, b.image(3), b.ints("w", 4, 3, 3, 3))
			b.out("y", b.batchNorm("bn", c))
		}},
		{name: "not: after an activation", build: func(b *builder) {
			b.out("y", b.batchNorm("bn", b.relu("relu", b.conv("conv", b.image(3), 4))))
		}},
		{name: "not: the constant lies along the width", build: func(b *builder) {
			c := b.node("conv", backend.Conv{}, b.input("x", Dims(-1, 3, 6, 6)), b.ints("w", 4, 3, 3, 3))
			b.out("y", b.add("sum", c, b.ints("k", 4)))
		}},
		{name: "not: the constant enlarges", build: func(b *builder) {
			c := b.node("conv", backend.Conv{}, b.input("x", Dims(-1, 3, 3, 3)), b.ints("w", 4, 3, 3, 3))
			b.out("y", b.add("sum", c, b.ints("k", 4)))
			b.out("z", b.add("rank", b.node("conv2", backend.Conv{}, b.input("x2", Dims(-1, 3, 3, 3)), b.ints("w2", 4, 3, 3, 3)), b.ints("k5", 1, 1, 4, 1, 1)))
		}},
		{name: "not: the constant makes more channels", build: func(b *builder) {
			b.out("y", b.add("sum", b.conv("conv", b.image(3), 1), b.ints("k", 4, 1, 1)))
		}},
		{name: "not: a number for each element", build: func(b *builder) {
			b.out("y", b.add("sum", b.node("conv", backend.Conv{}, b.image(3), b.ints("w", 4, 3, 3, 3)), b.ints("k", 1, 4, 6, 6)))
		}},
		{name: "not: batch norm of another dim than dense's", build: func(b *builder) {
			b.out("y", b.batchNorm("bn", b.node("fc", backend.Dense{}, b.input("x", Dims(-1, 4, 6)), b.ints("w", 4, 6))))
		}},
		{name: "not: k/x", build: func(b *builder) {
			b.out("y", b.node("div", backend.Binary{Fn: backend.Div}, b.values("k", nil, 1), b.conv("conv", b.image(3), 4)))
		}},
		{name: "not: the weights would not be finite", build: func(b *builder) {
			b.out("y", b.node("div", backend.Binary{Fn: backend.Div}, b.conv("conv", b.image(3), 4), b.values("k", nil, 0)))
			b.out("z", b.add("sum", b.conv("conv2", b.g.inputs[0], 4), b.values("inf", nil, float32(math.Inf(1)))))
		}},
	})
}
