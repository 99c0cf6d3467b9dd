package backendtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// life tests buffers, ownership, use after Close, contexts and concurrency.
func life(s *suite, r reporter, family string) {
	for _, t := range []struct {
		name string
		run  func(*suite, reporter)
	}{
		{"describe", (*suite).describe},
		{"buffers", (*suite).buffers},
		{"slices", (*suite).slices},
		{"arguments", (*suite).arguments},
		{"foreign-buffers", (*suite).foreign},
		{"pack", (*suite).packs},
		{"closed-buffer", (*suite).closedBuffer},
		{"closed-kernel", (*suite).closedKernel},
		{"closed-backend", (*suite).closedBackend},
		{"leak", (*suite).leak},
		{"contexts", (*suite).contexts},
		{"many-goroutines", (*suite).goroutines},
		{"many-preparing", (*suite).preparing},
		{"allocations", (*suite).allocations},
		{"options", (*suite).options},
	} {
		s.test(r, family, t.name, func(r reporter) {
			s.tally(family).runs++
			t.run(s, r)
		})
	}
}

// reluDesc is the simplest kernel: y = max(x, 0) of n elements.
func reluDesc(n int) backend.Desc { return desc(backend.Activation{}, backend.F32(n)) }

func (s *suite) alloc(r reporter, be backend.Backend, n int64) backend.Buffer {
	b, err := be.Alloc(n)
	if err != nil {
		r.Fatalf("Alloc(%d): %v", n, err)
	}
	if b.Bytes() != n {
		r.Errorf("Alloc(%d): Bytes is %d", n, b.Bytes())
	}
	return b
}

func (s *suite) prepare(r reporter, be backend.Backend, d backend.Desc) backend.Kernel {
	k, err := be.Prepare(ctx, d)
	if err != nil {
		r.Fatalf("prepare %s: %v", show(d), err)
	}
	return k
}

// reopen opens another device; its Close must succeed.
func (s *suite) reopen(r reporter, opts ...backend.Option) backend.Backend {
	be, err := s.open(opts...)
	if err != nil {
		r.Fatalf("open: %v", err)
	}
	return be
}

func (s *suite) describe(r reporter) {
	if s.be.Name() == "" || s.be.Device().Backend != s.be.Name() || s.be.Device().Name == "" {
		r.Errorf("Name %q, Device %+v", s.be.Name(), s.be.Device())
	}
	c := s.be.Caps()
	if c.OffsetAlign < 0 || c.MaxBuffer < 0 || c.MaxBinding < 0 || len(c.Layouts) == 0 {
		r.Errorf("Caps: %+v", c)
	}
	for _, l := range c.Layouts {
		if l.Order == backend.OrderAny {
			r.Errorf("Caps.Layouts holds Any: %v", c.Layouts)
		}
	}
}

