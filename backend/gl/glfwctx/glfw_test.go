//go:build cgo

package glfwctx

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/go-gl/gl/v4.3-core/gl"
	"github.com/go-gl/glfw/v3.3/glfw"

	"github.com/convgl/convgl/backend/gl/internal/device"
)

// What TestMain found out on the main goroutine, where Run must be called.
var (
	results map[string]error
	skip    string
)

// TestMain makes the trials that need the main thread; the tests judge them.
func TestMain(m *testing.M) {
	flag.Parse()
	results = map[string]error{}
	display := os.Getenv("DISPLAY")
	never := func(*Context) error { return errors.New("main was called") }
	os.Unsetenv("DISPLAY")
	results["unset"] = Run(Options{}, never)
	os.Setenv("DISPLAY", ":59999")
	results["dead"] = Run(Options{}, never)
	os.Unsetenv("DISPLAY")
	stop := func() {}
	if display == "" {
		var err error
		if display, stop, err = startXvfb(); err != nil {
			skip = fmt.Sprintf("no display: DISPLAY is not set, and Xvfb does not start: %v", err)
		}
	}
	if skip == "" {
		os.Setenv("DISPLAY", display)
		results["device"] = Run(Options{Debug: true}, computes)
		results["again"] = Run(Options{Width: 320, Height: 200, Visible: true}, draws)
		results["panic"] = Run(Options{}, func(*Context) error { panic("oops") })
		results["error"] = Run(Options{}, func(*Context) error { return errMain })
		results["after"] = Run(Options{}, func(c *Context) error { kept = c; return nil })
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

var (
	errMain = errors.New("main's own")
	kept    *Context
)

// startXvfb starts an X server; stop is never nil.
func startXvfb() (display string, stop func(), err error) {
	stop = func() {}
	path, err := exec.LookPath("Xvfb")
	if err != nil {
		return "", stop, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return "", stop, err
	}
	defer r.Close()
	cmd := exec.Command(path, "-displayfd", "3", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset")
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		w.Close()
		return "", stop, err
	}
	w.Close()
	stop = func() { cmd.Process.Kill(); cmd.Wait() }
	line, err := bufio.NewReader(r).ReadString('\n') // ends when Xvfb does
	if err != nil {
		stop()
		return "", func() {}, fmt.Errorf("no display number from %s: %w", path, err)
	}
	return ":" + strings.TrimSpace(line), stop, nil
}

// computes opens a device on the window's context and makes a round trip.
func computes(c *Context) error {
	if fmt.Sprint(c) == "" {
		return errors.New("no name")
	}
	dir, err := os.MkdirTemp("", "glfwctx")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d, err := device.New(c, device.Options{Debug: true, CacheDir: dir})
	if err != nil {
		return err
	}
	ctx := context.Background()
	trip := func() error {
		p, err := d.Program(ctx, "fill.comp")
		if err != nil {
			return err
		}
		b, err := d.Alloc(ctx, 256)
		if err != nil {
			return err
		}
		defer b.Close()
		if err := d.Call(ctx, func(t *device.Thread) error {
			t.Access(device.Access{Range: b.All(), Kind: device.WriteStorage})
			t.Use(p)
			for i, v := range []uint32{0, 64, 0x01010101, 64} {
				t.Uints(int32(i), v)
			}
			return errors.Join(t.BindStorage(0, b.All()), t.Dispatch(p, 1, 1, 1))
		}); err != nil {
			return err
		}
		got := make([]byte, 256)
		if err := d.Read(ctx, got, b.All()); err != nil {
			return err
		}
		for i, v := range got {
			if v != 1 {
				return fmt.Errorf("byte %d: got %d, want 1", i, v)
			}
		}
		return nil
	}
	return errors.Join(trip(), d.Close())
}

// draws clears the window, shows it, and uses the rest of the methods.
func draws(c *Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := c.MakeCurrent(); err != nil {
		return err
	}
	if err := gl.InitWithProcAddrFunc(c.ProcAddr); err != nil {
		return err
	}
	w, h := c.FramebufferSize()
	if w != 320 || h != 200 {
		return fmt.Errorf("got %dx%d pixels, want 320x200", w, h)
	}
	gl.ClearColor(1, 0, 0, 1)
	gl.Clear(gl.COLOR_BUFFER_BIT)
	var px [4]uint8
	gl.ReadPixels(10, 10, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, gl.Ptr(&px[0]))
	if px[0] != 255 || px[1] != 0 {
		return fmt.Errorf("got pixel %v, want red", px)
	}
	if err := c.SwapBuffers(); err != nil {
		return err
	}
	select {
	case <-c.Closing():
		return errors.New("the window closes by itself")
	default:
	}
	onMain := false
	if err := c.OnMain(func() { onMain = onMainThread(); c.win.SetTitle("red") }); err != nil || !onMain {
		return fmt.Errorf("OnMain: got %v, on the main thread: %v", err, onMain)
	}
	if err := c.Release(); err != nil {
		return err
	}
	if glfw.GetCurrentContext() != nil {
		return errors.New("still current after Release")
	}
	return c.Destroy()
}

func TestNoDisplay(t *testing.T) {
	for _, name := range []string{"unset", "dead"} {
		if err := results[name]; !errors.Is(err, ErrNoDisplay) || !strings.Contains(err.Error(), "display") {
			t.Errorf("DISPLAY %s: got %v, want ErrNoDisplay", name, err)
		}
	}
}

func TestWindow(t *testing.T) {
	if skip != "" {
		t.Skip(skip)
	}
	for _, name := range []string{"device", "again", "after"} {
		if err := results[name]; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := results["error"]; err != errMain {
		t.Errorf("got %v, want main's error", err)
	}
	if err := results["panic"]; err == nil || !strings.Contains(err.Error(), "oops") {
		t.Errorf("got %v, want the panic", err)
	}
	if err := kept.OnMain(func() { t.Error("ran") }); err == nil {
		t.Error("OnMain after Run gives no error")
	}
}

func TestOtherGoroutine(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("which thread is the main one is known on Linux only, not on " + runtime.GOOS)
	}
	if err := Run(Options{}, func(*Context) error { return nil }); err == nil || !strings.Contains(err.Error(), "main") {
		t.Errorf("got %v, want an error", err)
	}
}
