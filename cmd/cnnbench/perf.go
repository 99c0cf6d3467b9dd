package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/internal/cli"
)

// perfFlags are the flags of perf.
type perfFlags struct {
	backends       backendFlags
	problems       problemFlags
	fill, format   string
	seed           uint64
	alg            string
	count          int
	minTime        time.Duration
	cold           bool
	baseline       string
	slack          float64
	peers, ref     string
	models, batchN string
}

func perfCommand() *cobra.Command {
	var f perfFlags
	c := &cobra.Command{
		Use:   "perf",
		Short: "measure kernels",
		Long: `perf measures each problem on each backend, the backends in turns: the first run,
upload, kernel (by the device's clock where it has one), readback, and the wall
time of a run. It gives medians, the interval that holds the true median with
95 %, the distance of the quartiles over the median (spread), and the share of the
measured peak of the device. -format bench is what benchstat reads.

With -peers it reads a table of layers and networks (kind, name, Cin, D, H, W, Cout,
k, s, p, groups, with tabs) and prints a JSON line a cell, as programs for other
engines can: peer convgl-NAME with the activations in the kernel's own layout, and
convgl-NAME-plain with conversion from and to plain order in the timed part. Of a
network the timed part takes a plain tensor in host memory to another; it is compiled
once. Networks have random weights, or with -models those of NAME.onnx: their lines say
so ("source":"onnx"). worst_ratio is the largest error over its bound, by the
reference, of the first and the last image. The environment has REPS (samples, 15),
CELL_MS (time for a cell, 150), FILTER (a regular expression of names) and BIG=1 (VGG16
with larger batches too). cnnbench report compares the lines of several engines.`,
		Example: `  cnnbench perf -backend cpu,gl -batch resnet50 -op conv
  cnnbench perf -backend cpu -prb conv:mb1_ic64ih56oc64oh56kh3ph1 -count 20 -format bench | benchstat -
  cnnbench perf -backend cpu -peers layers -threads 1,2 -batch-sizes 1,8
  FILTER='^resnet50$' cnnbench perf -backend cpu -peers workloads.tsv -models models -ref=`,
		Args: cobra.NoArgs,
	}
	f.backends.add(c, "cpu")
	f.problems.add(c)
	fs := c.Flags()
	fs.StringVar(&f.fill, "fill", "normal", "what inputs hold: exact, normal, uniform, adversarial or special")
	fs.Uint64Var(&f.seed, "seed", 1, "of the random fills")
	fs.StringVar(&f.alg, "alg", "", "an algorithm by name, or all; default the backend's choice")
	fs.IntVar(&f.count, "count", 10, "samples, at least")
	fs.DurationVar(&f.minTime, "min-time", 200*time.Millisecond, "time that the samples of a kernel take together, at least")
	fs.BoolVar(&f.cold, "cold", false, "empty the caches before each sample")
	fs.StringVar(&f.format, "format", "table", "table, json, csv or bench")
	fs.StringVar(&f.baseline, "baseline", "", "a file that -format json wrote; what is slower now ends in exit code 1")
	fs.Float64Var(&f.slack, "slack", 0.05, "share by which a median may exceed the baseline's")
	fs.StringVar(&f.peers, "peers", "", "a table of layers and networks to measure in the form of other engines' programs; layers is built in")
	fs.StringVar(&f.ref, "ref", "ref", "with -peers: the backend that is right; empty judges nothing, which is faster")
	fs.StringVar(&f.models, "models", "", "with -peers: read the networks from NAME.onnx in this `folder`, instead of building them with random weights")
	fs.StringVar(&f.batchN, "batch-sizes", "1", "with -peers: batch sizes with commas")
	c.MarkFlagsMutuallyExclusive("peers", "prb")
	c.MarkFlagsMutuallyExclusive("peers", "batch")
	for _, name := range []string{"op", "format", "alg", "count", "min-time", "cold", "baseline"} {
		c.MarkFlagsMutuallyExclusive("peers", name)
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if f.peers != "" {
			return f.runPeers(cmd)
		}
		if f.models != "" {
			return cli.Usagef("-models %s: want -peers too", f.models)
		}
		return f.run(cmd)
	}
	return c
}

