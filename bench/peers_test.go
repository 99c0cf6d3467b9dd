package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

const workloads = "# kind\tname\tCin\tD\tH\tW\tCout\tk\ts\tp\tgroups\n" +
	"conv2d\tc\t4\t1\t8\t8\t8\t3\t1\t1\t2\n" +
	"\n" +
	"conv3d\tv\t2\t4\t5\t6\t3\t3\t1\t1\t1\n" +
	"maxpool2d\tm\t3\t1\t9\t9\t3\t2\t2\t0\t1\n" +
	"net\tlenet\t1\t1\t12\t12\t10\t0\t0\t0\t1\n" +
	"net\tnone\t1\t1\t28\t28\t10\t0\t0\t0\t1\n" +
	"train\tt\t1\t1\t28\t28\t10\t0\t0\t0\t1\n" +
	"gru\tg\t1\t1\t28\t28\t10\t0\t0\t0\t1\n" +
	"conv2d\tbad\t3\t1\t4\t4\t8\t9\t1\t0\t1\n" +
	"conv2d\tskipped\t3\t1\t4\t4\t8\t1\t1\t0\t1\n"

func TestPeers(t *testing.T) {
	ws, err := readWorkloads(strings.NewReader(workloads))
	if err != nil {
		t.Fatal(err)
	}
	c := PeersConfig{Batches: []int{1, 2}, Fill: check.Normal, Samples: 4, Budget: time.Millisecond, Filter: regexp.MustCompile("^(c|v|m|lenet|none|t|g|bad)$"), Ref: targets(t, "ref")[0]}
	if c.Targets, err = OpenTargets([]string{"cpu"}, []int{1, 2}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := CloseTargets(c.Targets); err != nil {
			t.Error(err)
		}
	}()
	var b bytes.Buffer
	if err := Peers(t.Context(), c, ws, &b); err != nil {
		t.Fatal(err)
	}
	cells, failed := map[string]int{}, map[string]int{}
	dec := json.NewDecoder(&b)
	for dec.More() {
		var l struct {
			PeerLine
			Error  string
			Peak   float64         `json:"peak_gflops"`
			GFLOPS json.RawMessage `json:"gflops"` // tells null from absent
		}
		if err := dec.Decode(&l); err != nil {
			t.Fatal(err)
		}
		if l.Peak > 0 {
			cells["peaks"]++
			continue
		}
		if l.Error != "" {
			failed[l.Workload]++
			if l.Peer != "convgl-cpu" {
				t.Errorf("peer %q", l.Peer)
			}
			continue
		}
		cells[l.Peer+" "+l.Workload]++
		if l.Threads != 1 && l.Threads != 2 || l.Batch != 1 && l.Batch != 2 || l.Samples < 2 || l.Min <= 0 || l.Median < l.Min || l.Impl == "" {
			t.Errorf("%+v", l)
		}
		if l.Worst == nil || !(*l.Worst < 1) || l.FLOPs <= 0 || l.Bytes <= 0 {
			t.Errorf("%s: worst error over bound %v, %d FLOPs, %d bytes", l.Workload, l.Worst, l.FLOPs, l.Bytes)
		}
		if (l.Workload == "lenet") != (l.ImagesPS != nil) {
			t.Errorf("images_s %v of %s", l.ImagesPS, l.Workload)
		}
		pool := l.Workload == "m"
		if pool != (string(l.GFLOPS) == "null") || pool != (l.GBps != nil) || len(l.GFLOPS) == 0 {
			t.Errorf("gflops %s, gb_s %v of %s", l.GFLOPS, l.GBps, l.Workload)
		}
	}
	for _, w := range []string{"c", "v", "m"} {
		for _, p := range []string{"convgl-cpu ", "convgl-cpu-plain "} {
			if cells[p+w] != 4 {
				t.Errorf("%s%s: %d lines, want 4", p, w, cells[p+w])
			}
		}
	}
	if cells["convgl-cpu lenet"] != 4 || cells["peaks"] != 2 {
		t.Errorf("got %v, want 4 lines of lenet and 2 with peaks", cells)
	}
	for _, w := range []string{"none", "t", "g", "bad"} {
		if failed[w] != 1 {
			t.Errorf("%s: %d errors, want 1", w, failed[w])
		}
	}
	if len(cells) != 8 || len(failed) != 4 {
		t.Errorf("got %v, %v", cells, failed)
	}
}

