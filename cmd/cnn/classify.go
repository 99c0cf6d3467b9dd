package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/internal/feed"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/preprocess"
	"github.com/convgl/convgl/tensor"
)

// classifyFlags are the flags of classify.
type classifyFlags struct {
	model   modelFlag
	device  deviceFlags
	prepare preprocessFlags
	labels  string
	output  string
	softmax string
	top     int
	batch   int
	json    bool
}

func classifyCommand() *cobra.Command {
	var f classifyFlags
	c := &cobra.Command{
		Use:   "classify PICTURE|FOLDER…",
		Short: "say what is in pictures",
		Long: `classify says which classes a network finds in pictures, the likeliest first.

A folder stands for the pictures in it and in its folders, in the order of their names;
other files there are skipped and counted. A named file that is no picture, and a
picture that is damaged, does not stop the others: it is reported at the end, with exit
code 2.

The scores become probabilities by softmax where they are none yet: -softmax auto
takes values from 0 on whose sum is 1, and a single score, as they are.

` + preprocessHelp + `

-json prints an object a line:

  {"path": "cat.jpg", "classes": [{"index": 281, "label": "tabby cat", "probability": 0.93}],
   "softmax": true, "batch": 1, "decode_ms": 4.1, "prepare_ms": 1.2, "run_ms": 6.3}

or, for a picture that failed, {"path": "x.jpg", "error": "why"}. run_ms is the time of
the whole batch; that of the first one includes choosing kernels.

Exit codes: see cnn help.`,
		Example: `  cnn classify -model resnet50.onnx -labels imagenet.txt cat.jpg
  cnn classify -model resnet50.onnx -labels imagenet.txt -batch 8 -json photos/ >classes.jsonl
  cnn classify -model mnist.onnx -scale 1 -top 1 digit.png`,
	}
	f.model.add(c)
	f.device.add(c)
	fs := c.Flags()
	fs.StringVar(&f.labels, "labels", "", "`FILE` with the name of a class a line")
	fs.StringVar(&f.output, "output", "", "the output with the scores, where there are several")
	fs.StringVar(&f.softmax, "softmax", "auto", "make probabilities of the scores: auto, yes, no")
	fs.IntVar(&f.top, "top", 5, "print the `N` likeliest classes")
	fs.IntVar(&f.batch, "batch", 0, "run `N` pictures at once; 0 is the model's number, or 1 where that is open")
	fs.BoolVar(&f.json, "json", false, "print an object a line")
	f.prepare.add(c)
	c.RunE = func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) }
	return c
}

