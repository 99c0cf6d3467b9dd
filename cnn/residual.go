package cnn

import (
	"fmt"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// Residual adds the outputs of two layers on one input: y = main(x) + shortcut(x).
// A nil shortcut is the identity. Both must have one shape: unlike [Add], nothing is
// stretched. The parts are named "main" and "shortcut".
//
// Source: He et al., Deep Residual Learning for Image Recognition, 2016.
func Residual(main, shortcut Layer) Layer { return residual{main, shortcut} }

type residual struct{ main, shortcut Layer }

func (residual) Kind() string { return "Residual" }

func (l residual) Build(s *Scope, x ...*graph.Value) (*graph.Value, error) {
	if len(x) != 1 {
		return nil, fmt.Errorf("inputs: got %d, want 1", len(x))
	}
	h, skip := s.Call("main", l.main, x...), x[0]
	if l.shortcut != nil {
		skip = s.Call("shortcut", l.shortcut, x...)
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	if !slices.Equal(h.Shape(), skip.Shape()) {
		return nil, fmt.Errorf("main gives %v and the shortcut %v, want equal shapes", h.Shape(), skip.Shape())
	}
	// Dynamic dims that look equal may still differ for some sizes: the op sees those.
	return s.Apply(backend.Binary{Fn: backend.Add, SameShape: true}, h, skip), s.Err()
}
