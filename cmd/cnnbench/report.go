package main

import (
	"github.com/spf13/cobra"

	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/internal/cli"
)

// reportCommand returns "cnnbench report".
func reportCommand() *cobra.Command {
	var peer, plain string
	c := &cobra.Command{
		Use:   "report FILE...",
		Short: "compare our times with those of other engines, as Markdown",
		Long: `report reads the JSON lines of perf -peers and of programs that measure other engines
with the same table, and prints for each workload, batch and number of threads our
time, rate, share of the measured peak and worst error over its bound, with the ratio
of the peer's time to ours: convolutions against oneDNN's direct one (peer onednn),
with plain order in and out against the best peer of -plain, poolings against the best
of all, networks against ONNX Runtime (peer ort); then geometric means.

Lines of the same cell are rounds: each time is the least of all. The engines should
take turns, and the file be appended to, so that what disturbs the machine disturbs
all of them.`,
		Example: `  cnnbench perf -peers layers -threads 1,2 -batch-sizes 1,8 >>results.jsonl
  cnnbench report results.jsonl others.jsonl`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			plains := bench.PlainPeers()
			if cmd.Flags().Changed("plain") {
				var err error
				if plains, err = cli.SplitList("plain", plain); err != nil {
					return err
				}
			}
			results, err := bench.ReadPeers(files...)
			if err != nil {
				return cli.UsageError{Err: err}
			}
			if err := results.WriteRatios(cmd.OutOrStdout(), bench.RatioConfig{Peer: peer, Plain: plains}); err != nil {
				return cli.UsageError{Err: err}
			}
			return nil
		},
	}
	c.Flags().StringVar(&peer, "peer", "convgl-cpu", "ours")
	c.Flags().StringVar(&plain, "plain", "", "peers that take and give plain order, with commas (default those known to)")
	return c
}