func (f *classifyFlags) run(cmd *cobra.Command, args []string) (err error) {
	ctx, out, stderr := cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	switch {
	case len(args) == 0:
		return cli.Usagef("classify: want pictures or folders with pictures")
	case f.top < 1:
		return cli.Usagef("-top %d: want 1 or more", f.top)
	case f.batch < 0 || f.batch > 1<<16:
		return cli.Usagef("-batch %d: want 0 to %d", f.batch, 1<<16)
	case f.softmax != "auto" && f.softmax != "yes" && f.softmax != "no":
		return cli.Usagef("-softmax %s: want auto, yes or no", f.softmax)
	}
	m, err := f.model.load()
	if err != nil {
		return err
	}
	y, err := pickOutput(m, f.output)
	if err != nil {
		return err
	}
	if !y.Type.Float() {
		return cli.Usagef("the output %s: want float scores", feed.Describe(y))
	}
	cfg, in, err := f.prepare.config(m, f.model.path, stderr)
	if err != nil {
		return err
	}
	n, fixed := in.Shape[0].Size()
	switch {
	case !fixed:
		n = max(f.batch, 1)
	case n < 1 || f.batch > 0 && f.batch != n:
		return cli.Usagef("-batch %d: the model takes %s, %d at once", f.batch, feed.Describe(in), n)
	}
	w := &classifier{flags: f, name: clean(y.Name), n: n, fixed: fixed, out: out}
	if f.labels != "" {
		if w.labels, err = readLabels(f.labels); err != nil {
			return err
		}
	}
	if y.Shape != nil {
		count, err := classes(w.name, openDims(y), y.Shape)
		if err == nil {
			err = checkLabels(w.labels, f.labels, count, w.name)
		}
		if err != nil {
			return err
		}
	}
	list := listPictures(args)
	if len(list) == 0 {
		return cli.Usagef("no files in %s", strings.Join(args, ", "))
	}

	be, err := f.device.open(stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, be.Close()) }()
	if f.json {
		sayTimes(stderr, be)
	}
	s, err := m.Compile(ctx, be, onnx.WithOutputs(y.Name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	w.session = s
	w.bar = cli.NewProgress(stderr, len(list))
	defer w.bar.End()
	return w.all(ctx, list, cfg, stderr)
}

// classifier runs batches of pictures and prints their classes.
type classifier struct {
	flags   *classifyFlags
	session *onnx.Session
	name    string // of the output
	labels  []string
	n       int
	fixed   bool // each batch has n pictures
	out     io.Writer
	bar     *cli.Progress

	waiting  []*picture // in order, those that failed or were skipped among them
	ready    []*tensor.Tensor
	header   bool
	width    int // of the column of paths
	done     int
	skipped  int
	failed   []error
	badScore bool
}

func (w *classifier) all(ctx context.Context, list []*picture, cfg *preprocess.Config, stderr io.Writer) error {
	w.width = len("picture")
	for _, p := range list {
		w.width = max(w.width, min(utf8.RuneCountInString(clean(p.path)), 60))
	}
	err := loadPictures(ctx, list, cfg, max(4, w.n), func(p *picture) error { return w.add(ctx, p) })
	if err == nil {
		err = w.flush(ctx)
	}
	w.bar.End()
	skipped(stderr, w.skipped)
	if left := len(list) - w.done - w.skipped - len(w.failed); errors.Is(err, context.Canceled) && left > 0 {
		fmt.Fprintf(stderr, "%d of %d files were not looked at\n", left, len(list))
	}
	err = failures(stderr, err, w.failed, len(list)-w.skipped, w.badScore)
	if err == nil && w.done == 0 {
		return cli.Usagef("no pictures among %d files", len(list))
	}
	return err
}

// add takes the next picture in order.
func (w *classifier) add(ctx context.Context, p *picture) error {
	if p.x != nil && len(w.ready) > 0 && !p.x.Shape().Equal(w.ready[0].Shape()) {
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	w.waiting = append(w.waiting, p)
	if p.x != nil {
		w.ready = append(w.ready, p.x)
		p.x = nil // the batch has it
	}
	if len(w.ready) == 0 || len(w.ready) == w.n {
		return w.flush(ctx)
	}
	return nil
}

// flush runs what is ready and prints what is waiting.
func (w *classifier) flush(ctx context.Context) error {
	var scores [][]float32
	var took time.Duration
	if len(w.ready) > 0 {
		n := len(w.ready)
		if w.fixed {
			n = w.n
		}
		x, err := batch(w.ready, n)
		if err != nil {
			return err
		}
		start := time.Now()
		ys, err := w.session.Run(ctx, x)
		if err != nil {
			return err
		}
		took = time.Since(start)
		if scores, err = scoresOf(ys[0], w.name, n); err != nil {
			return err
		}
		if err := checkLabels(w.labels, w.flags.labels, len(scores[0]), w.name); err != nil {
			return err
		}
	}
	for _, p := range w.waiting {
		r := result{Path: p.path, Batch: len(w.ready), Decode: ms(p.decode), Prepare: ms(p.prepare), Run: ms(took)}
		err := p.err
		if err == nil && !p.skipped {
			var probs []float64
			probs, r.Softmax = probabilities(scores[0], w.flags.softmax)
			scores = scores[1:]
			if r.Classes, err = likeliest(probs, w.labels, w.flags.top); err != nil {
				w.badScore = true
				err = fmt.Errorf("%s: %w", clean(p.path), err)
			}
		}
		switch {
		case p.skipped:
			w.skipped++
		case err != nil:
			w.failed = append(w.failed, err)
			err = w.printError(p.path, err)
		default:
			w.done++
			err = w.print(r)
		}
		if err != nil {
			return err
		}
		w.bar.Step()
	}
	w.waiting, w.ready = w.waiting[:0], w.ready[:0]
	return nil
}

// result is what is printed of a picture.
type result struct {
	Path    string  `json:"path"`
	Classes []class `json:"classes"`
	Softmax bool    `json:"softmax"`
	Batch   int     `json:"batch"`
	Decode  float64 `json:"decode_ms"`
	Prepare float64 `json:"prepare_ms"`
	Run     float64 `json:"run_ms"`
}

func ms(d time.Duration) float64 { return float64(d.Round(time.Microsecond)) / 1e6 }

func (w *classifier) print(r result) error {
	if w.flags.json {
		return w.line(r)
	}
	var b strings.Builder
	if !w.header {
		w.header = true
		fmt.Fprintf(&b, "%s  probability  class", pad("picture", w.width))
		if w.labels != nil {
			b.WriteString("  label")
		}
		b.WriteByte('\n')
	}
	path := clean(r.Path)
	for _, c := range r.Classes {
		fmt.Fprintf(&b, "%s  %9.2f %%  %5d", pad(path, w.width), 100*c.Probability, c.Index)
		if c.Label != "" {
			b.WriteString("  " + clean(c.Label))
		}
		b.WriteByte('\n')
		path = ""
	}
	w.bar.Hide()
	_, err := io.WriteString(w.out, b.String())
	return err
}

// printError prints the line of a picture that failed in JSON; else the end of the command
// tells of it.
func (w *classifier) printError(path string, failure error) error {
	if !w.flags.json {
		return nil
	}
	return w.line(struct {
		Path  string `json:"path"`
		Error string `json:"error"`
	}{path, failure.Error()})
}

func (w *classifier) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.bar.Hide()
	_, err = w.out.Write(append(b, '\n'))
	return err
}

// pad fills s with spaces.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}
