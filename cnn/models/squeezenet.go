package models

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/graph"
)

// SqueezeNet is SqueezeNet 1.1, which needs few weights: eight "fire" modules narrow
// their input by a 1×1 convolution before they widen it by 1×1 and 3×3 ones, and the
// classes are channels of a last convolution, averaged over all positions. Version
// 1.1 pools earlier than the paper's 1.0 and takes 2.4 times less work.
//
// Input: x [N,3,224,224], or any size from 25×25, also Dynamic. Output: logits
// [N,1000]. Parameters: 1,235,496, named as torchvision's squeezenet1_1. Options:
// WithClasses, WithInput.
//
// Source: Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer, SqueezeNet:
// AlexNet-Level Accuracy with 50x Fewer Parameters and <0.5MB Model Size, 2016,
// arXiv:1602.07360.
func SqueezeNet(opts ...Option) (*cnn.Net, error) {
	c, err := configure("SqueezeNet", config{classes: 1000, input: []int{3, 224, 224}}, opts)
	if err != nil {
		return nil, err
	}
	pool := cnn.MaxPool2D(3, cnn.Stride(2), cnn.CeilMode())
	return cnn.New("squeezenet1_1", c.input,
		cnn.Named("features", cnn.Sequential(
			cnn.Conv2D(64, 3, cnn.Stride(2)), cnn.ReLU(), pool,
			fire(16, 64), fire(16, 64), pool,
			fire(32, 128), fire(32, 128), pool,
			fire(48, 192), fire(48, 192), fire(64, 256), fire(64, 256),
		)),
		cnn.Named("classifier", cnn.Sequential(
			cnn.Dropout(0.5), cnn.Conv2D(c.classes, 1), cnn.ReLU(), cnn.GlobalAvgPool(),
		)),
		cnn.Named("flatten", cnn.Flatten()),
	)
}

// fire narrows its input to squeeze channels and gives twice expand channels, half of
// them from a 1×1 and half from a 3×3 convolution.
func fire(squeeze, expand int) cnn.Layer {
	return cnn.Func("Fire", func(s *cnn.Scope, x ...*graph.Value) (*graph.Value, error) {
		h := s.Call("squeeze", cnn.Conv2D(squeeze, 1), x...)
		h = s.Call("squeeze_activation", cnn.ReLU(), h)
		a := s.Call("expand1x1", cnn.Conv2D(expand, 1), h)
		a = s.Call("expand1x1_activation", cnn.ReLU(), a)
		b := s.Call("expand3x3", cnn.Conv2D(expand, 3, cnn.Padding(1)), h)
		b = s.Call("expand3x3_activation", cnn.ReLU(), b)
		return s.Apply(backend.Concat{Axis: 1, Inputs: 2}, a, b), s.Err()
	})
}
