//go:build linux || freebsd || netbsd

package egl

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// skip leaves a test out where there is no OpenGL; with CONVGL_REQUIRE_GL=1 it
// fails.
func skip(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("CONVGL_REQUIRE_GL") == "1" {
		t.Fatal(err)
	}
	t.Skipf("no OpenGL: %v", err)
}

// list skips where there is no EGL at all.
func list(t *testing.T) []Device {
	t.Helper()
	devs, err := List()
	if errors.Is(err, ErrNoLibrary) {
		skip(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return devs
}

func TestListOrder(t *testing.T) {
	rank := func(d Device) int {
		switch {
		case d.platform == platformSurfaceless:
			return 1
		case d.Software:
			return 2
		}
		return 0
	}
	last := 0
	for i, d := range list(t) {
		if d.Index != i || d.Name == "" {
			t.Errorf("place %d: got index %d, name %q", i, d.Index, d.Name)
		}
		if r := rank(d); r < last {
			t.Errorf("%q comes too late in the order", d.Name)
		} else {
			last = r
		}
	}
}

// Each place that opens gives a context that can be current, and be so again
// after a release and on another thread.
func TestOpenEach(t *testing.T) {
	opened := 0
	for _, d := range list(t) {
		for _, debug := range []bool{false, true} {
			c, err := d.Open(Options{Debug: debug})
			if err != nil {
				t.Logf("%s: %v", d.Name, err)
				continue
			}
			opened++
			for range 2 {
				done := make(chan error)
				go func() {
					runtime.LockOSThread()
					defer runtime.UnlockOSThread()
					if err := c.MakeCurrent(); err != nil {
						done <- err
						return
					}
					done <- c.Release()
				}()
				if err := <-done; err != nil {
					t.Errorf("%v: %v", c, err)
				}
			}
			if c.ProcAddr("glDispatchCompute") == nil {
				t.Errorf("%v: no address of glDispatchCompute", c)
			}
			if err := c.Destroy(); err != nil {
				t.Error(err)
			}
			if err := c.Destroy(); err != nil {
				t.Errorf("second Destroy: %v", err)
			}
			if err := c.MakeCurrent(); err == nil {
				t.Error("MakeCurrent after Destroy gives no error")
			}
		}
	}
	if opened == 0 {
		skip(t, errors.New("no place gives an OpenGL 4.3 context"))
	}
}

// A context is current on one thread only.
func TestBusy(t *testing.T) {
	list(t)
	c, err := Open(Options{Device: -1})
	if err != nil {
		skip(t, err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := c.MakeCurrent(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		done <- c.MakeCurrent()
	}()
	if err := <-done; !errors.Is(err, Code(0x3002)) {
		t.Errorf("MakeCurrent on a second thread: got %v, want EGL_BAD_ACCESS", err)
	}
	if err := errors.Join(c.Release(), c.Destroy()); err != nil {
		t.Error(err)
	}
}

func TestNoSuchDevice(t *testing.T) {
	list(t)
	if _, err := Open(Options{Device: 10000}); err == nil || !strings.Contains(err.Error(), "10000") {
		t.Errorf("got %v, want an error that names the index", err)
	}
	if _, err := (Device{}).Open(Options{}); err == nil {
		t.Error("the zero Device opens")
	}
}

func TestMissingLibrary(t *testing.T) {
	_, err := loadNames([]string{"libEGL-none.so.1", "libEGL-none.so"})
	if !errors.Is(err, ErrNoLibrary) {
		t.Fatalf("got %v, want ErrNoLibrary", err)
	}
	err = withHint(err)
	for _, want := range []string{"libegl1", "libgl1-mesa-dri", "libEGL-none.so.1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	if n := strings.Count(err.Error(), "apt-get"); n != 1 {
		t.Errorf("got %v: %d hints, want 1", err, n)
	}
}

// Where Mesa finds no driver, the error says once what to do.
func TestNoDriver(t *testing.T) {
	if os.Getenv("CONVGL_TEST_OPEN") == "1" {
		if c, err := Open(Options{Device: -1}); err != nil {
			fmt.Println("error:", err)
		} else if err := c.Destroy(); err != nil {
			t.Error(err)
		}
		return
	}
	list(t)
	c := exec.Command(os.Args[0], "-test.run", "^TestNoDriver$") // a process in which no driver has been loaded
	c.Env = append(os.Environ(), "CONVGL_TEST_OPEN=1", "LIBGL_DRIVERS_PATH=/nonexistent")
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, text, failed := strings.Cut(string(out), "error:")
	if !failed {
		t.Skip("this driver does not look at LIBGL_DRIVERS_PATH")
	}
	for _, want := range []string{"LIBGL_DRIVERS_PATH=/nonexistent makes", "apt-get install libgl1-mesa-dri"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("got %s, want %q in it once", text, want)
		}
	}
}

func TestHint(t *testing.T) {
	t.Setenv("LIBGL_DRIVERS_PATH", "")
	for _, c := range []struct {
		err  error
		want string // begins the hint; "" is none
	}{
		{fmt.Errorf("egl: %w", ErrNoLibrary), "on Debian: apt-get install libegl1 libgl1 libgl1-mesa-dri;"},
		{fmt.Errorf("egl: %w", ErrNoDevice), "on Debian: apt-get install libgl1-mesa-dri;"},
		{errors.Join(Code(0x3009), fmt.Errorf("egl: surfaceless: eglInitialize: %w", Code(0x3001))), "on Debian: apt-get install libgl1-mesa-dri;"},
		{fmt.Errorf("egl: eglCreateContext: %w", Code(0x3009)), ""},
	} {
		if got := Hint(c.err); !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}

func TestCodes(t *testing.T) {
	for c, want := range map[Code]string{0x3009: "EGL_BAD_MATCH", 0x4444: "EGL error 0x4444"} {
		if c.Error() != want {
			t.Errorf("got %q, want %q", c.Error(), want)
		}
	}
}
