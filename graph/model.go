package graph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Model is a graph that runs on a backend. Its methods may be called from many
// goroutines at once.
type Model struct {
	be     backend.Backend
	g      *Graph // optimised
	report Report
	ids    map[*Value]int
	limit  int  // plans
	arenas int  // a plan
	splits bool // a batch may be run in parts
	packed packed

	mu     sync.Mutex
	idle   sync.Cond // a run ended
	plans  []*Plan   // the one used last comes first
	runs   int
	closed bool

	closing  sync.Once
	closeErr error
}

// CompileOption changes how a graph is compiled.
type CompileOption func(*compileOptions)

type compileOptions struct {
	passes []Option
	plans  int
	arenas int
}

// WithPasses passes options to [Optimize].
func WithPasses(opts ...Option) CompileOption {
	return func(c *compileOptions) { c.passes = append(c.passes, opts...) }
}

// WithPlans sets how many plans, one for each set of input shapes, are kept; the
// default is 8. The one that was not used for longest goes first.
func WithPlans(n int) CompileOption { return func(c *compileOptions) { c.plans = max(n, 1) } }

// WithArenas sets how many runs of a plan may be in progress at once, each with an
// arena of its own; the default is 4. Further ones wait. Kernels use all cores, so
// more buys little.
func WithArenas(n int) CompileOption { return func(c *compileOptions) { c.arenas = max(n, 1) } }

// Compile optimises a copy of g and makes it ready for be. Plans are made when
// inputs of new shapes arrive, or by [Model.Plan]. The graph's constants are shared
// and must not change; be must outlive the model. It fails when a pass does, or be is
// closed or lost.
func Compile(ctx context.Context, g *Graph, be backend.Backend, opts ...CompileOption) (*Model, error) {
	c := compileOptions{plans: 8, arenas: 4}
	if g == nil || be == nil {
		return nil, errors.New("graph: Compile needs a graph and a backend")
	}
	if ctx == nil {
		return nil, &Error{Node: g.Name, Err: errNoContext}
	}
	for i, o := range opts {
		if o == nil {
			return nil, &Error{Node: g.Name, Err: fmt.Errorf("option %d of Compile is nil", i)}
		}
		o(&c)
	}
	if len(g.outputs) == 0 {
		return nil, &Error{Node: g.Name, Err: errors.New("the graph has no outputs")}
	}
	if err := usable(be); err != nil {
		return nil, &Error{Node: g.Name, Err: fmt.Errorf("the backend cannot be used: %w", err)}
	}
	eval := func(op backend.Op, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		return backend.RunOnce(ctx, be, op, in...)
	}
	g, report, err := Optimize(g, append([]Option{WithEvaluator(eval)}, c.passes...)...)
	if err != nil {
		return nil, err
	}
	dropViews(g)
	m := &Model{be: be, g: g, report: report, ids: g.number(), limit: c.plans, arenas: c.arenas}
	m.idle.L = &m.mu
	m.splits = g.splitsByBatch()
	m.packed.buffers = map[packKey]backend.Buffer{}
	return m, nil
}

// usable fails where nothing can run on be. A backend tells by refusing memory, of which
// none is asked; Sync would tell too, but wait for what others have enqueued.
func usable(be backend.Backend) error {
	b, err := be.Alloc(0)
	if err != nil {
		return err
	}
	return b.Close()
}

// Graph returns the optimised graph. The caller must not change it.
func (m *Model) Graph() *Graph { return m.g }

// Report says what the passes did.
func (m *Model) Report() Report { return m.report }

// WeightBytes returns the device memory that packed constants take.
func (m *Model) WeightBytes() int64 {
	m.packed.mu.Lock()
	defer m.packed.mu.Unlock()
	return m.packed.bytes
}

// Plan returns the plan for inputs of these shapes, for a look at it. It is made
// if it does not exist.
func (m *Model) Plan(ctx context.Context, shapes ...tensor.Shape) (*Plan, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.leave()
	if len(shapes) != len(m.g.inputs) {
		return nil, m.wrongCount("inputs", len(shapes), len(m.g.inputs))
	}
	for i, s := range shapes {
		if err := m.g.checkInput(i, m.g.inputs[i].dtype, s); err != nil {
			return nil, err
		}
	}
	p, err := m.planFor(ctx, shapes)
	if p != nil {
		m.release(p)
	}
	return p, err
}

