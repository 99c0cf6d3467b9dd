package onnx_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// tinyFile writes a small network as an ONNX file.
func tinyFile() (path string, remove func(), err error) {
	net, err := cnn.New("tiny", cnn.Shape(1, 8, 8), cnn.Conv2D(4, 3), cnn.ReLU(), cnn.Flatten(), cnn.Dense(10))
	if err != nil {
		return "", nil, err
	}
	g, err := net.Graph()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "onnx")
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(dir, "tiny.onnx")
	return path, func() { os.RemoveAll(dir) }, onnx.ExportFile(path, g)
}

func ExampleLoad() {
	path, remove, err := tinyFile()
	if err != nil {
		log.Fatal(err)
	}
	defer remove()
	ctx := context.Background()
	be, err := backend.Open("cpu")
	if err != nil {
		log.Fatal(err)
	}
	defer be.Close()
	x, err := tensor.New(tensor.Float32, 1, 1, 8, 8)
	if err != nil {
		log.Fatal(err)
	}

	m, err := onnx.Load(path) // parsed and checked: what is wrong or not supported is an error here
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Inputs()[0]) // "x" float32[N,1,8,8]
	s, err := m.Compile(ctx, be)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	y, err := s.Run(ctx, x) // an output for each of m.Outputs()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y[0].Shape()) // [1,10]
	// Output:
	// "x" float32[N,1,8,8]
	// [1,10]
}
