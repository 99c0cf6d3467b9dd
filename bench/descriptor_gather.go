package bench

import (
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

func i32(shape ...int) backend.TensorDesc {
	return backend.TensorDesc{DType: tensor.Int32, Shape: shape}
}

var gatherForm = form{
	prefix: "gather", grammar: "SHAPE:INDEX-SHAPE:axis0[:int32]",
	parse: func(s *scanner) (backend.Desc, error) {
		d, err := s.pair(nil)
		if err != nil {
			return d, err
		}
		axis, err := s.axis()
		d.Op = backend.Gather{Axis: axis}
		s.int32(d.In)
		d.In[1].DType = tensor.Int32
		return d, err
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Gather)
		if !ok {
			return "", false
		}
		return fmt.Sprintf("%s:%s:axis%d%s", formatShape(d.In[0].Shape), formatShape(d.In[1].Shape), op.Axis, formatInt32(d.In[0])), true
	},
}

var resampleForm = form{
	prefix: "resample", grammar: "SHAPE:axis2:MxT   (M elements of y, T terms of each)",
	parse: func(s *scanner) (backend.Desc, error) {
		d, err := s.unary(nil)
		if err != nil {
			return d, err
		}
		axis, err := s.axis()
		if err == nil {
			err = s.expect(":")
		}
		if err != nil {
			return d, err
		}
		table, err := s.shape()
		d.Op = backend.Resample{Axis: axis}
		d.In = append(d.In, i32(table...), backend.F32(table...))
		return d, err
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Resample)
		if !ok {
			return "", false
		}
		return fmt.Sprintf("%s:axis%d:%s", formatShape(d.In[0].Shape), op.Axis, formatShape(d.In[1].Shape)), true
	},
}

var maxUnpoolForm = form{
	prefix: "maxunpool", grammar: "SHAPE:SIZE   (of the spatial dims)",
	parse: func(s *scanner) (backend.Desc, error) {
		d, err := s.unary(nil)
		if err == nil {
			err = s.expect(":")
		}
		if err != nil {
			return d, err
		}
		size, err := s.shape()
		d.Op = backend.MaxUnpool{Size: size}
		d.In = append(d.In, i32(d.In[0].Shape...))
		return d, err
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.MaxUnpool)
		if !ok {
			return "", false
		}
		return formatShape(d.In[0].Shape) + ":" + formatShape(op.Size), true
	},
}
