package models

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/graph"
)

// MobileNetV2 is a network for small devices: 17 blocks that widen their input by a
// 1×1 convolution, convolve each channel by itself (depthwise) with 3×3, and narrow
// it again without an activation; blocks that keep the shape add their input.
//
// Input: x [N,3,224,224], or any size, also Dynamic. Output: logits [N,1000].
// Parameters: 3,504,872, named as torchvision's mobilenet_v2. Options: WithClasses,
// WithInput.
//
// Source: Sandler, Howard, Zhu, Zhmoginov and Chen, MobileNetV2: Inverted Residuals
// and Linear Bottlenecks, 2018, arXiv:1801.04381.
func MobileNetV2(opts ...Option) (*cnn.Net, error) {
	c, err := configure("MobileNetV2", config{classes: 1000, input: []int{3, 224, 224}}, opts)
	if err != nil {
		return nil, err
	}
	in := 32
	features := []cnn.Layer{convNormReLU6(in, 3, cnn.Stride(2), cnn.Padding(1))}
	// Table 2 of the paper.
	for _, stage := range []struct{ expand, out, blocks, stride int }{
		{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
	} {
		stride := stage.stride
		for range stage.blocks {
			features = append(features, invertedResidual(in, stage.out, stride, stage.expand))
			in, stride = stage.out, 1
		}
	}
	features = append(features, convNormReLU6(1280, 1))
	return cnn.New("mobilenet_v2", c.input,
		cnn.Named("features", cnn.Sequential(features...)),
		cnn.Named("avgpool", cnn.GlobalAvgPool()),
		cnn.Named("flatten", cnn.Flatten()),
		cnn.Named("classifier", cnn.Sequential(cnn.Dropout(0.2), cnn.Dense(c.classes))),
	)
}

// convNormReLU6 is a convolution without bias, a BatchNorm and a ReLU6.
func convNormReLU6(filters, kernel int, opts ...cnn.Option) cnn.Layer {
	return cnn.Sequential(cnn.Conv2D(filters, kernel, append(opts, cnn.NoBias())...), cnn.BatchNorm(), cnn.ReLU6())
}

// invertedResidual is a block of [MobileNetV2] from in to out channels.
func invertedResidual(in, out, stride, expand int) cnn.Layer {
	var layers []cnn.Layer
	if expand != 1 {
		layers = append(layers, convNormReLU6(in*expand, 1))
	}
	layers = append(layers,
		convNormReLU6(in*expand, 3, cnn.Stride(stride), cnn.Padding(1), cnn.Groups(in*expand)),
		cnn.Conv2D(out, 1, cnn.NoBias()),
		cnn.BatchNorm())
	return cnn.Func("InvertedResidual", func(s *cnn.Scope, x ...*graph.Value) (*graph.Value, error) {
		h := s.Call("conv", cnn.Sequential(layers...), x...)
		if stride == 1 && in == out {
			h = s.Apply(backend.Binary{Fn: backend.Add}, x[0], h)
		}
		return h, s.Err()
	})
}
