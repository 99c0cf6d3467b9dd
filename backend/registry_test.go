package backend

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// fakeDriver opens devices that can only be named.
type fakeDriver struct {
	name     string
	software bool
	got      *Config
}

func (f fakeDriver) Open(c Config) (Backend, error) {
	if f.got != nil {
		*f.got = c
	}
	if f.software && c.HardwareOnly {
		return nil, &UnavailableError{Backend: f.name, Err: errors.New("software renderer")}
	}
	return fakeBackend{name: f.name}, nil
}

func (f fakeDriver) Devices() ([]DeviceInfo, error) {
	return []DeviceInfo{{Backend: f.name, Name: "device of " + f.name}}, nil
}

type fakeBackend struct {
	Backend
	name string
}

func (f fakeBackend) Name() string       { return f.name }
func (f fakeBackend) Device() DeviceInfo { return DeviceInfo{Name: "device of " + f.name} }

// register makes a driver available for the time of a test.
func register(t *testing.T, name string, d Driver) {
	t.Helper()
	Register(name, d)
	t.Cleanup(func() {
		driversMu.Lock()
		defer driversMu.Unlock()
		delete(drivers, name)
	})
}

func TestRegister(t *testing.T) {
	var c Config
	register(t, "zebra", fakeDriver{name: "zebra"})
	register(t, "ape", fakeDriver{name: "ape", got: &c})
	if got := Names(); !slices.Equal(got, []string{"ape", "zebra"}) {
		t.Errorf("Names: got %v", got)
	}
	for _, bad := range []struct {
		name string
		d    Driver
		want string
	}{
		{"ape", fakeDriver{}, `backend: Register called twice for "ape"`},
		{"", fakeDriver{}, "reserved name"},
		{"auto", fakeDriver{}, "reserved name"},
		{"nil", nil, "no driver"},
	} {
		t.Run("panic "+bad.name, func(t *testing.T) {
			defer func() {
				if s, _ := recover().(string); !strings.Contains(s, bad.want) {
					t.Errorf("got panic %q, want %q", s, bad.want)
				}
			}()
			Register(bad.name, bad.d)
		})
	}

	b, err := Open("ape")
	if err != nil || b.Name() != "ape" {
		t.Fatal(err)
	}
	if c != (Config{Device: -1, BatchInvariant: true}) {
		t.Errorf("default config: got %+v", c)
	}
	if _, err := Open("ape", WithDevice(2), WithThreads(3), WithDebug(), WithVariant("tiled"), WithBatchInvariant(false), WithHardwareOnly()); err != nil {
		t.Fatal(err)
	}
	if c != (Config{Device: 2, Threads: 3, Debug: true, Variant: "tiled", HardwareOnly: true}) {
		t.Errorf("config: got %+v", c)
	}

	_, openErr := Open("gpu")
	_, devicesErr := Devices("gpu")
	for _, err := range []error{openErr, devicesErr} {
		var u *UnavailableError
		want := `backend: "gpu" is not available: no such backend; registered are: ape, zebra (forgotten import?)`
		if !errors.As(err, &u) || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if d, err := Devices("zebra"); err != nil || d[0].Name != "device of zebra" {
		t.Errorf("Devices: %v, %v", d, err)
	}
}

func TestOpenAuto(t *testing.T) {
	_, _, err := OpenAuto()
	var u *UnavailableError
	if !errors.As(err, &u) || u.Backend != "auto" || !strings.Contains(err.Error(), `"gl" is not available`) || !strings.Contains(err.Error(), `"cpu" is not available`) {
		t.Errorf("nothing registered: got %v", err)
	}
	var c Config
	register(t, "cpu", fakeDriver{name: "cpu", software: false, got: &c})
	t.Run("software gl", func(t *testing.T) {
		register(t, "gl", fakeDriver{name: "gl", software: true})
		b, why, err := OpenAuto(WithThreads(5))
		if err != nil || b.Name() != "cpu" || !strings.Contains(why, "using cpu") || !strings.Contains(why, "software renderer") {
			t.Errorf("got %v, %q, %v", b, why, err)
		}
		if c.Threads != 5 || c.HardwareOnly {
			t.Errorf("config of cpu: got %+v", c)
		}
	})
	t.Run("hardware gl", func(t *testing.T) {
		register(t, "gl", fakeDriver{name: "gl"})
		b, err := Open("auto")
		if err != nil || b.Name() != "gl" {
			t.Errorf("got %v, %v", b, err)
		}
		_, why, _ := OpenAuto()
		if why != "auto: using gl on device of gl" {
			t.Errorf("got %q", why)
		}
	})
	t.Run("no gl", func(t *testing.T) {
		b, why, err := OpenAuto()
		if err != nil || b.Name() != "cpu" || !strings.Contains(why, "no such backend") {
			t.Errorf("got %v, %q, %v", b, why, err)
		}
	})
}
