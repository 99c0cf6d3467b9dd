package main

import (
	"errors"
	"math"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/internal/feed"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// inputFlags are a model and what it takes.
type inputFlags struct {
	model         string
	files, shapes []string
	seed          uint64
}

func (f *inputFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.model, "model", "", "the ONNX `FILE`")
	c.Flags().StringArrayVar(&f.files, "input", nil, "`NAME=FILE.npy`, for all inputs or for none, which then are random")
	c.Flags().StringArrayVar(&f.shapes, "shape", nil, "`NAME=1,3,224,224` of a random input; an open first dim is 1 where nothing is said")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "of random inputs")
}

// load reads the model.
func (f *inputFlags) load() (*onnx.Model, error) {
	if f.model == "" {
		return nil, cli.Usagef("-model is missing: want an ONNX file")
	}
	return onnx.Load(f.model)
}

// inputs returns what the model gets.
func (f *inputFlags) inputs(m *onnx.Model) ([]*tensor.Tensor, []bench.ModelInput, error) {
	var ts []*tensor.Tensor
	var content []string
	var err error
	if len(f.files) > 0 {
		if len(f.shapes) > 0 {
			return nil, nil, cli.Usagef("-shape is for random inputs: leave it out, or -input")
		}
		if content, err = feed.Files(m.Inputs(), f.files); err == nil {
			ts, err = feed.Read(m.Inputs(), content)
		}
	} else {
		var shapes []tensor.Shape
		if shapes, err = feed.Shapes(m.Inputs(), f.shapes); err == nil {
			ts, content, err = feed.Random(m.Inputs(), shapes, f.seed)
		}
	}
	var open feed.OpenShapes
	if errors.As(err, &open) {
		err = cli.UsageError{Err: err}
	}
	if err != nil {
		return nil, nil, err
	}
	var list []bench.ModelInput
	for i, v := range m.Inputs() {
		list = append(list, bench.ModelInput{Name: v.Name, Type: v.Type.String(), Shape: ts[i].Shape(), Content: content[i]})
	}
	return ts, list, nil
}

// refusedModel makes a model that cannot be read or is not supported a fault of the
// input.
func refusedModel(err error) error {
	var refused *onnx.RefusedError
	var missing *onnx.UnsupportedError
	if errors.As(err, &refused) || errors.As(err, &missing) {
		return cli.UsageError{Err: err}
	}
	return err
}

// bothNames lets -backends stand for -backend.
func bothNames(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if name == "backends" {
		name = "backend"
	}
	return pflag.NormalizedName(name)
}

func modelCommand() *cobra.Command {
	var (
		backends backendFlags
		input    inputFlags
		ref      string
		runs     int
		tol      float64
		json     bool
	)
	c := &cobra.Command{
		Use:   "model",
		Short: "compare backends on an ONNX model, layer by layer, and time every step",
		Long: `model runs an ONNX file on backends and on the reference.

Layer by layer, each node of the optimised graph gets the inputs that the reference
computed, and is judged by the error bound of its op; of large convolutions and dense
layers some output channels. As a whole, each output may differ by -tol of its largest
magnitude; where a softmax makes an output, what goes into it is compared too. The
reference is slow: -ref= leaves the comparison out.

Then it times -runs runs, and as many step by step, in turns: kernels, changes of
layout, and the copies to and from the device; by the device's clock where it has one.
The sum of the steps and the time of a whole run stand below the table.

Exit code 1: a layer or output is wrong, or a backend cannot run the model.`,
		Example: `  cnnbench model -model resnet50.onnx
  cnnbench model -model detect.onnx -backend cpu -shape image=1,3,480,640 -ref= -runs 50
  cnnbench model -model mnist.onnx -input digit.npy -backend cpu,gl -json`,
		Args: cobra.NoArgs,
	}
	backends.add(c, "cpu,gl")
	input.add(c)
	c.Flags().SetNormalizeFunc(bothNames)
	c.Flags().StringVar(&ref, "ref", "ref", "the backend that is right; empty compares nothing")
	c.Flags().IntVar(&runs, "runs", 10, "runs that are timed, as a whole and step by step; 0 times nothing")
	c.Flags().Float64Var(&tol, "tol", 1e-3, "what outputs may differ, as a share of the largest magnitude")
	c.Flags().BoolVar(&json, "json", false, "report as one JSON document")
	c.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if runs < 0 || !(tol > 0) || math.IsInf(tol, 0) {
			return cli.Usagef("-runs %d, -tol %v: want 0 or more, and more than 0", runs, tol)
		}
		if runs == 0 && ref == "" {
			return cli.Usagef("-runs 0 and no -ref: there is nothing to do")
		}
		m, err := input.load()
		if err != nil {
			return refusedModel(err)
		}
		in, about, err := input.inputs(m)
		if err != nil {
			return err
		}
		cfg := bench.ModelConfig{Runs: runs, Tol: tol, Progress: func(total int) (step, end func()) {
			bar := cli.NewProgress(cmd.ErrOrStderr(), total)
			return bar.Step, bar.End
		}}
		if cfg.Targets, err = backends.open(cmd.ErrOrStderr()); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, bench.CloseTargets(cfg.Targets)) }()
		if ref != "" {
			refs, err := bench.OpenTargets([]string{ref}, nil)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, bench.CloseTargets(refs)) }()
			cfg.Ref = refs[0].Backend
		}
		r, err := bench.CompareModel(cmd.Context(), cfg, m, in)
		if err != nil {
			return refusedModel(err)
		}
		r.Model, r.Inputs = input.model, about
		form := bench.Table
		if json {
			form = bench.JSON
		}
		if err := bench.WriteModel(cmd.OutOrStdout(), form, r); err != nil {
			return err
		}
		if !r.Agrees() {
			return cli.ErrDisagree
		}
		return nil
	}
	return c
}
