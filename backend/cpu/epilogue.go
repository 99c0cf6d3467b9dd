package cpu

import (
	"github.com/convgl/convgl/backend"
)

// epilogue is what is done to a tile of sums before it is stored: the bias and
// the steps of a Conv or Dense, by index of their operands in call.in.
type epilogue struct {
	bias  int // −1 for none
	steps []epilogueStep
	res   []int // operands that are residuals
}

type epilogueStep struct {
	kind backend.StepKind
	a, b int // scale and shift, or the residual
	act  activation
}

// newEpilogue numbers the operands from index next on.
func newEpilogue(bias bool, steps backend.Epilogue, next int) *epilogue {
	e := &epilogue{bias: -1}
	if bias {
		e.bias = next
		next++
	}
	for _, s := range steps {
		es := epilogueStep{kind: s.Kind, a: next, b: next + 1}
		switch s.Kind {
		case backend.ScaleShift:
			next += 2
		case backend.Residual:
			e.res = append(e.res, next)
			next++
		case backend.Activate:
			es.act = newActivation(s.Act)
		}
		e.steps = append(e.steps, es)
	}
	return e
}

// resolve fills in the layouts of the operands, in the descriptions of all
// inputs: a residual must lie as the output does.
func (e *epilogue) resolve(op string, in []backend.TensorDesc, out backend.TensorDesc) error {
	for _, i := range e.res {
		in[i] = resolve(in[i], out.Layout)
		if sameMemory(op, in[i], out) != nil {
			return wrongLayout(op, "residual", in[i], "the layout of y, "+out.Layout.String())
		}
	}
	for i := range in {
		in[i] = resolve(in[i], backend.Plain)
	}
	return nil
}

// store applies the epilogue to mr rows of n sums, ld apart, for the channels
// from o on, and stores row r at y[at + r·pitch]. Then it clears pad lanes.
func (e *epilogue) store(c *call, y, acc []float32, ld, mr, n, o, at, pitch, pad int) {
	for r := range mr {
		row := acc[r*ld : r*ld+n]
		e.row(c, row, o, at)
		copy(y[at:], row)
		if pad > 0 {
			clear(y[at+n : at+n+pad])
		}
		at += pitch
	}
}

// row applies the epilogue to one row; at is its place in the output.
func (e *epilogue) row(c *call, row []float32, o, at int) {
	if e.bias >= 0 {
		add(row, c.x(e.bias)[o:])
	}
	for i := range e.steps {
		s := &e.steps[i]
		switch s.kind {
		case backend.ScaleShift:
			scale, shift := c.x(s.a)[o:][:len(row)], c.x(s.b)[o:][:len(row)]
			for j, v := range row {
				row[j] = v*scale[j] + shift[j]
			}
		case backend.Residual:
			add(row, c.x(s.a)[at:])
		case backend.Activate:
			s.act.apply(row, row)
		}
	}
}

func add(dst, b []float32) {
	b = b[:len(dst)]
	for i := range dst {
		dst[i] += b[i]
	}
}
