// Package cnn builds convolutional networks from layers and runs them on any
// backend.
//
// A layer is a description without values: [Conv2D], [BatchNorm], [ReLU] and the
// others return one, and options such as [Stride] and [Same] change it. [New] puts
// layers one after the other; [Input], [Apply], [Add] and [Concat] with [NewNet]
// make any other network. Both return a [Net], which holds the parameters under
// the names that PyTorch's state_dict has ("0.weight", "1.running_mean",
// "layer1.0.conv1.weight"). The batch dim is always there and never written:
// Shape(3, 32, 32) means [N,3,32,32].
//
// A layer of one's own is a type with the methods of [Layer], or a [Func]; all
// that the layers of this package do, they do through [Scope].
package cnn
