package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/internal/atomicfile"
	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/internal/feed"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/preprocess"
	"github.com/convgl/convgl/tensor"
)

// inspectFlags are the flags of inspect.
type inspectFlags struct {
	device       deviceFlags
	shapes       []string
	steps        bool
	dot, dotRuns string
	asJSON       bool
}

func inspectCommand() *cobra.Command {
	var f inspectFlags
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "say what is in an ONNX file, and how it runs",
		Long: `inspect says what is in an ONNX file: inputs, outputs, ops with the versions that the
file's opset means, parameters, what is computed otherwise than the file says, and how
pictures are made ready where a description stands beside the file. Then it makes the
model ready for a backend and runs it once, on zeros, and says what the passes did,
how much memory a run takes, and its multiply-adds: those of convolutions, dense layers
and matrix products, padding included.

Inputs whose shape is open need -shape for that; an open first dim is 1 where nothing
else is said. Nodes that are not supported are all listed, with exit code 4.

Exit codes: see cnn help.`,
		Example: `  cnn inspect resnet50.onnx
  cnn inspect -backend gl -shape image=8,3,480,640 -plan detect.onnx
  cnn inspect -dot net.dot net.onnx && dot -Tsvg net.dot >net.svg`,
		Args: func(_ *cobra.Command, files []string) error {
			if len(files) != 1 {
				return fmt.Errorf("inspect: got %d files, want an ONNX file", len(files))
			}
			return nil
		},
	}
	f.device.add(c)
	fs := c.Flags()
	fs.StringArrayVar(&f.shapes, "shape", nil, "`NAME=1,3,224,224`, once for each input; the sizes alone where there is one input")
	fs.BoolVar(&f.steps, "plan", false, "print every step of a run and where its data lies")
	fs.StringVar(&f.dot, "dot", "", "write the nodes of the file to `FILE` for Graphviz")
	fs.StringVar(&f.dotRuns, "dot-optimized", "", "write what runs to `FILE` for Graphviz")
	fs.BoolVar(&f.asJSON, "json", false, "one JSON document")
	c.RunE = func(cmd *cobra.Command, files []string) error { return f.run(cmd, files[0]) }
	return c
}

func (f *inspectFlags) run(cmd *cobra.Command, file string) error {
	out := cmd.OutOrStdout()
	if err := f.device.check(); err != nil {
		return err
	}
	m, err := onnx.Load(file, onnx.WithUnsupported())
	if err != nil {
		if f.asJSON {
			err = errors.Join(err, writeJSON(out, struct {
				File  string `json:"file"`
				Error string `json:"error"`
			}{file, err.Error()}))
		}
		return err
	}
	shapes, shapesErr := feed.Shapes(m.Inputs(), f.shapes)
	var open feed.OpenShapes
	if shapesErr != nil && !errors.As(shapesErr, &open) {
		return shapesErr
	}
	r := describeModel(file, m)
	if f.dot != "" {
		if err := atomicfile.Write(f.dot, func(w io.Writer) error { return writeModelDot(w, m) }); err != nil {
			return err
		}
	}
	if !f.asJSON {
		r.write(out)
	}
	if len(r.Unsupported) > 0 {
		err = &onnx.RefusedError{Path: file, Err: &onnx.UnsupportedError{Nodes: m.Unsupported()}}
		r.Error = err.Error()
	} else if err = f.describeRun(cmd.Context(), cmd.ErrOrStderr(), m, shapes, shapesErr, r); err != nil {
		r.RunError = err.Error()
	}
	if r.Pictures != nil && r.Pictures.fault != nil {
		err = errors.Join(err, cli.UsageError{Err: r.Pictures.fault})
	}
	switch {
	case f.asJSON:
		return errors.Join(err, writeJSON(out, r))
	case r.Run != nil:
		r.Run.write(out, f.steps)
	}
	return err
}

func writeJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// describeRun compiles and runs the model and adds what there is to say about that. That
// shapes are open is an error only where somebody asked for what follows from them.
func (f *inspectFlags) describeRun(ctx context.Context, stderr io.Writer, m *onnx.Model, shapes []tensor.Shape, open error, r *modelReport) (err error) {
	switch {
	case open == nil:
	case f.steps || f.dotRuns != "":
		return cli.UsageError{Err: open}
	default:
		r.RunError = open.Error()
		if !f.asJSON {
			fmt.Fprintf(stderr, "not run: %v\n", open)
		}
		return nil
	}
	be, why, err := f.device.openQuietly()
	if err != nil {
		return err
	}
	if why != "" {
		fmt.Fprintln(stderr, why)
	}
	defer func() { err = errors.Join(err, be.Close()) }()
	s, err := m.Compile(ctx, be)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	in, err := feed.Zeros(m.Inputs(), shapes)
	if err != nil {
		return err
	}
	stages, err := s.Stages(ctx, in...)
	if err != nil {
		return inputFault(fmt.Errorf("run on zeros: %w", err))
	}
	if r.Run, err = reportRun(ctx, be, m.Inputs(), shapes, stages, f.steps); err != nil {
		return err
	}
	if f.dotRuns != "" {
		return atomicfile.Write(f.dotRuns, func(w io.Writer) error { return writeStagesDot(w, r.Name, stages) })
	}
	return nil
}

