package bench

import (
	"context"
	"math"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	_ "github.com/convgl/convgl/backend/gl"
	_ "github.com/convgl/convgl/backend/ref"
	"github.com/convgl/convgl/tensor"
)

// flawed is a backend of which the first element of every output is wrong: by
// add, times the number of runs if drift.
type flawed struct {
	backend.Backend
	add    float32
	drift  bool
	refuse error // of Prepare
}

type flawedKernel struct {
	backend.Kernel
	be   *flawed
	runs float32
}

func (f *flawed) Name() string { return "flawed" }

func (f *flawed) Prepare(ctx context.Context, d backend.Desc) (backend.Kernel, error) {
	if f.refuse != nil {
		return nil, f.refuse
	}
	k, err := f.Backend.Prepare(ctx, d)
	if err != nil {
		return nil, err
	}
	return &flawedKernel{Kernel: k, be: f}, nil
}

func (k *flawedKernel) Run(ctx context.Context, a backend.Args) error {
	if err := k.Kernel.Run(ctx, a); err != nil {
		return err
	}
	if k.runs++; !k.be.drift {
		k.runs = 1
	}
	one := tensor.Must(tensor.New(tensor.Float32, 1))
	if err := k.be.Read(ctx, one.Bytes(), a.Out[0]); err != nil {
		return err
	}
	one.Float32s()[0] += k.be.add * k.runs
	return k.be.Write(ctx, a.Out[0], one.Bytes())
}

// targets opens backends for a test.
func targets(t *testing.T, names ...string) []Target {
	t.Helper()
	ts, err := OpenTargets(names, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := CloseTargets(ts); err != nil {
			t.Error(err)
		}
	})
	return ts
}

// flawedTarget is ref with wrong results.
func flawedTarget(t *testing.T, add float32, drift bool) Target {
	return Target{Backend: &flawed{Backend: targets(t, "ref")[0].Backend, add: add, drift: drift}, Spec: "flawed", Label: "flawed"}
}

func parse(t *testing.T, text ...string) []Problem {
	t.Helper()
	var ps []Problem
	for _, s := range text {
		p, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	return ps
}

func nan() float32 { return float32(math.NaN()) }
