// Command _gopeers measures convolutions and poolings of other Go libraries and prints
// the JSON lines that "cnnbench perf -peers" prints for ours, with the same inputs,
// sampling and judgment:
//
//	go -C bench/_gopeers run . >>results.jsonl
//
// The argument is a table of workloads, "layers" by default. The environment has
// THREADS (1,2), BATCHES (1), PEERS (all), and REPS, CELL_MS and FILTER as cnnbench has them.
//
// It is a module of its own, so that nobody who uses convgl downloads these libraries.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/ref"
	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/internal/check"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "gopeers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	table := "layers"
	if len(os.Args) > 1 {
		table = os.Args[1]
	}
	workloads, err := bench.ReadWorkloads(table)
	if err != nil {
		return err
	}
	c := bench.PeersConfig{Fill: check.Normal, Seed: 1}
	if err := c.PeersEnv(os.Getenv); err != nil {
		return err
	}
	if c.Batches, err = numbers("BATCHES", "1"); err != nil {
		return err
	}
	threads, err := numbers("THREADS", "1,2")
	if err != nil {
		return err
	}
	engines := []bench.Engine{gonum(), gomlx(), gorgoniaEngine()}
	if s := os.Getenv("PEERS"); s != "" {
		want := strings.Fields(strings.ReplaceAll(s, ",", " "))
		engines = slices.DeleteFunc(engines, func(e bench.Engine) bool { return !slices.Contains(want, e.Peer) })
	}
	if c.Ref, err = backend.Open("ref"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Ref.Close()) }()
	return bench.Engines(ctx, c, engines, threads, workloads, os.Stdout)
}

// numbers reads a list from the environment.
func numbers(name, def string) (list []int, err error) {
	s := os.Getenv(name)
	if s == "" {
		s = def
	}
	for _, f := range strings.Split(s, ",") {
		n, err := strconv.Atoi(f)
		if err != nil || n < 1 || n > 1<<10 {
			return nil, fmt.Errorf("%s=%s: want numbers from 1 to %d with commas", name, s, 1<<10)
		}
		list = append(list, n)
	}
	return list, nil
}

// version is that of a module in this program.
func version(modules ...string) string {
	var list []string
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if slices.Contains(modules, m.Path) {
				list = append(list, m.Path+" "+m.Version)
			}
		}
		list = append(list, info.GoVersion)
	}
	return strings.Join(list, ", ")
}
