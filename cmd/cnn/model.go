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

// load reads the model.
func (f *modelFlag) load() (*onnx.Model, error) {
	if f.path == "" {
		return nil, cli.Usagef("-model is missing: want an ONNX file")
	}
	return onnx.Load(f.path)
}
