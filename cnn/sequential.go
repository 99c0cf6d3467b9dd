package cnn

import (
	"fmt"
	"strconv"

	"github.com/convgl/convgl/graph"
)

// Sequential applies layers one after the other: y = fₙ(… f₁(f₀(x))). The first
// may have several inputs. The layers are named by their index, "0", "1", …, or by
// [Named]; a Sequential of no layers is the identity.
//
// PyTorch: nn.Sequential.
func Sequential(layers ...Layer) Layer { return sequential(layers) }

type sequential []Layer

func (sequential) Kind() string { return "Sequential" }

func (l sequential) Build(s *Scope, x ...*graph.Value) (*graph.Value, error) {
	for i, layer := range l {
		name := strconv.Itoa(i)
		if n, ok := layer.(named); ok {
			name = n.name
		}
		x = []*graph.Value{s.Call(name, layer, x...)}
		if err := s.Err(); err != nil {
			return nil, err
		}
	}
	if len(x) != 1 {
		return nil, fmt.Errorf("inputs: got %d, want 1", len(x))
	}
	return x[0], nil
}

// Named gives a layer of a [Sequential] a name in the place of its index.
//
// PyTorch: nn.Sequential of an OrderedDict.
func Named(name string, layer Layer) Layer { return named{layer, name} }

type named struct {
	Layer
	name string
}

func (n named) Kind() string { return kindOf(n.Layer) }

func (n named) Build(s *Scope, x ...*graph.Value) (*graph.Value, error) {
	if isNil(n.Layer) {
		return nil, errNilLayer
	}
	return n.Layer.Build(s, x...)
}
