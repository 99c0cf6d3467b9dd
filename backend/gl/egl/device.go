package egl

import (
	"errors"
	"fmt"
)

// Device is a place where a context may be had.
type Device struct {
	Index      int    // position in List
	Name       string // as "device 0 /dev/dri/card0", "surfaceless", "software device 1"
	Extensions string // of the EGL device; "" for surfaceless
	DRM        string // its DRM file, if it has one
	Software   bool   // marked EGL_MESA_device_software

	platform uint32
	native   uintptr
}

// Options are what a context is asked for.
type Options struct {
	Device int  // index in List; -1 tries all in order
	Debug  bool // a debug context: the driver reports through KHR_debug
}

// Open returns a context of OpenGL 4.3 core from the device asked for, or from
// the first that gives one. The error names every device tried, why it failed, and
// what to install.
// The context is current on no thread.
func Open(o Options) (*Context, error) {
	devs, err := List()
	if err != nil {
		return nil, withHint(err)
	}
	if o.Device >= 0 {
		if o.Device >= len(devs) {
			return nil, fmt.Errorf("egl: device: got %d, want less than %d (see List)", o.Device, len(devs))
		}
		devs = devs[o.Device : o.Device+1]
	}
	var errs []error
	for _, d := range devs {
		c, err := d.Open(o)
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		errs = append(errs, fmt.Errorf("egl: %w", ErrNoDevice))
	}
	return nil, withHint(errors.Join(errs...))
}
