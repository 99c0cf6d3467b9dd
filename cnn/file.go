package cnn

import (
	"fmt"

	"github.com/convgl/convgl/safetensors"
	"github.com/convgl/convgl/tensor"
)

// Save writes all parameters and buffers to a safetensors file, under their names in
// [Net.StateDict]. A file that is there already is replaced once the new one is
// complete.
func (n *Net) Save(path string) error {
	n.store.mu.Lock()
	n.store.fill()
	list := make([]safetensors.Named, len(n.entries))
	for i, e := range n.entries {
		list[i] = safetensors.Named{Name: e.name, Tensor: e.value}
	}
	n.store.mu.Unlock()
	if err := safetensors.Save(path, list, nil); err != nil {
		return fmt.Errorf("cnn: net %q: %w", n.name, err)
	}
	return nil
}

// Load gives all parameters and buffers the values of a safetensors file, by the rules
// of [Net.LoadStateDict]: after an error nothing is changed. 16-bit floats in the file
// are widened.
func (n *Net) Load(path string) error {
	list, _, err := safetensors.Read(path)
	if err != nil {
		return fmt.Errorf("cnn: net %q: %w", n.name, err)
	}
	state := make(map[string]*tensor.Tensor, len(list))
	for _, t := range list {
		state[t.Name] = t.Tensor
	}
	if err := n.LoadStateDict(state); err != nil {
		return fmt.Errorf("%w (file %q)", err, path)
	}
	return nil
}
