package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// PerfConfig says how problems are measured.
type PerfConfig struct {
	Targets   []Target
	Fill      check.Fill
	Seed      uint64
	Algorithm string        // a name, "all", or "" for the backend's choice
	Count     int           // samples of each quantity, at least
	MinTime   time.Duration // time that the samples of one kernel take together, at least
	Cold      bool          // write coldBytes of other data before each sample
}

// Measurement is the time that one problem takes on one target. Times are in
// seconds.
type Measurement struct {
	Problem   string `json:"problem"` // text form
	Backend   string `json:"backend"`
	Device    string `json:"device"`
	Threads   int    `json:"threads"` // 0 where the device has none
	Algorithm string `json:"algorithm"`
	Cold      bool   `json:"cold,omitempty"`
	// Status is Passed, Unsupported or Failed, with the reason in Detail. It does
	// not say whether the result is right: see Verify.
	Status Status `json:"status"`
	Detail string `json:"detail,omitempty"`

	Prepare  float64 `json:"prepare_s"`   // plan, compile
	Pack     float64 `json:"pack_s"`      // all constant inputs, once
	FirstRun float64 `json:"first_run_s"` // of the kernel, until the device is done
	// Upload and Readback move the other inputs and all outputs from and to host
	// memory in the plain layout; conversion of the layout is included.
	Upload   Summary `json:"upload_s"`
	Readback Summary `json:"readback_s"`
	// Kernel is by the device's clock where it has one. Wall is by the host's, from
	// Run until Sync returns.
	Kernel Summary `json:"kernel_s"`
	Wall   Summary `json:"wall_s"`

	FLOPs  int64   `json:"flops"`
	Bytes  int64   `json:"bytes"`
	GFLOPS float64 `json:"gflops"` // of the median kernel
	GBps   float64 `json:"gb_s"`
	// Roof is the time that the measured peaks of the device allow, over the
	// median kernel's: the larger of FLOPs at the FMA peak and Bytes at the copy
	// peak. 0 where the backend cannot measure its peaks. It can exceed 1 when the
	// data stays in a cache, or an algorithm does less than the nominal work.
	Roof      float64 `json:"roof"`
	PeakFLOPS float64 `json:"peak_gflops"`
	PeakCopy  float64 `json:"peak_copy_gb_s"`

	samples []sample // of Kernel
}

// sample is a number of runs of which the mean was taken.
type sample struct {
	runs int
	mean time.Duration
}

// coldBytes is what is written between samples, more than caches hold.
const coldBytes = 128 << 20

// maxSamples bounds the samples of a cell, for long MinTime.
const maxSamples = 10000

