package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// LoadTime is what it takes from an ONNX file to the first answer, in seconds.
type LoadTime struct {
	Backend string `json:"backend"`
	Device  string `json:"device"`
	Threads int    `json:"threads"`
	// Cache says what the caches of compiled programs held, those of the driver and
	// ours: "cold" is nothing, "warm" what a run of the same left; "" has none.
	Cache string  `json:"cache,omitempty"`
	Open  float64 `json:"open_s"`  // of the backend
	Read  float64 `json:"read_s"`  // the file, with all checks
	Build float64 `json:"build_s"` // graphs and their passes, with work on the host
	Plan  float64 `json:"plan_s"`  // kernels are chosen and compiled, weights packed
	First float64 `json:"first_s"` // the first run
	Next  float64 `json:"next_s"`  // the second run, for comparison
	// Process is the whole life of the process, the second run included, as the one
	// that began it saw it.
	Process float64 `json:"process_s,omitempty"`
}

// Total is the time from nothing to the first answer.
func (t LoadTime) Total() float64 { return t.Open + t.Read + t.Build + t.Plan + t.First }

// FirstAnswer opens a backend, reads a model and runs it twice, and times each part.
// Inputs makes what the model takes; its time does not count.
func FirstAnswer(ctx context.Context, spec string, threads int, path string, inputs func(*onnx.Model) ([]*tensor.Tensor, error)) (t LoadTime, err error) {
	var counts []int
	if threads > 0 {
		counts = []int{threads}
	}
	var ts []Target
	t.Open = timed(func() { ts, err = OpenTargets([]string{spec}, counts) })
	if err != nil {
		return t, err
	}
	be := ts[0]
	defer func() { err = errors.Join(err, be.Close()) }()
	t.Backend, t.Device, t.Threads = be.Label, be.Device().Name, be.Device().Threads
	var m *onnx.Model
	t.Read = timed(func() { m, err = onnx.Load(path) })
	if err != nil {
		return t, err
	}
	in, err := inputs(m)
	if err != nil {
		return t, err
	}
	var s *onnx.Session
	t.Build = timed(func() { s, err = m.Compile(ctx, be) })
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	// Graphs that depend on the inputs' shapes are made by the first run.
	whole := timed(func() {
		_, err = s.RunStages(ctx, func(st onnx.Stage) (out []*tensor.Tensor, err error) {
			t.Plan += timed(func() { _, err = plansOf(ctx, []onnx.Stage{st}) })
			if err != nil {
				return nil, err
			}
			t.First += timed(func() { out, err = st.Run(ctx) })
			return out, err
		}, in...)
	})
	if err != nil {
		return t, err
	}
	t.Build += whole - t.Plan - t.First
	t.Next = timed(func() { _, err = s.Run(ctx, in...) })
	return t, err
}

// WriteLoadTimes reports them as Table, of which a row is the least of all times of a
// backend and cache, part by part, or as JSON, a line each.
func WriteLoadTimes(w io.Writer, f Format, ts []LoadTime) error {
	if f == JSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for _, t := range ts {
			if err := enc.Encode(t); err != nil {
				return err
			}
		}
		return nil
	}
	type key struct {
		backend, cache string
		threads        int
	}
	least, count := map[key]LoadTime{}, map[key]int{}
	var order []key
	for _, t := range ts {
		k := key{t.Backend, t.Cache, t.Threads}
		l, ok := least[k]
		if !ok {
			l = t
			order = append(order, k)
		}
		for _, p := range []struct {
			have *float64
			got  float64
		}{{&l.Open, t.Open}, {&l.Read, t.Read}, {&l.Build, t.Build}, {&l.Plan, t.Plan}, {&l.First, t.First}, {&l.Next, t.Next}, {&l.Process, t.Process}} {
			*p.have = min(*p.have, p.got)
		}
		least[k] = l
		count[k]++
	}
	head := []string{"backend", "threads", "programs", "open", "read", "build", "plan", "first run", "first answer", "next run", "process", "processes"}
	var rows [][]string
	for _, k := range order {
		t := least[k]
		cache := t.Cache
		if cache == "" {
			cache = "-"
		}
		row := []string{t.Backend, fmt.Sprint(t.Threads), cache}
		for _, v := range []float64{t.Open, t.Read, t.Build, t.Plan, t.First, t.Total(), t.Next, t.Process} {
			row = append(row, ms3(v))
		}
		rows = append(rows, append(row, fmt.Sprint(count[k])))
	}
	if err := table(w, head, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, `milliseconds, the least of all processes part by part. The file was in memory (page cache).
open: the backend; read: the file, with all checks; build: graphs and passes; plan: kernels chosen
and compiled, weights packed; first answer: their sum and the first run.`)
	return err
}
