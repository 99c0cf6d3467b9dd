//go:build cgo

package glfwctx

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"unsafe"

	"github.com/go-gl/glfw/v3.3/glfw"
)

// The main goroutine stays on the main thread, where windows belong.
func init() { runtime.LockOSThread() }

// Context is an OpenGL 4.3 core context in a window. MakeCurrent, Release,
// ProcAddr and SwapBuffers are for the thread that draws or computes, the other
// methods for any.
type Context struct {
	win     *glfw.Window
	size    atomic.Uint64 // of the framebuffer
	closing chan struct{}
	jobs    chan func()
	ended   chan struct{} // closed when Run no longer serves OnMain
}

// Run opens a window, calls main on a goroutine of its own, and serves the
// window's events until main returns, whose error it returns. It must be called
// on the main goroutine, and not from within itself. When the user closes the
// window, Closing tells main, which decides. Errors: ErrNoDisplay where there is no
// window system, GLFW's where the driver cannot give OpenGL 4.3; never a panic.
func Run(o Options, main func(*Context) error) (err error) {
	if !onMainThread() {
		return errors.New("glfwctx: Run: got another goroutine, want the main one")
	}
	// The binding panics where a call fails after an initialisation that failed
	// without a word.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("glfwctx: window system: %v\n%s", p, debug.Stack())
		}
	}()
	if err := checkDisplay(); err != nil {
		return err
	}
	if err := glfw.Init(); err != nil {
		return fmt.Errorf("glfwctx: glfwInit: %w", err)
	}
	defer glfw.Terminate()
	c, err := open(o.withDefaults())
	if err != nil {
		return err
	}
	defer c.win.Destroy()
	return c.serve(main)
}

// open makes the window. GLFW answers its first call after an initialisation that
// failed in silence with a panic: that is a display that does not answer.
func open(o Options) (c *Context, err error) {
	ready := false
	defer func() {
		if p := recover(); p != nil && !ready {
			c, err = nil, fmt.Errorf("glfwctx: %w: %v does not answer (%v)", ErrNoDisplay, displayName(), p)
		} else if p != nil {
			panic(p)
		}
	}()
	glfw.DefaultWindowHints()
	ready = true
	hint := func(h glfw.Hint, on bool) {
		v := glfw.False
		if on {
			v = glfw.True
		}
		glfw.WindowHint(h, v)
	}
	glfw.WindowHint(glfw.ContextVersionMajor, 4)
	glfw.WindowHint(glfw.ContextVersionMinor, 3)
	glfw.WindowHint(glfw.OpenGLProfile, glfw.OpenGLCoreProfile)
	hint(glfw.OpenGLForwardCompatible, true)
	hint(glfw.OpenGLDebugContext, o.Debug)
	hint(glfw.Visible, o.Visible)
	win, err := glfw.CreateWindow(o.Width, o.Height, o.Title, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("glfwctx: window with OpenGL 4.3 core: %w", err)
	}
	c = &Context{
		win:     win,
		closing: make(chan struct{}),
		jobs:    make(chan func()),
		ended:   make(chan struct{}),
	}
	c.setSize(win.GetFramebufferSize())
	win.SetFramebufferSizeCallback(func(_ *glfw.Window, w, h int) { c.setSize(w, h) })
	win.SetCloseCallback(func(*glfw.Window) {
		select {
		case <-c.closing:
		default:
			close(c.closing)
		}
	})
	return c, nil
}

// serve runs main and, on this thread, the events and OnMain's functions.
func (c *Context) serve(main func(*Context) error) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("glfwctx: panic: %v\n%s", p, debug.Stack())
			}
		}()
		done <- main(c)
	}()
	defer close(c.ended)
	for {
		select {
		case err := <-done:
			return err
		case fn := <-c.jobs:
			fn()
		default:
			// Waking this wait from another goroutine could meet the end of GLFW, so
			// it is bounded instead.
			glfw.WaitEventsTimeout(0.01)
		}
	}
}

func (c *Context) setSize(w, h int) { c.size.Store(uint64(uint32(w))<<32 | uint64(uint32(h))) }

func checkDisplay() error {
	switch runtime.GOOS {
	case "windows", "darwin":
		return nil
	}
	if displayName() == "" {
		return fmt.Errorf("glfwctx: %w: DISPLAY is not set (run under a window system, or xvfb-run)", ErrNoDisplay)
	}
	return nil
}

func displayName() string { return os.Getenv("DISPLAY") }

// String names the context.
func (c *Context) String() string { return "glfw window" }

// MakeCurrent makes the context current on the calling thread, which the caller
// must have locked. SwapBuffers will not wait for the screen: that would hold up
// what computes on the same thread.
func (c *Context) MakeCurrent() (err error) {
	defer asError(&err, "MakeCurrent")
	c.win.MakeContextCurrent()
	glfw.SwapInterval(0)
	return nil
}

// Release leaves the calling thread without a current context.
func (c *Context) Release() (err error) {
	defer asError(&err, "Release")
	glfw.DetachCurrentContext()
	return nil
}

// Destroy does nothing: Run destroys the window when main has returned.
func (c *Context) Destroy() error { return nil }

// ProcAddr returns the address of a GL function, or nil.
func (c *Context) ProcAddr(name string) unsafe.Pointer { return glfw.GetProcAddress(name) }

// SwapBuffers shows what was drawn.
func (c *Context) SwapBuffers() (err error) {
	defer asError(&err, "SwapBuffers")
	c.win.SwapBuffers()
	return nil
}

// FramebufferSize returns the size of what is drawn on, in pixels.
func (c *Context) FramebufferSize() (width, height int) {
	s := c.size.Load()
	return int(uint32(s >> 32)), int(uint32(s))
}

// Closing is closed when the user closes the window.
func (c *Context) Closing() <-chan struct{} { return c.closing }

// OnMain runs fn on the main thread, for calls of GLFW that belong there, and
// waits for it, up to 10 ms longer than fn takes. It fails when Run has ended, and
// must not be called from fn.
func (c *Context) OnMain(fn func()) error {
	done := make(chan struct{})
	select {
	case c.jobs <- func() { defer close(done); fn() }:
		<-done
		return nil
	case <-c.ended:
		return errors.New("glfwctx: OnMain after the end of Run")
	}
}

func asError(err *error, call string) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("glfwctx: %s: %v", call, p)
	}
}