func (s *suite) buffers(r reporter) {
	empty := s.alloc(r, s.be, 0)
	if err := s.be.Read(ctx, nil, empty); err != nil {
		r.Errorf("read of nothing: %v", err)
	}
	if err := s.be.Write(ctx, empty, nil); err != nil {
		r.Errorf("write of nothing: %v", err)
	}
	closing(r, empty)
	for _, n := range []int64{1, 3, 4, 63, 4095, 4096, 4097, 1 << 20} {
		b := s.alloc(r, s.be, n)
		want := make([]byte, n)
		for i := range want {
			want[i] = byte(i*7 + i/256)
		}
		src := bytes.Clone(want)
		if err := s.be.Write(ctx, b, src); err != nil {
			r.Fatalf("write %d bytes: %v", n, err)
		}
		clear(src) // may be reused at once
		got := make([]byte, n)
		if err := s.be.Read(ctx, got, b); err != nil || !bytes.Equal(got, want) {
			r.Errorf("read %d bytes: %v, byte %d differs", n, err, differs(want, got))
		}
		if err := s.be.Write(ctx, b, make([]byte, n+1)); err == nil {
			r.Errorf("a write of %d bytes to %d succeeded", n+1, n)
		}
		if err := s.be.Read(ctx, make([]byte, n+1), b); err == nil {
			r.Errorf("a read of %d bytes of %d succeeded", n+1, n)
		}
		if n > 4 { // a part
			if err := s.be.Write(ctx, b, []byte{9, 8, 7, 6}); err != nil {
				r.Errorf("write 4 bytes: %v", err)
			}
			copy(want, []byte{9, 8, 7, 6})
			if err := s.be.Read(ctx, got[:5], b); err != nil || !bytes.Equal(got[:5], want[:5]) {
				r.Errorf("read 5 bytes: %v, got % x, want % x", err, got[:5], want[:5])
			}
		}
		closing(r, b)
		closing(r, b)
	}
	if b, err := s.be.Alloc(-1); err == nil {
		r.Errorf("Alloc(-1) succeeded")
		closing(r, b)
	}
	limit := s.be.Caps().MaxBuffer
	if limit == 0 {
		limit = 1 << 61
	}
	for _, n := range []int64{limit + 1, math.MaxInt64} {
		if b, err := s.be.Alloc(n); err == nil {
			r.Errorf("Alloc(%d) succeeded; MaxBuffer is %d", n, s.be.Caps().MaxBuffer)
			closing(r, b)
		} else if !limited(err) {
			r.Errorf("Alloc(%d): got error %q, want a *LimitError", n, err)
		}
	}
	if err := s.be.Sync(ctx); err != nil {
		r.Errorf("sync: %v", err)
	}
}

func (s *suite) slices(r reporter) {
	a := max(s.be.Caps().OffsetAlign, 4)
	b := s.alloc(r, s.be, 4*a)
	defer closing(r, b)
	slice := func(of backend.Buffer, offset, n int64) backend.Buffer {
		p, err := of.Slice(offset, n)
		if err != nil {
			r.Fatalf("slice %d bytes from %d: %v", n, offset, err)
		}
		return p
	}
	back := slice(slice(b, a, 3*a), a, a+1) // from 2a
	if back.Bytes() != a+1 {
		r.Errorf("a slice of %d bytes: Bytes is %d", a+1, back.Bytes())
	}
	slice(b, 4*a, 0)
	if err := s.be.Write(ctx, b, bytes.Repeat([]byte{1}, int(4*a))); err != nil {
		r.Fatalf("write: %v", err)
	}
	if err := s.be.Write(ctx, back, []byte{5, 6}); err != nil {
		r.Fatalf("write to a slice: %v", err)
	}
	if err := s.be.Write(ctx, back, make([]byte, a+2)); err == nil {
		r.Errorf("a write beyond the end of a slice succeeded")
	}
	if err := s.be.Read(ctx, make([]byte, a+2), back); err == nil {
		r.Errorf("a read beyond the end of a slice succeeded")
	}
	got := make([]byte, 4*a)
	if err := s.be.Read(ctx, got, b); err != nil || got[2*a-1] != 1 || got[2*a] != 5 || got[2*a+1] != 6 || got[2*a+2] != 1 {
		r.Errorf("after a write to a slice: %v, % x", err, got[2*a-1:2*a+3])
	}
	for _, bad := range [][2]int64{{-a, a}, {0, -1}, {0, 4*a + 1}, {4 * a, 1}, {5 * a, 0}, {a, math.MaxInt64}, {math.MaxInt64 / a * a, a}} {
		if _, err := b.Slice(bad[0], bad[1]); err == nil {
			r.Errorf("Slice(%d, %d) of %d bytes succeeded", bad[0], bad[1], 4*a)
		}
	}
	if al := s.be.Caps().OffsetAlign; al > 1 {
		if _, err := b.Slice(al/2, 1); err == nil {
			r.Errorf("Slice at %d succeeded; OffsetAlign is %d", al/2, al)
		}
	}
	closing(r, back) // does nothing
	if err := s.be.Read(ctx, got[:2], back); err != nil || got[0] != 5 {
		r.Errorf("a slice after its Close: %v", err)
	}
}

