package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
)

// verify runs Verify against ref and returns the judgments.
func verify(t *testing.T, c VerifyConfig, ps []Problem) []Verification {
	t.Helper()
	c.Ref = targets(t, "ref")[0].Backend
	var vs []Verification
	err := Verify(t.Context(), c, ps, func(v Verification) error {
		vs = append(vs, v)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return vs
}

func TestVerifyEveryOp(t *testing.T) {
	ps, err := ReadShapes("ops")
	if err != nil {
		t.Fatal(err)
	}
	vs := verify(t, VerifyConfig{Targets: targets(t, "ref", "cpu"), Fills: check.Fills(), Seed: 3, Algorithm: "all"}, ps)
	if len(vs) < 2*len(ps)*len(check.Fills()) {
		t.Errorf("%d judgments", len(vs))
	}
	for _, v := range vs {
		if v.Status != Passed {
			t.Errorf("%s on %s with %s: %s %s %v", v.Problem, v.Backend, v.Fill, v.Status, v.Detail, v.Outputs)
		}
		if v.Repro != "" || v.Algorithm == "" {
			t.Errorf("%+v", v)
		}
	}
}

func TestVerifyFindsFlaws(t *testing.T) {
	ps := parse(t, `conv:mb1_ic4ih5oc4oh5kh3ph1+clip(0,6)_n"it's"`)
	fills := []check.Fill{check.Exact, check.Normal}
	vs := verify(t, VerifyConfig{Targets: []Target{flawedTarget(t, 0.5, false)}, Fills: fills, Seed: 7}, ps)
	want := "cnnbench verify -backend flawed -ref ref -prb 'conv:mb1_ic4ih5oc4oh5kh3ph1+clip(0,6)' -fill normal -seed 7"
	if len(vs) != 2 || vs[0].Status != Failed || vs[1].Status != Failed || vs[1].Repro != want || vs[1].Worst < 1 {
		t.Errorf("got %+v", vs)
	}
	var b bytes.Buffer
	for _, f := range []Format{Table, JSON, CSV} {
		b.Reset()
		if err := WriteVerifications(&b, f, vs); err != nil {
			t.Fatal(err)
		}
		switch f {
		case Table:
			if !strings.Contains(b.String(), want) || !strings.Contains(b.String(), "0 passed, 0 suspect, 2 failed, 0 unsupported") {
				t.Errorf("table:\n%s", b.String())
			}
		case JSON:
			var v Verification
			if err := json.Unmarshal(bytes.SplitN(b.Bytes(), []byte("\n"), 2)[0], &v); err != nil || v.Status != Failed {
				t.Errorf("JSON: %v\n%s", err, b.String())
			}
		case CSV:
			if n := strings.Count(b.String(), "\n"); n != 3 {
				t.Errorf("CSV of %d lines:\n%s", n, b.String())
			}
		}
	}

	vs = verify(t, VerifyConfig{Targets: []Target{flawedTarget(t, 0.5, true)}, Fills: fills[:1]}, ps)
	if vs[0].Status != Failed || !strings.Contains(vs[0].Detail, "differs from run 1") {
		t.Errorf("a result that drifts: %+v", vs[0])
	}
	small := flawedTarget(t, 0, false)
	for refusal, want := range map[error]Status{
		&backend.LimitError{Op: "Conv", What: "bytes", Got: 2, Max: 1}: Unsupported,
		backend.Unsupported("flawed", "Conv", "no kernel"):             Unsupported,
		errors.New("on fire"): Failed,
	} {
		small.Backend.(*flawed).refuse = refusal
		vs = verify(t, VerifyConfig{Targets: []Target{small}, Fills: fills[:1]}, ps)
		if vs[0].Status != want || vs[0].Detail == "" || (vs[0].Repro != "") != (want == Failed) {
			t.Errorf("%v: got %+v, want %v", refusal, vs[0], want)
		}
	}
	vs = verify(t, VerifyConfig{Targets: targets(t, "cpu"), Fills: fills[:1], Algorithm: "magic"}, ps)
	if vs[0].Status == Passed || vs[0].Detail == "" {
		t.Errorf("an algorithm that is not there: %+v", vs[0])
	}
}

func TestVerifyHugeAndCancelled(t *testing.T) {
	vs := verify(t, VerifyConfig{Targets: targets(t, "cpu"), Fills: []check.Fill{check.Exact}}, parse(t, "act:relu:1073741824x9"))
	if len(vs) != 1 || vs[0].Status != Failed || !strings.Contains(vs[0].Detail, "want at most") {
		t.Errorf("got %+v", vs)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	ts := targets(t, "ref")
	err := Verify(ctx, VerifyConfig{Ref: ts[0].Backend, Targets: ts, Fills: check.Fills()}, parse(t, "act:relu:9"), func(Verification) error {
		n++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("after cancel: %v, %d judgments", err, n)
	}
}
