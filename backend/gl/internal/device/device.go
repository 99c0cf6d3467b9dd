//go:build cgo

package device

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/go-gl/gl/v4.3-core/gl"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/egl"
)

// Context is what a device needs of an OpenGL context. *egl.Context and
// *glfwctx.Context are ones. MakeCurrent and Release are called on the device's
// thread, Destroy after Release.
type Context interface {
	MakeCurrent() error
	Release() error
	Destroy() error
	// ProcAddr returns the address of a GL function, or nil.
	ProcAddr(name string) unsafe.Pointer
	// String names the context in errors.
	String() string
}

// Options say how a device is opened. The zero value tries every place for a
// hardware or software context.
type Options struct {
	// Index is the place in egl.List to open, plus one; 0 tries all in order.
	Index int
	// HardwareOnly refuses software renderers.
	HardwareOnly bool
	// Debug asks for a debug context, turns its messages into errors, and checks
	// for GL errors after each command.
	Debug bool
	// CacheDir holds program binaries. "" is the folder convgl in
	// os.UserCacheDir. The environment variable CONVGL_SHADER_CACHE=off turns the
	// disk cache off.
	CacheDir string
	// QueueDepth is how many commands may wait before Do waits too; 0 is 1024.
	QueueDepth int
	// PoolBytes is how much memory closed buffers may hold for reuse; 0 is
	// 256 MiB, less than 0 none.
	PoolBytes int64
}

// Device is an open OpenGL device.
type Device struct {
	ctx    Context
	opt    Options
	info   Info
	limits Limits

	queue  chan command
	dead   chan struct{} // closed when the thread has ended
	state  atomic.Int32  // open, closed or lost
	sticky atomic.Pointer[stickyError]

	closeOnce sync.Once
	closeErr  error

	pool     pool
	programs programs
	stats    counters
}

const (
	stateOpen int32 = iota
	stateLost
	stateClosed
)

type stickyError struct{ err error }

// command is one entry of the queue: fn with an optional waiter, or the end.
type command struct {
	fn   func(*Thread) error
	wait *waiter
	quit bool
}

// waiter is told once how a command ended.
type waiter struct{ done chan error }

// tell answers; only the first answer counts.
func (w *waiter) tell(err error) {
	select {
	case w.done <- err:
	default:
	}
}

// ErrIndex says that there is no place of the index asked for.
var ErrIndex = errors.New("no such device")

// ErrSoftware says that a context was made, but by a software renderer, where
// hardware was asked for.
var ErrSoftware = errors.New("a software renderer, hardware was asked for")

// Open opens a device on an EGL context: the one asked for, or the first that
// gives OpenGL 4.3 and, with HardwareOnly, is not a software renderer. The error
// names every place tried and why it failed.
func Open(o Options) (*Device, error) {
	places, err := egl.List()
	if err != nil {
		return nil, err
	}
	if o.Index != 0 {
		if o.Index < 0 || o.Index > len(places) {
			return nil, fmt.Errorf("gl: %w: got index %d, want less than %d", ErrIndex, o.Index-1, len(places))
		}
		places = places[o.Index-1 : o.Index]
	}
	var errs []error
	for _, p := range places {
		d, err := openPlace(p, o)
		if err == nil {
			return d, nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		errs = append(errs, fmt.Errorf("gl: %w", egl.ErrNoDevice))
	}
	return nil, errors.Join(errs...)
}

func openPlace(p egl.Device, o Options) (*Device, error) {
	if o.HardwareOnly && p.Software {
		return nil, fmt.Errorf("gl: %s: a software renderer, hardware was asked for", p.Name)
	}
	c, err := p.Open(egl.Options{Device: -1, Debug: o.Debug})
	if err != nil {
		return nil, err
	}
	d, err := New(c, o)
	if err != nil {
		return nil, err
	}
	d.info.Place, d.info.PlaceIndex = p.Name, p.Index
	return d, nil
}

// New opens a device on a context, which it owns from then on: it is destroyed by
// Close, and also when New fails. Options.Index is not looked at.
func New(c Context, o Options) (*Device, error) {
	if o.QueueDepth <= 0 {
		o.QueueDepth = 1024
	}
	if o.PoolBytes == 0 {
		o.PoolBytes = 256 << 20
	}
	d := &Device{
		ctx:   c,
		opt:   o,
		queue: make(chan command, o.QueueDepth),
		dead:  make(chan struct{}),
	}
	d.pool.init(d)
	started := make(chan error)
	go d.main(started)
	if err := <-started; err != nil {
		<-d.dead
		return nil, err
	}
	return d, nil
}

// Info describes driver and context.
func (d *Device) Info() Info { return d.info }

// Limits returns what the driver allows.
func (d *Device) Limits() Limits { return d.limits }

// Do enqueues fn to run on the device's thread and returns; it takes about 0.1 µs
// and waits only while the queue is full. It fails with backend.ErrClosed or
// backend.ErrDeviceLost. If fn fails, its error sticks (see the package comment).
func (d *Device) Do(fn func(*Thread) error) error {
	return d.send(context.Background(), command{fn: fn})
}

// Call enqueues fn, waits until it has run on the device's thread, and returns
// its error; or, without running it, the error that stuck before. If ctx ends
// first, Call returns its error; fn, if already enqueued, runs all the same, so
// it must not touch what the caller goes on to use. Call says nothing about the
// GPU: Sync and Read wait for that.
func (d *Device) Call(ctx context.Context, fn func(*Thread) error) error {
	w := &waiter{done: make(chan error, 1)}
	if err := d.send(ctx, command{fn: fn, wait: w}); err != nil {
		return err
	}
	return d.await(ctx, w)
}

func (d *Device) send(ctx context.Context, c command) error {
	if err := d.usable(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("gl: not enqueued: %w", err)
	}
	select {
	case d.queue <- c:
		return nil
	default:
	}
	select {
	case d.queue <- c:
		return nil
	case <-d.dead:
		return d.usable()
	case <-ctx.Done():
		return fmt.Errorf("gl: not enqueued: %w", ctx.Err())
	}
}

func (d *Device) await(ctx context.Context, w *waiter) error {
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("gl: stopped waiting: %w", ctx.Err())
	case <-d.dead:
		select { // it may have run before the end
		case err := <-w.done:
			return err
		default:
			return fmt.Errorf("gl: %w", backend.ErrClosed)
		}
	}
}

