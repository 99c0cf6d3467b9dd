package bench

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
)

func perf(t *testing.T, c PerfConfig, ps []Problem) []Measurement {
	t.Helper()
	var ms []Measurement
	err := Perf(t.Context(), c, ps, func(m Measurement) error {
		ms = append(ms, m)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

func TestPerf(t *testing.T) {
	ps := parse(t, "conv:mb1_ic8ih9oc8oh9kh3ph1+bias", `pool:max_mb1_ic8_ih8oh4kh2sh2_n"a b"`)
	c := PerfConfig{Targets: targets(t, "ref", "cpu"), Fill: check.Normal, Count: 6, MinTime: time.Millisecond}
	ms := perf(t, c, ps)
	if len(ms) != 4 {
		t.Fatalf("%d measurements", len(ms))
	}
	for _, m := range ms {
		k := m.Kernel
		if m.Status != Passed || k.N < 6 || k.Median <= 0 || k.Lo > k.Median || k.Hi < k.Median || k.Coverage < 0.95 || m.Wall.Median <= 0 || m.Upload.Median <= 0 || m.Readback.Median <= 0 || m.FirstRun <= 0 || m.Prepare <= 0 {
			t.Errorf("%+v", m)
		}
		d, err := parse(t, m.Problem)[0].Desc.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		if cost := d.Cost(); m.FLOPs != cost.FLOPs || m.Bytes != cost.Bytes || m.GFLOPS != float64(cost.FLOPs)/k.Median*1e-9 {
			t.Errorf("rates: %+v", m)
		}
		if _, ok := c.Targets[0].Backend.(backend.Prober); m.Backend == "cpu" && (m.Roof <= 0 || m.PeakFLOPS <= 0) || m.Backend == "ref" && !ok && m.Roof != 0 {
			t.Errorf("share of the peak: %+v", m)
		}
	}
	testFormats(t, ms)

	// What is slower than a baseline by more than the slack is found.
	file := filepath.Join(t.TempDir(), "old.json")
	var b bytes.Buffer
	if err := WriteMeasurements(&b, JSON, ms); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	old, err := ReadMeasurements(file)
	if err != nil || len(old) != 4 {
		t.Fatal(err)
	}
	if worse, compared := Regressions(old, ms, 0); len(worse) != 0 || compared != len(old) {
		t.Errorf("equal times are worse: %v", worse)
	}
	now := append([]Measurement{}, ms...)
	now[1].Kernel.Lo, now[1].Kernel.Median = old[1].Kernel.Hi*1.01, old[1].Kernel.Hi*1.04
	now[2].Status, now[2].Detail = Failed, "gone"
	worse, _ := Regressions(old, now, 0)
	if len(worse) != 2 || !strings.Contains(worse[1], "gone") {
		t.Errorf("got %v", worse)
	}
	if worse, _ := Regressions(old, now[:2], 1e6); len(worse) != 0 {
		t.Errorf("within the slack: %v", worse)
	}
	if err := os.WriteFile(file, []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadMeasurements(file); err == nil {
		t.Error("an empty object is a measurement")
	}
}

func testFormats(t *testing.T, ms []Measurement) {
	t.Helper()
	var b bytes.Buffer
	if err := WriteMeasurements(&b, CSV, ms); err != nil {
		t.Fatal(err)
	}
	if rows, err := csv.NewReader(&b).ReadAll(); err != nil || len(rows) != len(ms)+1 {
		t.Errorf("CSV: %d rows, %v", len(rows), err)
	}
	b.Reset()
	if err := WriteMeasurements(&b, Table, ms); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "GFLOP/s") || !strings.Contains(b.String(), "measured peak of cpu") {
		t.Errorf("table:\n%s", b.String())
	}
	b.Reset()
	if err := WriteMeasurements(&b, Bench, append(ms, Measurement{Problem: "act:relu:1", Backend: "x", Status: Failed, Detail: "a\nb"})); err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^Benchmark(Conv|Pool)/[^/ ]+/impl=(ref|cpu) \t\d+\t[0-9.]+ ns/op\t[0-9.e-]+ GFLOP/s\t[0-9.e-]+ GB/s$`)
	n := 0
	for _, l := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		if strings.HasPrefix(l, "Benchmark") {
			n++
			if !line.MatchString(l) {
				t.Errorf("bench: %q", l)
			}
		} else if !regexp.MustCompile(`^(goos|goarch|pkg|device-(ref|cpu|x)): |^Unit GFLOP/s better=higher$|^Unit GB/s better=higher$|^# BenchmarkAct/relu:1/impl=x: fail: a; b$`).MatchString(l) {
			t.Errorf("bench: %q", l)
		}
	}
	want := 0
	for _, m := range ms {
		want += m.Kernel.N
	}
	if n != want {
		t.Errorf("bench: %d lines, want one for each of %d samples", n, want)
	}
}

func TestPerfColdAndErrors(t *testing.T) {
	ps := parse(t, "act:relu:1x64")
	ms := perf(t, PerfConfig{Targets: targets(t, "cpu"), Fill: check.Normal, Count: 2, Cold: true}, ps)
	if len(ms) != 1 || !ms[0].Cold || ms[0].Kernel.N < 2 || ms[0].samples[0].runs != 1 {
		t.Errorf("got %+v", ms)
	}
	ms = perf(t, PerfConfig{Targets: targets(t, "cpu"), Fill: check.Normal, Count: 2, Algorithm: "magic"}, ps)
	if ms[0].Status == Passed || ms[0].Detail == "" {
		t.Errorf("an algorithm that is not there: %+v", ms[0])
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := Perf(ctx, PerfConfig{Targets: targets(t, "ref"), Count: 1}, ps, func(Measurement) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// The roof is the larger of the two times that the peaks allow.
func TestRate(t *testing.T) {
	m := Measurement{FLOPs: 2e9, Bytes: 1e9, Kernel: Summary{Median: 2}}
	m.rate(backend.Peaks{FLOPS: 2e9, CopyBytes: 1e9})
	if m.GFLOPS != 1 || m.GBps != 0.5 || m.Roof != 0.5 {
		t.Errorf("got %+v", m)
	}
	m.rate(backend.Peaks{FLOPS: 1e9, CopyBytes: 1e9})
	if m.Roof != 1 {
		t.Errorf("got roof %v", m.Roof)
	}
	m = Measurement{FLOPs: 1}
	m.rate(backend.Peaks{FLOPS: 1, CopyBytes: 1})
	if m.GFLOPS != 0 || m.Roof != 0 {
		t.Errorf("without a time: %+v", m)
	}
}
