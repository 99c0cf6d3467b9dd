//go:build cgo

package gl

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
)

// buffer implements backend.Buffer.
type buffer struct {
	be            *Backend
	mem           *device.Buffer
	offset, bytes int64
	whole         bool // what Alloc returned, not a slice
	closed        atomic.Bool
}

// Alloc implements backend.Backend.
func (be *Backend) Alloc(bytes int64) (backend.Buffer, error) {
	b, err := be.alloc(context.Background(), bytes)
	if err != nil {
		return nil, err // not a nil *buffer in an interface
	}
	return b, nil
}

func (be *Backend) alloc(ctx context.Context, bytes int64) (*buffer, error) {
	if bytes < 0 {
		return nil, &backend.AttrError{Op: "Alloc", Attr: "bytes", Got: fmt.Sprint(bytes), Want: "0 or more"}
	}
	mem, err := be.dev.Alloc(ctx, bytes)
	if err != nil {
		return nil, err
	}
	be.AddBuffer(bytes)
	return &buffer{be: be, mem: mem, bytes: bytes, whole: true}, nil
}

// Bytes implements backend.Buffer.
func (b *buffer) Bytes() int64 {
	if b == nil {
		return 0
	}
	return b.bytes
}

// Slice implements backend.Buffer.
func (b *buffer) Slice(offset, bytes int64) (backend.Buffer, error) {
	if err := b.mem.Check(); err != nil {
		return nil, err
	}
	if offset < 0 || offset%b.be.align != 0 {
		return nil, &backend.AttrError{Op: "Slice", Attr: "offset", Got: fmt.Sprint(offset), Want: fmt.Sprintf("a multiple of %d", b.be.align), Hint: "see Caps.OffsetAlign"}
	}
	if bytes < 0 || offset > b.bytes || bytes > b.bytes-offset {
		return nil, &backend.AttrError{Op: "Slice", Attr: "range", Got: fmt.Sprintf("%d bytes from %d", bytes, offset), Want: fmt.Sprintf("a part of %d bytes", b.bytes)}
	}
	return &buffer{be: b.be, mem: b.mem, offset: b.offset + offset, bytes: bytes}, nil
}

// Close implements backend.Buffer. The memory goes back to the device's pool in
// the order of the queue, so commands that are enqueued still find it.
func (b *buffer) Close() error {
	if b == nil || !b.whole || b.closed.Swap(true) {
		return nil
	}
	b.be.DropBuffer(b.bytes)
	return b.mem.Close()
}

// own returns a buffer of this backend that is open. What and i name it in errors.
func (be *Backend) own(op, what string, i int, b backend.Buffer) (*buffer, error) {
	o, ok := b.(*buffer)
	if !ok || o == nil || o.be != be {
		return nil, &backend.ShapeError{Op: op, Arg: fmt.Sprintf("%s[%d]", what, i), Got: fmt.Sprintf("a buffer of another device (%T)", b), Want: "one that this device made"}
	}
	if err := o.mem.Check(); err != nil {
		return nil, fmt.Errorf("%s: %s[%d]: %w", op, what, i, err)
	}
	return o, nil
}
