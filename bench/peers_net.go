package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/tensor"
)

// netDeviation is what a compiled network may differ from the reference, as a share
// of the largest output.
const netDeviation = 1e-4

// peerNet is a network, compiled once a target.
type peerNet struct {
	c      PeersConfig
	w      Workload
	net    *cnn.Net
	flops  int64          // of one picture
	x      *tensor.Tensor // for the largest batch; see firstAndLast
	want   []float32      // the reference's output for one picture; nil until needed
	models map[backend.Backend]*cnn.Model
}

func newPeerNet(c PeersConfig, w Workload) (*peerNet, error) {
	net, err := w.Net()
	if err != nil {
		return nil, err
	}
	net.Init(c.Seed)
	p := &peerNet{c: c, w: w, net: net, models: map[backend.Backend]*cnn.Model{}}
	if p.flops, err = netFLOPs(net); err != nil {
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
		if m, err = p.net.Compile(ctx, t.Backend); err != nil {
			return nil, err
		}
		p.models[t.Backend] = m
	}
	x, err := firstAndLast(p.x, n)
	if err != nil {
		return nil, err
	}
	y, err := m.Predict(ctx, x)
	if err != nil {
		return nil, err
	}
	plan, err := m.Runtime().Plan(ctx, x.Shape())
	if err != nil {
		return nil, err
	}
	mt, err := p.c.measure(ctx, func() error { return m.PredictInto(ctx, y, x) })
	if err != nil {
		return nil, err
	}
	line := t.line(p.w, n).timed(mt, fmt.Sprintf("%d kernels, %d reorders", plan.Steps(), plan.Reorders()))
	line.FLOPs, line.Bytes = p.flops*int64(n), plan.Cost().Bytes
	line.GFLOPS = rate(line.FLOPs, mt.median)
	images := round(float64(n)/mt.median*1e3, 1)
	line.ImagesPS = &images
	if p.c.Ref != nil {
		worst, err := p.judge(ctx, y)
		if err != nil {
			return nil, err
		}
		worst = round(worst, 4)
		line.Worst = &worst
	}
	return []PeerLine{line}, nil
}

// judge holds the first and the last row of y against the reference and returns the
// worst error over its bound. It fails with errWrong above 1.
func (p *peerNet) judge(ctx context.Context, y *tensor.Tensor) (float64, error) {
	if p.want == nil {
		x, err := firstAndLast(p.x, 1)
		if err != nil {
			return 0, err
		}
		m, err := p.net.Compile(ctx, p.c.Ref)
		if err != nil {
			return 0, err
		}
		want, err := m.Predict(ctx, x)
		if err := errors.Join(err, m.Close()); err != nil {
			return 0, fmt.Errorf("reference: %w", err)
		}
		p.want = want.Float32s()
	}
	largest, off := 0.0, 0.0
	for i, v := range p.want {
		largest = max(largest, math.Abs(float64(v)))
		for _, got := range []float32{y.Float32s()[i], y.Float32s()[y.Size()-len(p.want)+i]} {
			off = max(off, math.Abs(float64(got)-float64(v))) // NaN stays
		}
	}
	worst := off / (netDeviation * largest)
	if !(worst <= 1) {
		return worst, fmt.Errorf("%w: differs from the reference by %.3g of the largest output, want at most %g", errWrong, off/largest, netDeviation)
	}
	return worst, nil
}
