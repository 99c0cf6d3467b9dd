package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// Status is the outcome of a comparison.
type Status string

const (
	Passed      Status = "pass"
	Suspicious  Status = "suspect"     // an error that rounding does not make in practice
	Failed      Status = "fail"        // a wrong result, or no result where there should be one
	Unsupported Status = "unsupported" // no kernel, a limit of the device, or a case of an unknown kind
	Reported    Status = "report"      // differs where more than one answer is right
)

// refused reports whether err says that a backend has no kernel for something
// valid, or that it is larger than the device allows.
func refused(err error) bool {
	var limit *backend.LimitError
	return errors.Is(err, errors.ErrUnsupported) || errors.As(err, &limit)
}

// statusOf is the outcome of a judgment.
func statusOf(v check.Verdict) Status {
	switch v {
	case check.Pass:
		return Passed
	case check.Suspect:
		return Suspicious
	}
	return Failed
}

// VerifyConfig says how problems are verified.
type VerifyConfig struct {
	Ref       backend.Backend
	Targets   []Target
	Fills     []check.Fill
	Seed      uint64
	Algorithm string // a name, "all", or "" for the backend's choice
}

// Verification is the judgment of one problem on one backend with one fill.
type Verification struct {
	Problem   string `json:"problem"` // text form
	Backend   string `json:"backend"`
	Algorithm string `json:"algorithm"`
	Fill      string `json:"fill"`
	Seed      uint64 `json:"seed"`
	Status    Status `json:"status"`
	// Detail is the error, or why there is no kernel; "" where there are Outputs.
	Detail  string   `json:"detail,omitempty"`
	Outputs []string `json:"outputs,omitempty"` // a line each, as check.Comparison has it
	// Worst is the largest error over the bound up to which it passes; a float64's
	// largest value stands for infinity, which JSON does not have.
	Worst float64 `json:"worst_ratio"`
	// Repro is the command that does it again; for what did not pass.
	Repro string `json:"repro,omitempty"`
}

// Verify runs every problem with every fill on every target, with outputs and
// workspace filled with NaN before, twice, and holds the result against the
// reference by the rules of internal/check. The two runs must be equal in every
// bit. Emit gets each judgment as it comes. Verify itself fails when ctx is done,
// or emit fails.
func Verify(ctx context.Context, c VerifyConfig, problems []Problem, emit func(Verification) error) error {
	eval := evaluator(ctx, c.Ref)
	for _, p := range problems {
		for _, f := range c.Fills {
			in, want, prepareErr := expect(p, f, c.Seed, eval)
			for _, t := range c.Targets {
				for _, alg := range t.algorithms(p.Desc, c.Algorithm) {
					if err := ctx.Err(); err != nil {
						return err
					}
					v := Verification{Problem: p.String(), Backend: t.Label, Algorithm: alg, Fill: f.String(), Seed: c.Seed}
					if prepareErr != nil {
						v.Status, v.Detail = Failed, prepareErr.Error()
					} else {
						judge(ctx, &v, t, p.Desc, in, want)
					}
					if err := ctx.Err(); err != nil {
						return err // the judgment may be due to it
					}
					if v.Status == Failed || v.Status == Suspicious {
						v.Repro = repro(p, t, c, alg, f)
					}
					if err := emit(v); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

func expect(p Problem, f check.Fill, seed uint64, eval check.Evaluator) ([]*tensor.Tensor, *check.Expectation, error) {
	if err := p.Runnable(); err != nil {
		return nil, nil, err
	}
	in, err := check.Inputs(p.Desc, f, seed)
	if err != nil {
		return nil, nil, err
	}
	want, err := check.Expect(p.Desc, f, in, eval)
	return in, want, err
}

// judge fills in what came out on one target.
func judge(ctx context.Context, v *Verification, t Target, d backend.Desc, in []*tensor.Tensor, want *check.Expectation) {
	d.Algorithm = v.Algorithm
	got, algorithm, err := evaluate(ctx, t, d, in)
	if algorithm != "" {
		v.Algorithm = algorithm
	}
	var r check.Result
	if err == nil {
		r, err = want.Judge(got)
	}
	switch {
	case refused(err):
		v.Status, v.Detail = Unsupported, err.Error()
	case err != nil:
		v.Status, v.Detail = Failed, err.Error()
	default:
		v.Status = statusOf(r.Verdict)
		for _, o := range r.Outputs {
			v.Outputs = append(v.Outputs, o.String())
			v.Worst = min(max(v.Worst, o.WorstRatio), math.MaxFloat64)
		}
	}
}

// repro returns the command for one judgment.
func repro(p Problem, t Target, c VerifyConfig, alg string, f check.Fill) string {
	p.Name = ""
	s := fmt.Sprintf("cnnbench verify -backend %s -ref %s -prb '%s' -fill %v -seed %d", t.Spec, c.Ref.Name(), p, f, c.Seed)
	if alg != "" {
		s += " -alg " + alg
	}
	if t.Threads != 0 {
		s += fmt.Sprintf(" -threads %d", t.Threads)
	}
	return s
}

// evaluate computes d twice in poisoned memory. It fails when the runs differ.
func evaluate(ctx context.Context, be backend.Backend, d backend.Desc, in []*tensor.Tensor) (out []*tensor.Tensor, algorithm string, err error) {
	inst, err := backend.NewInstance(ctx, be, d)
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, inst.Close()) }()
	algorithm = inst.Kernel.Info().Algorithm
	for i, t := range in {
		if err := inst.SetInput(ctx, i, t); err != nil {
			return nil, algorithm, err
		}
	}
	for round := range 2 {
		got, err := runPoisoned(ctx, be, inst)
		if err != nil {
			return nil, algorithm, err
		}
		for i := range out {
			if !bytes.Equal(out[i].Bytes(), got[i].Bytes()) {
				return nil, algorithm, fmt.Errorf("bench: output %d of run %d differs from run 1 (a race, or memory that is read before it is written)", i, round+1)
			}
		}
		out = got
	}
	return out, algorithm, nil
}

// runPoisoned runs once in memory of which each float32 is NaN.
func runPoisoned(ctx context.Context, be backend.Backend, inst *backend.Instance) ([]*tensor.Tensor, error) {
	for _, b := range append(inst.Args.Out[:len(inst.Args.Out):len(inst.Args.Out)], inst.Args.Workspace) {
		if b == nil {
			continue
		}
		if err := be.Write(ctx, b, bytes.Repeat([]byte{0xff}, int(b.Bytes()))); err != nil {
			return nil, err
		}
	}
	if err := inst.Run(ctx); err != nil {
		return nil, err
	}
	var out []*tensor.Tensor
	for i := range inst.Args.Out {
		t, err := inst.Output(ctx, i)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}
