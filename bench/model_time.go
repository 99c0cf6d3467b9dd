package bench

import (
	"context"
	"errors"
	"slices"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// ModelTime is what the runs of a model took on a backend. Times are seconds.
type ModelTime struct {
	Backend  string `json:"backend"`
	Device   string `json:"device"`
	Threads  int    `json:"threads"`
	Clock    string `json:"clock"` // of kernels: "device" or "wall"; of copies it is "wall"
	Kernels  int    `json:"kernels"`
	Reorders int    `json:"reorders"`
	Host     int    `json:"host_nodes"` // that the host computes in each run
	// Steps are in the order of a run.
	Steps []StepTime `json:"steps"`
	// Sum is that of all steps, run one by one; Whole is a run as users have it.
	Sum   Summary  `json:"sum_s"`
	Whole Summary  `json:"end_to_end_s"`
	Other *float64 `json:"other,omitempty"` // CPUs that other processes used meanwhile
}

// StepTime is what a step took.
type StepTime struct {
	Stage     int          `json:"stage"`
	Name      string       `json:"name"`
	Op        string       `json:"op"` // the kind; "Reorder" is a change of layout; "copy"
	Algorithm string       `json:"algorithm,omitempty"`
	Shape     tensor.Shape `json:"shape,omitempty"` // of its first output
	FLOPs     int64        `json:"flops,omitempty"`
	Bytes     int64        `json:"bytes,omitempty"`
	Time      Summary      `json:"s"`
	Share     float64      `json:"share"` // of the medians' sum
}

// measure times c.Runs runs, and as many step by step, in turns.
func (c ModelConfig) measure(ctx context.Context, t Target, m *onnx.Model, in []*tensor.Tensor) (mt ModelTime, err error) {
	s, err := m.Compile(ctx, t)
	if err != nil {
		return mt, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	dev := t.Device()
	mt = ModelTime{Backend: t.Label, Device: dev.Name, Threads: dev.Threads, Clock: "wall"}
	clock := func(_ graph.Step, run func() error) (float64, error) {
		var err error
		took := timed(func() { err = errors.Join(run(), t.Sync(ctx)) })
		return took, err
	}
	if timer, ok := t.Backend.(backend.Timer); ok {
		mt.Clock = "device"
		wall := clock
		clock = func(st graph.Step, run func() error) (float64, error) {
			if st.Op == nil {
				return wall(st, run)
			}
			return deviceTime(ctx, timer, st, run)
		}
	}
	// The first runs make plans and pack weights.
	for range 2 {
		if _, err := s.Run(ctx, in...); err != nil {
			return mt, err
		}
	}
	var samples [][]float64 // by step
	var whole, sums []float64
	step, end := c.progress(c.Runs)
	defer end()
	load := startLoad()
	for range c.Runs {
		took := timed(func() { _, err = s.Run(ctx, in...) })
		if err != nil {
			return mt, err
		}
		whole = append(whole, took)
		mt.Steps, mt.Kernels, mt.Reorders, mt.Host = nil, 0, 0, 0
		sum, stage := 0.0, 0
		_, err := s.RunStages(ctx, func(st onnx.Stage) ([]*tensor.Tensor, error) {
			stage++
			mt.Host += len(st.Host)
			if st.Model == nil {
				return nil, nil
			}
			return st.Model.RunSteps(ctx, st.Inputs, func(gs graph.Step, run func() error) error {
				took, err := clock(gs, run)
				k := len(mt.Steps)
				mt.add(stage, gs)
				if k == len(samples) {
					samples = append(samples, nil)
				}
				samples[k] = append(samples[k], took)
				sum += took
				return err
			})
		}, in...)
		if err != nil {
			return mt, err
		}
		sums = append(sums, sum)
		step()
	}
	mt.Other = load.others()
	mt.Sum, mt.Whole = Summarize(sums), Summarize(whole)
	total := 0.0
	for k := range mt.Steps {
		mt.Steps[k].Time = Summarize(samples[k])
		total += mt.Steps[k].Time.Median
	}
	for k := range mt.Steps {
		if total > 0 {
			mt.Steps[k].Share = mt.Steps[k].Time.Median / total
		}
	}
	return mt, nil
}

// shortStep is what a device's clock is asked for at least: beginning and ending a
// measurement takes the device a while too.
const shortStep = 1e-3 // seconds

// deviceTime returns the seconds that the device takes for a step. A short one runs several
// times, if it may.
func deviceTime(ctx context.Context, timer backend.Timer, st graph.Step, run func() error) (float64, error) {
	took, err := timer.DeviceTime(ctx, run)
	v := took.Seconds()
	if err != nil || v >= shortStep || st.InPlace {
		return v, err
	}
	n := int(min(shortStep/max(v, 1e-6), 32))
	took, err = timer.DeviceTime(ctx, func() error {
		for range n {
			if err := run(); err != nil {
				return err
			}
		}
		return nil
	})
	return min(v, took.Seconds()/float64(max(n, 1))), err
}

// add appends a step without its time.
func (mt *ModelTime) add(stage int, s graph.Step) {
	st := StepTime{Stage: stage, Name: s.Name, Op: "copy"}
	if s.Op != nil {
		st.Op, st.Algorithm, st.Shape = s.Op.Kind(), s.Info.Algorithm, s.Info.Out[0].Shape
		st.FLOPs, st.Bytes = s.Info.Cost.FLOPs, s.Info.Cost.Bytes
		mt.Kernels++
		if _, ok := s.Op.(backend.Reorder); ok {
			mt.Reorders++
		}
	}
	mt.Steps = append(mt.Steps, st)
}

// slowest returns the steps, the slowest first.
func (mt *ModelTime) slowest() []StepTime {
	steps := slices.Clone(mt.Steps)
	slices.SortStableFunc(steps, func(a, b StepTime) int {
		switch {
		case a.Time.Median > b.Time.Median:
			return -1
		case a.Time.Median < b.Time.Median:
			return 1
		}
		return 0
	})
	return steps
}
