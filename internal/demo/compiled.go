package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// compiled is the network as one model on one backend: folded, fused and planned.
type compiled struct {
	err   error // why it did not run; other fields are then unset
	drift drift // of the probabilities from the reference's, layer by layer
	time  time.Duration

	passes                string // what they did
	kernels, reorders     int    // of a run
	arena, total, weights int64  // bytes
}

// compile runs the network's compiled model end to end.
func (s *step) compile(ctx context.Context, be backend.Backend) *compiled {
	c := new(compiled)
	if err := c.run(ctx, be, s); err != nil {
		return &compiled{err: fmt.Errorf("compiled model: %w", err)}
	}
	return c
}

func (c *compiled) run(ctx context.Context, be backend.Backend, s *step) (err error) {
	m, err := s.net.Compile(ctx, be)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	out, err := m.Predict(ctx, s.input) // this makes the plan, too
	if err != nil {
		return err
	}
	want := s.ref[len(s.ref)-1]
	c.drift = driftOf("compiled model, probabilities", out, want)
	c.drift.top = largest(out) == largest(want)
	again, err := tensor.New(out.DType(), out.Shape()...)
	if err != nil {
		return err
	}
	if c.time, err = median(func() error { return m.PredictInto(ctx, again, s.input) }); err != nil {
		return err
	}
	plan, err := m.Runtime().Plan(ctx, s.input.Shape())
	if err != nil {
		return err
	}
	c.passes, c.weights = m.Runtime().Report().String(), m.Runtime().WeightBytes()
	c.kernels, c.reorders = plan.Steps(), plan.Reorders()
	c.arena, c.total = plan.Arena(), plan.Total()
	return nil
}

// models has a row for the compiled model on each backend.
func (r *report) models(s *step) table {
	t := table{Head: []string{"backend", "kernels", "of these reorders", "arena", "all values", "weights", "passes"},
		Right: []bool{false, true, true, true, true, true, false}}
	for i, o := range r.backends {
		c := s.results[i].model
		switch {
		case c == nil:
		case c.err != nil:
			t.Rows = append(t.Rows, []string{o.name, "", "", "", "", "", "FAIL: " + oneLine(c.err)})
		default:
			t.Rows = append(t.Rows, []string{o.name, fmt.Sprint(c.kernels), fmt.Sprint(c.reorders),
				mebibytes(c.arena), mebibytes(c.total), mebibytes(c.weights), c.passes})
		}
	}
	return t
}

const modelNote = `The passes fold and fuse the layers; the plan then places all values of a run in one arena, where
those that are not needed at the same time share memory. "All values" is what they would take without that.`
