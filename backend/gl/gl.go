//go:build cgo

package gl

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
)

// Backend implements backend.Backend, backend.Timer and backend.Prober.
type Backend struct {
	backend.Ledger
	dev    *device.Device
	limits device.Limits
	align  int64
	family string // texelFamily or tiledFamily
	config backend.Config

	forceTile *convTile // for measurements of conv_texel.comp

	closeOnce sync.Once
	closeErr  error
}

func newBackend(dev *device.Device, c backend.Config) *Backend {
	be := &Backend{dev: dev, limits: dev.Limits(), family: c.Variant, config: c}
	be.align = be.limits.Align()
	if be.family == "" {
		be.family = tiledFamily
		if dev.Info().Software {
			be.family = texelFamily
		}
	}
	return be
}

// Name implements backend.Backend.
func (*Backend) Name() string { return name }

// Device implements backend.Backend.
func (be *Backend) Device() backend.DeviceInfo {
	i, l := be.dev.Info(), be.limits
	return backend.DeviceInfo{
		Backend:  name,
		Index:    max(i.PlaceIndex, 0),
		Name:     i.Renderer,
		Vendor:   i.Vendor,
		Driver:   i.Version,
		Software: i.Software,
		Details: map[string]string{
			"context":            i.Place,
			"family":             be.family,
			"GLSL":               i.GLSL,
			"storage binding":    fmt.Sprintf("%d bytes, %d a shader", l.StorageBytes, l.StorageBindings),
			"texels":             fmt.Sprint(l.Texels),
			"shared memory":      fmt.Sprintf("%d bytes", l.SharedBytes),
			"workgroup":          fmt.Sprintf("%d invocations, %v", l.Invocations, l.GroupSize),
			"workgroups":         fmt.Sprint(l.GroupCount),
			"program cache":      i.CacheDir,
			"reset notification": fmt.Sprint(i.Robust),
		},
	}
}

// Caps implements backend.Backend.
func (be *Backend) Caps() backend.Caps {
	return backend.Caps{
		OffsetAlign: be.align,
		MaxBuffer:   be.limits.BufferBytes,
		MaxBinding:  be.limits.StorageBytes,
		Layouts:     []backend.Layout{backend.ChannelsLast4, backend.Plain, backend.ChannelsLast},
	}
}

// Write implements backend.Backend.
func (be *Backend) Write(ctx context.Context, dst backend.Buffer, src []byte) error {
	b, err := be.own("Write", "dst", 0, dst)
	if err != nil {
		return err
	}
	if int64(len(src)) > b.bytes {
		return &backend.ShapeError{Op: "Write", Arg: "src", Got: fmt.Sprintf("%d bytes", len(src)), Want: fmt.Sprintf("at most the %d of dst", b.bytes)}
	}
	return be.dev.Write(ctx, b.mem.Range(b.offset, b.bytes), src)
}

// Read implements backend.Backend.
func (be *Backend) Read(ctx context.Context, dst []byte, src backend.Buffer) error {
	b, err := be.own("Read", "src", 0, src)
	if err != nil {
		return err
	}
	if int64(len(dst)) > b.bytes {
		return &backend.ShapeError{Op: "Read", Arg: "dst", Got: fmt.Sprintf("%d bytes", len(dst)), Want: fmt.Sprintf("at most the %d of src", b.bytes)}
	}
	return be.reported(be.dev.Read(ctx, dst, b.mem.Range(b.offset, b.bytes)))
}

// Sync implements backend.Backend.
func (be *Backend) Sync(ctx context.Context) error { return be.reported(be.dev.Sync(ctx)) }

// reported passes on the error of a command enqueued earlier and takes it off the
// device, since its caller has now been told.
func (be *Backend) reported(err error) error {
	if s := be.dev.Err(); err != nil && s != nil && errors.Is(err, s) {
		return be.dev.ClearErr()
	}
	return err
}

// DeviceTime implements backend.Timer.
func (be *Backend) DeviceTime(ctx context.Context, fn func() error) (time.Duration, error) {
	return be.dev.Elapsed(ctx, fn)
}

// Close implements backend.Backend.
func (be *Backend) Close() error {
	be.closeOnce.Do(func() {
		live := be.Live()
		be.closeErr = be.dev.Close()
		if !live.Zero() {
			be.closeErr = errors.Join(be.closeErr, &backend.LeakError{Backend: name, Live: live})
		}
	})
	return be.closeErr
}