func (m *Model) wrongCount(what string, got, want int) error {
	return &backend.ShapeError{Op: "Model", Node: m.g.Name, Arg: what, Got: fmt.Sprint(got), Want: fmt.Sprint(want)}
}

var errNoContext = errors.New("ctx is nil (context.Background() is one)")

// enter counts a use of the model, which Close waits for.
func (m *Model) enter(ctx context.Context) error {
	if ctx == nil {
		return &Error{Node: m.g.Name, Err: errNoContext}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return &Error{Node: m.g.Name, Err: backend.ErrClosed}
	}
	m.runs++
	return nil
}

// leave ends a use of the model.
func (m *Model) leave() {
	m.mu.Lock()
	m.runs--
	m.idle.Broadcast()
	m.mu.Unlock()
}

// cached returns the plan for inputs of these shapes, in use, or nil.
func (m *Model) cached(shape func(i int) tensor.Shape) *Plan {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.find(shape)
}

// find is cached for one who holds the lock.
func (m *Model) find(shape func(i int) tensor.Shape) *Plan {
next:
	for i, p := range m.plans {
		for k, s := range p.shapes {
			if !s.Equal(shape(k)) {
				continue next
			}
		}
		copy(m.plans[1:i+1], m.plans[:i])
		m.plans[0] = p
		p.refs++
		return p
	}
	return nil
}

// planFor returns the plan for the shapes, in use, and makes it if need be.
func (m *Model) planFor(ctx context.Context, shapes []tensor.Shape) (*Plan, error) {
	shape := func(i int) tensor.Shape { return shapes[i] }
	if p := m.cached(shape); p != nil {
		return p, nil
	}
	bound, err := m.g.bind(m.ids, shapes)
	if err != nil {
		return nil, err
	}
	p := &Plan{name: m.g.Name, outs: m.g.outputs, refs: 1}
	for _, s := range shapes {
		p.shapes = append(p.shapes, s.Clone())
	}
	p.pool.free = make(chan *arena, m.arenas)
	p.pool.make = func(context.Context) (*arena, error) { return m.newArena(p) }
	if err := m.lower(ctx, p, bound); err != nil {
		return nil, errors.Join(err, p.close())
	}
	m.mu.Lock()
	var old []*Plan
	use := m.find(shape)
	if use != nil { // another goroutine has made the same plan meanwhile
		old = append(old, p)
	} else {
		use, m.plans = p, slices.Insert(m.plans, 0, p)
	}
	for len(m.plans) > m.limit {
		last := m.plans[len(m.plans)-1]
		m.plans = m.plans[:len(m.plans)-1]
		if last.dead = true; last.refs == 0 {
			old = append(old, last)
		}
	}
	m.mu.Unlock()
	var errs []error
	for _, q := range old {
		errs = append(errs, q.close())
	}
	if err := errors.Join(errs...); err != nil {
		m.release(use)
		return nil, err
	}
	return use, nil
}

// release ends a use of p. An evicted plan is closed by its last user; an error of
// that has nobody to go to but the backend's ledger, which reports what stays open.
func (m *Model) release(p *Plan) {
	m.mu.Lock()
	p.refs--
	last := p.dead && p.refs == 0
	m.mu.Unlock()
	if last {
		p.close()
	}
}

// Close waits for runs in progress and releases plans, arenas and weights. It is
// idempotent: a further call waits for the first and returns what it did.
func (m *Model) Close() error {
	m.closing.Do(func() { m.closeErr = m.closeAll() })
	return m.closeErr
}

func (m *Model) closeAll() error {
	m.mu.Lock()
	m.closed = true
	for m.runs > 0 {
		m.idle.Wait()
	}
	plans := m.plans
	m.plans = nil
	m.mu.Unlock()
	var errs []error
	for _, p := range plans {
		errs = append(errs, p.close())
	}
	m.packed.mu.Lock()
	defer m.packed.mu.Unlock()
	for _, b := range m.packed.buffers {
		errs = append(errs, b.Close())
	}
	m.packed.buffers, m.packed.bytes = nil, 0
	return errors.Join(errs...)
}
