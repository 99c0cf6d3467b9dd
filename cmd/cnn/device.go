package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	_ "github.com/convgl/convgl/backend/gl"
	_ "github.com/convgl/convgl/backend/ref"
	"github.com/convgl/convgl/internal/cli"
)

// deviceFlags choose the backend of a command.
type deviceFlags struct {
	backend string
	threads int
}

func (f *deviceFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.backend, "backend", "auto", "auto, cpu, gl, or ref, which is slow and right; name:variant forces a family of kernels, as cpu:avx2")
	c.Flags().IntVar(&f.threads, "threads", 0, "CPU threads; 0 is one for each core")
}

// open opens the backend, which the caller closes. What auto took goes to stderr.
func (f *deviceFlags) open(stderr io.Writer) (backend.Backend, error) {
	name, variant, _ := strings.Cut(f.backend, ":")
	if name == "" || f.threads < 0 || f.threads > 1<<20 {
		return nil, cli.Usagef("-backend %q, -threads %d: want a name, and 0 to %d", f.backend, f.threads, 1<<20)
	}
	opts := []backend.Option{backend.WithThreads(f.threads), backend.WithVariant(variant)}
	var be backend.Backend
	var why string
	var err error
	if name == "auto" {
		be, why, err = backend.OpenAuto(opts...)
	} else {
		be, err = backend.Open(name, opts...)
	}
	var attr *backend.AttrError // a variant that there is not
	switch {
	case errors.As(err, &attr):
		return nil, cli.Usagef("-backend %s: %w", f.backend, err)
	case err == nil && why != "":
		fmt.Fprintln(stderr, why)
	}
	return be, err
}
