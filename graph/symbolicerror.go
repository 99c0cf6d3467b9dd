package graph

import (
	"errors"
	"fmt"
	"strings"

	"github.com/convgl/convgl/backend"
)

// symbolicError returns the error of an op that was asked with both sets of sizes for
// the symbols. The op writes dims of its inputs by their names; what it computes from
// them it writes as a number, which differs from one set to the other. The shapes of
// the inputs take the place of such a text: a size that only stands for a symbol means
// nothing to a reader.
func symbolicError(errs [2]error, op backend.Op, in []*Value) error {
	if errs[0] == nil && errs[1] == nil {
		return nil
	}
	e := errs[0]
	if e == nil {
		e = errs[1]
	}
	both := errs[0] != nil && errs[1] != nil
	var shape [2]*backend.ShapeError
	var attr [2]*backend.AttrError
	var limit [2]*backend.LimitError
	switch {
	case errors.As(e, &shape[0]):
		if !both || !errors.As(errs[1], &shape[1]) {
			shape[1] = &backend.ShapeError{Arg: shape[0].Arg, Want: shape[0].Want, Hint: shape[0].Hint}
		}
		a, b := *shape[0], shape[1]
		if a.Arg != b.Arg {
			a.Arg = "inputs"
		}
		if a.Got != b.Got {
			a.Got = shapesOf(op, in)
		}
		if a.Want != b.Want {
			a.Want = "shapes that fit"
		}
		if a.Hint != b.Hint {
			a.Hint = ""
		}
		return &a
	case errors.As(e, &attr[0]):
		if !both || !errors.As(errs[1], &attr[1]) {
			attr[1] = attr[0]
		}
		a, b := *attr[0], attr[1]
		if a.Want != b.Want {
			a.Want = "what fits " + shapesOf(op, in)
		}
		if a.Hint != b.Hint {
			a.Hint = ""
		}
		return &a
	case errors.As(e, &limit[0]):
		if !both || !errors.As(errs[1], &limit[1]) || limit[0].Got != limit[1].Got {
			l := limit[0]
			return &backend.ShapeError{Op: l.Op, Arg: l.What, Got: shapesOf(op, in), Want: fmt.Sprintf("at most %d", l.Max), Hint: l.Hint}
		}
	}
	return e
}

// shapesOf writes the shapes of an op's inputs, as "x [N,3,8,8], w [4,3,3,3]".
func shapesOf(op backend.Op, in []*Value) string {
	var names []backend.Arg
	if op != nil {
		names, _ = op.Args()
	}
	parts := make([]string, len(in))
	for i, v := range in {
		parts[i] = v.shape.String()
		if len(names) == len(in) {
			parts[i] = names[i].Name + " " + parts[i]
		}
	}
	return strings.Join(parts, ", ")
}
