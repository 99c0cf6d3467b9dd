package backend

import "fmt"

// StepKind names what an epilogue step does.
type StepKind uint8

const (
	// ScaleShift computes y·scale[c] + shift[c] for channel c; it takes the inputs
	// scale and shift, of shape [C].
	ScaleShift StepKind = iota
	// Residual adds a tensor of the output's shape; it takes that as an input.
	Residual
	// Activate applies Step.Act; a clamp is the activation Clip.
	Activate
)

// Step is one element of an epilogue.
type Step struct {
	Kind StepKind
	Act  Act // for Activate
}

// Epilogue is what is done to each element of a Conv or Dense, in this order,
// after the bias and before it is stored. Its operands follow the op's own inputs
// in the order of the steps.
type Epilogue []Step

// args names the operands of the steps.
func (e Epilogue) args() []Arg {
	var a []Arg
	for i, s := range e {
		switch s.Kind {
		case ScaleShift:
			a = append(a, Arg{Name: fmt.Sprintf("epilogue[%d].scale", i), Weight: true}, Arg{Name: fmt.Sprintf("epilogue[%d].shift", i), Weight: true})
		case Residual:
			a = append(a, Arg{Name: fmt.Sprintf("epilogue[%d].residual", i)})
		}
	}
	return a
}

// check validates the steps and their operands for an output of the given shape
// with the channels in dim chan.
func (e Epilogue) check(op string, operands []TensorDesc, out []int, channel int) error {
	args := e.args()
	j := 0
	for i, s := range e {
		switch s.Kind {
		case ScaleShift:
			for range 2 {
				if err := wantShape(op, args[j].Name, operands[j], out[channel]); err != nil {
					return err
				}
				j++
			}
		case Residual:
			if err := wantShape(op, args[j].Name, operands[j], out...); err != nil {
				return err
			}
			j++
		case Activate:
			if err := s.Act.check(op, fmt.Sprintf("epilogue[%d]", i)); err != nil {
				return err
			}
		default:
			return &AttrError{Op: op, Attr: fmt.Sprintf("epilogue[%d]", i), Got: fmt.Sprintf("StepKind(%d)", s.Kind), Want: "ScaleShift, Residual or Activate"}
		}
	}
	return nil
}

// flops counts one operation an element for a sum or an activation, two for a
// scale and shift.
func (e Epilogue) flops(elems int64) int64 {
	var n int64
	for _, s := range e {
		n += elems
		if s.Kind == ScaleShift {
			n += elems
		}
	}
	return n
}
