package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/internal/cli"
)

func verifyCommand() *cobra.Command {
	var (
		backends     backendFlags
		problems     problemFlags
		ref          string
		fill, format string
		seed         uint64
		alg          string
		strict       bool
	)
	c := &cobra.Command{
		Use:   "verify",
		Short: "hold kernels against the definition",
		Long: `verify runs each problem with each fill on each backend, twice, in memory filled
with NaN, and holds the result against the reference: equal under exact fill,
within the error bound of the op otherwise. For what is wrong it prints the
command that does it again.`,
		Example: `  cnnbench verify -backend cpu,gl
  cnnbench verify -backend cpu -batch resnet50 -op conv,pool
  cnnbench verify -backend gl -prb conv:mb1_ic64ih56oc64oh56kh3ph1 -fill all -alg all`,
		Args: cobra.NoArgs,
	}
	backends.add(c, "cpu,gl")
	problems.add(c)
	c.Flags().StringVar(&ref, "ref", "ref", "the backend that is right")
	c.Flags().StringVar(&fill, "fill", "exact,normal", "what inputs hold, with commas: exact, normal, uniform, adversarial, special, or all")
	c.Flags().Uint64Var(&seed, "seed", 1, "of the random fills")
	c.Flags().StringVar(&alg, "alg", "", "an algorithm by name, or all; default the backend's choice")
	c.Flags().BoolVar(&strict, "strict", false, "suspect and unsupported are disagreement too")
	c.Flags().StringVar(&format, "format", "table", "table, json or csv")
	c.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		form, err := bench.ParseFormat(format, bench.Table, bench.JSON, bench.CSV)
		if err != nil {
			return cli.UsageError{Err: err}
		}
		cfg := bench.VerifyConfig{Seed: seed, Algorithm: alg}
		if cfg.Fills, err = fills(fill); err != nil {
			return err
		}
		ps, err := problems.runnable("ops")
		if err != nil {
			return err
		}
		refs, err := bench.OpenTargets([]string{ref}, nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, bench.CloseTargets(refs)) }()
		cfg.Ref = refs[0].Backend
		if cfg.Targets, err = backends.open(cmd.ErrOrStderr()); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, bench.CloseTargets(cfg.Targets)) }()

		var vs []bench.Verification
		bad := false
		bar := cli.NewProgress(cmd.ErrOrStderr(), len(ps)*len(cfg.Fills)*len(cfg.Targets))
		runErr := bench.Verify(cmd.Context(), cfg, ps, func(v bench.Verification) error {
			vs = append(vs, v)
			bad = bad || v.Status == bench.Failed || strict && v.Status != bench.Passed
			bar.Step()
			return nil
		})
		bar.End()
		if err := errors.Join(runErr, bench.WriteVerifications(cmd.OutOrStdout(), form, vs)); err != nil {
			return err
		}
		if bad {
			return cli.ErrDisagree
		}
		return nil
	}
	return c
}
