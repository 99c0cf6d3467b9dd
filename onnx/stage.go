package onnx

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

// stage is a part of a run made ready: work on the host, then a graph on the device.
type stage struct {
	open   bool                      // serves sources of all shapes
	shapes map[string]tensor.Shape   // of its sources
	made   map[string]*tensor.Tensor // contents that it was made for

	steps  []hostStep
	ranges []indexRange
	feeds  []feed
	model  *graph.Model // nil when the device has nothing to do
	outs   []stageOutput
	alias  []rename
	consts map[string]*tensor.Tensor

	folded []NodeInfo
	limit  int64               // bytes that the host may take in a run
	elems  map[string]ElemType // of what the stage leaves behind
	rest   []*node

	mu   sync.Mutex
	next []*stage // made so far, the last used first
	refs int      // runs that use the stage; guarded by the stage's before it
}

// stageOutput is an output of the graph that becomes the content of a value.
type stageOutput struct {
	name string
	v    *value
}

// rename gives a content a further name.
type rename struct{ to, from string }

// input adds an input of the model as a source.
func (b *builder) input(v ValueInfo, shape graph.Shape, t *tensor.Tensor) {
	elem := v.Type
	if elem.Float() {
		elem = Float32
	}
	b.source(v.Name, elem, shape, t)
}

// outputs makes a stage of what was added: the wanted values and what the rest reads are
// left behind. The graph has its outputs then, but is not compiled.
func (b *builder) outputs(wanted []ValueInfo) (*stage, error) {
	s := &stage{shapes: map[string]tensor.Shape{}, made: map[string]*tensor.Tensor{}, steps: b.steps, ranges: b.ranges,
		consts: map[string]*tensor.Tensor{}, folded: b.folded, limit: b.m.folded, elems: map[string]ElemType{}, rest: b.rest}
	done, outputs := map[string]bool{}, map[string]bool{}
	leave := func(name string) error {
		if name == "" || done[name] {
			return nil
		}
		done[name] = true
		v, err := b.lookup(name)
		if err != nil {
			return err
		}
		switch {
		case v.late:
			return nil
		case v.known() || v.source:
			if !v.varies {
				if !sameContent(v.data) {
					return fmt.Errorf("output %s: %w", pb.Quote(name), errShapes)
				}
				s.consts[name] = v.data[0]
			} else if v.name != name {
				s.alias = append(s.alias, rename{name, v.name})
			}
		default:
			shown := b.numbered(pb.Printable(name), func(s string) bool { return outputs[s] })
			if err := b.g.Output(shown, v.dev); err != nil {
				return err
			}
			outputs[shown] = true
			s.outs = append(s.outs, stageOutput{name, v})
		}
		s.elems[name] = v.elem
		return nil
	}
	for _, v := range wanted {
		if err := leave(v.Name); err != nil {
			return nil, err
		}
	}
	for _, n := range b.rest {
		for _, name := range n.Inputs {
			if _, ok := b.m.inits[name]; ok {
				continue // the next stage finds it in the file
			}
			if err := leave(name); err != nil {
				return nil, err
			}
		}
	}
	s.feeds = b.feeds
	for _, v := range b.demanded {
		s.made[v.name] = v.data[0].Clone() // which may be the caller's, to be filled again
	}
	return s, nil
}

// compile makes the stage's graph ready. What no output needs is not compiled.
func (s *stage) compile(ctx context.Context, g *graph.Graph, be backend.Backend, opts []graph.CompileOption) error {
	if len(s.outs) == 0 {
		s.feeds = nil
		return nil
	}
	var err error
	s.model, err = graph.Compile(ctx, g, be, opts...)
	return err
}

// serves reports whether the stage was made for these contents.
func (s *stage) serves(env map[string]*tensor.Tensor) bool {
	if s.open {
		return true
	}
	for name, shape := range s.shapes {
		if t := env[name]; t == nil || !t.Shape().Equal(shape) {
			return false
		}
	}
	for name, want := range s.made {
		if !env[name].Equal(want) {
			return false
		}
	}
	return true
}

// run computes the stage: it reads its sources from env and leaves its outputs there.
func (s *stage) run(ctx context.Context, env map[string]*tensor.Tensor, run func(Stage) ([]*tensor.Tensor, error)) error {
	limit := newBudget(s.limit)
	for _, step := range s.steps {
		in := make([]*tensor.Tensor, len(step.in))
		for i, v := range step.in {
			if v == nil {
				continue
			}
			if in[i] = v.data[0]; v.varies {
				in[i] = env[v.name]
			}
		}
		out, err := step.n.evaluate(in, limit)
		if err != nil {
			return fmt.Errorf("node %s: %w", step.n.info.label(), err)
		}
		for i, v := range step.out {
			if v != nil {
				env[v.name] = out[i]
			}
		}
	}
	for _, r := range s.ranges {
		if t := env[r.name]; t != nil {
			if err := r.check(t); err != nil {
				return err
			}
		}
	}
	in := make([]*tensor.Tensor, len(s.feeds))
	for i, f := range s.feeds {
		t, err := toDevice(env[f.name])
		if err != nil {
			return fmt.Errorf("value %s: %w", pb.Quote(f.name), err)
		}
		in[i] = t
	}
	var out []*tensor.Tensor
	var err error
	if run != nil {
		t := Stage{Folded: s.folded, Model: s.model, Inputs: in}
		for _, step := range s.steps {
			t.Host = append(t.Host, step.n.info)
		}
		out, err = run(t)
	} else if s.model != nil {
		out, err = s.model.Run(ctx, in...)
	}
	if err != nil {
		return err
	}
	if len(out) != len(s.outs) {
		return fmt.Errorf("got %d outputs of a stage, want %d", len(out), len(s.outs))
	}
	for i, o := range s.outs {
		if out[i] == nil {
			return fmt.Errorf("value %s: got no tensor for it", pb.Quote(o.name))
		}
		if env[o.name], err = o.v.content(out[i]); err != nil {
			return fmt.Errorf("value %s: %w", pb.Quote(o.name), err)
		}
	}
	for name, t := range s.consts {
		env[name] = t
	}
	for _, a := range s.alias {
		env[a.to] = env[a.from]
	}
	return nil
}

// close releases the stage and those that follow it.
func (s *stage) close() error {
	var errs []error
	if s.model != nil {
		errs = append(errs, s.model.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.next {
		errs = append(errs, n.close())
	}
	return errors.Join(errs...)
}
