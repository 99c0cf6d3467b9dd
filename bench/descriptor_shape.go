package bench

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// shape takes sizes such as 1x64x8x8, or scalar.
func (s *scanner) shape() (tensor.Shape, error) {
	shape := tensor.Shape{}
	if s.accept("scalar") {
		return shape, nil
	}
	for {
		n, err := s.number()
		if err != nil {
			return nil, err
		}
		shape = append(shape, n)
		if !s.accept("x") {
			return shape, nil
		}
	}
}

func formatShape(s []int) string {
	if len(s) == 0 {
		return "scalar"
	}
	text := make([]string, len(s))
	for i, d := range s {
		text[i] = strconv.Itoa(d)
	}
	return strings.Join(text, "x")
}

// signed takes integers that may be negative, with a separator between.
func (s *scanner) signed(sep string) ([]int, error) {
	var list []int
	for {
		sign := 1
		if s.accept("-") {
			sign = -1
		}
		n, err := s.number()
		if err != nil {
			return nil, err
		}
		list = append(list, sign*n)
		if !s.accept(sep) {
			return list, nil
		}
	}
}

// unary takes a shape for an op of one input.
func (s *scanner) unary(op backend.Op) (backend.Desc, error) {
	shape, err := s.shape()
	return backend.Desc{Op: op, In: []backend.TensorDesc{backend.F32(shape...)}}, err
}

// pair takes two shapes with a colon between, for an op of two inputs.
func (s *scanner) pair(op backend.Op) (backend.Desc, error) {
	a, err := s.shape()
	if err != nil {
		return backend.Desc{}, err
	}
	if err := s.expect(":"); err != nil {
		return backend.Desc{}, err
	}
	b, err := s.shape()
	return backend.Desc{Op: op, In: []backend.TensorDesc{backend.F32(a...), backend.F32(b...)}}, err
}

// axis takes an optional :axisN.
func (s *scanner) axis() (int, error) {
	if !s.accept(":axis") {
		return 1, nil
	}
	sign := 1
	if s.accept("-") {
		sign = -1
	}
	n, err := s.number()
	return sign * n, err
}

var globalPoolForm = form{
	prefix: "globalpool", grammar: "max|avg:SHAPE",
	parse: func(s *scanner) (backend.Desc, error) {
		kind, err := s.oneOf("max", "avg")
		if err == nil {
			err = s.expect(":")
		}
		if err != nil {
			return backend.Desc{}, err
		}
		return s.unary(backend.GlobalPool{Mean: kind == "avg"})
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.GlobalPool)
		if !ok {
			return "", false
		}
		kind := "max"
		if op.Mean {
			kind = "avg"
		}
		return kind + ":" + formatShape(d.In[0].Shape), true
	},
}

var denseForm = form{
	prefix: "dense", grammar: "mb2_ic_oc[+bias][+relu…]   (mb may be several dims: mb2x7)",
	parse: func(s *scanner) (backend.Desc, error) {
		x := tensor.Shape{2}
		var err error
		if s.accept("mb") {
			if x, err = s.shape(); err != nil {
				return backend.Desc{}, err
			}
		}
		var size [2]int
		for i, key := range []string{"ic", "oc"} {
			for s.accept("_") {
			}
			if err = s.expect(key); err == nil {
				size[i], err = s.number()
			}
			if err != nil {
				return backend.Desc{}, err
			}
		}
		op := backend.Dense{}
		if op.Bias, op.Epilogue, err = s.epilogue(); err != nil {
			return backend.Desc{}, err
		}
		d := backend.Desc{Op: op, In: []backend.TensorDesc{backend.F32(append(x, size[0])...), backend.F32(size[1], size[0])}}
		return addOperands(d, op.Bias, op.Epilogue, len(x))
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Dense)
		if !ok || len(d.In) < 2 || len(d.In[0].Shape) < 1 {
			return "", false
		}
		x, w := d.In[0].Shape, d.In[1].Shape
		last := len(x) - 1
		return fmt.Sprintf("mb%s_ic%doc%d", formatShape(x[:last]), x[last], w[0]) + formatEpilogue(op.Bias, op.Epilogue), true
	},
}

var matMulForm = form{
	prefix: "matmul", grammar: "SHAPE:SHAPE",
	parse: func(s *scanner) (backend.Desc, error) { return s.pair(backend.MatMul{}) },
	format: func(d backend.Desc) (string, bool) {
		if _, ok := d.Op.(backend.MatMul); !ok {
			return "", false
		}
		return formatShape(d.In[0].Shape) + ":" + formatShape(d.In[1].Shape), true
	},
}

