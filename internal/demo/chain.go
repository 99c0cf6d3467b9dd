package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// chain is the layers of a step on one backend, with all buffers: each kernel
// reads what the one before wrote, on the device.
type chain struct {
	be     backend.Backend
	input  backend.Buffer
	first  backend.TensorDesc // of the input
	stages []stage
	owned  []interface{ Close() error }
}

// stage is one kernel. A layer has one, or two when its input had to be brought
// into another layout first, or none (dropout).
type stage struct {
	layer  int
	kernel backend.Kernel
	args   backend.Args
	buf    backend.Buffer
	desc   backend.TensorDesc // of buf
}

// newChain prepares the layers and stores their weights.
func newChain(ctx context.Context, be backend.Backend, s *step) (_ *chain, err error) {
	c := &chain{be: be}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	cur := backend.F32(s.input.Shape()...)
	for i, l := range s.layers {
		if l.op == nil {
			continue
		}
		d := backend.DescOf(l.op, append([]*tensor.Tensor{s.input}, l.weights...)...)
		d.In[0] = cur
		k, err := be.Prepare(ctx, d)
		if errors.Is(err, errors.ErrUnsupported) && len(c.stages) > 0 && cur.Layout != backend.Plain {
			plain := cur
			plain.Layout = backend.Plain
			r, rerr := be.Prepare(ctx, backend.Desc{Op: backend.Reorder{}, In: []backend.TensorDesc{cur}, Out: []backend.TensorDesc{plain}})
			if rerr != nil {
				return nil, errors.Join(err, rerr)
			}
			if err := c.add(ctx, i, r, nil); err != nil {
				return nil, err
			}
			d.In[0] = plain
			k, err = be.Prepare(ctx, d)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		if err := c.add(ctx, i, k, l.weights); err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		cur = c.last().desc
	}
	return c, backend.Upload(ctx, be, c.input, c.first.Layout, s.input)
}

// add appends a kernel that reads the last buffer.
func (c *chain) add(ctx context.Context, layer int, k backend.Kernel, weights []*tensor.Tensor) error {
	c.owned = append(c.owned, k)
	info := k.Info()
	if len(c.stages) == 0 {
		b, err := c.alloc(info.InBytes(0))
		if err != nil {
			return err
		}
		c.input, c.first = b, info.In[0]
	}
	out, err := c.alloc(info.OutBytes(0))
	if err != nil {
		return err
	}
	in := []backend.Buffer{c.input}
	if len(c.stages) > 0 {
		in[0] = c.last().buf
	}
	for i, w := range weights {
		b, err := c.be.Pack(ctx, w, info.In[i+1], info.Formats[i+1])
		if err != nil {
			return err
		}
		c.owned = append(c.owned, b)
		in = append(in, b)
	}
	args := backend.Args{In: in, Out: []backend.Buffer{out}}
	if info.Workspace > 0 {
		if args.Workspace, err = c.alloc(info.Workspace); err != nil {
			return err
		}
	}
	c.stages = append(c.stages, stage{layer: layer, kernel: k, args: args, buf: out, desc: info.Out[0]})
	return nil
}

func (c *chain) alloc(bytes int64) (backend.Buffer, error) {
	b, err := c.be.Alloc(bytes)
	if err == nil {
		c.owned = append(c.owned, b)
	}
	return b, err
}

func (c *chain) last() stage { return c.stages[len(c.stages)-1] }

// run computes all layers and waits.
func (c *chain) run(ctx context.Context) error {
	for _, s := range c.stages {
		if err := s.kernel.Run(ctx, s.args); err != nil {
			return err
		}
	}
	return c.be.Sync(ctx)
}

// predict computes all layers from host to host: it uploads x and returns what the
// last layer wrote.
func (c *chain) predict(ctx context.Context, x *tensor.Tensor) (*tensor.Tensor, error) {
	if err := backend.Upload(ctx, c.be, c.input, c.first.Layout, x); err != nil {
		return nil, err
	}
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	return c.output(ctx, c.last().layer)
}

// output returns a host copy of what layer i, or the last one before it that has
// a kernel, wrote in the last run.
func (c *chain) output(ctx context.Context, layer int) (*tensor.Tensor, error) {
	for i := len(c.stages) - 1; i >= 0; i-- {
		if s := c.stages[i]; s.layer <= layer {
			return backend.Download(ctx, c.be, s.buf, s.desc)
		}
	}
	return nil, fmt.Errorf("demo: no layer up to %d has a kernel", layer)
}

// Timing repeats a run maxRuns times, or until timeLimit has passed and it ran
// minRuns times; after slowLimit it ends at once.
const (
	minRuns   = 3
	maxRuns   = 15
	timeLimit = 400 * time.Millisecond
	slowLimit = time.Second
)

// time returns the median wall time of the whole chain, waiting at its end, and of
// each layer alone, waiting after it. Preparing and uploading came before; reading
// back comes after.
func (c *chain) time(ctx context.Context, layers int) (times []time.Duration, all time.Duration, err error) {
	if all, err = median(func() error { return c.run(ctx) }); err != nil {
		return nil, 0, err
	}
	times = make([]time.Duration, layers)
	for _, s := range c.stages {
		d := all
		if len(c.stages) > 1 {
			if d, err = median(func() error {
				if err := s.kernel.Run(ctx, s.args); err != nil {
					return err
				}
				return c.be.Sync(ctx)
			}); err != nil {
				return nil, 0, err
			}
		}
		times[s.layer] += d
	}
	return times, all, nil
}

// median repeats f and returns the median of its times.
func median(f func() error) (time.Duration, error) {
	var times []time.Duration
	for start := time.Now(); ; {
		t := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		times = append(times, time.Since(t))
		past := time.Since(start)
		if n := len(times); n == maxRuns || n >= minRuns && past > timeLimit || past > slowLimit {
			break
		}
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

func (c *chain) close() error {
	var errs []error
	for _, o := range slices.Backward(c.owned) {
		errs = append(errs, o.Close())
	}
	c.owned = nil
	return errors.Join(errs...)
}
