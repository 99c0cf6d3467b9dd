package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// netDeviation is what a compiled network may differ from the reference, as a share
// of the largest output.
const netDeviation = 1e-4

// netSource makes a network ready for any backend.
type netSource interface {
	// name is what PeerLine.Source says.
	name() string
	compile(ctx context.Context, be backend.Backend) (netModel, error)
}

// netModel is a network on a backend, for one goroutine.
type netModel interface {
	// run computes the outputs, which the next run may overwrite.
	run(ctx context.Context, x *tensor.Tensor) ([]*tensor.Tensor, error)
	// plans are what a run for x consists of.
	plans(ctx context.Context, x *tensor.Tensor) ([]*graph.Plan, error)
	Close() error
}

// peerNet is a network, compiled once a target.
type peerNet struct {
	c      PeersConfig
	w      Workload
	source netSource
	x      *tensor.Tensor   // for the largest batch; see firstAndLast
	want   []*tensor.Tensor // the reference's outputs for one picture; nil until needed
	models map[backend.Backend]netModel
}

func newPeerNet(c PeersConfig, w Workload) (*peerNet, error) {
	p := &peerNet{c: c, w: w, models: map[backend.Backend]netModel{}}
	var err error
	if c.Models == "" {
		p.source, err = newBuiltNet(w, c.Seed)
	} else {
		p.source, err = newFileNet(w, c.Models)
	}
	if err != nil {
		return nil, err
	}
	if p.x, err = tensor.New(tensor.Float32, slices.Max(c.Batches), w.Cin, w.H, w.W); err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(c.Seed, 1))
	for i := range p.x.Float32s() {
		p.x.Float32s()[i] = float32(r.NormFloat64())
	}
	return p, nil
}

// Close implements contestant.
func (p *peerNet) Close() error {
	var errs []error
	for _, m := range p.models {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}

// cell implements contestant.
func (p *peerNet) cell(ctx context.Context, t Target, n int) ([]PeerLine, error) {
	m := p.models[t.Backend]
	if m == nil {
		var err error
		if m, err = p.source.compile(ctx, t.Backend); err != nil {
			return nil, err
		}
		p.models[t.Backend] = m
	}
	x, err := firstAndLast(p.x, n)
	if err != nil {
		return nil, err
	}
	ys, err := m.run(ctx, x)
	if err != nil {
		return nil, err
	}
	plans, err := m.plans(ctx, x)
	if err != nil {
		return nil, err
	}
	mt, err := p.c.measure(ctx, func() error {
		var err error
		ys, err = m.run(ctx, x)
		return err
	})
	if err != nil {
		return nil, err
	}
	steps, reorders := 0, 0
	line := t.line(p.w, n)
	line.Source = p.source.name()
	line.FLOPs = netFLOPs(plans)
	for _, plan := range plans {
		steps += plan.Steps()
		reorders += plan.Reorders()
		line.Bytes += plan.Cost().Bytes
	}
	line = line.timed(mt, fmt.Sprintf("%d kernels, %d reorders", steps, reorders))
	line.GFLOPS = rate(line.FLOPs, mt.median)
	images := round(float64(n)/mt.median*1e3, 1)
	line.ImagesPS = &images
	if p.c.Ref != nil {
		worst, err := p.judge(ctx, ys)
		if err != nil {
			return nil, err
		}
		worst = round(worst, 4)
		line.Worst = &worst
	}
	return []PeerLine{line}, nil
}

// netFLOPs is 2·MAC of all convolutions, dense layers and matrix products: what engines
// are compared by.
func netFLOPs(plans []*graph.Plan) (flops int64) {
	for _, p := range plans {
		flops += 2 * p.MultiplyAdds()
	}
	return flops
}

// judge holds the first and the last row of each output against the reference and
// returns the worst error over its bound. It fails with errWrong above 1.
func (p *peerNet) judge(ctx context.Context, ys []*tensor.Tensor) (worst float64, err error) {
	if p.want == nil {
		x, err := firstAndLast(p.x, 1)
		if err != nil {
			return 0, err
		}
		m, err := p.source.compile(ctx, p.c.Ref)
		if err != nil {
			return 0, fmt.Errorf("reference: %w", err)
		}
		want, err := m.run(ctx, x)
		if err := errors.Join(err, m.Close()); err != nil {
			return 0, fmt.Errorf("reference: %w", err)
		}
		p.want = want
	}
	for i, want := range p.want {
		y, n := ys[i], want.Size()
		if y.DType() != tensor.Float32 || y.Size() < n {
			return 0, fmt.Errorf("output %d: got %v%v, want rows of float32%v", i, y.DType(), y.Shape(), want.Shape())
		}
		for _, row := range [][]float32{y.Float32s()[:n], y.Float32s()[y.Size()-n:]} {
			off := deviation(row, want.Float32s())
			if worst = max(worst, off/netDeviation); !(worst <= 1) {
				return worst, fmt.Errorf("%w: differs from the reference by %.3g of the largest output, want at most %g", errWrong, off, netDeviation)
			}
		}
	}
	return worst, nil
}

// deviation returns the largest difference of two results as a share of the largest
// magnitude of what is wanted, 0 for equal ones and NaN where only one has a NaN.
func deviation(got, want []float32) float64 {
	largest, off := 0.0, 0.0
	for i, v := range want {
		largest = max(largest, math.Abs(float64(v)))
		if got[i] == v || got[i] != got[i] && v != v {
			continue
		}
		off = max(off, math.Abs(float64(got[i])-float64(v))) // NaN stays
	}
	if off == 0 {
		return 0
	}
	return off / largest
}
