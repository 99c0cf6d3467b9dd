package cnn

import (
	"errors"
	"fmt"
)

// LayerError is a fault of one layer of a network. It wraps the cause, such as a
// *backend.ShapeError.
type LayerError struct {
	Layer string // full name, as "layer1.0.conv1"; "" is the network itself
	Kind  string // kind of the layer, as "Conv2D"; "" where it has none
	Err   error
}

func (e *LayerError) Error() string {
	switch {
	case e.Layer == "":
		return fmt.Sprintf("cnn: %v", e.Err)
	case e.Kind == "":
		return fmt.Sprintf("cnn: layer %q: %v", e.Layer, e.Err)
	}
	return fmt.Sprintf("cnn: layer %q (%s): %v", e.Layer, e.Kind, e.Err)
}

// Unwrap returns the cause.
func (e *LayerError) Unwrap() error { return e.Err }

// inLayer puts the layer into err, unless a layer within it is there already.
func inLayer(layer, kind string, err error) error {
	var e *LayerError
	if errors.As(err, &e) {
		return err
	}
	return &LayerError{Layer: layer, Kind: kind, Err: err}
}
