//go:build !(linux || freebsd || netbsd)

package egl

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// Context is an OpenGL context. There are none on this system.
type Context struct{}

var errSystem = fmt.Errorf("egl: not on %s (use a windowed context: package glfwctx): %w", runtime.GOOS, errors.ErrUnsupported)

// List returns an error that wraps [errors.ErrUnsupported].
func List() ([]Device, error) { return nil, errSystem }

// Open returns an error that wraps [errors.ErrUnsupported].
func (d Device) Open(Options) (*Context, error) { return nil, errSystem }

// String names the context.
func (c *Context) String() string { return "none" }

// Robust reports false.
func (c *Context) Robust() bool { return false }

// MakeCurrent returns an error.
func (c *Context) MakeCurrent() error { return errSystem }

// Release returns an error.
func (c *Context) Release() error { return errSystem }

// Destroy does nothing.
func (c *Context) Destroy() error { return nil }

// ProcAddr returns nil.
func (c *Context) ProcAddr(string) unsafe.Pointer { return nil }
