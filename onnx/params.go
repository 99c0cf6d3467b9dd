package onnx

import (
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// Params returns the number of elements of all floating-point constants of the file:
// initializers and the tensors of Constant nodes.
func (m *Model) Params() int64 { return m.params }

// ParamBytes returns the bytes of these constants, in the types of the file.
func (m *Model) ParamBytes() int64 { return m.paramBytes }

// countParams counts the parameters of a graph whose tensors are valid.
func (m *Model) countParams(g *pb.Graph) {
	count := func(t *pb.Tensor) {
		size := 0
		switch ElemType(t.DataType) {
		case Float16, BFloat16:
			size = 2
		case Float32:
			size = 4
		case Float64:
			size = 8
		default:
			return
		}
		s := make(tensor.Shape, len(t.Dims))
		for i, d := range t.Dims {
			s[i] = int(d)
		}
		m.params += int64(s.Size())
		m.paramBytes += int64(s.Size()) * int64(size)
	}
	for _, t := range g.Initializers {
		count(t)
	}
	for _, n := range g.Nodes {
		if n.OpType != "Constant" || !ownDomain(n.Domain) {
			continue
		}
		for _, a := range n.Attrs {
			if a.Name == "value" && a.T != nil {
				count(a.T)
			}
		}
	}
}
