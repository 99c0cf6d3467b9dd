package cnn_test

import (
	"fmt"
	"log"

	"github.com/convgl/convgl/cnn"
)

// Any network: tensors go into layers, and the errors come out at the end.
func ExampleNewNet() {
	x := cnn.Input("image", 3, 32, 32)
	a := cnn.Apply("one", cnn.Conv2D(8, 1), x)
	b := cnn.Apply("three", cnn.Conv2D(8, 3, cnn.Same()), x)
	h := cnn.Apply("relu", cnn.ReLU(), cnn.Concat(a, cnn.Add(a, b)))
	y := cnn.Apply("class", cnn.Dense(10), cnn.Apply("flat", cnn.Flatten(), cnn.Apply("pool", cnn.GlobalAvgPool(), h)))
	net, err := cnn.NewNet("branches", []*cnn.Tensor{x}, []*cnn.Tensor{y})
	if err != nil {
		log.Fatal(err)
	}
	g, err := net.Graph()
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range g.Nodes() {
		fmt.Println(n.Name(), n.Out()[0].Shape())
	}
	// Output:
	// one [N,8,32,32]
	// three [N,8,32,32]
	// add1 [N,8,32,32]
	// concat1 [N,16,32,32]
	// relu [N,16,32,32]
	// pool [N,16,1,1]
	// flat [N,16]
	// class [N,10]
}

// Inputs may have dims that are known only when a picture arrives.
func ExampleInput() {
	x := cnn.Input("x", 3, cnn.Dynamic, cnn.Dynamic)
	h := cnn.Apply("conv", cnn.Conv2D(8, 3, cnn.Stride(2), cnn.Same()), x)
	up := cnn.Apply("up", cnn.Upsample(2, cnn.Nearest), h)
	net, err := cnn.NewNet("any size", []*cnn.Tensor{x}, []*cnn.Tensor{h, up})
	if err != nil {
		log.Fatal(err)
	}
	g, err := net.Graph()
	if err != nil {
		log.Fatal(err)
	}
	for _, o := range g.Outputs() {
		fmt.Println(o.Name, o.Value.Shape())
	}
	// Output:
	// conv [N,8,H/2,W/2]
	// up [N,8,H,W]
}