func (f *perfFlags) run(cmd *cobra.Command) (err error) {
	form, err := bench.ParseFormat(f.format, bench.Table, bench.JSON, bench.CSV, bench.Bench)
	if err != nil {
		return cli.UsageError{Err: err}
	}
	if f.count < 1 || f.minTime < 0 || !(f.slack >= 0) {
		return cli.Usagef("-count %d, -min-time %v, -slack %v: want at least 1, 0 and 0", f.count, f.minTime, f.slack)
	}
	fill, err := fills(f.fill)
	if err != nil {
		return err
	}
	if len(fill) != 1 {
		return cli.Usagef("-fill %s: want one", f.fill)
	}
	ps, err := f.problems.runnable("resnet50")
	if err != nil {
		return err
	}
	var old []bench.Measurement
	if f.baseline != "" {
		if old, err = bench.ReadMeasurements(f.baseline); err != nil {
			return cli.UsageError{Err: err}
		}
	}
	cfg := bench.PerfConfig{Fill: fill[0], Seed: f.seed, Algorithm: f.alg, Count: f.count, MinTime: f.minTime, Cold: f.cold}
	if cfg.Targets, err = f.backends.open(cmd.ErrOrStderr()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bench.CloseTargets(cfg.Targets)) }()

	var ms []bench.Measurement
	failed := false
	bar := cli.NewProgress(cmd.ErrOrStderr(), len(ps)*len(cfg.Targets))
	runErr := bench.Perf(cmd.Context(), cfg, ps, func(m bench.Measurement) error {
		ms = append(ms, m)
		failed = failed || m.Status == bench.Failed
		bar.Step()
		return nil
	})
	bar.End()
	if err := errors.Join(runErr, bench.WriteMeasurements(cmd.OutOrStdout(), form, ms)); err != nil {
		return err
	}
	slower, compared := bench.Regressions(old, ms, f.slack)
	if f.baseline != "" && compared < len(ms) {
		fmt.Fprintf(cmd.ErrOrStderr(), "baseline: %d of %d measurements are not in %s: not compared\n", len(ms)-compared, len(ms), f.baseline)
	}
	for _, s := range slower {
		fmt.Fprintln(cmd.ErrOrStderr(), "slower than the baseline:", s)
	}
	if failed || len(slower) > 0 {
		return cli.ErrDisagree
	}
	if f.baseline != "" && compared == 0 {
		return cli.Usagef("-baseline %s: it has none of what was measured (same problem, backend, algorithm and -cold)", f.baseline)
	}
	return nil
}

func (f *perfFlags) runPeers(cmd *cobra.Command) (err error) {
	fill, err := fills(f.fill)
	if err != nil {
		return err
	}
	if len(fill) != 1 {
		return cli.Usagef("-fill %s: want one", f.fill)
	}
	cfg := bench.PeersConfig{Fill: fill[0], Seed: f.seed, Models: f.models}
	if f.models != "" {
		if _, err := os.ReadDir(f.models); err != nil {
			return fmt.Errorf("-models: %w", err)
		}
	}
	if err := cfg.PeersEnv(os.Getenv); err != nil {
		return cli.UsageError{Err: err}
	}
	if cfg.Batches, err = cli.Positive("batch-sizes", f.batchN); err != nil {
		return err
	}
	if len(cfg.Batches) == 0 {
		return cli.Usagef("-batch-sizes: want at least one")
	}
	workloads, err := bench.ReadWorkloads(f.peers)
	if err != nil {
		return cli.UsageError{Err: err}
	}
	if re := cfg.Filter; re != nil && !slices.ContainsFunc(workloads, func(w bench.Workload) bool { return re.MatchString(w.Name) }) {
		return cli.Usagef("FILTER=%s: no workload of %s has such a name", re, f.peers)
	}
	if cfg.Targets, err = f.backends.open(cmd.ErrOrStderr()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bench.CloseTargets(cfg.Targets)) }()
	if f.ref != "" {
		var refs []bench.Target
		if refs, err = bench.OpenTargets([]string{f.ref}, nil); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, bench.CloseTargets(refs)) }()
		cfg.Ref = refs[0].Backend
	}
	return bench.Peers(cmd.Context(), cfg, workloads, cmd.OutOrStdout())
}
