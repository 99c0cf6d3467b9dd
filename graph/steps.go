package graph

import (
	"context"
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Step is a part of a run: a kernel, or a copy between host and device.
type Step struct {
	// Name is that of the node; of a change of layout "value (layout)"; of a copy that
	// of the input or output.
	Name string
	Op   backend.Op          // nil for a copy
	Info *backend.KernelInfo // nil for a copy; the caller must not change it
	// InPlace tells that the kernel overwrites an input, so that it must not run twice.
	InPlace bool
}

// RunSteps is [Model.Run] for those who measure: do is called for every step in order, and
// calls run, which enqueues it: once, or more often if the step is not in place. Nodes
// that are only another name of their input have no step. A batch is not run in parts.
func (m *Model) RunSteps(ctx context.Context, in []*tensor.Tensor, do func(s Step, run func() error) error) ([]*tensor.Tensor, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.leave()
	if err := m.checkInputs(in); err != nil {
		return nil, err
	}
	p, err := m.planOf(ctx, in)
	if err != nil {
		return nil, err
	}
	defer m.release(p)
	a, err := p.pool.take(ctx)
	if err != nil {
		return nil, nameNode(err, m.g.Name)
	}
	defer p.pool.give(a)
	step := func(s Step, run func() error) error {
		calls := 0
		err := do(s, func() error {
			calls++
			if err := run(); err != nil {
				return nameNode(err, s.Name)
			}
			return nil
		})
		if err == nil && (calls == 0 || calls > 1 && s.InPlace) {
			err = &Error{Node: s.Name, Err: fmt.Errorf("the step was run %d times, want once", calls)}
		}
		return err
	}
	for i, t := range in {
		if err := step(Step{Name: p.in[i].at.name}, func() error { return m.be.Write(ctx, a.in[i], t.Bytes()) }); err != nil {
			return nil, err
		}
	}
	for i := range p.steps {
		s := &p.steps[i]
		if err := step(Step{s.name, s.op, s.kernel.Info(), s.out[0].inPlace}, func() error { return s.kernel.Run(ctx, a.args[i]) }); err != nil {
			return nil, err
		}
	}
	out, err := newOutputs(p.outputs())
	if err != nil {
		return nil, err
	}
	for i := range out {
		read := func() error {
			if a.out[i] == nil {
				copy(out[i].Bytes(), p.outs[i].Value.konst.Bytes())
				return nil
			}
			return m.be.Read(ctx, out[i].Bytes(), a.out[i])
		}
		if err := step(Step{Name: p.outs[i].Name}, read); err != nil {
			return nil, err
		}
	}
	return out, nil
}
