package main

import (
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/internal/atomicfile"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/viz"
)

// rooflineFlags are the flags of roofline.
type rooflineFlags struct {
	backends      backendFlags
	problems      problemFlags
	out, peer     string
	batchSize     int
	width, height int
}

// rooflineCommand returns "cnnbench roofline".
func rooflineCommand() *cobra.Command {
	var f rooflineFlags
	c := &cobra.Command{
		Use:   "roofline [FILE...]",
		Short: "draw what kernels reach under the measured peaks of the device",
		Long: `roofline draws a PNG picture with logarithmic axes: the arithmetic intensity of each
workload (FLOPs over the bytes of its tensors, each moved once) and its rate, under the
roof of the measured peaks, the FMA rate and the copy bandwidth. A point above the
slope had its data in a cache.

FILEs hold what perf -peers or perf -format json wrote. Without one it measures the
problems of -prb or -batch.`,
		Example: `  cnnbench roofline -o roofline.png results.jsonl
  cnnbench roofline -backend cpu -threads 1,2 -batch resnet50 -op conv,pool`,
	}
	f.backends.add(c, "cpu")
	f.problems.add(c)
	fs := c.Flags()
	fs.StringVarP(&f.out, "o", "o", "roofline.png", "the picture's `FILE`")
	fs.StringVar(&f.peer, "peer", "convgl-cpu", "with lines of perf -peers: whose")
	fs.IntVar(&f.batchSize, "batch-size", 1, "with lines of perf -peers: which batch")
	fs.IntVar(&f.width, "width", 1500, "pixels")
	fs.IntVar(&f.height, "height", 900, "pixels")
	c.RunE = func(cmd *cobra.Command, files []string) error { return f.run(cmd, files) }
	return c
}

func (f *rooflineFlags) run(cmd *cobra.Command, files []string) (err error) {
	threads, err := cli.Positive("threads", f.backends.threads)
	if err != nil {
		return err
	}
	if f.out == "" {
		return cli.Usagef("-o: want a file for the picture")
	}
	for _, file := range files {
		if same(file, f.out) {
			return cli.Usagef("-o: %s holds the measurements, want another file for the picture", f.out)
		}
	}
	var chart viz.Roofline
	if len(files) > 0 {
		for _, name := range []string{"prb", "batch", "op", "backend"} {
			if cmd.Flags().Changed(name) {
				return cli.Usagef("-%s says what to measure: want no FILE with it", name)
			}
		}
		chart, err = bench.ReadRoofline(bench.RooflineConfig{Peer: f.peer, Batch: f.batchSize, Threads: threads}, files...)
		if err != nil {
			return cli.UsageError{Err: err}
		}
	} else if chart, err = f.measure(cmd); err != nil {
		return err
	}
	chart.W, chart.H = f.width, f.height
	img, unlabelled, err := chart.Draw()
	if err != nil {
		return cli.UsageError{Err: err}
	}
	if err := atomicfile.Write(f.out, func(w io.Writer) error { return png.Encode(w, img) }); err != nil {
		return err
	}
	if len(unlabelled) > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "no room for the labels of %s: a larger -width and -height has more\n", strings.Join(unlabelled, ", "))
	}
	return nil
}

// same reports whether two paths are one file.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// measure times the problems and charts them.
func (f *rooflineFlags) measure(cmd *cobra.Command) (chart viz.Roofline, err error) {
	ps, err := f.problems.runnable("resnet50")
	if err != nil {
		return chart, err
	}
	cfg := bench.PerfConfig{Fill: check.Normal, Seed: 1, Count: 10, MinTime: 200 * time.Millisecond}
	if cfg.Targets, err = f.backends.open(cmd.ErrOrStderr()); err != nil {
		return chart, err
	}
	defer func() { err = errors.Join(err, bench.CloseTargets(cfg.Targets)) }()
	var ms []bench.Measurement
	bar := cli.NewProgress(cmd.ErrOrStderr(), len(ps)*len(cfg.Targets))
	err = bench.Perf(cmd.Context(), cfg, ps, func(m bench.Measurement) error {
		ms = append(ms, m)
		bar.Step()
		return nil
	})
	bar.End()
	if err != nil {
		return chart, err
	}
	if chart, err = bench.MeasurementRoofline(ms, nil); err != nil {
		err = cli.UsageError{Err: err}
	}
	return chart, err
}
