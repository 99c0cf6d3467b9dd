package backend

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Driver opens the devices of one backend. A package registers its driver in
// init; programs import it for that: import _ "…/backend/cpu".
type Driver interface {
	// Open opens a device. It fails with *UnavailableError when there is none.
	Open(Config) (Backend, error)
	// Devices lists what Open can be asked for with WithDevice.
	Devices() ([]DeviceInfo, error)
}

// Config is what the options of Open add up to.
type Config struct {
	Device         int    // index in Devices; -1 lets the driver choose
	Threads        int    // CPU threads; 0 is one for each core
	Debug          bool   // check more, run slower
	Variant        string // kernel family, as "generic" or "tiled"; "" is the best
	BatchInvariant bool   // no choice may depend on the batch size
	HardwareOnly   bool   // refuse a software renderer
}

// Option changes a Config.
type Option func(*Config)

// WithDevice opens the device of that index in [Devices].
func WithDevice(i int) Option { return func(c *Config) { c.Device = i } }

// WithThreads limits a CPU backend to n threads. Results do not depend on it.
func WithThreads(n int) Option { return func(c *Config) { c.Threads = n } }

// WithDebug asks for driver messages as errors and further checks.
func WithDebug() Option { return func(c *Config) { c.Debug = true } }

// WithVariant forces a family of kernels by name; a name that the driver does
// not know is an error that lists those it does.
func WithVariant(name string) Option { return func(c *Config) { c.Variant = name } }

// WithBatchInvariant says whether choices may depend on the batch size. With
// true, which is the default on the CPU, an image's result is bitwise the same in
// any batch.
func WithBatchInvariant(on bool) Option { return func(c *Config) { c.BatchInvariant = on } }

// WithHardwareOnly refuses a software renderer.
func WithHardwareOnly() Option { return func(c *Config) { c.HardwareOnly = true } }

// ErrUnknown is wrapped by the *UnavailableError of a name that is not registered.
var ErrUnknown = errors.New("no such backend")

var (
	driversMu sync.RWMutex
	drivers   = map[string]Driver{}
)

// Register makes a driver available under a name. It panics when the name is
// taken, empty or "auto", or d is nil.
func Register(name string, d Driver) {
	driversMu.Lock()
	defer driversMu.Unlock()
	if d == nil || name == "" || name == "auto" {
		panic(fmt.Sprintf("backend: Register(%q) with a reserved name or no driver", name))
	}
	if _, dup := drivers[name]; dup {
		panic(fmt.Sprintf("backend: Register called twice for %q", name))
	}
	drivers[name] = d
}

// Names lists the registered backends in alphabetical order.
func Names() []string {
	driversMu.RLock()
	defer driversMu.RUnlock()
	return slices.Sorted(maps.Keys(drivers))
}

func lookup(name string) (Driver, error) {
	driversMu.RLock()
	d := drivers[name]
	driversMu.RUnlock()
	if d == nil {
		return nil, &UnavailableError{
			Backend: name,
			Err:     fmt.Errorf("%w; registered are: %s", ErrUnknown, strings.Join(Names(), ", ")),
			Hint:    "forgotten import?",
		}
	}
	return d, nil
}

// Devices lists the devices of a registered backend.
func Devices(name string) ([]DeviceInfo, error) {
	d, err := lookup(name)
	if err != nil {
		return nil, err
	}
	return d.Devices()
}

// Open opens a backend by name. The name "auto" takes a hardware OpenGL device
// where there is one, and the CPU otherwise; it never takes a software renderer.
// A backend that is asked for by its own name is opened or the error says why
// not: there is no fallback.
func Open(name string, opts ...Option) (Backend, error) {
	if name == "auto" {
		b, _, err := OpenAuto(opts...)
		return b, err
	}
	d, err := lookup(name)
	if err != nil {
		return nil, err
	}
	return d.Open(config(opts))
}

// OpenAuto is Open("auto") that also says what was taken and why, in a sentence
// for the user.
func OpenAuto(opts ...Option) (Backend, string, error) {
	c := config(opts)
	var errs []error
	for _, name := range []string{"gl", "cpu"} {
		d, err := lookup(name)
		if err == nil {
			c.HardwareOnly = name == "gl"
			var b Backend
			if b, err = d.Open(c); err == nil {
				why := fmt.Sprintf("auto: using %s on %s", name, b.Device().Name)
				if len(errs) > 0 {
					why += fmt.Sprintf(" (%v)", errors.Join(errs...))
				}
				return b, why, nil
			}
		}
		errs = append(errs, err)
	}
	return nil, "", &UnavailableError{Backend: "auto", Err: errors.Join(errs...)}
}

func config(opts []Option) Config {
	c := Config{Device: -1, BatchInvariant: true}
	for _, o := range opts {
		o(&c)
	}
	return c
}
