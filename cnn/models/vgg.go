package models

import "github.com/convgl/convgl/cnn"

// VGG16 stacks 13 convolutions of 3×3 in five stages, each ended by a max pooling,
// and three Dense layers: configuration D of the paper. Pictures of other sizes are
// pooled adaptively to 7×7 before the Dense layers.
//
// Input: x [N,3,224,224], or any size from 32×32, also Dynamic. Output: logits
// [N,1000]. Parameters: 138,357,544, named as torchvision's vgg16. Options:
// WithClasses, WithInput, WithHidden (4096).
//
// Source: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale
// Image Recognition, 2014, arXiv:1409.1556.
func VGG16(opts ...Option) (*cnn.Net, error) {
	c, err := configure("VGG16", config{classes: 1000, hidden: 4096, input: []int{3, 224, 224}}, opts)
	if err != nil {
		return nil, err
	}
	var features []cnn.Layer
	for _, stage := range []struct{ convs, channels int }{{2, 64}, {2, 128}, {3, 256}, {3, 512}, {3, 512}} {
		for range stage.convs {
			features = append(features, cnn.Conv2D(stage.channels, 3, cnn.Padding(1)), cnn.ReLU())
		}
		features = append(features, cnn.MaxPool2D(2))
	}
	return cnn.New("vgg16", c.input,
		cnn.Named("features", cnn.Sequential(features...)),
		cnn.Named("avgpool", cnn.AdaptiveAvgPool(7)),
		cnn.Named("flatten", cnn.Flatten()),
		cnn.Named("classifier", cnn.Sequential(
			cnn.Dense(c.hidden), cnn.ReLU(), cnn.Dropout(0.5),
			cnn.Dense(c.hidden), cnn.ReLU(), cnn.Dropout(0.5),
			cnn.Dense(c.classes),
		)),
	)
}
