package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/internal/feed"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// runFlags are the flags of run.
type runFlags struct {
	model   modelFlag
	device  deviceFlags
	inputs  []string
	outdir  string
	compare string
	tol     float64
	repeat  int
}

// maxRepeat bounds the times that are kept.
const maxRepeat = 10_000_000

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run",
		Short: "compute the outputs of a model from files of arrays",
		Long: `run computes a model's outputs and writes them as output_0.npy, output_1.npy, … in the
order of the model's outputs, in their types; float16, bfloat16 and float64 come as
float32, in which they are computed. For each there is a line with its name, type,
shape and file.

-compare holds the outputs against output_0.npy, … of another folder: floats may
differ by -tol of the largest expected magnitude of an output, integers and booleans
not at all, and NaN and infinity must be where they are expected.

-repeat runs the model N times more, and gives the times of loading, of compiling, of
the first run, which includes choosing kernels, and the median, minimum and maximum of
the others; of those until then where it is interrupted.

At least one of -outdir, -compare and -repeat is required. Inputs and expected outputs
may also be ONNX's own files of a tensor, x.pb and output_0.pb. Exit codes: see cnn help.`,
		Example: `  cnn run -model mnist.onnx -input digit.npy -outdir out
  cnn run -model detect.onnx -backend gl -input image=x.npy -input size=s.npy -outdir out
  cnn run -model mnist.onnx -backend cpu -input digit.npy -compare expected -repeat 100`,
		Args: cobra.NoArgs,
	}
	f.model.add(c)
	f.device.add(c)
	fs := c.Flags()
	fs.StringArrayVar(&f.inputs, "input", nil, "`NAME=FILE` (.npy or .pb), once for each input; the file alone where there is one input")
	fs.StringVar(&f.outdir, "outdir", "", "`DIR` for the outputs, which is made")
	fs.StringVar(&f.compare, "compare", "", "`DIR` with the expected outputs")
	fs.Float64Var(&f.tol, "tol", 1e-3, "with -compare: the difference allowed, as a share of the output's maximum")
	fs.IntVar(&f.repeat, "repeat", 0, "measure `N` more runs")
	c.RunE = func(cmd *cobra.Command, _ []string) error { return f.run(cmd) }
	return c
}

func (f *runFlags) run(cmd *cobra.Command) (err error) {
	ctx, out, stderr := cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	switch {
	case f.model.path == "":
		return errNoModel
	case f.repeat < 0 || f.repeat > maxRepeat:
		return cli.Usagef("-repeat %d: want 0 to %d", f.repeat, maxRepeat)
	case !(f.tol >= 0) || math.IsInf(f.tol, 0):
		return cli.Usagef("-tol %v: want 0 or more", f.tol)
	case f.outdir != "" && f.compare != "" && same(f.outdir, f.compare):
		return cli.Usagef("-outdir %s would replace what -compare expects: want another folder", f.outdir)
	}
	watch := time.Now()
	lap := func() time.Duration {
		d := time.Since(watch)
		watch = time.Now()
		return d
	}
	m, err := f.model.load()
	if err != nil {
		return err
	}
	load := lap()
	if f.outdir == "" && f.compare == "" && f.repeat == 0 {
		return cli.Usagef("run: nothing to do: want -outdir DIR for the outputs, -compare DIR or -repeat N")
	}
	files, err := feed.Files(m.Inputs(), f.inputs)
	if err != nil {
		return err
	}
	in, err := feed.Read(m.Inputs(), files)
	if err != nil {
		return err
	}
	var expected []*tensor.Tensor
	if f.compare != "" {
		if expected, err = readExpected(f.compare, len(m.Outputs())); err != nil {
			return err
		}
	}
	if f.outdir != "" {
		if err := f.makeOutdir(len(m.Outputs()), files); err != nil {
			return err
		}
	}
	lap()
	be, err := f.device.open(stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, be.Close()) }()
	if f.repeat > 0 {
		sayTimes(stderr, be)
	}
	open := lap()
	s, err := m.Compile(ctx, be)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	compile := lap()
	ys, err := s.Run(ctx, in...)
	if err != nil {
		return inputFault(err)
	}
	first := lap()
	for _, n := range m.Notes() {
		fmt.Fprintln(stderr, "note:", clean(n))
	}

	if f.outdir != "" {
		if err := f.write(ctx, out, m.Outputs(), ys); err != nil {
			return err
		}
	}
	bad := 0
	for i, want := range expected {
		c := compare(ys[i], want)
		if !c.fine(f.tol) {
			bad++
		}
		fmt.Fprintf(out, "%s as expected? %s\n", clean(m.Outputs()[i].Name), c.say(f.tol))
	}
	if f.repeat > 0 {
		fmt.Fprintf(out, "load %v, open %s %v, compile %v, first run %v\n", short(load), be.Name(), short(open), short(compile), short(first))
		if err := f.measure(ctx, out, stderr, s, in); err != nil {
			return err
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d outputs are not as expected in %s", bad, len(expected), f.compare)
	}
	return nil
}

// inputFault is a usage error for sizes of inputs that the network cannot do with.
func inputFault(err error) error {
	var shape *backend.ShapeError
	if errors.As(err, &shape) {
		return cli.UsageError{Err: err}
	}
	return err
}

// makeOutdir makes the folder for n outputs, none of which may replace an input.
func (f *runFlags) makeOutdir(n int, files []string) error {
	if err := os.MkdirAll(f.outdir, 0o777); err != nil {
		return fmt.Errorf("-outdir: %w", err)
	}
	for i := range n {
		for _, in := range files {
			if y := filepath.Join(f.outdir, outputFile(i)); same(y, in) {
				return cli.Usagef("-outdir %s: %s would replace the input %s: want another folder", f.outdir, outputFile(i), in)
			}
		}
	}
	return nil
}

// same reports whether two paths are one file or folder.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// write writes the outputs, and a line for each that is there.
func (f *runFlags) write(ctx context.Context, out io.Writer, about []onnx.ValueInfo, ys []*tensor.Tensor) error {
	for i, y := range ys {
		if err := ctx.Err(); err != nil {
			return err
		}
		file := filepath.Join(f.outdir, outputFile(i))
		if err := tensor.SaveNPY(file, y); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s %v%v %s\n", clean(about[i].Name), y.DType(), y.Shape(), file); err != nil {
			return err
		}
	}
	return nil
}

// measure times further runs.
func (f *runFlags) measure(ctx context.Context, out, stderr io.Writer, s *onnx.Session, in []*tensor.Tensor) error {
	var times []time.Duration
	var err error
	bar := cli.NewProgress(stderr, f.repeat)
	defer bar.End()
	for len(times) < f.repeat {
		start := time.Now()
		if _, err = s.Run(ctx, in...); err != nil {
			break
		}
		times = append(times, time.Since(start))
		bar.Step()
	}
	bar.End()
	if len(times) > 0 {
		fmt.Fprintln(out, statistics(times, f.repeat))
	}
	return err
}

// statistics describes times, which it sorts, of as many runs as were wanted, or fewer
// where an interrupt or a fault came.
func statistics(times []time.Duration, wanted int) string {
	slices.Sort(times)
	n := len(times)
	runs := fmt.Sprintf("%d more runs", n)
	if n < wanted {
		runs = fmt.Sprintf("%d of %d more runs", n, wanted)
	}
	median := (times[(n-1)/2] + times[n/2]) / 2
	return fmt.Sprintf("%s: median %v, min %v, max %v", runs, short(median), short(times[0]), short(times[n-1]))
}

// short rounds to four digits.
func short(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 10000 {
		unit *= 10
	}
	return d.Round(unit)
}
