package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/internal/cli"
)

func listCommand() *cobra.Command {
	var backends backendFlags
	var prb []string
	c := &cobra.Command{
		Use:   "list",
		Short: "list problem forms, shape files, fills, backends, and the algorithms for a problem",
		Args:  cobra.NoArgs,
	}
	c.Flags().StringArrayVar(&prb, "prb", nil, "list the algorithms for this problem, best first; may be repeated")
	backends.add(c, "")
	c.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		out := cmd.OutOrStdout()
		if len(prb) == 0 {
			if backends.backend != "" || backends.threads != "" {
				return cli.Usagef("list: -backend and -threads choose whose algorithms are listed: want -prb too")
			}
			listAll(out)
			return nil
		}
		ps, err := (&problemFlags{prb: prb}).problems("")
		if err != nil {
			return err
		}
		if backends.backend == "" {
			backends.backend = strings.Join(available(cmd.ErrOrStderr()), ",")
		}
		targets, err := backends.open(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, bench.CloseTargets(targets)) }()
		for _, p := range ps {
			cost, err := costOf(p)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%v: %.4g MFLOP, %.4g MB\n", p, float64(cost.FLOPs)*1e-6, float64(cost.Bytes)*1e-6)
			for _, t := range targets {
				names := strings.Join(t.Algorithms(p.Desc), ", ")
				if names == "" {
					names = "no kernel"
				}
				fmt.Fprintf(out, "  %-8s %s\n", t.Label, names)
			}
		}
		return nil
	}
	return c
}

func costOf(p bench.Problem) (backend.Cost, error) {
	d, err := p.Desc.Resolve()
	if err != nil {
		return backend.Cost{}, err
	}
	return d.Cost(), nil
}

// available lists the backends that can be opened here, and says why others
// cannot.
func available(stderr io.Writer) []string {
	var names []string
	for _, name := range backend.Names() {
		be, err := backend.Open(name)
		if err == nil {
			err = be.Close()
		}
		if err != nil {
			fmt.Fprintln(stderr, err)
			continue
		}
		names = append(names, name)
	}
	return names
}

func listAll(out io.Writer) {
	_, grammars := bench.Forms()
	fmt.Fprintln(out, "problems, each with an optional name _n\"NAME\" at the end:")
	for _, g := range grammars {
		fmt.Fprintln(out, "  "+g)
	}
	fmt.Fprintln(out, "shape files for -batch:")
	names, about := bench.ShapeFiles()
	for i, n := range names {
		fmt.Fprintf(out, "  %-12s %s\n", n, about[i])
	}
	fmt.Fprint(out, "fills: all")
	for _, f := range check.Fills() {
		fmt.Fprint(out, ", ", f)
	}
	fmt.Fprintf(out, "\nbackends: %s, auto\n", strings.Join(backend.Names(), ", "))
	fmt.Fprintf(out, "kinds of cases for conform: %s\n", strings.Join(bench.CaseKinds(), ", "))
	fmt.Fprintln(out, "algorithms: cnnbench list -prb PROBLEM")
}
