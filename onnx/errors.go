package onnx

import (
	"errors"
	"fmt"
	"strings"

	"github.com/convgl/convgl/onnx/internal/pb"
)

// RefusedError reports a file whose content is damaged, wrong, hostile or not
// supported.
type RefusedError struct {
	Path string // "" for a model from memory
	Err  error  // what is wrong, and where
}

func (e *RefusedError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("onnx: model refused: %v", e.Err)
	}
	return fmt.Sprintf("onnx: %s: refused: %v", e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *RefusedError) Unwrap() error { return e.Err }

// UnsupportedError lists every node of a model that this package cannot run. It wraps
// [errors.ErrUnsupported].
type UnsupportedError struct{ Nodes []Unsupported }

// Unsupported is a node that cannot be run, and why.
type Unsupported struct {
	NodeInfo
	Reason string
}

func (e *UnsupportedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d nodes are not supported:", len(e.Nodes))
	if len(e.Nodes) == 1 {
		b.Reset()
		b.WriteString("a node is not supported:")
	}
	for _, n := range e.Nodes {
		fmt.Fprintf(&b, "\n  %s", n)
	}
	return b.String()
}

// String returns `"conv1" (Conv version 11): why`.
func (u Unsupported) String() string {
	op := pb.Word(u.Op)
	if u.Domain != "" {
		op = pb.Word(u.Domain) + "." + op
	}
	if u.Version > 0 {
		op = fmt.Sprintf("%s version %d", op, u.Version)
	}
	return fmt.Sprintf("%s (%s): %s", pb.Quote(u.Name), op, u.Reason)
}

// Is makes errors.Is(err, errors.ErrUnsupported) true.
func (e *UnsupportedError) Is(target error) bool { return target == errors.ErrUnsupported }
