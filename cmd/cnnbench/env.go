package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/backend"
)

func envCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "say what the machine has: CPU features, OpenGL, what auto takes, what to install",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "system: %s/%s, %d CPUs, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
			var errs []error
			for _, name := range backend.Names() {
				errs = append(errs, describe(out, name))
			}
			be, why, err := backend.OpenAuto()
			if err != nil {
				fmt.Fprintf(out, "auto: nothing to take: %v\n", err)
				return errors.Join(errs...)
			}
			fmt.Fprintln(out, indent(why))
			return errors.Join(append(errs, be.Close())...)
		},
	}
}

// describe prints a backend's device and limits. A backend that is not there is
// described too: it is no error here.
func describe(out io.Writer, name string) error {
	be, err := backend.Open(name)
	var missing *backend.UnavailableError
	if errors.As(err, &missing) {
		fmt.Fprintf(out, "%s: not available: %v\n", name, indent(fmt.Sprint(missing.Err)))
		if missing.Hint != "" {
			fmt.Fprintf(out, "  to install: %s\n", missing.Hint)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("env: %s: %w", name, err)
	}
	d, caps := be.Device(), be.Caps()
	fmt.Fprintf(out, "%s: %s\n", name, d.Name)
	if d.Vendor != "" {
		fmt.Fprintf(out, "  vendor: %s\n", d.Vendor)
	}
	fmt.Fprintf(out, "  driver: %s\n", d.Driver)
	if d.Software {
		fmt.Fprintln(out, "  a software renderer: auto never takes it")
	}
	if d.Threads > 0 {
		fmt.Fprintf(out, "  threads: %d\n", d.Threads)
	}
	fmt.Fprintf(out, "  offset alignment: %d bytes; largest buffer: %s, binding: %s\n", caps.OffsetAlign, limit(caps.MaxBuffer), limit(caps.MaxBinding))
	var layouts []string
	for _, l := range caps.Layouts {
		layouts = append(layouts, l.String())
	}
	fmt.Fprintf(out, "  layouts, best first: %s\n", strings.Join(layouts, ", "))
	for _, k := range slices.Sorted(maps.Keys(d.Details)) {
		if d.Details[k] != "" {
			fmt.Fprintf(out, "  %s: %s\n", k, d.Details[k])
		}
	}
	if devices, err := backend.Devices(name); err != nil {
		fmt.Fprintf(out, "  other devices: %v\n", err)
	} else if len(devices) > 1 {
		for _, v := range devices {
			fmt.Fprintf(out, "  device %d: %s\n", v.Index, v.Name)
		}
	}
	return be.Close()
}

func limit(bytes int64) string {
	if bytes == 0 {
		return "no limit"
	}
	return fmt.Sprintf("%d bytes", bytes)
}

func indent(s string) string { return strings.ReplaceAll(s, "\n", "\n  ") }
