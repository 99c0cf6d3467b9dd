package models

import "github.com/convgl/convgl/cnn"

// LeNet is LeNet-5, the network that read handwritten digits, with ReLU and max
// pooling as it is taught today: two convolutions of 5×5, each with a pooling, and
// three Dense layers.
//
// Input: x [N,1,28,28]; the padding of 2 makes it the paper's 32×32. Output: logits
// [N,10]. Parameters: 61,706, named conv1, conv2, fc1, fc2, fc3 as in PyTorch's
// tutorials. Options: WithClasses, WithInput.
//
// Source: LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to
// Document Recognition, 1998.
func LeNet(opts ...Option) (*cnn.Net, error) {
	c, err := configure("LeNet", config{classes: 10, input: []int{1, 28, 28}}, opts)
	if err != nil {
		return nil, err
	}
	return cnn.New("lenet", c.input,
		cnn.Named("conv1", cnn.Conv2D(6, 5, cnn.Padding(2))),
		cnn.Named("relu1", cnn.ReLU()),
		cnn.Named("pool1", cnn.MaxPool2D(2)),
		cnn.Named("conv2", cnn.Conv2D(16, 5)),
		cnn.Named("relu2", cnn.ReLU()),
		cnn.Named("pool2", cnn.MaxPool2D(2)),
		cnn.Named("flatten", cnn.Flatten()),
		cnn.Named("fc1", cnn.Dense(120)),
		cnn.Named("relu3", cnn.ReLU()),
		cnn.Named("fc2", cnn.Dense(84)),
		cnn.Named("relu4", cnn.ReLU()),
		cnn.Named("fc3", cnn.Dense(c.classes)),
	)
}
