package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// loadFlags are the flags of load.
type loadFlags struct {
	backends backendFlags
	input    inputFlags
	runs     int
	json     bool
	once     bool
}

func loadCommand() *cobra.Command {
	var f loadFlags
	c := &cobra.Command{
		Use:   "load",
		Short: "time an ONNX model from its file to the first answer",
		Long: `load times what it takes from nothing to the first answer of a model, in new processes:
open the backend; read the file, with all checks; build graphs and run their passes;
plan, which chooses and compiles kernels and packs weights; and the first run.

For gl there are two rows. Compiled programs are kept twice, by the driver and by this
library. Cold: the folder of both (XDG_CACHE_HOME) is new and empty. Warm: the same
folder again, in another process. The other backends compile nothing.`,
		Example: `  cnnbench load -model resnet50.onnx -backend cpu,gl -runs 5`,
		Args:    cobra.NoArgs,
	}
	f.backends.add(c, "cpu,gl")
	f.input.add(c)
	c.Flags().SetNormalizeFunc(bothNames)
	c.Flags().IntVar(&f.runs, "runs", 3, "processes for each backend, and for each state of its caches")
	c.Flags().BoolVar(&f.json, "json", false, "report as JSON, a line for each process")
	c.Flags().BoolVar(&f.once, "once", false, "be such a process")
	if err := c.Flags().MarkHidden("once"); err != nil {
		panic(err) // the flag is defined above
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if f.once {
			return f.child(cmd)
		}
		return f.run(cmd)
	}
	return c
}

// child measures in this process.
func (f *loadFlags) child(cmd *cobra.Command) error {
	threads, err := cli.Positive("threads", f.backends.threads)
	if err != nil {
		return err
	}
	t, err := bench.FirstAnswer(cmd.Context(), f.backends.backend, append(threads, 0)[0], f.input.model, func(m *onnx.Model) ([]*tensor.Tensor, error) {
		in, _, err := f.input.inputs(m)
		return in, err
	})
	if err != nil {
		return refusedModel(err)
	}
	return bench.WriteLoadTimes(cmd.OutOrStdout(), bench.JSON, []bench.LoadTime{t})
}

func (f *loadFlags) run(cmd *cobra.Command) error {
	specs, err := cli.SplitList("backend", f.backends.backend)
	if err != nil {
		return err
	}
	for _, spec := range specs {
		if err := cli.BackendName("backend", spec); err != nil {
			return err
		}
	}
	threads, err := cli.SplitList("threads", f.backends.threads)
	if err != nil {
		return err
	}
	if len(threads) == 0 {
		threads = []string{""}
	}
	switch {
	case f.input.model == "":
		return cli.Usagef("-model is missing: want an ONNX file")
	case f.runs < 1 || len(specs) == 0:
		return cli.Usagef("-runs %d, -backend %q: want 1 or more, and a backend", f.runs, f.backends.backend)
	}
	var ts []bench.LoadTime
	bar := cli.NewProgress(cmd.ErrOrStderr(), f.runs*len(specs)*len(threads))
	for range f.runs {
		for _, spec := range specs {
			for _, n := range threads {
				more, err := f.round(cmd.Context(), spec, n)
				if err != nil {
					bar.End()
					return err
				}
				ts = append(ts, more...)
				bar.Step()
			}
		}
	}
	bar.End()
	form := bench.Table
	if f.json {
		form = bench.JSON
	}
	return bench.WriteLoadTimes(cmd.OutOrStdout(), form, ts)
}

// round begins a process for a backend, or two where compiled programs are kept.
func (f *loadFlags) round(ctx context.Context, spec, threads string) (ts []bench.LoadTime, err error) {
	dir, err := os.MkdirTemp("", "cnnbench-cache-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	states := []string{"cold", "warm"}
	if name, _, _ := strings.Cut(spec, ":"); name == "cpu" || name == "ref" {
		states = []string{""}
	}
	for _, state := range states {
		t, err := f.process(ctx, spec, threads, dir)
		if err != nil {
			return nil, err
		}
		t.Cache = state
		ts = append(ts, t)
	}
	return ts, nil
}

// process measures in a new process whose caches are in dir.
func (f *loadFlags) process(ctx context.Context, spec, threads, dir string) (t bench.LoadTime, err error) {
	self, err := os.Executable()
	if err != nil {
		return t, err
	}
	args := []string{"load", "--once", "--backend", spec, "--threads", threads, "--model", f.input.model, "--seed", fmt.Sprint(f.input.seed)}
	for _, a := range f.input.files {
		args = append(args, "--input", a)
	}
	for _, a := range f.input.shapes {
		args = append(args, "--shape", a)
	}
	c := exec.CommandContext(ctx, self, args...)
	c.Env = cacheEnv(os.Environ(), dir)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	start := time.Now()
	err = c.Run()
	took := time.Since(start)
	if err := ctx.Err(); err != nil {
		return t, err
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = errors.New(strings.TrimPrefix(strings.TrimSpace(errs.String()), "cnnbench: "))
		switch exit.ExitCode() {
		case cli.ExitUsage:
			err = cli.UsageError{Err: err}
		case cli.ExitUnavailable:
			err = &backend.UnavailableError{Backend: spec, Err: err}
		}
	}
	if err != nil {
		return t, err
	}
	if err := json.Unmarshal(out.Bytes(), &t); err != nil {
		return t, fmt.Errorf("load: a process said %q: %w", out.String(), err)
	}
	t.Process = took.Seconds()
	return t, nil
}

// cacheEnv returns an environment in which drivers and this library keep compiled programs
// in dir.
func cacheEnv(env []string, dir string) []string {
	var kept []string
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		switch {
		case name == "CONVGL_SHADER_CACHE", name == "XDG_CACHE_HOME", name == "LocalAppData", strings.HasPrefix(name, "__GL_SHADER_DISK_CACHE"),
			strings.HasPrefix(name, "MESA_SHADER_CACHE"), strings.HasPrefix(name, "MESA_GLSL_CACHE"), strings.HasPrefix(name, "MESA_DISK_CACHE"):
		default:
			kept = append(kept, e)
		}
	}
	return append(kept, "XDG_CACHE_HOME="+dir, "LocalAppData="+dir, "__GL_SHADER_DISK_CACHE_PATH="+dir)
}