// Perf measures every problem on every target. The targets take turns sample by
// sample, so that whatever disturbs the machine disturbs all of them. Emit gets
// the measurements of one problem when all are done.
func Perf(ctx context.Context, c PerfConfig, problems []Problem, emit func(Measurement) error) error {
	roofs, err := roofsOf(ctx, c.Targets)
	if err != nil {
		return err
	}
	for _, p := range problems {
		ms, err := perfProblem(ctx, c, p)
		if err != nil {
			return err
		}
		for _, m := range ms {
			m.rate(roofs[m.Backend])
			if err := emit(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// roofsOf measures the peaks of the targets that can, by label.
func roofsOf(ctx context.Context, ts []Target) (map[string]backend.Peaks, error) {
	roofs := map[string]backend.Peaks{}
	for _, t := range ts {
		if p, ok := t.Backend.(backend.Prober); ok {
			peaks, err := p.Peaks(ctx)
			if err != nil {
				return nil, fmt.Errorf("bench: peaks of %s: %w", t.Label, err)
			}
			roofs[t.Label] = peaks
		}
	}
	return roofs, nil
}

// rate computes what follows from the times.
func (m *Measurement) rate(roof backend.Peaks) {
	m.PeakFLOPS, m.PeakCopy = roof.FLOPS*1e-9, roof.CopyBytes*1e-9
	t := m.Kernel.Median
	if t <= 0 {
		return
	}
	m.GFLOPS = float64(m.FLOPs) / t * 1e-9
	m.GBps = float64(m.Bytes) / t * 1e-9
	if roof.FLOPS > 0 && roof.CopyBytes > 0 {
		m.Roof = max(float64(m.FLOPs)/roof.FLOPS, float64(m.Bytes)/roof.CopyBytes) / t
	}
}

// cell is one problem on one target.
type cell struct {
	Measurement
	target Target
	inst   *backend.Instance
	in     []*tensor.Tensor
	trash  backend.Buffer // for Cold
	junk   []byte
	runs   int // in one sample
	spent  time.Duration
	kernel []float64
	wall   []float64
}

func perfProblem(ctx context.Context, c PerfConfig, p Problem) (ms []Measurement, err error) {
	if err := p.Runnable(); err != nil {
		return nil, err
	}
	in, err := check.Inputs(p.Desc, c.Fill, c.Seed)
	if err != nil {
		return nil, err
	}
	var cells []*cell
	defer func() {
		for _, k := range cells {
			err = errors.Join(err, k.close())
		}
	}()
	for _, t := range c.Targets {
		for _, alg := range t.algorithms(p.Desc, c.Algorithm) {
			dev := t.Device()
			k := &cell{target: t, in: in, Measurement: Measurement{Problem: p.String(), Backend: t.Label, Device: dev.Name, Threads: dev.Threads, Algorithm: alg, Cold: c.Cold, Status: Passed}}
			cells = append(cells, k)
			k.note(k.prepare(ctx, c, p.Desc))
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
	}
	for busy := true; busy; {
		busy = false
		for _, k := range cells {
			if k.Status != Passed || len(k.kernel) >= maxSamples || len(k.kernel) >= c.Count && k.spent >= c.MinTime {
				continue
			}
			busy = true
			k.note(k.sample(ctx, c))
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
	}
	for _, k := range cells {
		k.Kernel, k.Wall = Summarize(k.kernel), Summarize(k.wall)
		if k.Status == Passed {
			k.note(k.transfers(ctx, c))
		}
		ms = append(ms, k.Measurement)
	}
	return ms, ctx.Err()
}

// note records an error in the measurement, which ends there.
func (k *cell) note(err error) {
	switch {
	case err == nil:
	case refused(err):
		k.Status, k.Detail = Unsupported, err.Error()
	default:
		k.Status, k.Detail = Failed, err.Error()
	}
}

func (k *cell) close() error {
	var errs []error
	if k.trash != nil {
		errs = append(errs, k.trash.Close())
	}
	if k.inst != nil {
		errs = append(errs, k.inst.Close())
	}
	return errors.Join(errs...)
}

// prepare plans, uploads and runs for the first time, and chooses how many runs
// make a sample of a millisecond.
func (k *cell) prepare(ctx context.Context, c PerfConfig, d backend.Desc) (err error) {
	d.Algorithm = k.Algorithm
	k.Prepare = timed(func() { k.inst, err = backend.NewInstance(ctx, k.target, d) })
	if err != nil {
		return err
	}
	info := k.inst.Kernel.Info()
	k.Algorithm, k.FLOPs, k.Bytes = info.Algorithm, info.Cost.FLOPs, info.Cost.Bytes
	k.Pack = timed(func() { err = k.inputs(ctx, true) })
	if err == nil {
		err = k.inputs(ctx, false)
	}
	if err != nil {
		return err
	}
	run := func() {
		if err == nil {
			err = errors.Join(k.inst.Run(ctx), k.target.Sync(ctx))
		}
	}
	k.FirstRun = timed(run)
	timed(run)
	usual := timed(run)
	k.runs = max(1, min(int(1e-3/max(usual, 1e-7)), 10000))
	if err == nil && c.Cold {
		k.runs = 1
		k.junk = make([]byte, coldBytes)
		k.trash, err = k.target.Alloc(coldBytes)
	}
	return err
}

// inputs uploads the inputs that are constant, or the others, and waits.
func (k *cell) inputs(ctx context.Context, constant bool) error {
	for i, t := range k.in {
		if k.inst.Kernel.Info().In[i].Const == constant {
			if err := k.inst.SetInput(ctx, i, t); err != nil {
				return err
			}
		}
	}
	return k.target.Sync(ctx)
}

// sample takes one sample of the kernel and one of the wall time.
func (k *cell) sample(ctx context.Context, c PerfConfig) error {
	var err error
	run := func() error {
		for range k.runs {
			if err := k.inst.Run(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	if err := k.evict(ctx); err != nil {
		return err
	}
	var took time.Duration
	if timer, ok := k.target.Backend.(backend.Timer); ok {
		took, err = timer.DeviceTime(ctx, run)
	} else {
		took = time.Duration(timed(func() { err = errors.Join(run(), k.target.Sync(ctx)) }) * 1e9)
	}
	if err != nil {
		return err
	}
	k.spent += took
	k.samples = append(k.samples, sample{k.runs, took / time.Duration(k.runs)})
	k.kernel = append(k.kernel, took.Seconds()/float64(k.runs))
	if err := k.evict(ctx); err != nil {
		return err
	}
	wall := timed(func() {
		for range k.runs {
			if err == nil {
				err = errors.Join(k.inst.Run(ctx), k.target.Sync(ctx))
			}
		}
	})
	k.wall = append(k.wall, wall/float64(k.runs))
	return err
}

// evict writes so much that the caches hold nothing of the problem.
func (k *cell) evict(ctx context.Context) error {
	if k.trash == nil {
		return nil
	}
	return errors.Join(k.target.Write(ctx, k.trash, k.junk), k.target.Sync(ctx))
}

// transfers measures Upload and Readback.
func (k *cell) transfers(ctx context.Context, c PerfConfig) error {
	var up, down []float64
	for range max(3, min(c.Count, 20)) {
		var err error
		up = append(up, timed(func() { err = k.inputs(ctx, false) }))
		if err != nil {
			return err
		}
		down = append(down, timed(func() {
			for i := range k.inst.Args.Out {
				if err == nil {
					_, err = k.inst.Output(ctx, i)
				}
			}
		}))
		if err != nil {
			return err
		}
	}
	k.Upload, k.Readback = Summarize(up), Summarize(down)
	return nil
}

// timed returns the seconds that fn takes.
func timed(fn func()) float64 {
	start := time.Now()
	fn()
	return time.Since(start).Seconds()
}
