//go:build cgo

package device

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"github.com/go-gl/gl/v4.3-core/gl"
)

// transfer guards memory of a caller who may stop waiting.
type transfer struct {
	mu   sync.Mutex
	gone bool
}

// use calls fn unless the caller has gone; he cannot go meanwhile.
func (x *transfer) use(fn func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.gone {
		fn()
	}
}

func (x *transfer) leave() {
	x.mu.Lock()
	x.gone = true
	x.mu.Unlock()
}

// readback waits for a fence, then copies staging memory to its caller.
type readback struct {
	fence uintptr
	stage *allocation // nil: nothing to copy
	dst   []byte
	x     *transfer
	wait  *waiter
}

// Write copies src into the range's first bytes, behind all that was enqueued
// before. src may be reused when it returns. If ctx ends first, the content of the
// range is undefined.
func (d *Device) Write(ctx context.Context, r Range, src []byte) error {
	if err := r.checkHost(d, len(src)); err != nil {
		return fmt.Errorf("gl: Write: %w", err)
	}
	if len(src) == 0 {
		return d.usable()
	}
	x := &transfer{}
	defer x.leave()
	return d.Call(ctx, func(t *Thread) error {
		x.use(func() { t.Upload(r, src) })
		return nil
	})
}

// Upload copies src into the range's first bytes. The caller has checked sizes.
func (t *Thread) Upload(r Range, src []byte) {
	if len(src) == 0 {
		return
	}
	t.Access(Access{Range{r.Buf, r.Off, int64(len(src))}, WriteHost})
	gl.BindBuffer(gl.COPY_WRITE_BUFFER, r.Buf.mem.id)
	gl.BufferSubData(gl.COPY_WRITE_BUFFER, int(r.Off), len(src), unsafe.Pointer(&src[0]))
}

// Copy copies src to the first bytes of dst, on the device.
func (t *Thread) Copy(dst, src Range) error {
	if dst.Bytes < src.Bytes {
		return fmt.Errorf("gl: Copy: got %d bytes, want at most %d", src.Bytes, dst.Bytes)
	}
	if src.Bytes == 0 {
		return nil
	}
	t.Access(Access{src, ReadHost}, Access{Range{dst.Buf, dst.Off, src.Bytes}, WriteHost})
	t.copy(dst.Buf.mem, dst.Off, src)
	return nil
}

func (t *Thread) copy(dst *allocation, off int64, src Range) {
	gl.BindBuffer(gl.COPY_READ_BUFFER, src.Buf.mem.id)
	gl.BindBuffer(gl.COPY_WRITE_BUFFER, dst.id)
	gl.CopyBufferSubData(gl.COPY_READ_BUFFER, gl.COPY_WRITE_BUFFER, int(src.Off), int(off), int(src.Bytes))
}

// Read waits for all that was enqueued before and copies the range's first bytes
// to dst. The thread goes on with other commands meanwhile: the range is copied on
// the device, and a fence tells when the copy can be fetched. A software renderer
// computes on this machine's own cores, so there the copy is direct. If ctx ends
// first, dst is not touched afterwards.
func (d *Device) Read(ctx context.Context, dst []byte, r Range) error {
	if err := r.checkHost(d, len(dst)); err != nil {
		return fmt.Errorf("gl: Read: %w", err)
	}
	return d.read(ctx, dst, r, d.info.Software)
}

func (d *Device) read(ctx context.Context, dst []byte, r Range, direct bool) error {
	if len(dst) == 0 {
		return d.Sync(ctx)
	}
	r.Bytes = int64(len(dst))
	x := &transfer{}
	defer x.leave()
	return d.Call(ctx, func(t *Thread) error {
		t.Access(Access{r, ReadHost})
		if direct {
			x.use(func() {
				gl.BindBuffer(gl.COPY_READ_BUFFER, r.Buf.mem.id)
				gl.GetBufferSubData(gl.COPY_READ_BUFFER, int(r.Off), len(dst), unsafe.Pointer(&dst[0]))
			})
			return nil
		}
		stage := d.pool.get(sizeClass(r.Bytes))
		if stage == nil {
			var err error
			if stage, err = t.create(sizeClass(r.Bytes)); err != nil {
				return fmt.Errorf("gl: Read: staging memory: %w", err)
			}
		} else {
			t.barrier(barrierHost)
		}
		t.copy(stage, 0, r)
		return t.later(&readback{stage: stage, dst: dst, x: x})
	})
}

// Sync waits until the GPU has done all that was enqueued before.
func (d *Device) Sync(ctx context.Context) error {
	return d.Call(ctx, func(t *Thread) error { return t.later(&readback{}) })
}

// later puts a fence behind the commands so far; the running command's caller is
// answered when it has passed.
func (t *Thread) later(rb *readback) error {
	if err := t.check("read-back"); err != nil {
		t.giveStage(rb)
		return err
	}
	rb.fence = gl.FenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0)
	if rb.fence == 0 {
		t.giveStage(rb)
		return t.failed("glFenceSync")
	}
	t.d.stats.fences.Add(1)
	rb.wait, t.deferred = t.deferred, nil
	t.pending = append(t.pending, rb)
	return nil
}

func (t *Thread) giveStage(rb *readback) {
	if rb.stage != nil {
		t.d.pool.put(t, rb.stage)
	}
}

// finishPending answers the read-backs whose fences have passed; all, waiting for
// each, when the device closes.
func (t *Thread) finishPending(all bool) {
	for len(t.pending) > 0 {
		if all {
			t.waitPending(time.Second)
		} else if !t.waitPending(0) {
			return
		}
	}
}

// waitPending waits for the oldest fence and reports whether it has passed.
func (t *Thread) waitPending(limit time.Duration) bool {
	rb := t.pending[0]
	// After a loss the wait fails or returns at once.
	s := gl.ClientWaitSync(rb.fence, gl.SYNC_FLUSH_COMMANDS_BIT, uint64(limit))
	if s == gl.TIMEOUT_EXPIRED {
		return false
	}
	t.pending = append(t.pending[:0], t.pending[1:]...)
	gl.DeleteSync(rb.fence)
	t.d.stats.fences.Add(-1)
	rb.wait.tell(t.answer(rb, s))
	t.giveStage(rb)
	return true
}

func (t *Thread) answer(rb *readback, status uint32) error {
	if status == gl.WAIT_FAILED {
		return t.failed("glClientWaitSync")
	}
	if rb.stage != nil {
		gl.BindBuffer(gl.COPY_READ_BUFFER, rb.stage.id)
		p := gl.MapBufferRange(gl.COPY_READ_BUFFER, 0, len(rb.dst), gl.MAP_READ_BIT)
		if p == nil {
			return t.failed("glMapBufferRange")
		}
		rb.x.use(func() { copy(rb.dst, unsafe.Slice((*byte)(p), len(rb.dst))) })
		if !gl.UnmapBuffer(gl.COPY_READ_BUFFER) {
			return errors.New("gl: glUnmapBuffer: the driver lost the content")
		}
	}
	return t.check("read-back")
}

func (r Range) checkHost(d *Device, n int) error {
	if err := r.within(1); err != nil {
		return err
	}
	if r.Buf.d != d {
		return errors.New("gl: the buffer belongs to another device")
	}
	if err := r.Buf.Check(); err != nil {
		return err
	}
	if int64(n) > r.Bytes {
		return fmt.Errorf("got %d bytes of host memory, want at most %d", n, r.Bytes)
	}
	return nil
}
