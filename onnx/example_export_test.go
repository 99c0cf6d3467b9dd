package onnx_test

import (
	"fmt"

	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/onnx"
)

func ExampleExport() {
	net, err := cnn.New("tiny", cnn.Shape(1, 8, 8),
		cnn.Conv2D(4, 3, cnn.Padding(1)), cnn.ReLU(), cnn.MaxPool2D(2), cnn.Flatten(), cnn.Dense(10))
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := net.Graph()
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := onnx.Export(g)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(data) > 4*(4*9+4+64*10+10)) // all the weights
	// Output: true
}