func (d *Device) usable() error {
	switch d.state.Load() {
	case stateClosed:
		return fmt.Errorf("gl: %w", backend.ErrClosed)
	case stateLost:
		return d.lostError()
	}
	return nil
}

func (d *Device) lostError() error {
	if s := d.sticky.Load(); s != nil {
		return s.err
	}
	return fmt.Errorf("gl: %w", backend.ErrDeviceLost)
}

// Err returns the error that sticks, or nil.
func (d *Device) Err() error {
	if s := d.sticky.Load(); s != nil {
		return s.err
	}
	return nil
}

// Usable returns an error that wraps backend.ErrClosed or backend.ErrDeviceLost once
// the device is closed or lost.
func (d *Device) Usable() error { return d.usable() }

// ClearErr returns the error that sticks and takes it away, unless it is the loss
// of the device.
func (d *Device) ClearErr() error {
	s := d.sticky.Load()
	if s == nil {
		return nil
	}
	if !errors.Is(s.err, backend.ErrDeviceLost) {
		d.sticky.CompareAndSwap(s, nil)
	}
	return s.err
}

func (d *Device) stick(err error) {
	d.sticky.CompareAndSwap(nil, &stickyError{fmt.Errorf("gl: an earlier command failed: %w", err)})
}

// lose marks the device lost. A loss replaces any error that stuck before.
func (d *Device) lose(why string) error {
	err := fmt.Errorf("gl: %s: %w (close it and open it again)", why, backend.ErrDeviceLost)
	d.sticky.Store(&stickyError{err})
	d.state.CompareAndSwap(stateOpen, stateLost)
	return err
}

// Close runs what is enqueued, waits for the GPU, frees everything, and destroys
// the context. It is idempotent. It returns an error that stuck and was never
// cleared, and those of the shutdown.
func (d *Device) Close() error {
	d.closeOnce.Do(func() {
		d.state.Store(stateClosed)
		w := &waiter{done: make(chan error, 1)}
		d.queue <- command{quit: true, wait: w}
		<-d.dead
		d.closeErr = errors.Join(d.Err(), <-w.done)
	})
	return d.closeErr
}

// main is the device's thread.
func (d *Device) main(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(d.dead)
	t := &Thread{d: d}
	if err := t.start(); err != nil {
		err = errors.Join(err, d.ctx.Release(), d.ctx.Destroy())
		started <- err
		return
	}
	started <- nil
	for {
		c := t.next()
		if c.quit {
			t.finishPending(true)
			err := t.shutdown()
			t.drain()
			c.wait.tell(err)
			return
		}
		t.run(c)
	}
}

// next returns the next command. While there is none it completes read-backs.
func (t *Thread) next() command {
	for {
		if len(t.pending) > 0 {
			t.finishPending(false)
		}
		select {
		case c := <-t.d.queue:
			return c
		default:
		}
		if len(t.pending) > 0 {
			t.waitPending(200 * time.Microsecond)
			continue
		}
		if t.unflushed && !t.d.info.Software {
			gl.Flush() // nothing follows that would push the work out
		}
		t.unflushed = false
		return <-t.d.queue
	}
}

// drain answers the commands that were enqueued while the device was closing.
func (t *Thread) drain() {
	for {
		select {
		case c := <-t.d.queue:
			if c.wait != nil {
				c.wait.tell(fmt.Errorf("gl: %w", backend.ErrClosed))
			}
		default:
			return
		}
	}
}

func (t *Thread) run(c command) {
	d := t.d
	if c.wait == nil {
		if d.state.Load() == stateLost {
			return
		}
		if err := t.exec(c.fn, d.opt.Debug); err != nil {
			d.stick(err)
		}
		return
	}
	// What earlier commands left behind is theirs.
	if d.Err() == nil {
		if err := t.check("an earlier command"); err != nil && d.Err() == nil {
			d.stick(err)
		}
	}
	if err := d.Err(); err != nil {
		c.wait.tell(err)
		return
	}
	t.deferred = c.wait
	err := t.exec(c.fn, true)
	if t.deferred == nil && err == nil {
		return // a read-back will answer
	}
	t.deferred = nil
	c.wait.tell(err)
}

// exec runs fn and, if asked to, looks for GL errors behind it.
func (t *Thread) exec(fn func(*Thread) error, check bool) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("gl: panic in a command: %v\n%s", p, debug.Stack())
		}
	}()
	t.unflushed = true
	err = fn(t)
	if check {
		if e := t.check("command"); e != nil {
			err = errors.Join(err, e)
		}
	}
	return err
}
