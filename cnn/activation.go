package cnn

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// ReLU is y = max(x, 0).
//
// PyTorch: nn.ReLU.
func ReLU() Layer { return activation("ReLU", backend.Act{Kind: backend.Relu}) }

// LeakyReLU is y = x for x ≥ 0 and slope·x below.
//
// PyTorch: nn.LeakyReLU, whose default slope is 0.01.
func LeakyReLU(slope float32) Layer {
	return activation("LeakyReLU", backend.Act{Kind: backend.LeakyRelu, Alpha: slope})
}

// ReLU6 is y = min(max(x, 0), 6).
//
// PyTorch: nn.ReLU6.
func ReLU6() Layer { return activation("ReLU6", backend.Act{Kind: backend.Clip, Beta: 6}) }

// Clip is y = min(max(x, low), high).
//
// PyTorch: nn.Hardtanh.
func Clip(low, high float32) Layer {
	return activation("Clip", backend.Act{Kind: backend.Clip, Alpha: low, Beta: high})
}

// Sigmoid is y = 1/(1 + e⁻ˣ).
//
// PyTorch: nn.Sigmoid.
func Sigmoid() Layer { return activation("Sigmoid", backend.Act{Kind: backend.Sigmoid}) }

// Tanh is y = tanh x.
//
// PyTorch: nn.Tanh.
func Tanh() Layer { return activation("Tanh", backend.Act{Kind: backend.Tanh}) }

// activation makes a layer of an activation function, for inputs of any shape.
func activation(kind string, act backend.Act) Layer {
	return &unary{kind: kind, build: func(s *Scope, x *graph.Value) *graph.Value {
		return s.Apply(backend.Activation{Act: act}, x)
	}}
}
