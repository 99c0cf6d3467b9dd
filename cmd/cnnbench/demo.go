package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/internal/demo"
)

// demoCommand returns "cnnbench demo".
func demoCommand() *cobra.Command {
	o := demo.Options{}
	var backends string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "take a picture through filters, pooling and a small network on every backend",
		Long: `Demo takes a picture through 16 filters, ReLU, max and average pooling and a
network of two blocks, layer by layer and as a compiled model, on every backend. It
prints how far the backends agree, how fast they are and what memory a run needs,
and writes pictures and an index.html that shows them.

A name that is no backend's is refused at once. A backend that cannot be opened on
this machine is named in the report. With -backend, both make the exit code 3.
Results outside their error bounds make it 1.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			o.Stdout = cmd.OutOrStdout()
			if o.Backends, err = cli.SplitList("backend", backends); err != nil {
				return err
			}
			if o.Out == "" {
				return cli.Usagef("-out: want a folder for the pictures")
			}
			err = demo.Run(cmd.Context(), o)
			if errors.Is(err, demo.ErrPicture) {
				return cli.UsageError{Err: err}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Image, "image", "", "PNG or JPEG `FILE`, at least 4×4 pixels and at most 2097152; the default is the project's own picture")
	f.StringVar(&o.Out, "out", "demo-out/", "`DIR` for the pictures and index.html")
	f.StringVar(&backends, "backend", "", "`NAMES` of backends, as cpu,gl; the default is ref,cpu,gl, of which one may be missing")
	return cmd
}
