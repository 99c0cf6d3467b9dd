package graph

import (
	"context"
	"errors"
	"sync"

	"github.com/convgl/convgl/backend"
)

// arenas are the memory of a plan's runs: one arena a run in progress, kept for
// the next.
type arenas struct {
	make func(ctx context.Context) (*arena, error)
	free chan *arena // its capacity is the number of arenas
	mu   sync.Mutex
	made []*arena
}

// arena is the memory of one run, cut up into the arguments of every step.
type arena struct {
	mem     backend.Buffer
	args    []backend.Args // of each step
	in, out []backend.Buffer
}

// take returns an arena that no other run uses. With all in use, or no memory for
// a further one, it waits for one, or until ctx is done.
func (a *arenas) take(ctx context.Context) (*arena, error) {
	select {
	case s := <-a.free:
		return s, nil
	default:
	}
	if s, err := a.grow(ctx); s != nil || err != nil {
		return s, err
	}
	select {
	case s := <-a.free:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// grow makes an arena unless there are enough, or it fails for want of memory
// that others of the plan hold.
func (a *arenas) grow(ctx context.Context) (*arena, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.made) >= cap(a.free) {
		return nil, nil
	}
	s, err := a.make(ctx)
	if err != nil {
		if isLimit(err) && len(a.made) > 0 {
			return nil, nil
		}
		return nil, err
	}
	a.made = append(a.made, s)
	return s, nil
}

func (a *arenas) give(s *arena) { a.free <- s }

func (a *arenas) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for _, s := range a.made {
		errs = append(errs, s.mem.Close())
	}
	a.made = nil
	return errors.Join(errs...)
}

// newArena allocates an arena of p and cuts it up.
func (m *Model) newArena(p *Plan) (_ *arena, err error) {
	mem, err := m.be.Alloc(p.arena)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, mem.Close())
		}
	}()
	a := &arena{mem: mem, args: make([]backend.Args, len(p.steps))}
	cut := func(s *storage, bytes int64) (b backend.Buffer) {
		if err == nil {
			b, err = mem.Slice(s.offset, bytes)
		}
		return b
	}
	for i, s := range p.steps {
		info, args := s.kernel.Info(), &a.args[i]
		for j, o := range s.in {
			b := o.konst
			if o.at != nil {
				b = cut(o.at, info.InBytes(j))
			}
			args.In = append(args.In, b)
		}
		for j, o := range s.out {
			args.Out = append(args.Out, cut(o, info.OutBytes(j)))
		}
		if s.workspace != nil {
			args.Workspace = cut(s.workspace, info.Workspace)
		}
	}
	for _, l := range p.in {
		a.in = append(a.in, cut(l.at, l.desc.Bytes()))
	}
	for _, l := range p.out {
		var b backend.Buffer
		if l.at != nil {
			b = cut(l.at, l.desc.Bytes())
		}
		a.out = append(a.out, b)
	}
	return a, err
}