var batchNormForm = form{
	prefix: "bn", grammar: "SHAPE[:eps1e-05]",
	parse: func(s *scanner) (backend.Desc, error) {
		x, err := s.shape()
		if err != nil {
			return backend.Desc{}, err
		}
		if len(x) < 2 {
			return backend.Desc{}, s.want("a shape of rank 2 or more: N, C, ...")
		}
		op := backend.BatchNorm{Epsilon: 1e-5}
		if s.accept(":eps") {
			if op.Epsilon, err = s.float(); err != nil {
				return backend.Desc{}, err
			}
		}
		c := backend.F32(x[1])
		return backend.Desc{Op: op, In: []backend.TensorDesc{backend.F32(x...), c, c, c, c}}, nil
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.BatchNorm)
		if !ok {
			return "", false
		}
		text := formatShape(d.In[0].Shape)
		if op.Epsilon != 1e-5 {
			text += ":eps" + formatFloat(op.Epsilon)
		}
		return text, true
	},
}

var activationForm = form{
	prefix: "act", grammar: "relu|leakyrelu(A)|clip(LO,HI)|sigmoid|tanh|elu(A)|selu|celu(A)|hardsigmoid(A,B)|softplus|softsign|silu|hardswish|mish|gelu|gelutanh|exp|abs|neg|ceil|floor|round|sign|sqrt|reciprocal|log|erf|thresholdedrelu(A)|sin|cos:SHAPE",
	parse: func(s *scanner) (backend.Desc, error) {
		a, _, err := s.act()
		if err == nil {
			err = s.expect(":")
		}
		if err != nil {
			return backend.Desc{}, err
		}
		return s.unary(backend.Activation{Act: a})
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Activation)
		if !ok {
			return "", false
		}
		return formatAct(op.Act) + ":" + formatShape(d.In[0].Shape), true
	},
}

var softmaxForm, logSoftmaxForm = softmax("softmax", false), softmax("logsoftmax", true)

func softmax(prefix string, log bool) form {
	return form{
		prefix: prefix, grammar: "SHAPE[:axis1]",
		parse: func(s *scanner) (backend.Desc, error) {
			d, err := s.unary(nil)
			if err != nil {
				return d, err
			}
			axis, err := s.axis()
			d.Op = backend.Softmax{Axis: axis, Log: log}
			return d, err
		},
		format: func(d backend.Desc) (string, bool) {
			op, ok := d.Op.(backend.Softmax)
			if !ok || op.Log != log {
				return "", false
			}
			return fmt.Sprintf("%s:axis%d", formatShape(d.In[0].Shape), op.Axis), true
		},
	}
}

// binaryNames are in the order of backend.BinaryKind.
var binaryNames = []string{"add", "sub", "mul", "div", "prelu", "max", "min", "pow", "less", "lessorequal", "greater", "greaterorequal", "equal"}

var binaryForm = form{
	prefix: "binary", grammar: strings.Join(binaryNames, "|") + ":SHAPE:SHAPE",
	parse: func(s *scanner) (backend.Desc, error) {
		fn, err := s.oneOf(binaryNames...)
		if err == nil {
			err = s.expect(":")
		}
		if err != nil {
			return backend.Desc{}, err
		}
		return s.pair(backend.Binary{Fn: backend.BinaryKind(slices.Index(binaryNames, fn))})
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Binary)
		if !ok || int(op.Fn) >= len(binaryNames) {
			return "", false
		}
		return binaryNames[op.Fn] + ":" + formatShape(d.In[0].Shape) + ":" + formatShape(d.In[1].Shape), true
	},
}

var whereForm = form{
	prefix: "where", grammar: "SHAPE:SHAPE:SHAPE   (condition, then, else)",
	parse: func(s *scanner) (backend.Desc, error) {
		d, err := s.pair(backend.Where{})
		if err == nil {
			err = s.expect(":")
		}
		if err != nil {
			return backend.Desc{}, err
		}
		y, err := s.shape()
		d.In = append(d.In, backend.F32(y...))
		return d, err
	},
	format: func(d backend.Desc) (string, bool) {
		if _, ok := d.Op.(backend.Where); !ok {
			return "", false
		}
		return formatShape(d.In[0].Shape) + ":" + formatShape(d.In[1].Shape) + ":" + formatShape(d.In[2].Shape), true
	},
}

