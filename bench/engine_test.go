package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// Another library is measured and judged as ours: what is right has times, what is
// wrong, refused or a panic has a line that says so.
func TestEngines(t *testing.T) {
	ref := targets(t, "ref")[0]
	compute := func(change func(y *tensor.Tensor)) Engine {
		return Engine{Peer: "other", Version: "v1", Ready: func(d backend.Desc, in []*tensor.Tensor, threads int) (func() error, func() (*tensor.Tensor, error), string, error) {
			var y *tensor.Tensor
			run := func() error {
				out, err := backend.RunDesc(t.Context(), ref, d, in...)
				if err == nil {
					y = out[0]
					change(y)
				}
				return err
			}
			return run, func() (*tensor.Tensor, error) { return y, nil }, "loops", nil
		}}
	}
	ws, err := readWorkloads(strings.NewReader(workloads))
	if err != nil {
		t.Fatal(err)
	}
	ws = append(ws[:3], ws[3], Workload{Kind: "train", Name: "t"}) // two convolutions, a pooling, and what engines are not asked for
	for _, c := range []struct {
		engine Engine
		part   string // of each error; "" where there are times
	}{
		{compute(func(*tensor.Tensor) {}), ""},
		{compute(func(y *tensor.Tensor) { y.Float32s()[y.Size()-1]++ }), "wrong result"},
		{compute(func(*tensor.Tensor) { panic("out of range") }), "panic: out of range"},
		{Engine{Peer: "other", Ready: func(backend.Desc, []*tensor.Tensor, int) (func() error, func() (*tensor.Tensor, error), string, error) {
			return nil, nil, "", errors.ErrUnsupported
		}}, "unsupported"},
	} {
		cfg := PeersConfig{Batches: []int{1, 2}, Fill: check.Normal, Samples: 2, Ref: ref}
		var b bytes.Buffer
		if err := Engines(t.Context(), cfg, []Engine{c.engine}, []int{1, 2}, ws, &b); err != nil {
			t.Fatal(err)
		}
		times, errs := 0, 0
		for dec := json.NewDecoder(&b); dec.More(); {
			var l struct {
				PeerLine
				Error string
			}
			if err := dec.Decode(&l); err != nil {
				t.Fatal(err)
			}
			if l.Error != "" {
				errs++
				if c.part == "" || !strings.Contains(l.Error, c.part) {
					t.Errorf("error %q, want %q", l.Error, c.part)
				}
				continue
			}
			times++
			if l.Peer != "other" || l.Version != "v1" || l.Impl != "loops" || l.Worst == nil || l.Min <= 0 {
				t.Errorf("got %+v", l)
			}
		}
		if c.part == "" && (times != 3*2*2 || errs != 0) || c.part != "" && (times != 0 || errs != 3) {
			t.Errorf("%q: %d times, %d errors", c.part, times, errs)
		}
	}
}
