//go:build cgo

package device

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/go-gl/gl/v4.3-core/gl"

	"github.com/convgl/convgl/backend"
)

// Thread is the right to speak to GL, handed to commands. Commands may also call
// package gl directly; one that changes the current program, a storage binding or
// a texture binding by hand must call Forget afterwards.
type Thread struct {
	d         *Device
	pending   []*readback
	deferred  *waiter // of the running command, until a read-back takes it
	unflushed bool
	hazards   tracker
	messages  *messageLog // nil without debug
	reset     func() uint32
	queries   []uint32 // all query objects
	idle      []uint32 // those not in use
	objects   map[*allocation]struct{}

	program uint32
	storage []storageBinding
	texels  []uint32 // texture by unit
	active  int      // texture unit

	ints   [64]int32 // uniforms on their way: cgo arguments would escape
	floats [64]float32
}

type storageBinding struct {
	id     uint32
	off, n int64
}

// Device returns the thread's device. See the package comment for what a command
// must not call.
func (t *Thread) Device() *Device { return t.d }

var loadGL struct {
	sync.Mutex
	done bool
}

func (t *Thread) start() error {
	d := t.d
	if err := d.ctx.MakeCurrent(); err != nil {
		return err
	}
	loadGL.Lock()
	if !loadGL.done {
		if err := gl.InitWithProcAddrFunc(d.ctx.ProcAddr); err != nil {
			loadGL.Unlock()
			return fmt.Errorf("gl: %v: functions of OpenGL 4.3: %w", d.ctx, err)
		}
		loadGL.done = true
	}
	loadGL.Unlock()
	if err := d.readInfo(); err != nil {
		return err
	}
	if d.opt.HardwareOnly && d.info.Software {
		return fmt.Errorf("gl: %v: %s is %w", d.ctx, d.info.Renderer, ErrSoftware)
	}
	d.readLimits()
	t.objects = map[*allocation]struct{}{}
	t.storage = make([]storageBinding, d.limits.StorageBindings)
	t.texels = make([]uint32, d.limits.TextureUnits)
	t.reset = resetStatus(d.ctx, d.info)
	if d.opt.Debug {
		t.messages = listen()
	}
	d.programs.init(d)
	return t.check("start")
}

func (t *Thread) shutdown() error {
	gl.Finish()
	err := t.check("shutdown")
	t.freeAll()
	if t.messages != nil {
		t.messages.close()
		t.messages = nil
	}
	return errors.Join(err, t.d.ctx.Release(), t.d.ctx.Destroy())
}

// freeAll deletes every GL object of the device.
func (t *Thread) freeAll() {
	t.d.pool.trim(t)
	for m := range t.objects { // of buffers that were never closed
		t.destroy(m)
	}
	t.d.programs.freeAll()
	if n := len(t.queries); n > 0 {
		gl.DeleteQueries(int32(n), &t.queries[0])
		t.d.stats.queries.Add(int64(-n))
		t.queries, t.idle = nil, nil
	}
	t.Forget()
}

// Forget drops what is remembered of bindings, so that they are set again.
func (t *Thread) Forget() {
	t.program = 0
	clear(t.storage)
	clear(t.texels)
	t.active = -1
}

var errorNames = map[uint32]string{
	gl.INVALID_ENUM:                  "GL_INVALID_ENUM",
	gl.INVALID_VALUE:                 "GL_INVALID_VALUE",
	gl.INVALID_OPERATION:             "GL_INVALID_OPERATION",
	gl.INVALID_FRAMEBUFFER_OPERATION: "GL_INVALID_FRAMEBUFFER_OPERATION",
	gl.OUT_OF_MEMORY:                 "GL_OUT_OF_MEMORY",
	gl.STACK_UNDERFLOW:               "GL_STACK_UNDERFLOW",
	gl.STACK_OVERFLOW:                "GL_STACK_OVERFLOW",
	contextLost:                      "GL_CONTEXT_LOST",
}

const contextLost = 0x0507

// ErrOutOfMemory is wrapped by the error of an allocation that the driver
// refused.
var ErrOutOfMemory = errors.New("out of device memory")

// Check returns what has gone wrong since the last check: GL errors, messages of
// a debug context, loss of the device. It wraps ErrOutOfMemory and
// backend.ErrDeviceLost where they apply.
func (t *Thread) Check(op string) error { return t.check(op) }

func (t *Thread) check(op string) error {
	var errs []error
	for range 32 { // a context that is lost may answer for ever
		e := gl.GetError()
		if e == gl.NO_ERROR {
			break
		}
		name, ok := errorNames[e]
		if !ok {
			name = fmt.Sprintf("GL error %#x", e)
		}
		switch e {
		case contextLost:
			return t.d.lose(op + ": " + name)
		case gl.OUT_OF_MEMORY:
			errs = append(errs, fmt.Errorf("gl: %s: %s: %w", op, name, ErrOutOfMemory))
		default:
			errs = append(errs, fmt.Errorf("gl: %s: %s", op, name))
		}
	}
	if t.messages != nil {
		for _, m := range t.messages.take() {
			errs = append(errs, fmt.Errorf("gl: %s: %s", op, m))
		}
	}
	if t.reset != nil {
		if s := t.reset(); s != gl.NO_ERROR {
			return t.d.lose(op + ": " + resetName(s))
		}
	}
	return errors.Join(errs...)
}

// failed is the error of a call that gave no result.
func (t *Thread) failed(call string) error {
	if err := t.check(call); err != nil {
		return err
	}
	return fmt.Errorf("gl: %s failed, and the driver gives no reason", call)
}

// discard forgets GL errors and messages that were expected.
func (t *Thread) discard() {
	for range 32 {
		if gl.GetError() == gl.NO_ERROR {
			break
		}
	}
	if t.messages != nil {
		t.messages.take()
	}
}

// Use makes p the current program.
func (t *Thread) Use(p *Program) {
	if t.program != p.ID {
		gl.UseProgram(p.ID)
		t.program = p.ID
	}
}

// Ints sets the int uniforms of the current program at location and behind it: an
// int array, or one int. At most 64 values; allocates nothing.
func (t *Thread) Ints(location int32, v ...int32) {
	n := copy(t.ints[:len(v)], v) // more is a mistake, and panics
	gl.Uniform1iv(location, int32(n), &t.ints[0])
}

// Uints is Ints for uint uniforms.
func (t *Thread) Uints(location int32, v ...uint32) {
	for i, x := range v {
		t.ints[i] = int32(x)
	}
	gl.Uniform1uiv(location, int32(len(v)), (*uint32)(unsafe.Pointer(&t.ints[0])))
}

// Floats is Ints for float uniforms.
func (t *Thread) Floats(location int32, v ...float32) {
	n := copy(t.floats[:len(v)], v)
	gl.Uniform1fv(location, int32(n), &t.floats[0])
}

// Dispatch starts x·y·z workgroups of p, which becomes the current program. A
// zero dispatches nothing. It fails with *backend.LimitError above
// Limits.GroupCount. Barriers are the caller's: see Access.
func (t *Thread) Dispatch(p *Program, x, y, z int) error {
	for i, n := range [3]int{x, y, z} {
		if max := t.d.limits.GroupCount[i]; n < 0 || n > max {
			return &backend.LimitError{
				Op: p.Name(), What: fmt.Sprintf("workgroups along %c", "xyz"[i]),
				Got: int64(n), Max: int64(max), Hint: "split the dispatch",
			}
		}
	}
	t.Use(p)
	if x != 0 && y != 0 && z != 0 {
		gl.DispatchCompute(uint32(x), uint32(y), uint32(z))
	}
	return nil
}