var padForm = form{
	prefix: "pad", grammar: "SHAPE:BEGIN,…,END,…[:reflect|edge|wrap|constant(V)]",
	parse: func(s *scanner) (backend.Desc, error) {
		d, err := s.unary(nil)
		if err == nil {
			err = s.expect(":")
		}
		if err != nil {
			return d, err
		}
		op := backend.Pad{}
		if op.Pads, err = s.signed(","); err != nil {
			return d, err
		}
		if s.accept(":") {
			mode, err := s.oneOf("reflect", "edge", "wrap", "constant")
			if err != nil {
				return d, err
			}
			switch mode {
			case "reflect":
				op.Mode = backend.PadReflect
			case "edge":
				op.Mode = backend.PadEdge
			case "wrap":
				op.Mode = backend.PadWrap
			default:
				if err = s.expect("("); err == nil {
					op.Value, err = s.float()
				}
				if err == nil {
					err = s.expect(")")
				}
				if err != nil {
					return d, err
				}
			}
		}
		d.Op = op
		return d, nil
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Pad)
		if !ok {
			return "", false
		}
		text := formatShape(d.In[0].Shape) + ":" + strings.ReplaceAll(formatShape(op.Pads), "x", ",")
		switch {
		case op.Mode != backend.PadConstant:
			text += ":" + op.Mode.String()
		case op.Value != 0:
			text += ":constant(" + formatFloat(op.Value) + ")"
		}
		return text, true
	},
}

var reshapeForm = form{
	prefix: "reshape", grammar: "SHAPE:SHAPE   (in the second, 0 copies a dim and one -1 takes the rest)",
	parse: func(s *scanner) (backend.Desc, error) {
		d, err := s.unary(nil)
		if err == nil {
			err = s.expect(":")
		}
		if err != nil {
			return d, err
		}
		op := backend.Reshape{Shape: []int{}}
		if !s.accept("scalar") {
			op.Shape, err = s.signed("x")
		}
		d.Op = op
		return d, err
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Reshape)
		if !ok {
			return "", false
		}
		return formatShape(d.In[0].Shape) + ":" + formatShape(op.Shape), true
	},
}

var flattenForm = form{
	prefix: "flatten", grammar: "SHAPE[:axis1]",
	parse: func(s *scanner) (backend.Desc, error) {
		d, err := s.unary(nil)
		if err != nil {
			return d, err
		}
		axis, err := s.axis()
		d.Op = backend.Flatten{Axis: axis}
		return d, err
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Flatten)
		if !ok {
			return "", false
		}
		return fmt.Sprintf("%s:axis%d", formatShape(d.In[0].Shape), op.Axis), true
	},
}

var reorderForm = form{
	prefix: "reorder", grammar: "SHAPE:LAYOUT:LAYOUT[:float32|int32]   (plain, channels-last, channels-last/PAD)",
	parse: func(s *scanner) (backend.Desc, error) {
		d, err := s.unary(backend.Reorder{})
		if err != nil {
			return d, err
		}
		var layouts [2]backend.Layout
		for i := range layouts {
			if err := s.expect(":"); err != nil {
				return d, err
			}
			if layouts[i], err = s.layout(); err != nil {
				return d, err
			}
		}
		if s.accept(":") {
			dtype, err := s.oneOf("float32", "int32")
			if err != nil {
				return d, err
			}
			if dtype == "int32" {
				d.In[0].DType = tensor.Int32
			}
		}
		out := d.In[0]
		d.In[0].Layout, out.Layout = layouts[0], layouts[1]
		d.Out = []backend.TensorDesc{out}
		return d, nil
	},
	format: func(d backend.Desc) (string, bool) {
		if _, ok := d.Op.(backend.Reorder); !ok || len(d.Out) != 1 {
			return "", false
		}
		text := fmt.Sprintf("%s:%v:%v", formatShape(d.In[0].Shape), d.In[0].Layout, d.Out[0].Layout)
		if d.In[0].DType != tensor.Float32 {
			text += ":" + d.In[0].DType.String()
		}
		return text, true
	},
}

// layout takes the name of a layout.
func (s *scanner) layout() (backend.Layout, error) {
	word, err := s.oneOf("plain", "channels-last", "channels-last/")
	switch {
	case err != nil:
		return backend.Layout{}, err
	case word == "plain":
		return backend.Plain, nil
	case word == "channels-last":
		return backend.ChannelsLast, nil
	}
	pad, err := s.number()
	if err == nil && pad < 2 {
		err = s.want("a pad of 2 or more before this")
	}
	return backend.Layout{Order: backend.OrderChannelsLast, Pad: pad}, err
}
