//go:build !cgo

package glfwctx

import (
	"errors"
	"fmt"
	"unsafe"
)

// Context is an OpenGL context in a window. There are none without cgo.
type Context struct{}

var errNoCgo = fmt.Errorf("glfwctx: built without cgo (set CGO_ENABLED=1 and install a C compiler): %w", errors.ErrUnsupported)

// Run returns an error that wraps [errors.ErrUnsupported].
func Run(Options, func(*Context) error) error { return errNoCgo }

// String names the context.
func (c *Context) String() string { return "glfw" }

// MakeCurrent returns an error.
func (c *Context) MakeCurrent() error { return errNoCgo }

// Release returns an error.
func (c *Context) Release() error { return errNoCgo }

// Destroy does nothing.
func (c *Context) Destroy() error { return nil }

// ProcAddr returns nil.
func (c *Context) ProcAddr(string) unsafe.Pointer { return nil }

// SwapBuffers returns an error.
func (c *Context) SwapBuffers() error { return errNoCgo }

// FramebufferSize returns zeros.
func (c *Context) FramebufferSize() (width, height int) { return 0, 0 }

// Closing returns a closed channel.
func (c *Context) Closing() <-chan struct{} {
	ch := make(chan struct{})
	close(ch)
	return ch
}

// OnMain returns an error.
func (c *Context) OnMain(func()) error { return errNoCgo }
