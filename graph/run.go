package graph

import (
	"context"
	"fmt"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Run computes the outputs for inputs in the order of [Graph.Inputs]. Tensors of
// new shapes make a new plan. A batch that is too large for the device is run in
// parts where that gives the same result. It fails when number, type or shape of the
// inputs do not fit, when a kernel is not supported or too large, or when ctx is
// done before the work is enqueued.
func (m *Model) Run(ctx context.Context, in ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.leave()
	if err := m.checkInputs(in); err != nil {
		return nil, err
	}
	// What no memory suffices for is refused before the outputs take theirs.
	p, refused := m.planOf(ctx, in)
	if refused == nil {
		defer m.release(p)
		var a *arena
		if a, refused = p.pool.take(ctx); refused == nil {
			defer p.pool.give(a)
			out, err := newOutputs(p.outputs())
			if err == nil {
				err = m.execute(ctx, p, a, in, out)
			}
			if err != nil {
				return nil, err
			}
			return out, nil
		}
		refused = nameNode(refused, m.g.Name)
	}
	if !m.maySplit(in, refused) {
		return nil, refused
	}
	descs, err := m.outputs(in)
	if err != nil {
		return nil, err
	}
	out, err := newOutputs(descs)
	if err == nil {
		err = m.runSplit(ctx, out, in, refused)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// newOutputs makes tensors for outputs.
func newOutputs(descs []backend.TensorDesc) ([]*tensor.Tensor, error) {
	out := make([]*tensor.Tensor, len(descs))
	for i, d := range descs {
		var err error
		if out[i], err = tensor.New(d.DType, d.Shape...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// RunInto is Run into tensors of the caller, which must have the outputs' types
// and shapes. Run again with inputs of the same shapes it allocates nothing, but
// for what a backend needs to move the inputs and outputs, and for a batch that is
// run in parts: each time it is tried whole.
func (m *Model) RunInto(ctx context.Context, out, in []*tensor.Tensor) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.leave()
	if err := m.checkInputs(in); err != nil {
		return err
	}
	return m.runInto(ctx, out, in)
}

// runInto runs the plan for in, or the halves of the batch.
func (m *Model) runInto(ctx context.Context, out, in []*tensor.Tensor) error {
	p, err := m.planOf(ctx, in)
	if err != nil {
		return m.runSplit(ctx, out, in, err)
	}
	defer m.release(p)
	if len(out) != len(p.out) {
		return m.wrongCount("outputs", len(out), len(p.out))
	}
	for i, l := range p.out {
		if err := checkOutput(p.outs[i].Name, l.desc, out[i]); err != nil {
			return err
		}
	}
	a, err := p.pool.take(ctx)
	if err != nil {
		return m.runSplit(ctx, out, in, nameNode(err, m.g.Name))
	}
	defer p.pool.give(a)
	return m.execute(ctx, p, a, in, out)
}

// checkOutput fails when a run cannot write to t.
func checkOutput(name string, want backend.TensorDesc, t *tensor.Tensor) error {
	got := "nil"
	if t != nil {
		if t.DType() == want.DType && t.Shape().Equal(want.Shape) {
			return nil
		}
		got = fmt.Sprintf("%v%v", t.DType(), t.Shape())
	}
	return &backend.ShapeError{Op: "Output", Node: name, Arg: "y", Got: got, Want: fmt.Sprintf("%v%v", want.DType, want.Shape)}
}

// outputs describes the outputs for these inputs.
func (m *Model) outputs(in []*tensor.Tensor) ([]backend.TensorDesc, error) {
	if p := m.cached(func(i int) tensor.Shape { return in[i].Shape() }); p != nil {
		defer m.release(p)
		return p.outputs(), nil
	}
	shapes := make([]tensor.Shape, len(in))
	for i, t := range in {
		shapes[i] = t.Shape()
	}
	bound, err := m.g.bind(m.ids, shapes)
	if err != nil {
		return nil, err
	}
	var descs []backend.TensorDesc
	for _, o := range m.g.outputs {
		descs = append(descs, o.Value.desc(bound[m.ids[o.Value]]))
	}
	return descs, nil
}

// outputs describes the outputs of the plan.
func (p *Plan) outputs() []backend.TensorDesc {
	descs := make([]backend.TensorDesc, len(p.out))
	for i, l := range p.out {
		descs[i] = l.desc
	}
	return descs
}

func (m *Model) checkInputs(in []*tensor.Tensor) error {
	if len(in) != len(m.g.inputs) {
		return m.wrongCount("inputs", len(in), len(m.g.inputs))
	}
	for i, t := range in {
		if t == nil {
			return &backend.ShapeError{Op: "Input", Node: m.g.inputs[i].name, Arg: "x", Got: "nil", Want: "a tensor"}
		}
		if err := m.g.checkInput(i, t.DType(), t.Shape()); err != nil {
			return err
		}
	}
	return nil
}

// planOf returns the plan for these inputs, in use.
func (m *Model) planOf(ctx context.Context, in []*tensor.Tensor) (*Plan, error) {
	if p := m.cached(func(i int) tensor.Shape { return in[i].Shape() }); p != nil {
		return p, nil
	}
	shapes := make([]tensor.Shape, len(in))
	for i, t := range in {
		shapes[i] = t.Shape()
	}
	return m.planFor(ctx, shapes)
}

// execute enqueues uploads and every step, and then waits for the outputs.
func (m *Model) execute(ctx context.Context, p *Plan, a *arena, in, out []*tensor.Tensor) error {
	for i, t := range in {
		if err := m.be.Write(ctx, a.in[i], t.Bytes()); err != nil {
			return nameNode(err, p.in[i].at.name)
		}
	}
	for i := range p.steps {
		s := &p.steps[i]
		if err := s.kernel.Run(ctx, a.args[i]); err != nil {
			return nameNode(err, s.name)
		}
	}
	for i, t := range out {
		if a.out[i] == nil {
			copy(t.Bytes(), p.outs[i].Value.konst.Bytes())
			continue
		}
		if err := m.be.Read(ctx, t.Bytes(), a.out[i]); err != nil {
			return nameNode(err, p.outs[i].Name)
		}
	}
	return nil
}