// arguments tests what Run must refuse.
func (s *suite) arguments(r reporter) {
	const n = 256
	k := s.prepare(r, s.be, reluDesc(n))
	defer closing(r, k)
	x, y, small := s.alloc(r, s.be, 4*n), s.alloc(r, s.be, 4*n), s.alloc(r, s.be, 4*n-4)
	for _, b := range []backend.Buffer{x, y, small} {
		defer closing(r, b)
	}
	type list = []backend.Buffer
	for i, a := range []backend.Args{{}, {In: list{x}}, {In: list{x, x}, Out: list{y}}, {In: list{x}, Out: list{y, y}},
		{In: list{nil}, Out: list{y}}, {In: list{x}, Out: list{nil}}, {In: list{small}, Out: list{y}}, {In: list{x}, Out: list{small}}} {
		if err := k.Run(ctx, a); !isShape(err) {
			r.Errorf("run with wrong buffers %d: got error %v, want a *ShapeError", i, err)
		}
	}
	if err := k.Run(ctx, backend.Args{In: list{x}, Out: list{y}}); err != nil {
		r.Errorf("run after refused ones: %v", err)
	}
	if err := s.be.Sync(ctx); err != nil {
		r.Errorf("sync: %v", err)
	}
}

// alien is a buffer of no backend.
type alien struct{}

func (alien) Bytes() int64                                 { return 1 << 20 }
func (a alien) Slice(int64, int64) (backend.Buffer, error) { return a, nil }
func (alien) Close() error                                 { return nil }

func (s *suite) foreign(r reporter) {
	const n = 64
	k := s.prepare(r, s.be, reluDesc(n))
	defer closing(r, k)
	x := s.alloc(r, s.be, 4*n)
	defer closing(r, x)
	other := s.reopen(r)
	defer closing(r, other)
	strange := s.alloc(r, other, 4*n)
	defer closing(r, strange)
	for what, b := range map[string]backend.Buffer{"another device of the backend": strange, "another implementation": alien{}} {
		part, err := b.Slice(0, 4*n)
		if err != nil {
			r.Fatalf("slice: %v", err)
		}
		for _, b := range []backend.Buffer{b, part} {
			if k.Run(ctx, backend.Args{In: []backend.Buffer{b}, Out: []backend.Buffer{x}}) == nil ||
				k.Run(ctx, backend.Args{In: []backend.Buffer{x}, Out: []backend.Buffer{b}}) == nil {
				r.Errorf("run with a buffer of %s succeeded", what)
			}
			if s.be.Write(ctx, b, make([]byte, 4)) == nil {
				r.Errorf("write to a buffer of %s succeeded", what)
			}
			if s.be.Read(ctx, make([]byte, 4), b) == nil {
				r.Errorf("read of a buffer of %s succeeded", what)
			}
		}
	}
	if s.be.Write(ctx, nil, make([]byte, 4)) == nil || s.be.Read(ctx, make([]byte, 4), nil) == nil {
		r.Errorf("write to or read of a nil buffer succeeded")
	}
}

