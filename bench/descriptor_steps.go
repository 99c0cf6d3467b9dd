package bench

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/convgl/convgl/backend"
)

// actArgs lists the activations with the number of their constants.
var actArgs = []struct {
	name string
	kind backend.ActKind
	args int
}{
	{"relu", backend.Relu, 0}, {"leakyrelu", backend.LeakyRelu, 1}, {"clip", backend.Clip, 2}, {"sigmoid", backend.Sigmoid, 0}, {"tanh", backend.Tanh, 0},
	{"elu", backend.Elu, 1}, {"selu", backend.Selu, 0}, {"celu", backend.Celu, 1}, {"hardsigmoid", backend.HardSigmoid, 2}, {"softplus", backend.Softplus, 0},
	{"softsign", backend.Softsign, 0}, {"silu", backend.Silu, 0}, {"hardswish", backend.HardSwish, 0}, {"mish", backend.Mish, 0}, {"gelu", backend.Gelu, 0},
	{"gelutanh", backend.GeluTanh, 0}, {"exp", backend.Exp, 0}, {"abs", backend.Abs, 0}, {"neg", backend.Neg, 0}, {"ceil", backend.Ceil, 0},
	{"floor", backend.Floor, 0}, {"round", backend.Round, 0}, {"sign", backend.Sign, 0}, {"sqrt", backend.Sqrt, 0}, {"reciprocal", backend.Reciprocal, 0},
	{"log", backend.Log, 0}, {"erf", backend.Erf, 0}, {"thresholdedrelu", backend.ThresholdedRelu, 1}, {"sin", backend.Sin, 0}, {"cos", backend.Cos, 0},
}

// act takes an activation such as clip(0,6).
func (s *scanner) act(others ...string) (backend.Act, string, error) {
	var a backend.Act
	names := others
	for _, k := range actArgs {
		names = append(names, k.name)
	}
	word, err := s.oneOf(names...)
	if err != nil {
		return a, "", err
	}
	for _, k := range actArgs {
		if k.name != word {
			continue
		}
		a.Kind = k.kind
		for i := range k.args {
			if err := s.expect("(,"[i : i+1]); err != nil {
				return a, "", err
			}
			v, err := s.float()
			if err != nil {
				return a, "", err
			}
			if i == 0 {
				a.Alpha = v
			} else {
				a.Beta = v
			}
		}
		if k.args > 0 {
			return a, word, s.expect(")")
		}
	}
	return a, word, nil
}

func formatAct(a backend.Act) string {
	for _, k := range actArgs {
		if k.kind == a.Kind {
			switch k.args {
			case 0:
				return k.name
			case 1:
				return fmt.Sprintf("%s(%s)", k.name, formatFloat(a.Alpha))
			default:
				return fmt.Sprintf("%s(%s,%s)", k.name, formatFloat(a.Alpha), formatFloat(a.Beta))
			}
		}
	}
	return a.Kind.String()
}

// float takes a number in Go's notation, Inf included.
func (s *scanner) float() (float32, error) {
	start := s.pos
	text := s.run(func(c byte) bool { return strings.IndexByte("+-.0123456789eEinfIN", c) >= 0 })
	v, err := strconv.ParseFloat(text, 32)
	if err != nil || v != v {
		s.pos = start
		return 0, s.want("a float32")
	}
	return float32(v), nil
}

func formatFloat(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }

// epilogue takes +bias and the steps after it.
func (s *scanner) epilogue() (bias bool, e backend.Epilogue, err error) {
	bias = s.accept("+bias")
	for s.accept("+") {
		a, word, err := s.act("scaleshift", "residual")
		if err != nil {
			return bias, e, err
		}
		switch word {
		case "scaleshift":
			e = append(e, backend.Step{Kind: backend.ScaleShift})
		case "residual":
			e = append(e, backend.Step{Kind: backend.Residual})
		default:
			e = append(e, backend.Step{Kind: backend.Activate, Act: a})
		}
	}
	return bias, e, nil
}

func formatEpilogue(bias bool, e backend.Epilogue) string {
	var b strings.Builder
	if bias {
		b.WriteString("+bias")
	}
	for _, s := range e {
		switch s.Kind {
		case backend.ScaleShift:
			b.WriteString("+scaleshift")
		case backend.Residual:
			b.WriteString("+residual")
		case backend.Activate:
			b.WriteString("+" + formatAct(s.Act))
		}
	}
	return b.String()
}

// addOperands appends the bias and the operands of the epilogue to the inputs x
// and w of a Conv or Dense, of which the output has its channels in the given
// dim.
func addOperands(d backend.Desc, bias bool, e backend.Epilogue, channel int) (backend.Desc, error) {
	if !bias && len(e) == 0 {
		return d, nil
	}
	// The shape of the output is that of the op without them.
	plain := backend.Desc{In: d.In}
	switch op := d.Op.(type) {
	case backend.Conv:
		op.Bias, op.Epilogue = false, nil
		plain.Op = op
	case backend.ConvTranspose:
		op.Bias, op.Epilogue = false, nil
		plain.Op = op
	case backend.Dense:
		plain.Op = backend.Dense{}
	}
	plain, err := plain.Resolve()
	if err != nil {
		return d, fmt.Errorf("bench: %w", err)
	}
	y := plain.Out[0].Shape
	if bias {
		d.In = append(d.In, backend.F32(y[channel]))
	}
	for _, s := range e {
		switch s.Kind {
		case backend.ScaleShift:
			d.In = append(d.In, backend.F32(y[channel]), backend.F32(y[channel]))
		case backend.Residual:
			d.In = append(d.In, backend.F32(y...))
		}
	}
	return d, nil
}
