//go:build cgo

package gl

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/egl"
	"github.com/convgl/convgl/backend/gl/internal/device"
)

const name = "gl"

// Families of kernels: see the package comment.
const (
	texelFamily = "texel"
	tiledFamily = "tiled"
)

func init() { backend.Register(name, driver{}) }

type driver struct{}

// Open implements backend.Driver.
func (driver) Open(c backend.Config) (backend.Backend, error) {
	if err := checkVariant(c); err != nil {
		return nil, err
	}
	if c.Device < -1 {
		return nil, unavailable(fmt.Errorf("no device %d", c.Device), "see backend.Devices")
	}
	dev, err := device.Open(device.Options{Index: c.Device + 1, HardwareOnly: c.HardwareOnly, Debug: c.Debug})
	if err != nil {
		return nil, unavailable(err, hint(err))
	}
	return newBackend(dev, c), nil
}

// hint says what to do about an error of device.Open.
func hint(err error) string {
	switch {
	case errors.Is(err, errors.ErrUnsupported): // the error says what to use instead
		return ""
	case errors.Is(err, device.ErrIndex):
		return "see backend.Devices"
	case errors.Is(err, device.ErrSoftware): // so libEGL and Mesa's drivers are there
		return "for a GPU, its vendor's driver"
	}
	if h := egl.Hint(err); h != "" {
		return h
	}
	return "for a GPU, its vendor's driver, with OpenGL 4.3"
}

// Devices implements backend.Driver. It names the places where a context may be
// had; which renderer answers there shows only when one is opened.
func (driver) Devices() ([]backend.DeviceInfo, error) {
	places, err := egl.List()
	if err != nil {
		return nil, unavailable(err, hint(err))
	}
	infos := make([]backend.DeviceInfo, len(places))
	for i, p := range places {
		infos[i] = backend.DeviceInfo{Backend: name, Index: i, Name: p.Name, Software: p.Software}
	}
	return infos, nil
}

// Context is an OpenGL context that a program has made itself, as
// *glfwctx.Context is one.
type Context = device.Context

// New opens a backend on a context, which it owns from then on: Close destroys it.
// Programs with a window use it; all others use backend.Open. Of the options, the
// device index has no meaning. It fails with *backend.UnavailableError.
func New(c Context, opts ...backend.Option) (backend.Backend, error) {
	cfg := backend.Config{Device: -1, BatchInvariant: true}
	for _, o := range opts {
		o(&cfg)
	}
	if err := checkVariant(cfg); err != nil {
		return nil, errors.Join(err, c.Destroy())
	}
	dev, err := device.New(c, device.Options{HardwareOnly: cfg.HardwareOnly, Debug: cfg.Debug})
	if err != nil {
		return nil, unavailable(err, "the context must be OpenGL 4.3 core")
	}
	return newBackend(dev, cfg), nil
}

func checkVariant(c backend.Config) error {
	switch c.Variant {
	case "", texelFamily, tiledFamily:
		return nil
	}
	return &backend.AttrError{Op: "Open", Attr: "variant", Got: strconv.Quote(c.Variant), Want: texelFamily + " or " + tiledFamily}
}

func unavailable(err error, hint string) error {
	return &backend.UnavailableError{Backend: name, Err: err, Hint: hint}
}
