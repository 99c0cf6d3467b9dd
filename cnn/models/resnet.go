package models

import (
	"strconv"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/graph"
)

// ResNet18 is the residual network of 18 layers with weights: a convolution of 7×7,
// four stages of two blocks of two 3×3 convolutions, and a Dense layer on the mean
// over all positions.
//
// Input: x [N,3,224,224], or any size, also Dynamic. Output: logits [N,1000].
// Parameters: 11,689,512, named as torchvision's resnet18. Options: WithClasses,
// WithInput.
//
// Source: He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition, 2015,
// arXiv:1512.03385.
func ResNet18(opts ...Option) (*cnn.Net, error) {
	return resNet("ResNet18", "resnet18", basicBlock, 1, [4]int{2, 2, 2, 2}, opts)
}

// ResNet50 is the residual network of 50 layers with weights: like [ResNet18] with
// 3, 4, 6 and 3 bottleneck blocks, which convolve 3×3 on a quarter of the channels
// between two 1×1 convolutions. The stride is that of the 3×3 convolution, as in
// torchvision; the paper has it in the 1×1 before.
//
// Input: x [N,3,224,224], or any size, also Dynamic. Output: logits [N,1000].
// Parameters: 25,557,032, named as torchvision's resnet50. Options: WithClasses,
// WithInput.
//
// Source: He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition, 2015,
// arXiv:1512.03385.
func ResNet50(opts ...Option) (*cnn.Net, error) {
	return resNet("ResNet50", "resnet50", bottleneck, 4, [4]int{3, 4, 6, 3}, opts)
}

// resNet makes a ResNet of blocks that have expansion times the channels of their
// stage as output.
func resNet(arch, name string, block func(channels, stride int, project bool) cnn.Layer, expansion int, blocks [4]int, opts []Option) (*cnn.Net, error) {
	c, err := configure(arch, config{classes: 1000, input: []int{3, 224, 224}}, opts)
	if err != nil {
		return nil, err
	}
	layers := []cnn.Layer{
		cnn.Named("conv1", cnn.Conv2D(64, 7, cnn.Stride(2), cnn.Padding(3), cnn.NoBias())),
		cnn.Named("bn1", cnn.BatchNorm()),
		cnn.Named("relu", cnn.ReLU()),
		cnn.Named("maxpool", cnn.MaxPool2D(3, cnn.Stride(2), cnn.Padding(1))),
	}
	for i, n := range blocks {
		channels, stride := 64<<i, 2
		if i == 0 {
			stride = 1 // the max pooling has halved the size
		}
		stage := []cnn.Layer{block(channels, stride, stride != 1 || expansion != 1)}
		for range n - 1 {
			stage = append(stage, block(channels, 1, false))
		}
		layers = append(layers, cnn.Named("layer"+strconv.Itoa(i+1), cnn.Sequential(stage...)))
	}
	layers = append(layers,
		cnn.Named("avgpool", cnn.GlobalAvgPool()),
		cnn.Named("flatten", cnn.Flatten()),
		cnn.Named("fc", cnn.Dense(c.classes)))
	return cnn.New(name, c.input, layers...)
}

func basicBlock(channels, stride int, project bool) cnn.Layer {
	return residual("BasicBlock", projection(channels, stride, project),
		cnn.Conv2D(channels, 3, cnn.Stride(stride), cnn.Padding(1), cnn.NoBias()),
		cnn.Conv2D(channels, 3, cnn.Padding(1), cnn.NoBias()))
}

func bottleneck(channels, stride int, project bool) cnn.Layer {
	return residual("Bottleneck", projection(4*channels, stride, project),
		cnn.Conv2D(channels, 1, cnn.NoBias()),
		cnn.Conv2D(channels, 3, cnn.Stride(stride), cnn.Padding(1), cnn.NoBias()),
		cnn.Conv2D(4*channels, 1, cnn.NoBias()))
}

// projection gives the input of a block the shape of its output.
func projection(channels, stride int, project bool) cnn.Layer {
	if !project {
		return nil
	}
	return cnn.Sequential(cnn.Conv2D(channels, 1, cnn.Stride(stride), cnn.NoBias()), cnn.BatchNorm())
}

// residual is y = relu(main(x) + x), where main is the convolutions, each with a
// BatchNorm and between two of them a ReLU; downsample(x) takes the place of x where
// it is not nil.
func residual(kind string, downsample cnn.Layer, convs ...cnn.Layer) cnn.Layer {
	return cnn.Func(kind, func(s *cnn.Scope, x ...*graph.Value) (*graph.Value, error) {
		h := x[0]
		for i, conv := range convs {
			if i > 0 {
				h = s.Call("relu"+strconv.Itoa(i), cnn.ReLU(), h)
			}
			h = s.Call("conv"+strconv.Itoa(i+1), conv, h)
			h = s.Call("bn"+strconv.Itoa(i+1), cnn.BatchNorm(), h)
		}
		skip := x[0]
		if downsample != nil {
			skip = s.Call("downsample", downsample, x...)
		}
		h = s.Apply(backend.Binary{Fn: backend.Add}, h, skip)
		return s.Call("relu"+strconv.Itoa(len(convs)), cnn.ReLU(), h), s.Err()
	})
}