// What is timed is judged: a fault in the first or the last image is found, and with
// some of the channels only, one in those that are judged.
func TestOracle(t *testing.T) {
	ref := targets(t, "ref")[0]
	for _, w := range []Workload{
		{Kind: "conv2d", Cin: 3, D: 1, H: 6, W: 7, Cout: 5, K: 3, S: 1, Pads: 1, Groups: 1},
		{Kind: "conv2d", Cin: 256, D: 1, H: 40, W: 40, Cout: 48, K: 3, S: 1, Pads: 1, Groups: 1}, // too large for all channels
		{Kind: "conv3d", Cin: 4, D: 3, H: 5, W: 4, Cout: 4, K: 3, S: 2, Pads: 1, Groups: 4},
		{Kind: "maxpool2d", Cin: 3, D: 1, H: 9, W: 9, Cout: 3, K: 3, S: 2, Pads: 1, Groups: 1},
	} {
		const n = 3
		c := PeersConfig{Batches: []int{1, n}, Fill: check.Normal, Seed: 5, Ref: ref}
		l, err := newPeerLayer(t.Context(), c, w)
		if err != nil {
			t.Fatal(err)
		}
		d, in, err := l.batch(n)
		if err != nil {
			t.Fatal(err)
		}
		out, err := backend.RunDesc(t.Context(), targets(t, "cpu")[0], d, in...)
		if err != nil {
			t.Fatal(err)
		}
		y := out[0].Float32s()
		worst, err := l.oracle.judge(out[0])
		if err != nil || !(worst < 1) {
			t.Errorf("%v: right result: worst %g of the bound, %v", d, worst, err)
		}
		some := l.oracle.channels != nil
		if some != (w.Cin == 256) || some && l.oracle.channels[len(l.oracle.channels)-1] != w.Cout-1 {
			t.Errorf("%v: judges channels %v", d, l.oracle.channels)
		}
		image := len(y) / n
		plane := image / d.Out[0].Shape[1]
		channel := 1
		if some {
			channel = l.oracle.channels[1]
		}
		for _, at := range []int{0, channel*plane + plane/2, (n - 1) * image, len(y) - 1} {
			old := y[at]
			for _, v := range []float32{old + 1, float32(math.NaN())} {
				y[at] = v
				if worst, err := l.oracle.judge(out[0]); !errors.Is(err, errWrong) {
					t.Errorf("%v: %g in place of %g at %d: worst %g of the bound, %v", d, v, old, at, worst, err)
				}
			}
			y[at] = old
		}
	}
}

