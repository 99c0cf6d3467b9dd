package backend

import (
	"errors"
	"fmt"
	"strings"
)

// ErrClosed is returned by every use of a closed backend, buffer or kernel.
var ErrClosed = errors.New("backend: used after Close")

// ErrDeviceLost is returned once the device has been reset or removed. The
// backend must be closed and opened again; its buffers are gone.
var ErrDeviceLost = errors.New("backend: device lost")

// ShapeError reports an input or output whose shape, type or rank does not fit
// an op.
type ShapeError struct {
	Op   string // op, as "Conv"
	Node string // name of the node or layer; "" outside a graph
	Arg  string // what disagrees, as "x: channels"
	Got  string // what came
	Want string // what was expected
	Hint string // likely cause or remedy; may be ""
}

func (e *ShapeError) Error() string {
	return explain(e.Op, e.Node, e.Arg, e.Got, e.Want, e.Hint)
}

// AttrError reports an attribute of an op that is outside its domain.
type AttrError struct {
	Op, Node  string
	Attr      string // attribute, as "strides[1]"
	Got, Want string
	Hint      string
}

func (e *AttrError) Error() string {
	return explain(e.Op, e.Node, e.Attr, e.Got, e.Want, e.Hint)
}

// LimitError reports a request that is valid but larger than the device allows.
type LimitError struct {
	Op, Node string
	What     string // the limit, as "storage buffer binding, bytes"
	Got, Max int64
	Hint     string
}

func (e *LimitError) Error() string {
	return explain(e.Op, e.Node, e.What, fmt.Sprint(e.Got), fmt.Sprintf("at most %d", e.Max), e.Hint)
}

// UnavailableError reports a backend that cannot be opened on this machine.
type UnavailableError struct {
	Backend string
	Err     error  // why
	Hint    string // what to install or set
}

func (e *UnavailableError) Error() string {
	s := fmt.Sprintf("backend: %q is not available: %v", e.Backend, e.Err)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

// LeakError is returned by a backend's Close when buffers or kernels were still
// open. They are released all the same.
type LeakError struct {
	Backend string
	Live    Live
}

func (e *LeakError) Error() string {
	return fmt.Sprintf("backend: %s closed with %d buffers (%d bytes) and %d kernels open (missing Close?)",
		e.Backend, e.Live.Buffers, e.Live.Bytes, e.Live.Kernels)
}

// Unsupported returns an error that wraps [errors.ErrUnsupported]: a valid op
// that the backend has no kernel for.
func Unsupported(backend, op, why string) error {
	return fmt.Errorf("backend: %s: %s: %s: %w", backend, op, why, errors.ErrUnsupported)
}

func explain(op, node, arg, got, want, hint string) string {
	var b strings.Builder
	b.WriteString("backend: ")
	b.WriteString(op)
	if node != "" {
		fmt.Fprintf(&b, " %q", node)
	}
	fmt.Fprintf(&b, ": %s: got %s, want %s", arg, got, want)
	if hint != "" {
		fmt.Fprintf(&b, " (%s)", hint)
	}
	return b.String()
}
