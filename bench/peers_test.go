package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
)

const workloads = "# kind\tname\tCin\tD\tH\tW\tCout\tk\ts\tp\tgroups\n" +
	"conv2d\tc\t4\t1\t8\t8\t8\t3\t1\t1\t2\n" +
	"\n" +
	"conv3d\tv\t2\t4\t5\t6\t3\t3\t1\t1\t1\n" +
	"maxpool2d\tm\t3\t1\t9\t9\t3\t2\t2\t0\t1\n" +
	"net\tlenet\t1\t1\t28\t28\t10\t0\t0\t0\t1\n" +
	"train\tt\t1\t1\t28\t28\t10\t0\t0\t0\t1\n" +
	"gru\tg\t1\t1\t28\t28\t10\t0\t0\t0\t1\n" +
	"conv2d\tbad\t3\t1\t4\t4\t8\t9\t1\t0\t1\n" +
	"conv2d\tskipped\t3\t1\t4\t4\t8\t1\t1\t0\t1\n"

func TestPeers(t *testing.T) {
	ws, err := readWorkloads(strings.NewReader(workloads))
	if err != nil {
		t.Fatal(err)
	}
	c := PeersConfig{Batches: []int{1, 2}, Fill: check.Normal, Samples: 4, Budget: time.Millisecond, Filter: regexp.MustCompile("^(c|v|m|lenet|t|g|bad)$")}
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
			GFLOPS json.RawMessage `json:"gflops"` // tells null from absent
		}
		if err := dec.Decode(&l); err != nil {
			t.Fatal(err)
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
	for _, w := range []string{"lenet", "t", "g", "bad"} {
		if failed[w] != 1 {
			t.Errorf("%s: %d errors, want 1", w, failed[w])
		}
	}
	if len(cells) != 6 || len(failed) != 4 {
		t.Errorf("got %v, %v", cells, failed)
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
	if len(ws) == 0 {
		t.Fatal("no layers")
	}
	for _, w := range ws {
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
