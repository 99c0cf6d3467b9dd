package cnn_test

import (
	"fmt"
	"log"

	"github.com/convgl/convgl/cnn"
)

// Layers are named by their index; Named gives another name. Parameters have the
// names of PyTorch's state_dict.
func ExampleNew() {
	net, err := cnn.New("small", cnn.Shape(1, 28, 28),
		cnn.Named("conv1", cnn.Conv2D(8, 5, cnn.Stride(2), cnn.NoBias())),
		cnn.Named("bn1", cnn.BatchNorm()),
		cnn.ReLU(),
		cnn.Flatten(),
		cnn.Named("fc", cnn.Dense(10)),
	)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range net.Params() {
		fmt.Println(p.Name, p.Tensor.Shape())
	}
	// Output:
	// conv1.weight [8,1,5,5]
	// bn1.weight [8]
	// bn1.bias [8]
	// fc.weight [10,1152]
	// fc.bias [10]
}

// Shapes are checked when the network is built. The error names the layer.
func ExampleLayerError() {
	_, err := cnn.New("wrong", cnn.Shape(3, 32, 32),
		cnn.Conv2D(8, 3),
		cnn.ReLU(),
		cnn.Dense(10),
	)
	fmt.Println(err)
	_, err = cnn.New("wrong", cnn.Shape(3, 32, 32), cnn.MaxPool2D(2, cnn.Groups(3)))
	fmt.Println(err)
	// Output:
	// cnn: layer "2" (Dense): x: got shape [N,8,30,30], want [N,features] (is a Flatten missing before it? LastDim works on the last dim alone)
	// cnn: layer "0" (MaxPool2D): it has no option Groups: want KernelSize, Stride, Padding, Same, Dilation, CeilMode
}

// A Sequential is a layer, so blocks can be made once and used often.
func ExampleSequential() {
	block := func(filters int) cnn.Layer {
		return cnn.Sequential(cnn.Conv2D(filters, 3, cnn.Same(), cnn.NoBias()), cnn.BatchNorm(), cnn.ReLU())
	}
	net, err := cnn.New("blocks", cnn.Shape(3, 32, 32), block(16), cnn.MaxPool2D(2), block(32), cnn.GlobalAvgPool(), cnn.Flatten(), cnn.Dense(10))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(net.Layers())
	// Output: [0 0.0 0.1 0.2 1 2 2.0 2.1 2.2 3 4 5]
}

func ExampleResidual() {
	net, err := cnn.New("residual", cnn.Shape(16, 8, 8),
		cnn.Residual(
			cnn.Sequential(cnn.Conv2D(32, 3, cnn.Same(), cnn.Stride(2)), cnn.ReLU(), cnn.Conv2D(32, 3, cnn.Same())),
			cnn.Conv2D(32, 1, cnn.Stride(2)), // nil where the shapes agree
		),
		cnn.ReLU(),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(net.Summary())
	// Output:
	// net residual x[N,16,8,8], figures for N = 1
	// layer       kind      output      parameters  multiply-adds    memory
	// ---------------------------------------------------------------------
	// 0.main.0    Conv2D    [N,32,4,4]       4,640         73,728   2.0 KiB
	// 0.main.1    ReLU      [N,32,4,4]           0              0   2.0 KiB
	// 0.main.2    Conv2D    [N,32,4,4]       9,248        147,456   2.0 KiB
	// 0.shortcut  Conv2D    [N,32,4,4]         544          8,192   2.0 KiB
	// 0           Residual  [N,32,4,4]           0              0   2.0 KiB
	// 1           ReLU      [N,32,4,4]           0              0   2.0 KiB
	// ---------------------------------------------------------------------
	// total                                 14,432        229,376  12.0 KiB
	// parameters: 14,432 trainable, 0 not, 56.4 KiB
}
