package cpu

import (
	"math"
	"slices"

	"github.com/convgl/convgl/backend"
)

// epilogue is what is done to a tile of sums before it is stored: the bias and
// the steps of a Conv or Dense, by index of their operands in call.in.
type epilogue struct {
	fns   *rowFns
	bias  int // −1 for none
	steps []epilogueStep
	res   []int // operands that are residuals
}

type epilogueStep struct {
	kind backend.StepKind
	a, b int // scale and shift, or the residual
	act  activation
}

// newEpilogue numbers the operands from index next on. Its functions are those of fns.
func newEpilogue(fns *rowFns, bias bool, steps backend.Epilogue, next int) *epilogue {
	e := &epilogue{fns: fns, bias: -1}
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
			es.act = newActivation(fns, s.Act)
		}
		e.steps = append(e.steps, es)
	}
	return e
}

// fused is the part of an epilogue that kernels apply to sums in registers:
//
//	y = min(max((s + bias[c])·scale[c] + shift[c] + residual, lo), hi)
//
// The indices are those of the operands in call.in, −1 for what is left out. NaN
// passes through the bounds, which are infinite where there is no activation.
type fused struct {
	bias, scale, shift, residual int
	lo, hi                       float32
}

// fuse splits the epilogue into what kernels can apply in registers and the steps
// that follow it, which work on what was stored.
func (e *epilogue) fuse() (fused, *epilogue) {
	inf := float32(math.Inf(1))
	f := fused{bias: e.bias, scale: -1, shift: -1, residual: -1, lo: -inf, hi: inf}
	steps := e.steps
	next := func(kind backend.StepKind) *epilogueStep {
		if len(steps) == 0 || steps[0].kind != kind {
			return nil
		}
		s := &steps[0]
		steps = steps[1:]
		return s
	}
	if s := next(backend.ScaleShift); s != nil {
		f.scale, f.shift = s.a, s.b
	}
	if s := next(backend.Residual); s != nil {
		f.residual = s.a
	}
	if len(steps) > 0 && steps[0].kind == backend.Activate {
		switch act := &steps[0].act; act.kind {
		case backend.Relu:
			f.lo, steps = 0, steps[1:]
		case backend.Clip:
			f.lo, f.hi, steps = float32(act.k[0]), float32(act.k[1]), steps[1:]
		}
	}
	return f, &epilogue{fns: e.fns, bias: -1, steps: steps, res: e.res}
}

// inPlace returns the operands that the output may overwrite, where kernels apply what
// fuse gives them: the residual among it. Later ones are read after y has been stored.
func (e *epilogue) inPlace() []int {
	if f, _ := e.fuse(); f.residual >= 0 {
		return []int{f.residual}
	}
	return nil
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

// byChannel reports whether the epilogue has operands of one element a channel.
func (e *epilogue) byChannel() bool {
	return e.bias >= 0 || slices.ContainsFunc(e.steps, func(s epilogueStep) bool { return s.kind == backend.ScaleShift })
}

// row applies the epilogue to one row; at is its place in the output.
func (e *epilogue) row(c *call, row []float32, o, at int) {
	if e.bias >= 0 {
		e.fns.add(row, c.x(e.bias)[o:][:len(row)])
	}
	for i := range e.steps {
		s := &e.steps[i]
		switch s.kind {
		case backend.ScaleShift:
			e.fns.scaleShift(row, row, c.x(s.a)[o:][:len(row)], c.x(s.b)[o:][:len(row)])
		case backend.Residual:
			e.fns.add(row, c.x(s.a)[at:][:len(row)])
		case backend.Activate:
			s.act.apply(row, row)
		}
	}
}