// packs tests Pack beside what all cases do with it.
func (s *suite) packs(r reporter) {
	t := tensor.Must(tensor.From([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 1, 3, 2, 2))
	for _, l := range []backend.Layout{backend.Any, backend.Plain, backend.ChannelsLast, backend.ChannelsLast4} {
		d := backend.Of(t)
		d.Layout = l
		b, err := s.be.Pack(ctx, t, d, nil)
		if l == backend.Any {
			d.Layout = backend.Plain
		}
		if err != nil {
			r.Errorf("pack without a format as %v: %v", l, err)
			continue
		}
		got := make([]byte, d.Bytes())
		if err := s.be.Read(ctx, got, b); err != nil || !bytes.Equal(got, store(t, d)) {
			r.Errorf("pack without a format as %v: %v, got % x, want % x", l, err, got, store(t, d))
		}
		closing(r, b)
	}
	bad := func(what string, t *tensor.Tensor, d backend.TensorDesc, f backend.Format) {
		if b, err := s.be.Pack(ctx, t, d, f); err == nil {
			r.Errorf("pack with %s succeeded", what)
			closing(r, b)
		}
	}
	bad("a nil tensor", nil, backend.Of(t), nil)
	bad("another shape", t, backend.F32(3, 4), nil)
	bad("another type", t, backend.TensorDesc{DType: tensor.Int32, Shape: t.Shape(), Layout: backend.Plain}, nil)
	bad("a format of another backend", t, backend.Of(t), alienFormat{})
}

type alienFormat struct{}

func (alienFormat) String() string { return "alien" }
func (alienFormat) Bytes() int64   { return 48 }

func wantClosed(r reporter, what string, err error) {
	if !errors.Is(err, backend.ErrClosed) {
		r.Errorf("%s: got error %v, want ErrClosed", what, err)
	}
}

func (s *suite) closedBuffer(r reporter) {
	const n = 64
	k := s.prepare(r, s.be, reluDesc(n))
	defer closing(r, k)
	x, y := s.alloc(r, s.be, 4*n), s.alloc(r, s.be, 4*n)
	defer closing(r, y)
	part, err := x.Slice(0, 4*n)
	if err != nil {
		r.Fatalf("slice: %v", err)
	}
	closing(r, x)
	for what, b := range map[string]backend.Buffer{"a closed buffer": x, "a slice of a closed buffer": part} {
		wantClosed(r, "write to "+what, s.be.Write(ctx, b, make([]byte, 4)))
		wantClosed(r, "read of "+what, s.be.Read(ctx, make([]byte, 4), b))
		wantClosed(r, "run on "+what, k.Run(ctx, backend.Args{In: []backend.Buffer{b}, Out: []backend.Buffer{y}}))
		wantClosed(r, "run into "+what, k.Run(ctx, backend.Args{In: []backend.Buffer{y}, Out: []backend.Buffer{b}}))
		_, err := b.Slice(0, 4)
		wantClosed(r, "slice of "+what, err)
		closing(r, b)
	}
}

func (s *suite) closedKernel(r reporter) {
	const n = 64
	k := s.prepare(r, s.be, reluDesc(n))
	x, y := s.alloc(r, s.be, 4*n), s.alloc(r, s.be, 4*n)
	defer closing(r, x)
	defer closing(r, y)
	args := backend.Args{In: []backend.Buffer{x}, Out: []backend.Buffer{y}}
	if err := k.Run(ctx, args); err != nil {
		r.Errorf("run: %v", err)
	}
	closing(r, k)
	closing(r, k)
	wantClosed(r, "run of a closed kernel", k.Run(ctx, args))
}

func (s *suite) closedBackend(r reporter) {
	const n = 64
	be := s.reopen(r)
	k, x := s.prepare(r, be, reluDesc(n)), s.alloc(r, be, 4*n)
	if l := be.Live(); l != (backend.Live{Buffers: 1, Kernels: 1, Bytes: 4 * n}) {
		r.Errorf("ledger with one kernel and one buffer of %d bytes: %+v", 4*n, l)
	}
	closing(r, k)
	closing(r, x)
	if l := be.Live(); !l.Zero() {
		r.Errorf("ledger: got %+v, want zero", l)
	}
	closing(r, be)
	closing(r, be)
	_, err := be.Alloc(4)
	wantClosed(r, "Alloc on a closed backend", err)
	_, err = be.Prepare(ctx, reluDesc(n))
	wantClosed(r, "Prepare on a closed backend", err)
	t := tensor.Must(tensor.New(tensor.Float32, 4))
	_, err = be.Pack(ctx, t, backend.Of(t), nil)
	wantClosed(r, "Pack on a closed backend", err)
	wantClosed(r, "Sync on a closed backend", be.Sync(ctx))
	wantClosed(r, "Write on a closed backend", be.Write(ctx, x, make([]byte, 4)))
	wantClosed(r, "Read on a closed backend", be.Read(ctx, make([]byte, 4), x))
	if be.Name() == "" {
		r.Errorf("a closed backend has no name")
	}
}

// leak closes a backend whose buffers and kernels are open.
func (s *suite) leak(r reporter) {
	const n = 64
	be := s.reopen(r)
	k, x, y := s.prepare(r, be, reluDesc(n)), s.alloc(r, be, 4*n), s.alloc(r, be, 4*n)
	args := backend.Args{In: []backend.Buffer{x}, Out: []backend.Buffer{y}}
	if err := k.Run(ctx, args); err != nil {
		r.Errorf("run: %v", err)
	}
	part, err := x.Slice(0, 4*n)
	if err != nil {
		r.Fatalf("slice: %v", err)
	}
	err = be.Close()
	var l *backend.LeakError
	if !errors.As(err, &l) || l.Live != (backend.Live{Buffers: 2, Kernels: 1, Bytes: 8 * n}) {
		r.Errorf("close with a kernel and two buffers open: got error %v, want a *LeakError that counts them", err)
	}
	wantClosed(r, "run after the backend's Close", k.Run(ctx, args))
	wantClosed(r, "read after the backend's Close", be.Read(ctx, make([]byte, 4), y))
	_, again := part.Slice(0, 4)
	wantClosed(r, "slice after the backend's Close", again)
	for _, c := range []interface{ Close() error }{k, x, y} {
		closing(r, c)
	}
	if again := be.Close(); fmt.Sprint(again) != fmt.Sprint(err) {
		r.Errorf("second close: got error %v, want that of the first: %v", again, err)
	}
}

// contexts tests that a cancelled context ends waiting and harms nothing.
func (s *suite) contexts(r reporter) {
	const n = 1024
	k := s.prepare(r, s.be, reluDesc(n))
	defer closing(r, k)
	x, y := s.alloc(r, s.be, 4*n), s.alloc(r, s.be, 4*n)
	defer closing(r, x)
	defer closing(r, y)
	in := s.inputs(r, reluDesc(n), check.Normal)[0]
	args := backend.Args{In: []backend.Buffer{x}, Out: []backend.Buffer{y}}
	done, cancel := context.WithCancel(ctx)
	cancel()
	mem := make([]byte, 4*n)
	for what, err := range map[string]error{
		"write": s.be.Write(done, x, in.Bytes()), "read": s.be.Read(done, mem, y), "sync": s.be.Sync(done), "run": k.Run(done, args),
	} {
		if err != nil && !errors.Is(err, context.Canceled) {
			r.Errorf("%s with a cancelled context: got error %v, want none or context.Canceled", what, err)
		}
	}
	if again, err := s.be.Prepare(done, reluDesc(n)); err == nil {
		closing(r, again)
	} else if !errors.Is(err, context.Canceled) {
		r.Errorf("prepare with a cancelled context: got error %v", err)
	}
	if err := errors.Join(s.be.Write(ctx, x, in.Bytes()), k.Run(ctx, args), s.be.Read(ctx, mem, y)); err != nil {
		r.Fatalf("after cancelled calls: %v", err)
	}
	for i, v := range in.Float32s() {
		if got := float(mem, i); got != max(v, 0) {
			r.Errorf("after cancelled calls: element %d: got %v, want %v", i, got, max(v, 0))
			return
		}
	}
}

// goroutines runs one kernel from 64 goroutines at once, each with its own output
// and workspace.
func (s *suite) goroutines(r reporter) {
	d := convDesc(backend.Conv{Window: backend.Window{Pads: pads(2, 1)}, Bias: true}, shape{1, 9, 8, 10}, shape{13, 9, 3, 3})
	in := s.inputs(r, d, check.Normal)
	want, ok := s.calc(r, "life", "many-goroutines", d, in)
	if !ok {
		return
	}
	k := s.prepare(r, s.be, d)
	defer closing(r, k)
	parallel(r, 64, func(int) error {
		for range 3 {
			got, err := execute(s.be, k, in)
			if err != nil {
				return err
			}
			if !bytes.Equal(got[0].Bytes(), want[0].Bytes()) {
				return errors.New("another result than alone")
			}
		}
		return nil
	})
}

// preparing prepares, packs, runs and closes different ops from 64 goroutines.
func (s *suite) preparing(r reporter) {
	descs := []backend.Desc{
		convDesc(backend.Conv{}, shape{1, 9, 8, 10}, shape{13, 9, 3, 3}),
		denseDesc(backend.Dense{Bias: true}, shape{3, 40}, 21),
		desc(backend.MaxPool{Window: backend.Window{Kernel: shape{2, 2}}}, backend.F32(1, 5, 7, 8)),
		desc(backend.Softmax{Axis: 1}, backend.F32(3, 50)),
		desc(backend.GroupNorm{Groups: 3}, backend.F32(2, 9, 4, 5), backend.F32(9), backend.F32(9)),
	}
	type job struct{ in, want []*tensor.Tensor }
	jobs := make([]job, len(descs))
	for i, d := range descs {
		in := s.inputs(r, d, check.Normal)
		want, ok := s.calc(r, "life", "many-preparing", d, in)
		if !ok {
			return
		}
		jobs[i] = job{in, want}
	}
	parallel(r, 64, func(n int) error {
		i := n % len(jobs)
		got, err := backend.RunDesc(ctx, s.be, descs[i], jobs[i].in...)
		if err != nil {
			return err
		}
		if !bytes.Equal(got[0].Bytes(), jobs[i].want[0].Bytes()) {
			return fmt.Errorf("%s: another result than alone", show(descs[i]))
		}
		return nil
	})
}

// parallel calls f from n goroutines at once.
func parallel(r reporter, n int, f func(i int) error) {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			r.Errorf("goroutine %d of %d: %v", i, n, err)
			return
		}
	}
}