// A network whose output differs is wrong, in its first and in its last picture.
func TestPeerNetJudges(t *testing.T) {
	ts := targets(t, "ref", "cpu")
	p, err := newPeerNet(PeersConfig{Batches: []int{3, 1}, Seed: 1, Ref: ts[0]}, Workload{Kind: "net", Name: "lenet", Cin: 1, D: 1, H: 8, W: 8, Cout: 4})
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.source.compile(t.Context(), ts[1])
	if err != nil {
		t.Fatal(err)
	}
	p.models[ts[1].Backend] = m
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	x, err := firstAndLast(p.x, 3)
	if err != nil {
		t.Fatal(err)
	}
	ys, err := m.run(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	y := ys[0]
	if worst, err := p.judge(t.Context(), ys); err != nil || !(worst < 1) {
		t.Errorf("worst %g of the bound, %v", worst, err)
	}
	for _, at := range []int{0, 11} {
		for _, v := range []float32{y.Float32s()[at] + 1, float32(math.NaN()), float32(math.Inf(1))} {
			old := y.Float32s()[at]
			y.Float32s()[at] = v
			if worst, err := p.judge(t.Context(), ys); !errors.Is(err, errWrong) {
				t.Errorf("%g at %d: worst %g of the bound, %v", v, at, worst, err)
			}
			y.Float32s()[at] = old
		}
	}
}

// The FLOPs of the networks are those that other engines' programs count.
func TestNetFLOPs(t *testing.T) {
	for name, want := range map[string]float64{"lenet": 8.482304e6, "resnet50": 8.178368512e9, "mobilenetv2": 6.01548544e8} {
		w := Workload{Kind: "net", Name: name, Cin: 3, H: 224, W: 224, Cout: 1000}
		if name == "lenet" {
			w.Cin, w.H, w.W, w.Cout = 1, 28, 28, 10
		}
		b, err := newBuiltNet(w, 1)
		if err != nil {
			t.Fatal(err)
		}
		m, err := b.compile(t.Context(), targets(t, "ref")[0])
		if err != nil {
			t.Fatal(err)
		}
		plans, err := m.plans(t.Context(), tensor.Must(tensor.New(tensor.Float32, 1, w.Cin, w.H, w.W)))
		if err != nil {
			t.Fatal(err)
		}
		if got := netFLOPs(plans); float64(got) != want {
			t.Errorf("%s: %d FLOPs, want %g", name, got, want)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

// The plain run computes what the op does, from plain memory to plain memory.
func TestPlainRun(t *testing.T) {
	for _, text := range []string{"conv:mb2_ic5ih7oc6oh7kh3ph1+bias", "pool:max_mb1_ic3_ih8oh4kh2sh2"} {
		d, err := parse(t, text)[0].Desc.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		ts := targets(t, "ref", "cpu")
		in, err := check.Inputs(d, check.Exact, 1)
		if err != nil {
			t.Fatal(err)
		}
		want, err := backend.RunDesc(t.Context(), ts[0], d, in...)
		if err != nil {
			t.Fatal(err)
		}
		inst, err := prepared(t.Context(), ts[1], backend.Desc{Op: d.Op, In: d.In}, in)
		if err != nil {
			t.Fatal(err)
		}
		run, impl, last, close, err := plainRun(t.Context(), ts[1], d, inst, in)
		if err != nil {
			t.Fatal(err)
		}
		if err := run(); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want[0].Bytes()))
		if err := ts[1].Read(t.Context(), got, last); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want[0].Bytes()) {
			t.Errorf("%s by %s: wrong result", text, impl)
		}
		if err := close(); err != nil {
			t.Error(err)
		}
		if err := inst.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWorkloadErrors(t *testing.T) {
	for text, part := range map[string]string{
		"conv2d\tc\t4\n": "1: got 3 columns, want 11",
		"#\nconv2d\tc\t4\t1\t8\t8\t8\tx\t1\t1\t2\n":  `2: k: got "x"`,
		"conv2d\tc\t4\t1\t8\t8\t8\t-1\t1\t1\t2\n":    `1: k: got "-1"`,
		"conv2d\tc\t4\t1\t8\t8\t8\t1e9\t1\t1\t2\t\n": `1: k: got "1e9"`,
	} {
		if _, err := readWorkloads(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: got %v, want %q", text, err, part)
		}
	}
	if _, err := ReadWorkloads("no-such-file"); err == nil {
		t.Error("no error for a missing file")
	}
}

func TestPeersEnv(t *testing.T) {
	env := map[string]string{"REPS": "3", "CELL_MS": "1.5", "FILTER": "^c[2-5]$"}
	var c PeersConfig
	if err := c.PeersEnv(func(k string) string { return env[k] }); err != nil {
		t.Fatal(err)
	}
	if c.Samples != 3 || c.Budget != 1500*time.Microsecond || !c.Filter.MatchString("c2") || c.Filter.MatchString("c1") {
		t.Errorf("got %+v", c)
	}
	for k, v := range map[string]string{"REPS": "0", "CELL_MS": "-1", "FILTER": "("} {
		err := (&PeersConfig{}).PeersEnv(func(key string) string {
			if key == k {
				return v
			}
			return ""
		})
		if err == nil || !strings.Contains(err.Error(), k) {
			t.Errorf("%s=%s: got %v", k, v, err)
		}
	}
}

func TestBrief(t *testing.T) {
	if got := brief(errors.New("short")); got != "short" {
		t.Errorf("got %q", got)
	}
	if got := brief(errors.New(strings.Repeat("ü", 999))); got != strings.Repeat("ü", 400)+"…" {
		t.Errorf("got %q", got)
	}
}

func TestLayersTable(t *testing.T) {
	ws, err := ReadWorkloads("testdata/layers.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if builtIn, err := ReadWorkloads("layers"); err != nil || len(ws) == 0 || !slices.Equal(ws, builtIn) {
		t.Fatalf("%d layers, %d of them built in, %v", len(ws), len(builtIn), err)
	}
	for _, w := range ws {
		if w.Kind == "net" {
			if _, ok := networks[w.Name]; !ok {
				t.Errorf("no network %s", w.Name)
			}
			continue
		}
		d, err := w.Desc(1)
		if err != nil {
			t.Errorf("%s: %v", w.Name, err)
			continue
		}
		if _, err := d.Resolve(); err != nil {
			t.Errorf("%s: %v", w.Name, err)
		}
	}
}
