package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Engine is a library of another project that computes layers, for a program that
// measures it as [Peers] measures ours.
type Engine struct {
	Peer, Version string
	// Ready makes a layer ready, with inputs in plain order; GOMAXPROCS is threads.
	// Run computes it, result returns in plain order what the last run left, and impl
	// says how and what is not in the timed part.
	Ready func(d backend.Desc, in []*tensor.Tensor, threads int) (run func() error, result func() (*tensor.Tensor, error), impl string, err error)
}

// Engines measures layers on other engines and writes the JSON lines that [Peers]
// does, with the same inputs, sampling and judgment. Networks are left out. A layer
// that an engine cannot compute, or computes wrongly, gives a PeerError line. Engines
// itself fails only when ctx is done or out fails.
func Engines(ctx context.Context, c PeersConfig, engines []Engine, threads []int, workloads []Workload, out io.Writer) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, w := range workloads {
		if w.Kind == "net" || w.Kind == "train" || c.Filter != nil && !c.Filter.MatchString(w.Name) {
			continue
		}
		l, err := newPeerLayer(ctx, c, w)
		if err != nil {
			return err
		}
		for _, e := range engines {
			if err := l.engine(ctx, e, threads, enc); err != nil {
				return err
			}
		}
	}
	return nil
}

// engine writes the cells of one engine, up to the first that fails.
func (l *peerLayer) engine(ctx context.Context, e Engine, threads []int, enc *json.Encoder) error {
	for _, n := range l.c.Batches {
		for _, t := range threads {
			runtime.GOMAXPROCS(t)
			line, err := l.engineCell(ctx, e, t, n)
			if err := ctx.Err(); err != nil {
				return err
			}
			if err != nil {
				return enc.Encode(PeerError{Peer: e.Peer, Workload: l.w.Name, Error: brief(err)})
			}
			if err := enc.Encode(line); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *peerLayer) engineCell(ctx context.Context, e Engine, threads, n int) (line PeerLine, err error) {
	defer func() {
		if p := recover(); p != nil { // libraries panic where ours returns an error
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	d, in, err := l.batch(n)
	if err != nil {
		return line, err
	}
	run, result, impl, err := e.Ready(d, in, threads)
	if err != nil {
		return line, err
	}
	line = PeerLine{Peer: e.Peer, Workload: l.w.Name, Threads: threads, Batch: n, Version: e.Version}
	return l.line(ctx, line, d, impl, run, result)
}
