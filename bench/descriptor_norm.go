package bench

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// epsilon takes an optional :epsV.
func (s *scanner) epsilon() (float32, error) {
	if !s.accept(":eps") {
		return 1e-5, nil
	}
	return s.float()
}

func formatEpsilon(eps float32) string {
	if eps == 1e-5 {
		return ""
	}
	return ":eps" + formatFloat(eps)
}

// normDesc adds a scale and a bias of a shape to x.
func normDesc(op backend.Op, x, affine tensor.Shape) backend.Desc {
	a := backend.F32(affine...)
	return backend.Desc{Op: op, In: []backend.TensorDesc{backend.F32(x...), a, a}}
}

// imageShape takes a shape of rank 2 or more.
func (s *scanner) imageShape() (tensor.Shape, error) {
	x, err := s.shape()
	if err == nil && len(x) < 2 {
		err = s.want("a shape of rank 2 or more: N, C, ...")
	}
	return x, err
}

var groupNormForm = form{
	prefix: "gn", grammar: "SHAPE:g32[:eps1e-05]",
	parse: func(s *scanner) (backend.Desc, error) {
		var op backend.GroupNorm
		x, err := s.imageShape()
		if err == nil {
			err = s.expect(":g")
		}
		if err == nil {
			op.Groups, err = s.number()
		}
		if err == nil {
			op.Epsilon, err = s.epsilon()
		}
		if err != nil {
			return backend.Desc{}, err
		}
		return normDesc(op, x, x[1:2]), nil
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.GroupNorm)
		if !ok {
			return "", false
		}
		return fmt.Sprintf("%s:g%d%s", formatShape(d.In[0].Shape), op.Groups, formatEpsilon(op.Epsilon)), true
	},
}

var instanceNormForm = form{
	prefix: "in", grammar: "SHAPE[:eps1e-05]",
	parse: func(s *scanner) (backend.Desc, error) {
		var op backend.InstanceNorm
		x, err := s.imageShape()
		if err == nil {
			op.Epsilon, err = s.epsilon()
		}
		if err != nil {
			return backend.Desc{}, err
		}
		return normDesc(op, x, x[1:2]), nil
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.InstanceNorm)
		if !ok {
			return "", false
		}
		return formatShape(d.In[0].Shape) + formatEpsilon(op.Epsilon), true
	},
}

var layerNormForm = form{
	prefix: "ln", grammar: "SHAPE[:axis1][:eps1e-05]",
	parse: func(s *scanner) (backend.Desc, error) {
		var op backend.LayerNorm
		x, err := s.shape()
		if err == nil {
			op.Axis, err = s.axis()
		}
		if err == nil {
			op.Epsilon, err = s.epsilon()
		}
		if err != nil {
			return backend.Desc{}, err
		}
		axis, err := backend.ResolveAxis(op.Kind(), op.Axis, len(x))
		if err != nil {
			return backend.Desc{}, fmt.Errorf("bench: %q: %w", s.text, err)
		}
		return normDesc(op, x, x[axis:]), nil
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.LayerNorm)
		if !ok {
			return "", false
		}
		return fmt.Sprintf("%s:axis%d%s", formatShape(d.In[0].Shape), op.Axis, formatEpsilon(op.Epsilon)), true
	},
}

// lrnDefaults are those of ONNX.
var lrnDefaults = backend.LRN{Alpha: 1e-4, Beta: 0.75, K: 1}

var lrnForm = form{
	prefix: "lrn", grammar: "SHAPE:size5[:alpha0.0001][:beta0.75][:k1]",
	parse: func(s *scanner) (backend.Desc, error) {
		op := lrnDefaults
		d, err := s.unary(nil)
		if err == nil {
			err = s.expect(":size")
		}
		if err == nil {
			op.Size, err = s.number()
		}
		for _, a := range []struct {
			key string
			v   *float32
		}{{":alpha", &op.Alpha}, {":beta", &op.Beta}, {":k", &op.K}} {
			if err == nil && s.accept(a.key) {
				*a.v, err = s.float()
			}
		}
		d.Op = op
		return d, err
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.LRN)
		if !ok {
			return "", false
		}
		text := fmt.Sprintf("%s:size%d", formatShape(d.In[0].Shape), op.Size)
		for _, a := range []struct {
			key    string
			v, def float32
		}{{":alpha", op.Alpha, lrnDefaults.Alpha}, {":beta", op.Beta, lrnDefaults.Beta}, {":k", op.K, lrnDefaults.K}} {
			if a.v != a.def {
				text += a.key + formatFloat(a.v)
			}
		}
		return text, true
	},
}
