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
// are widened. Names, types and shapes are checked before a tensor is read, so a file
// for another network costs nothing.
func (n *Net) Load(path string) error {
	f, err := safetensors.Open(path)
	if err != nil {
		return fmt.Errorf("cnn: net %q: %w", n.name, err)
	}
	defer f.Close()
	state, err := n.read(f)
	if err == nil {
		err = n.LoadStateDict(state)
	}
	if err != nil {
		return fmt.Errorf("%w (file %q)", err, path)
	}
	return nil
}

// read returns the tensors of a file that fits.
func (n *Net) read(f *safetensors.File) (map[string]*tensor.Tensor, error) {
	names := f.Names()
	if err := n.checkState(names, func(name string) (found, bool) {
		info, ok := f.Info(name)
		return found{info.As, info.Shape, info.DType}, ok
	}); err != nil {
		return nil, err
	}
	state := make(map[string]*tensor.Tensor, len(names))
	for _, name := range names {
		t, err := f.Tensor(name)
		if err != nil {
			return nil, fmt.Errorf("cnn: net %q: %w", n.name, err)
		}
		state[name] = t
	}
	return state, nil
}
