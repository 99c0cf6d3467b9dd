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

// ELU is y = x for x ≥ 0 and alpha·(eˣ − 1) below.
//
// PyTorch: nn.ELU, whose default alpha is 1.
func ELU(alpha float32) Layer {
	return activation("ELU", backend.Act{Kind: backend.Elu, Alpha: alpha})
}

// SELU is y = λx for x ≥ 0 and λα(eˣ − 1) below, with λ = 1.0507… and α = 1.6733….
// It is made for weights that begin as [LeCunNormal].
//
// PyTorch: nn.SELU. Source: Klambauer et al., Self-Normalizing Neural Networks, 2017.
func SELU() Layer { return activation("SELU", backend.Act{Kind: backend.Selu}) }

// CELU is y = x for x ≥ 0 and alpha·(e^(x/alpha) − 1) below.
//
// PyTorch: nn.CELU, whose default alpha is 1.
func CELU(alpha float32) Layer {
	return activation("CELU", backend.Act{Kind: backend.Celu, Alpha: alpha})
}

// GELU is y = x/2·(1 + erf(x/√2)).
//
// PyTorch: nn.GELU.
func GELU() Layer { return activation("GELU", backend.Act{Kind: backend.Gelu}) }

// GELUTanh is the approximation y = x/2·(1 + tanh(√(2/π)·(x + 0.044715x³))) of [GELU].
//
// PyTorch: nn.GELU(approximate="tanh").
func GELUTanh() Layer { return activation("GELUTanh", backend.Act{Kind: backend.GeluTanh}) }

// SiLU is y = x/(1 + e⁻ˣ), also called swish.
//
// PyTorch: nn.SiLU.
func SiLU() Layer { return activation("SiLU", backend.Act{Kind: backend.Silu}) }

// Mish is y = x·tanh(ln(1 + eˣ)).
//
// PyTorch: nn.Mish.
func Mish() Layer { return activation("Mish", backend.Act{Kind: backend.Mish}) }

// HardSwish is y = x·min(max(x + 3, 0), 6)/6.
//
// PyTorch: nn.Hardswish.
func HardSwish() Layer { return activation("HardSwish", backend.Act{Kind: backend.HardSwish}) }

// HardSigmoid is y = min(max(x/6 + 1/2, 0), 1).
//
// PyTorch: nn.Hardsigmoid.
func HardSigmoid() Layer {
	return activation("HardSigmoid", backend.Act{Kind: backend.HardSigmoid, Alpha: 1. / 6, Beta: 0.5})
}

// Softplus is y = ln(1 + eˣ).
//
// PyTorch: nn.Softplus.
func Softplus() Layer { return activation("Softplus", backend.Act{Kind: backend.Softplus}) }

// Softsign is y = x/(1 + |x|).
//
// PyTorch: nn.Softsign.
func Softsign() Layer { return activation("Softsign", backend.Act{Kind: backend.Softsign}) }

// Exp is y = eˣ.
//
// PyTorch: torch.exp.
func Exp() Layer { return activation("Exp", backend.Act{Kind: backend.Exp}) }

// activation makes a layer of an activation function, for inputs of any shape.
func activation(kind string, act backend.Act) Layer {
	return &unary{kind: kind, build: func(s *Scope, x *graph.Value) *graph.Value {
		return s.Apply(backend.Activation{Act: act}, x)
	}}
}
