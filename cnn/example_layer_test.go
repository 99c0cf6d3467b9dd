package cnn_test

import (
	"fmt"
	"log"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/graph"
)

// scale multiplies each channel by a trainable number.
type scale struct{}

func (scale) Kind() string { return "Scale" }

func (scale) Build(s *cnn.Scope, x ...*graph.Value) (*graph.Value, error) {
	w := s.Param("weight", cnn.Ones, s.Dim(x[0], 1), 1, 1)
	return s.Apply(backend.Binary{Fn: backend.Mul}, x[0], w), s.Err()
}

// A layer of one's own is a type with two methods.
func ExampleLayer() {
	net, err := cnn.New("scaled", cnn.Shape(3, 8, 8), cnn.Conv2D(4, 3), cnn.Named("scale", scale{}))
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range net.Params() {
		fmt.Println(p.Name, p.Tensor.Shape())
	}
	// Output:
	// 0.weight [4,3,3,3]
	// 0.bias [4]
	// scale.weight [4,1,1]
}

// A Func is a layer without a type. It may be made of other layers: here the
// channels are weighed by what the whole picture says of them.
func ExampleFunc() {
	squeeze := func(filters int) cnn.Layer {
		return cnn.Func("SqueezeExcite", func(s *cnn.Scope, x ...*graph.Value) (*graph.Value, error) {
			channels := s.Dim(x[0], 1)
			h := s.Call("pool", cnn.GlobalAvgPool(), x...)
			h = s.Call("reduce", cnn.Conv2D(filters, 1), h)
			h = s.Call("relu", cnn.ReLU(), h)
			h = s.Call("expand", cnn.Conv2D(channels, 1), h)
			h = s.Call("gate", cnn.Sigmoid(), h)
			return s.Apply(backend.Binary{Fn: backend.Mul}, x[0], h), s.Err()
		})
	}
	net, err := cnn.New("weighed", cnn.Shape(16, 8, 8), cnn.Named("se", squeeze(4)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(net.Layers())
	for _, p := range net.Params() {
		fmt.Println(p.Name, p.Tensor.Shape())
	}
	// Output:
	// [se se.pool se.reduce se.relu se.expand se.gate]
	// se.reduce.weight [4,16,1,1]
	// se.reduce.bias [4]
	// se.expand.weight [16,4,1,1]
	// se.expand.bias [16]
}