// modelReport is what a file says.
type modelReport struct {
	File        string            `json:"file"`
	FileBytes   int64             `json:"file_bytes"` // without external data
	Name        string            `json:"name"`
	Doc         string            `json:"doc,omitempty"`
	Producer    string            `json:"producer,omitempty"`
	IRVersion   int64             `json:"ir_version"`
	Opset       int64             `json:"opset"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Inputs      []valueReport     `json:"inputs"`
	Outputs     []valueReport     `json:"outputs"`
	Params      int64             `json:"parameters"`
	ParamBytes  int64             `json:"parameter_bytes"`
	Nodes       int               `json:"nodes"`
	Ops         []opReport        `json:"ops"`
	Notes       []string          `json:"notes,omitempty"`
	Pictures    *picturesReport   `json:"pictures,omitempty"`
	Error       string            `json:"error,omitempty"` // why the model is refused
	Unsupported []nodeReport      `json:"unsupported,omitempty"`
	Run         *runReport        `json:"run,omitempty"`
	RunError    string            `json:"run_error,omitempty"`
}

type valueReport struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// Shape has a number or a name for each dim; it is null where the rank is open.
	Shape []any `json:"shape"`
}

// opReport counts the nodes of an op.
type opReport struct {
	Op      string `json:"op"`
	Domain  string `json:"domain,omitempty"`
	Version int    `json:"version"`
	Count   int    `json:"count"`
}

// nodeReport is a node that cannot be run.
type nodeReport struct {
	Name    string `json:"name"`
	Op      string `json:"op"`
	Domain  string `json:"domain,omitempty"`
	Version int    `json:"version,omitempty"`
	Reason  string `json:"reason"`
}

func describeModel(file string, m *onnx.Model) *modelReport {
	info := m.Info()
	r := &modelReport{File: file, Name: info.Name, Doc: info.Doc, Producer: info.Producer, IRVersion: info.IRVersion, Opset: info.Opset,
		Metadata: info.Metadata, Inputs: reportValues(m.Inputs()), Outputs: reportValues(m.Outputs()),
		Params: m.Params(), ParamBytes: m.ParamBytes(), Nodes: len(m.Nodes()), Ops: []opReport{}, Notes: m.Notes()}
	if fi, err := os.Stat(file); err == nil {
		r.FileBytes = fi.Size()
	}
	r.Pictures = describePictures(file, m.Inputs())
	for _, n := range m.Unsupported() {
		r.Unsupported = append(r.Unsupported, nodeReport{n.Name, n.Op, n.Domain, n.Version, n.Reason})
	}
	at := map[opReport]int{}
	for _, n := range m.Nodes() {
		key := opReport{Op: n.Op, Domain: n.Domain, Version: n.Version}
		i, ok := at[key]
		if !ok {
			i = len(r.Ops)
			at[key] = i
			r.Ops = append(r.Ops, key)
		}
		r.Ops[i].Count++
	}
	slices.SortFunc(r.Ops, func(a, b opReport) int {
		return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Op, b.Op), cmp.Compare(a.Version, b.Version))
	})
	return r
}

// picturesReport is how pictures become inputs.
type picturesReport struct {
	File   string             `json:"file,omitempty"` // the description beside the model
	Error  string             `json:"error,omitempty"`
	Config *preprocess.Config `json:"preprocessing,omitempty"`
	fault  error              // that of Error, where the input takes pictures
}

// describePictures returns the description beside the model, or else what the input
// suggests, and nil where neither is.
func describePictures(file string, inputs []onnx.ValueInfo) *picturesReport {
	if len(inputs) != 1 || inputs[0].Shape == nil {
		return nil // as classify takes no such model
	}
	dims, dtype := openDims(inputs[0]), inputs[0].Type.DType()
	c, err := preprocess.ForInput(dims, dtype)
	suggested := err == nil
	path := preprocess.Path(file)
	found, err := c.Load(path)
	if !found && err == nil {
		if !suggested {
			return nil
		}
		return &picturesReport{Config: &c}
	}
	if err == nil {
		if err = c.Check(dims, dtype); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err != nil {
		r := &picturesReport{File: path, Error: err.Error()}
		if suggested { // else the file may be of something else
			r.fault = err
		}
		return r
	}
	return &picturesReport{File: path, Config: &c}
}

func reportValues(vs []onnx.ValueInfo) []valueReport {
	rs := make([]valueReport, len(vs))
	for i, v := range vs {
		rs[i] = valueReport{Name: v.Name, Type: v.Type.String()}
		if v.Shape == nil {
			continue
		}
		rs[i].Shape = []any{}
		for _, d := range v.Shape {
			if n, static := d.Size(); static {
				rs[i].Shape = append(rs[i].Shape, n)
			} else {
				rs[i].Shape = append(rs[i].Shape, d.String())
			}
		}
	}
	return rs
}
