package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/internal/cli"
)

func conformCommand() *cobra.Command {
	var (
		backends     backendFlags
		cases, dump  string
		skip         string
		json, strict bool
	)
	c := &cobra.Command{
		Use:   "conform",
		Short: "run a folder of cases with known results",
		Long: `conform runs the cases of a folder, forward only, and counts passed, failed and
unsupported by family and backend. The folder holds a manifest.json with cases of
single ops, or an index.json with ONNX's own cases: model.onnx and test_data_set_N
with input_0.pb, … and output_0.pb, …, judged as ONNX does: floats within 1e-3 of the
value and 1e-7 apart, all others equal.

A case of a kind, attribute, type or tensor that is not known is unsupported. A failed
case ends in exit code 1, an unsupported one only with -strict. -skip leaves cases out
by name, and says how many. A case that says "report only", or with which ONNX Runtime
does not agree, is counted as reported when it differs.`,
		Example: `  cnnbench conform -cases torch_cases -backend ref,cpu,gl
  cnnbench conform -cases torch_cases -strict -skip '^train_|_train|^softmax_ce|^mse$|^bce'
  cnnbench conform -cases seed_golden -backend cpu -dump out
  cnnbench conform -cases onnx_node -backend ref,cpu,gl -dump out`,
		Args: cobra.NoArgs,
	}
	backends.add(c, "ref,cpu,gl")
	c.Flags().StringVar(&cases, "cases", "", "the folder")
	c.Flags().StringVar(&skip, "skip", "", "leave out the cases whose name the regular `expression` matches")
	c.Flags().StringVar(&dump, "dump", "", "write what was computed to FOLDER/BACKEND/CASE/TENSOR.npy")
	c.Flags().BoolVar(&json, "json", false, "report as one JSON document")
	c.Flags().BoolVar(&strict, "strict", false, "unsupported is a failure")
	c.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if cases == "" {
			return cli.Usagef("conform: -cases is missing: want a folder with a manifest.json or an index.json")
		}
		m, err := bench.ReadCases(cases)
		if err != nil {
			return cli.UsageError{Err: err}
		}
		all := len(m.Cases)
		if err := skipCases(m, skip); err != nil {
			return err
		}
		if n := all - len(m.Cases); n > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "conform: -skip leaves out %d of %d cases\n", n, all)
		}
		cfg := bench.ConformConfig{Dump: dump}
		if cfg.Targets, err = backends.open(cmd.ErrOrStderr()); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, bench.CloseTargets(cfg.Targets)) }()

		var rs []bench.Conformance
		bad := false
		bar := cli.NewProgress(cmd.ErrOrStderr(), len(m.Cases)*len(cfg.Targets))
		runErr := bench.Conform(cmd.Context(), cfg, m, func(r bench.Conformance) error {
			rs = append(rs, r)
			bad = bad || r.Status == bench.Failed || strict && r.Status == bench.Unsupported
			bar.Step()
			return nil
		})
		bar.End()
		form := bench.Table
		if json {
			form = bench.JSON
		}
		if err := errors.Join(runErr, bench.WriteConformance(cmd.OutOrStdout(), form, cases, rs)); err != nil {
			return err
		}
		if bad {
			return cli.ErrDisagree
		}
		return nil
	}
	return c
}

// skipCases takes the cases out of m that the expression matches.
func skipCases(m *bench.Manifest, expression string) error {
	if expression == "" {
		return nil
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		return cli.Usagef("conform: -skip: %v", err)
	}
	m.Cases = slices.DeleteFunc(m.Cases, func(c bench.Case) bool { return re.MatchString(c.Name) })
	if len(m.Cases) == 0 {
		return cli.Usagef("conform: -skip %q leaves no case", expression)
	}
	return nil
}
