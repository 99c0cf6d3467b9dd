package bench

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/viz"
)

func TestRooflineOfLines(t *testing.T) {
	file := lines(t,
		PeerPeaks{Peer: "convgl-cpu", Device: "a CPU", Threads: 1, GFLOPS: 100, GBps: 20},
		PeerPeaks{Peer: "convgl-cpu", Device: "a CPU", Threads: 2, GFLOPS: 200, GBps: 30},
		conv("convgl-cpu", "c1", 1, 1, 4),
		conv("convgl-cpu", "c1", 1, 1, 2.5),
		conv("convgl-cpu", "c1", 1, 2, 2),
		conv("convgl-cpu", "c1", 8, 1, 20),
		conv("onednn", "c1", 1, 1, 2),
	)
	for _, c := range []struct {
		threads []int
		roofs   int
	}{{nil, 2}, {[]int{1}, 1}} {
		r, err := ReadRoofline(RooflineConfig{Peer: "convgl-cpu", Batch: 1, Threads: c.threads}, file)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Roofs) != c.roofs || r.Title != "convgl-cpu, batch 1, a CPU" {
			t.Fatalf("got %+v", r)
		}
		f := r.Roofs[0]
		want := viz.RoofPoint{Name: "c1", Intensity: 200, FLOPS: 80}
		if f.Name != "1 thread" || f.FLOPS != 100 || f.Bytes != 20 || len(f.Points) != 1 || f.Points[0].Name != "c1" || f.Points[0].Intensity != 200 || math.Abs(f.Points[0].FLOPS-80) > 1e-9 {
			t.Errorf("got %+v, want the point %+v", f, want)
		}
	}
	for part, c := range map[string]RooflineConfig{
		"nothing that was measured": {Peer: "convgl-cpu", Batch: 3},
		"nothing":                   {Peer: "convgl-cpu", Batch: 1, Threads: []int{5}},
	} {
		if _, err := ReadRoofline(c, file); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%+v: got %v, want %q", c, err, part)
		}
	}
	// oneDNN's lines have no peaks for three threads.
	alone := lines(t, conv("onednn", "c1", 1, 3, 2))
	if _, err := ReadRoofline(RooflineConfig{Peer: "onednn", Batch: 1}, alone); err == nil || !strings.Contains(err.Error(), "no peaks") {
		t.Errorf("without peaks: %v", err)
	}
}

func TestCutPrefix(t *testing.T) {
	for _, c := range []struct{ names, want string }{
		{"net:a net:b:c", "a b:c"},
		{"net:a other:b", "net:a other:b"},
		{"net:a b", "net:a b"},
	} {
		var roofs []viz.Roof
		for _, n := range strings.Fields(c.names) {
			roofs = append(roofs, viz.Roof{Points: []viz.RoofPoint{{Name: n}}})
		}
		cutPrefix(roofs)
		var got []string
		for _, f := range roofs {
			got = append(got, f.Points[0].Name)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: got %s, want %s", c.names, s, c.want)
		}
	}
}

func TestRooflineOfMeasurements(t *testing.T) {
	var ms []Measurement
	c := PerfConfig{Targets: targets(t, "cpu"), Fill: check.Normal, Count: 2, MinTime: time.Microsecond}
	ps := parse(t, `conv:mb1_ic4ih9oc4oh9kh3ph1_n"small"`, "act:relu:64")
	if err := Perf(t.Context(), c, ps, func(m Measurement) error { ms = append(ms, m); return nil }); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteMeasurements(&b, JSON, ms); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "perf.json")
	if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := ReadRoofline(RooflineConfig{}, file)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Roofs) != 1 || r.Roofs[0].Name != "cpu" || len(r.Roofs[0].Points) != 2 || r.Roofs[0].Points[0].Name != "small" || r.Roofs[0].Points[1].Name != "act:relu:64" {
		t.Errorf("got %+v", r)
	}
	r.W, r.H = 600, 400
	if _, _, err := r.Draw(); err != nil {
		t.Error(err)
	}
	both := lines(t, conv("convgl-cpu", "c1", 1, 1, 4))
	for part, files := range map[string][]string{
		"want one kind": {file, both},
		"no-such-file":  {"no-such-file"},
	} {
		if _, err := ReadRoofline(RooflineConfig{}, files...); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v: got %v, want %q", files, err, part)
		}
	}
	ms[0].PeakFLOPS = 0
	if _, err := MeasurementRoofline(ms, nil); err == nil || !strings.Contains(err.Error(), "no peaks") {
		t.Errorf("without peaks: %v", err)
	}
}
