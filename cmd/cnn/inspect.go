package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/onnx"
)

func inspectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect FILE",
		Short: "say what is in an ONNX file",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			m, err := (&modelFlag{path: files[0]}).load()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, l := range []struct {
				kind string
				vs   []onnx.ValueInfo
			}{{"input", m.Inputs()}, {"output", m.Outputs()}} {
				for _, v := range l.vs {
					fmt.Fprintf(out, "%s %s %s %s\n", l.kind, v.Name, v.Type, v.Shape)
				}
			}
			return nil
		},
	}
}