// allocations tests that a run with the same arguments takes no memory of Go.
func (s *suite) allocations(r reporter) {
	if raceEnabled {
		r.Logf("not counted under the race detector, which allocates itself")
		return
	}
	for _, d := range []backend.Desc{
		convDesc(backend.Conv{Window: backend.Window{Pads: pads(2, 1)}, Bias: true, Epilogue: backend.Epilogue{relu}}, shape{1, 9, 8, 10}, shape{13, 9, 3, 3}),
		desc(backend.MaxPool{Window: backend.Window{Kernel: shape{2, 2}}}, backend.F32(1, 5, 7, 8)),
		denseDesc(backend.Dense{}, shape{3, 40}, 21),
	} {
		inst, err := backend.NewInstance(ctx, s.be, d)
		if err != nil {
			if !errors.Is(err, errors.ErrUnsupported) {
				r.Errorf("%s: %v", show(d), err)
			}
			continue
		}
		for i, t := range s.inputs(r, d, check.Normal) {
			if err := inst.SetInput(ctx, i, t); err != nil {
				r.Errorf("%s: %v", show(d), err)
			}
		}
		var failed error
		run := func() {
			if err := inst.Run(ctx); err != nil {
				failed = err
			}
		}
		for range 100 { // pools fill: more runs under way at once than are counted below
			run()
		}
		if err := s.be.Sync(ctx); err != nil {
			r.Errorf("%s: %v", show(d), err)
		}
		if n := testing.AllocsPerRun(30, run); n > 0 {
			r.Errorf("%s: a run allocates %v times, want 0", show(d), n)
		}
		if err := errors.Join(failed, s.be.Sync(ctx), inst.Close()); err != nil {
			r.Errorf("%s: %v", show(d), err)
		}
	}
}

// options tests what must be refused when opening.
func (s *suite) options(r reporter) {
	for what, o := range map[string]backend.Option{
		"an unknown variant": backend.WithVariant("no such variant"), "a device that is not there": backend.WithDevice(9999),
	} {
		be, err := s.open(o)
		if err == nil {
			r.Errorf("open with %s succeeded", what)
			closing(r, be)
			continue
		}
		if be != nil {
			r.Errorf("open with %s: a backend beside the error", what)
		}
	}
}

// float returns element i of a float32 buffer.
func float(mem []byte, i int) float32 {
	t := tensor.Must(tensor.New(tensor.Float32, 1))
	copy(t.Bytes(), mem[4*i:4*i+4])
	return t.Float32s()[0]
}
