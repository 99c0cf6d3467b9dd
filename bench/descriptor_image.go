package bench

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

var adaptivePoolForm = form{
	prefix: "adaptivepool", grammar: "max|avg:SHAPE:SIZE   (the size of the spatial dims, as 7x7)",
	parse: func(s *scanner) (backend.Desc, error) {
		kind, err := s.oneOf("max", "avg")
		if err == nil {
			err = s.expect(":")
		}
		if err != nil {
			return backend.Desc{}, err
		}
		d, err := s.unary(nil)
		if err == nil {
			err = s.expect(":")
		}
		if err != nil {
			return d, err
		}
		out, err := s.shape()
		d.Op = backend.AdaptivePool{Out: out, Mean: kind == "avg"}
		return d, err
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.AdaptivePool)
		if !ok {
			return "", false
		}
		kind := "max"
		if op.Mean {
			kind = "avg"
		}
		return fmt.Sprintf("%s:%s:%s", kind, formatShape(d.In[0].Shape), formatShape(op.Out)), true
	},
}

var (
	resizeModes = []backend.ResizeMode{backend.ResizeNearest, backend.ResizeLinear}
	coordModes  = []backend.CoordMode{backend.HalfPixel, backend.AlignCorners, backend.Asymmetric}
)

var resizeForm = form{
	prefix: "resize", grammar: "nearest|linear:half_pixel|align_corners|asymmetric:SHAPE:SIZE|scaleS,S   (of the spatial dims)",
	parse: func(s *scanner) (backend.Desc, error) {
		var op backend.Resize
		var err error
		if op.Mode, err = oneNamed(s, resizeModes); err == nil {
			op.Coord, err = oneNamed(s, coordModes)
		}
		if err != nil {
			return backend.Desc{}, err
		}
		d, err := s.unary(nil)
		if err == nil {
			err = s.expect(":")
		}
		switch {
		case err != nil:
			return d, err
		case s.accept("scale"):
			op.Scales, err = s.doubles()
		default:
			var size tensor.Shape
			size, err = s.shape()
			op.Size = size
		}
		d.Op = op
		return d, err
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Resize)
		if !ok {
			return "", false
		}
		text := fmt.Sprintf("%v:%v:%s:", op.Mode, op.Coord, formatShape(d.In[0].Shape))
		if op.Scales == nil {
			return text + formatShape(op.Size), true
		}
		scales := make([]string, len(op.Scales))
		for i, v := range op.Scales {
			scales[i] = strconv.FormatFloat(v, 'g', -1, 64)
		}
		return text + "scale" + strings.Join(scales, ","), true
	},
}

// oneNamed takes the name of one of the values, and a colon.
func oneNamed[T fmt.Stringer](s *scanner, values []T) (T, error) {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = v.String()
	}
	word, err := s.oneOf(words...)
	if err == nil {
		err = s.expect(":")
	}
	var v T
	for i, w := range words {
		if w == word {
			v = values[i]
		}
	}
	return v, err
}

// doubles takes numbers with commas between.
func (s *scanner) doubles() ([]float64, error) {
	var list []float64
	for {
		start := s.pos
		text := s.run(func(c byte) bool { return strings.IndexByte("+-.0123456789eE", c) >= 0 })
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			s.pos = start
			return nil, s.want("a number")
		}
		if list = append(list, v); !s.accept(",") {
			return list, nil
		}
	}
}

var concatForm = form{
	prefix: "concat", grammar: "SHAPE,SHAPE…:axis1[:int32]",
	parse: func(s *scanner) (backend.Desc, error) {
		var d backend.Desc
		for more := true; more; more = s.accept(",") {
			x, err := s.shape()
			if err != nil {
				return d, err
			}
			d.In = append(d.In, backend.F32(x...))
		}
		axis, err := s.axis()
		d.Op = backend.Concat{Axis: axis, Inputs: len(d.In)}
		s.int32(d.In)
		return d, err
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Concat)
		if !ok || len(d.In) == 0 {
			return "", false
		}
		shapes := make([]string, len(d.In))
		for i, x := range d.In {
			shapes[i] = formatShape(x.Shape)
		}
		return fmt.Sprintf("%s:axis%d%s", strings.Join(shapes, ","), op.Axis, formatInt32(d.In[0])), true
	},
}

var transposeForm = form{
	prefix: "transpose", grammar: "SHAPE[:PERM][:int32]   (as 0,2,3,1; reversed without)",
	parse: func(s *scanner) (backend.Desc, error) {
		d, err := s.unary(nil)
		if err != nil {
			return d, err
		}
		var op backend.Transpose
		if !s.int32(d.In) && s.accept(":") {
			if op.Perm, err = s.signed(","); err != nil {
				return d, err
			}
			s.int32(d.In)
		}
		d.Op = op
		return d, nil
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Transpose)
		if !ok {
			return "", false
		}
		text := formatShape(d.In[0].Shape)
		if len(op.Perm) > 0 { // of a scalar there is only one
			text += ":" + strings.ReplaceAll(formatShape(op.Perm), "x", ",")
		}
		return text + formatInt32(d.In[0]), true
	},
}

// int32 takes an optional :int32, which gives inputs that type, and reports whether
// it stood there.
func (s *scanner) int32(in []backend.TensorDesc) bool {
	if !s.accept(":int32") {
		return false
	}
	for i := range in {
		in[i].DType = tensor.Int32
	}
	return true
}

func formatInt32(d backend.TensorDesc) string {
	if d.DType == tensor.Int32 {
		return ":int32"
	}
	return ""
}
