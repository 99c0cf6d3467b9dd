package demo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// result is a step on one backend.
type result struct {
	name   string          // of the backend
	err    error           // why it did not run to its end; other fields are then unset
	layers []check.Result  // of each layer, fed the reference's input; empty for ref and for dropout
	each   []time.Duration // median time of each layer; nil for the network
	all    time.Duration   // median time of all layers
	out    *tensor.Tensor  // of the chain: each layer fed its own backend's input
	drift  drift           // of out from the reference's
	model  *compiled       // of the network where the backend is there; else nil
}

// drift is the distance of a chain's result from the reference. Errors of the
// layers add up along a chain, for which no bound per element is known, so it is
// judged as a whole.
type drift struct {
	maxAbs, relL2 float64
	what          string // of what, which tensor
	top           bool   // whether the largest class is the same; true where there are no classes
}

// maxDrift is the largest relative L2 distance that passes: some hundred times
// what rounding gives here, and far below what one wrong tap gives.
const maxDrift = 1e-4

func (d drift) ok() bool { return d.top && d.relL2 <= maxDrift }

// run computes the step, on the reference and on each backend, and judges it. An
// error of one backend is kept in its result; only the reference's ends the demo.
func (s *step) run(ctx context.Context, set backends) error {
	if s.net != nil {
		if err := s.prepare(ctx, set[0].be); err != nil {
			return fmt.Errorf("demo: %s on ref: %w", s.id, err)
		}
	}
	s.results = make([]result, len(set))
	for i, o := range set {
		s.results[i] = result{name: o.name, err: o.err, layers: make([]check.Result, len(s.layers))}
	}
	if err := s.judge(ctx, set); err != nil {
		return fmt.Errorf("demo: %s on ref: %w", s.id, err)
	}
	for i, o := range set {
		r := &s.results[i]
		if r.err == nil {
			r.err = s.chain(ctx, o.be, i == 0, r)
		}
		if s.net != nil && o.err == nil {
			r.model = s.compile(ctx, o.be)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if i == 0 && r.err != nil {
			return fmt.Errorf("demo: %s on ref: %w", s.id, r.err)
		}
	}
	return nil
}

// prepare gives the network its statistics and the step its layers.
func (s *step) prepare(ctx context.Context, ref backend.Backend) (err error) {
	if err := calibrate(ctx, ref, s.net, s.input); err != nil {
		return err
	}
	s.layers, err = layersOf(s.net)
	return err
}

// judge computes the layers one by one: first on the reference, then with the same
// input on the other backends, whose results it holds against the bounds.
func (s *step) judge(ctx context.Context, set backends) error {
	evaluate := func(d backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		return backend.RunDesc(ctx, set[0].be, d, in...)
	}
	for i, l := range s.layers {
		x := s.inputOf(i)
		if l.op == nil {
			s.ref = append(s.ref, x)
			continue
		}
		in := append([]*tensor.Tensor{x}, l.weights...)
		e, err := check.Expect(backend.DescOf(l.op, in...), check.Normal, in, evaluate)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		s.ref = append(s.ref, e.Want[0])
		for b, o := range set[1:] {
			r := &s.results[b+1]
			if r.err != nil {
				continue
			}
			got, err := backend.RunOnce(ctx, o.be, l.op, in...)
			if err == nil {
				r.layers[i], err = e.Judge(got)
			}
			if err != nil {
				r.err = fmt.Errorf("%s: %w", l.name, err)
			}
		}
	}
	return nil
}

// inputOf returns the reference's input of layer i.
func (s *step) inputOf(i int) *tensor.Tensor {
	if i == 0 {
		return s.input
	}
	return s.ref[i-1]
}

// chain runs all layers on one backend, each fed what the one before wrote on the
// device, takes the time, and compares the result with the reference's.
func (s *step) chain(ctx context.Context, be backend.Backend, isRef bool, r *result) (err error) {
	c, err := newChain(ctx, be, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	if !isRef { // to warm up; the reference has nothing that could
		if err := c.run(ctx); err != nil {
			return err
		}
	}
	if s.net != nil { // as the compiled model, which has no layers to be timed
		r.all, err = median(func() error { _, err := c.predict(ctx, s.input); return err })
	} else {
		r.each, r.all, err = c.time(ctx, len(s.layers))
	}
	if err != nil {
		return err
	}
	last := len(s.layers) - 1
	if r.out, err = c.output(ctx, last); err != nil {
		return err
	}
	r.drift = driftOf("all layers, result", r.out, s.ref[last])
	if _, ok := s.layers[last].op.(backend.Softmax); ok {
		// Softmax may hide a difference: judge what goes into it, and the choice.
		logits, err := c.output(ctx, last-1)
		if err != nil {
			return err
		}
		r.drift = driftOf("all layers, logits", logits, s.inputOf(last))
		r.drift.top = largest(r.out) == largest(s.ref[last])
	}
	return nil
}

// driftOf compares a result with the reference.
func driftOf(what string, got, want *tensor.Tensor) drift {
	d := drift{what: what, top: true}
	var diff, size float64
	w := want.Float32s()
	for i, g := range got.Float32s() {
		e := float64(g) - float64(w[i])
		d.maxAbs = max(d.maxAbs, math.Abs(e)) // max gives NaN for NaN
		diff += e * e
		size += float64(w[i]) * float64(w[i])
	}
	if diff != 0 {
		d.relL2 = math.Sqrt(diff / size)
	}
	return d
}

// largest returns the position of the largest element.
func largest(t *tensor.Tensor) int {
	d := t.Float32s()
	return slices.Index(d, slices.Max(d))
}

// verdictOf says whether layer i of a result passed: "pass", "suspect", "FAIL".
func verdictOf(r check.Result) string {
	switch r.Verdict {
	case check.Pass:
		return "pass"
	case check.Suspect:
		return "suspect"
	}
	return "FAIL"
}

// noteWrong reports whether a result of the 4×4 example is not the note's.
func (s *step) noteWrong(r result) bool {
	return s.id == noteID && (r.out == nil || !slices.Equal(r.out.Float32s(), noteAnswer))
}

// failures counts what is wrong on backends that could be opened.
func failures(steps []*step) int {
	n := 0
	for _, s := range steps {
		for _, r := range s.results {
			if unavailable(r.err) {
				continue
			}
			if r.err != nil || !r.drift.ok() || s.noteWrong(r) {
				n++
			}
			if c := r.model; c != nil && (c.err != nil || !c.drift.ok()) {
				n++
			}
			for i, l := range r.layers {
				if s.layers[i].op != nil && l.Verdict == check.Fail {
					n++
				}
			}
		}
	}
	return n
}

// unavailable reports whether a backend was not there at all.
func unavailable(err error) bool {
	var u *backend.UnavailableError
	return errors.As(err, &u)
}
