package cnn

import (
	"errors"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// Pad adds zeros around an image: one number for all sides, one for each spatial
// dim, or the beginnings of all dims and then the ends (top, left, bottom, right).
//
// Input: x [N,C,spatial...]. Output: y [N,C,spatial + begin + end...].
//
// PyTorch: nn.ZeroPad2d, which has left, right, top, bottom. Op: backend.Pad.
func Pad(pads ...int) Layer { return pad("Pad", backend.Pad{}, pads) }

// ConstantPad is [Pad] with a value in the place of zeros.
//
// PyTorch: nn.ConstantPad1d to 3d.
func ConstantPad(value float32, pads ...int) Layer {
	return pad("ConstantPad", backend.Pad{Value: value}, pads)
}

// ReflectPad is [Pad] with the elements mirrored at the first and the last, which are
// not repeated; a pad is less than the dim.
//
// PyTorch: nn.ReflectionPad1d to 3d.
func ReflectPad(pads ...int) Layer {
	return pad("ReflectPad", backend.Pad{Mode: backend.PadReflect}, pads)
}

// EdgePad is [Pad] with the first and last elements repeated.
//
// PyTorch: nn.ReplicationPad1d to 3d.
func EdgePad(pads ...int) Layer { return pad("EdgePad", backend.Pad{Mode: backend.PadEdge}, pads) }

func pad(kind string, op backend.Pad, pads []int) Layer {
	pads = slices.Clone(pads)
	var err error
	if len(pads) == 0 {
		err = errors.New("padding: got no number")
	}
	return &unary{kind: kind, err: err, build: func(s *Scope, x *graph.Value) *graph.Value {
		n := s.spatial(x)
		sides, err := perSide(pads, n)
		if err != nil {
			s.Fail(err)
			return nil
		}
		op := op
		op.Pads = slices.Concat([]int{0, 0}, sides[:n], []int{0, 0}, sides[n:])
		return s.Apply(op, x)
	}}
}
