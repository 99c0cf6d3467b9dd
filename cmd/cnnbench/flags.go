package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/internal/cli"
)

// backendFlags choose the backends of a command.
type backendFlags struct{ backend, threads string }

func (f *backendFlags) add(c *cobra.Command, def string) {
	c.Flags().StringVar(&f.backend, "backend", def, "backends with commas: ref, cpu, gl, auto; name:variant forces a family of kernels (gl:tiled, cpu:avx2)")
	c.Flags().StringVar(&f.threads, "threads", "", "CPU threads, several with commas; default one for each core")
}

// open opens the backends. What auto took goes to stderr.
func (f *backendFlags) open(stderr io.Writer) ([]bench.Target, error) {
	names, err := cli.SplitList("backend", f.backend)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, cli.Usagef("-backend: want at least one")
	}
	for _, name := range names {
		if err := cli.BackendName("backend", name); err != nil {
			return nil, err
		}
	}
	threads, err := cli.Positive("threads", f.threads)
	if err != nil {
		return nil, err
	}
	ts, err := bench.OpenTargets(names, threads)
	for _, t := range ts {
		if t.Note != "" {
			fmt.Fprintln(stderr, cli.AutoNotice(t.Backend, "cnnbench env"))
		}
	}
	return ts, err
}

// problemFlags choose the problems of a command.
type problemFlags struct {
	prb, batch []string
	op         string
}

func (f *problemFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.prb, "prb", nil, "a problem, as conv:mb1_ic64ih56oc64oh56kh3ph1; may be repeated; cnnbench list has the forms")
	c.Flags().StringArrayVar(&f.batch, "batch", nil, "a file with a problem a line, or the name of a built-in one, as resnet50; may be repeated")
	c.Flags().StringVar(&f.op, "op", "", "keep the problems of these kinds, with commas: conv, pool, ...")
}

// problems returns those asked for, or those of the file def.
func (f *problemFlags) problems(def string) ([]bench.Problem, error) {
	var ps []bench.Problem
	for _, text := range f.prb {
		p, err := bench.Parse(text)
		if err != nil {
			return nil, cli.UsageError{Err: err}
		}
		ps = append(ps, p)
	}
	files := f.batch
	if len(f.prb) == 0 && len(files) == 0 {
		files = []string{def}
	}
	for _, file := range files {
		list, err := bench.ReadShapes(file)
		if err != nil {
			return nil, cli.UsageError{Err: err}
		}
		ps = append(ps, list...)
	}
	kinds, err := cli.SplitList("op", f.op)
	if err != nil || kinds == nil {
		return ps, err
	}
	known, _ := bench.Forms()
	for _, k := range kinds {
		if !slices.Contains(known, k) {
			return nil, cli.Usagef("-op: got %q, want one of %s", k, strings.Join(known, ", "))
		}
	}
	ps = slices.DeleteFunc(ps, func(p bench.Problem) bool { return !slices.Contains(kinds, p.Kind()) })
	if len(ps) == 0 {
		return nil, cli.Usagef("-op %s: no problem of that kind among those given", f.op)
	}
	return ps, nil
}

// runnable is problems, of which each must fit the memory.
func (f *problemFlags) runnable(def string) ([]bench.Problem, error) {
	ps, err := f.problems(def)
	for _, p := range ps {
		if err := p.Runnable(); err != nil {
			return nil, cli.UsageError{Err: err}
		}
	}
	return ps, err
}

// fills parses a list of fills; all is every one.
func fills(text string) ([]check.Fill, error) {
	if text == "all" {
		return check.Fills(), nil
	}
	names, err := cli.SplitList("fill", text)
	if err != nil {
		return nil, err
	}
	var list []check.Fill
	for _, n := range names {
		f, err := check.ParseFill(n)
		if err != nil {
			return nil, cli.UsageError{Err: err}
		}
		list = append(list, f)
	}
	if len(list) == 0 {
		return nil, cli.Usagef("-fill: want at least one")
	}
	return list, nil
}
