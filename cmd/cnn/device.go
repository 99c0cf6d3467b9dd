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

// maxThreads is the most that backend cpu takes.
const maxThreads = 4096

// deviceFlags choose the backend of a command.
type deviceFlags struct {
	backend string
	threads int
}

func (f *deviceFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.backend, "backend", "auto", "auto, cpu, gl, or ref, which is slow and right; name:variant forces a family of kernels, as cpu:avx2")
	c.Flags().IntVar(&f.threads, "threads", 0, "CPU threads; 0 is one for each core")
}

// check finds faults of the flags themselves.
func (f *deviceFlags) check() error {
	if err := cli.BackendName("backend", f.backend); err != nil {
		return err
	}
	if f.threads < 0 || f.threads > maxThreads {
		return cli.Usagef("-threads %d: want 0 to %d", f.threads, maxThreads)
	}
	return nil
}

// open opens the backend, which the caller closes. What auto took goes to stderr.
func (f *deviceFlags) open(stderr io.Writer) (backend.Backend, error) {
	be, why, err := f.openQuietly()
	if why != "" {
		fmt.Fprintln(stderr, cli.AutoNotice(be, "cnn inspect"))
	}
	return be, err
}

// openQuietly is open that returns what auto took, and why, in full.
func (f *deviceFlags) openQuietly() (be backend.Backend, why string, err error) {
	if err := f.check(); err != nil {
		return nil, "", err
	}
	name, variant, _ := strings.Cut(f.backend, ":")
	opts := []backend.Option{backend.WithThreads(f.threads), backend.WithVariant(variant)}
	if name == "auto" {
		be, why, err = backend.OpenAuto(opts...)
	} else {
		be, err = backend.Open(name, opts...)
	}
	var attr *backend.AttrError // a variant that there is not
	switch {
	case !errors.As(err, &attr):
	case name == "auto": // each backend has its own
		err = cli.Usagef("-backend %s: %v", f.backend, err)
	default:
		err = cli.Usagef("-backend %s: %s: got %s, want %s", f.backend, attr.Attr, attr.Got, attr.Want)
	}
	return be, why, err
}

// sayTimes warns where times are asked for that say nothing of a GPU.
func sayTimes(stderr io.Writer, be backend.Backend) {
	if d := be.Device(); d.Software {
		fmt.Fprintf(stderr, "%s: a software renderer, %s: its times say nothing of a GPU\n", be.Name(), d.Name)
	}
}
