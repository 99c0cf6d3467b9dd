package main

import (
	"github.com/spf13/cobra"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/onnx"
)

// modelFlag is -model, the ONNX file of a command.
type modelFlag struct{ path string }

func (f *modelFlag) add(c *cobra.Command) {
	c.Flags().StringVar(&f.path, "model", "", "the ONNX `FILE`")
}

var errNoModel = cli.Usagef("-model is missing: want an ONNX file")

// load reads the model.
func (f *modelFlag) load() (*onnx.Model, error) {
	if f.path == "" {
		return nil, errNoModel
	}
	return onnx.Load(f.path)
}
