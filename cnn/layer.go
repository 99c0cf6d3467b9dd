package cnn

import (
	"errors"
	"fmt"

	"github.com/convgl/convgl/graph"
)

// Layer is a part of a network, described without values: the same Layer may
// stand in several places and networks, each with parameters of its own.
type Layer interface {
	// Kind is the name of the type, as "Conv2D", for errors and summaries.
	Kind() string
	// Build adds the layer's parameters and ops to the network by s and returns its
	// output. It may be called several times and must do the same each time. An
	// error of s need not be returned: see [Scope.Err].
	Build(s *Scope, x ...*graph.Value) (*graph.Value, error)
}

// Func returns a layer that is built by a function: the short way to a layer of
// one's own.
func Func(kind string, build func(s *Scope, x ...*graph.Value) (*graph.Value, error)) Layer {
	return funcLayer{kind, build}
}

type funcLayer struct {
	kind  string
	build func(s *Scope, x ...*graph.Value) (*graph.Value, error)
}

func (l funcLayer) Kind() string { return l.kind }

func (l funcLayer) Build(s *Scope, x ...*graph.Value) (*graph.Value, error) {
	if l.build == nil {
		return nil, errors.New("no function to build it")
	}
	return l.build(s, x...)
}

// unary is a layer of this package with one input. Faults of its options are kept
// until a network is built, where they can name the layer.
type unary struct {
	kind  string
	err   error
	build func(s *Scope, x *graph.Value) *graph.Value
}

func (l *unary) Kind() string { return l.kind }

func (l *unary) Build(s *Scope, x ...*graph.Value) (*graph.Value, error) {
	if l.err != nil {
		return nil, l.err
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	if len(x) != 1 {
		return nil, fmt.Errorf("inputs: got %d, want 1", len(x))
	}
	if x[0] == nil {
		return nil, errors.New("input 0 is nil")
	}
	return l.build(s, x[0]), s.Err()
}
