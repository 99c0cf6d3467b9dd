package onnx

import (
	"errors"

	"github.com/convgl/convgl/graph"
)

// Export returns g as an ONNX model of opset 17 (IR 8). What the graph's ops have no
// ONNX op for is expressed by several. It fails with an error that wraps
// [errors.ErrUnsupported] and lists every node that cannot be expressed.
func Export(g *graph.Graph) ([]byte, error) { return nil, errors.New("onnx: not yet") }
