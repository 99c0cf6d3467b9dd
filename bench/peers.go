package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

// Workload is a row of the table that engines are compared by: a layer with a
// cubic window, or a network of which the sizes are those of its picture.
type Workload struct {
	Kind, Name                             string
	Cin, D, H, W, Cout, K, S, Pads, Groups int
}

var workloadColumns = []string{"kind", "name", "Cin", "D", "H", "W", "Cout", "k", "s", "p", "groups"}

// ReadWorkloads reads a table: a row a line, eleven columns (kind, name, Cin, D,
// H, W, Cout, k, s, p, groups) with tabs between, # comments.
func ReadWorkloads(file string) ([]Workload, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("bench: workloads: %w", err)
	}
	defer f.Close()
	ws, err := readWorkloads(f)
	if err != nil {
		return nil, fmt.Errorf("bench: workloads: %s:%w", file, err)
	}
	return ws, nil
}

func readWorkloads(r io.Reader) ([]Workload, error) {
	var ws []Workload
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimRight(sc.Text(), "\r\n \t")
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != len(workloadColumns) {
			return nil, fmt.Errorf("%d: got %d columns, want %d with tabs between: %s", n, len(f), len(workloadColumns), strings.Join(workloadColumns, ", "))
		}
		w := Workload{Kind: f[0], Name: f[1]}
		for i, p := range []*int{&w.Cin, &w.D, &w.H, &w.W, &w.Cout, &w.K, &w.S, &w.Pads, &w.Groups} {
			v, err := strconv.Atoi(f[i+2])
			if err != nil || v < 0 || v > maxNumber {
				return nil, fmt.Errorf("%d: %s: got %q, want a number from 0 to %d", n, workloadColumns[i+2], f[i+2], maxNumber)
			}
			*p = v
		}
		ws = append(ws, w)
	}
	return ws, sc.Err()
}

// Desc returns the layer for a batch of n: a convolution with bias, or a maximum
// pooling. It fails with errors.ErrUnsupported for other kinds.
func (w Workload) Desc(n int) (backend.Desc, error) {
	kind, dims := w.Kind, 0
	if i := len(kind) - 2; i > 0 && kind[i+1] == 'd' {
		kind, dims = kind[:i], int(kind[i]-'0')
	}
	if dims < 1 || dims > 3 || kind != "conv" && kind != "maxpool" {
		return backend.Desc{}, fmt.Errorf("bench: workload kind %q: %w", w.Kind, errors.ErrUnsupported)
	}
	sizes := []int{w.D, w.H, w.W}[3-dims:]
	times := func(v, n int) []int { return slices.Repeat([]int{v}, n) }
	win := backend.Window{Kernel: times(w.K, dims), Strides: times(w.S, dims), Pads: times(w.Pads, 2*dims)}
	x := backend.F32(append([]int{n, w.Cin}, sizes...)...)
	d := backend.Desc{Op: backend.MaxPool{Window: win}, In: []backend.TensorDesc{x}}
	if kind == "conv" {
		g := max(w.Groups, 1)
		d = backend.Desc{Op: backend.Conv{Window: win, Groups: g, Bias: true}, In: []backend.TensorDesc{x, backend.F32(append([]int{w.Cout, w.Cin / g}, win.Kernel...)...), backend.F32(w.Cout)}}
	}
	markWeights(&d)
	return d.Resolve()
}

// PeersConfig says how the workloads are measured.
type PeersConfig struct {
	Targets []Target
	Batches []int
	// Samples and Budget end a cell: so many samples, or at least three once the
	// budget is spent.
	Samples int
	Budget  time.Duration
	Filter  *regexp.Regexp // of the names; nil is all
	Fill    check.Fill
	Seed    uint64
}

// PeersEnv sets Samples, Budget and Filter from the environment variables REPS,
// CELL_MS and FILTER, as the programs for other engines do.
func (c *PeersConfig) PeersEnv(getenv func(string) string) error {
	c.Samples, c.Budget = 15, 150*time.Millisecond
	if s := getenv("REPS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return fmt.Errorf("bench: REPS=%s: want a number of samples, 1 or more", s)
		}
		c.Samples = n
	}
	if s := getenv("CELL_MS"); s != "" {
		ms, err := strconv.ParseFloat(s, 64)
		if err != nil || !(ms >= 0) || ms > 1e9 {
			return fmt.Errorf("bench: CELL_MS=%s: want milliseconds, 0 to 1e9", s)
		}
		c.Budget = time.Duration(ms * 1e6)
	}
	if s := getenv("FILTER"); s != "" {
		re, err := regexp.Compile(s)
		if err != nil {
			return fmt.Errorf("bench: FILTER=%s: %w", s, err)
		}
		c.Filter = re
	}
	return nil
}

// PeerLine is what one cell came to. One engine's lines compare with another's.
type PeerLine struct {
	Peer     string   `json:"peer"`
	Workload string   `json:"workload"`
	Threads  int      `json:"threads"`
	Batch    int      `json:"batch"`
	Median   float64  `json:"ms_median"`
	Min      float64  `json:"ms_min"`
	Samples  int      `json:"samples"`
	GFLOPS   *float64 `json:"gflops"`          // 2·MAC, by the median; null for a pool
	GBps     *float64 `json:"gb_s,omitempty"`  // pools: bytes in and out
	Other    *float64 `json:"other,omitempty"` // CPUs that other processes used meanwhile
	Impl     string   `json:"impl"`
}

// PeerError says that a workload cannot be run.
type PeerError struct {
	Peer     string `json:"peer"`
	Workload string `json:"workload"`
	Error    string `json:"error"`
}

// Peers measures the workloads on the targets and writes a JSON line a cell to
// out. For each cell there are two: peer "convgl-NAME" with activations in the
// layout that the kernel prefers, and "convgl-NAME-plain" with conversion from
// and to plain N, C, spatial inside the timed part. Weights are constant in both.
// A workload that cannot be run gives a PeerError line; Peers itself fails only
// when ctx is done or out fails.
func Peers(ctx context.Context, c PeersConfig, workloads []Workload, out io.Writer) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, w := range workloads {
		if c.Filter != nil && !c.Filter.MatchString(w.Name) {
			continue
		}
		failed := map[string]bool{} // one line is enough
		for _, n := range c.Batches {
			for _, t := range c.Targets {
				peer := t.peer()
				if failed[peer] {
					continue
				}
				lines, err := peerCell(ctx, c, w, t, n)
				if err := ctx.Err(); err != nil {
					return err
				}
				for _, l := range lines {
					if err := enc.Encode(l); err != nil {
						return err
					}
				}
				if err != nil {
					failed[peer] = true
					if err := enc.Encode(PeerError{Peer: peer, Workload: w.Name, Error: brief(err)}); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// brief is the beginning of an error: the log of a compiler can be long.
func brief(err error) string {
	const most = 400
	text := []rune(err.Error())
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// peer is the name of the target among engines, as "convgl-cpu".
func (t Target) peer() string { return "convgl-" + strings.ReplaceAll(t.Spec, ":", "-") }

// peerCell measures one workload on one target with batch n.
func peerCell(ctx context.Context, c PeersConfig, w Workload, t Target, n int) (lines []PeerLine, err error) {
	switch w.Kind {
	case "net":
		return nil, fmt.Errorf("%s: networks need -models with ONNX import, which this version does not have", w.Name)
	case "train":
		return nil, fmt.Errorf("%s: this version does not train", w.Name)
	}
	d, err := w.Desc(n)
	if err != nil {
		return nil, err
	}
	if err := (Problem{Desc: d}).Runnable(); err != nil {
		return nil, err
	}
	in, err := check.Inputs(d, c.Fill, c.Seed)
	if err != nil {
		return nil, err
	}
	inner := d
	inner.Out = nil // the kernel's choice of layout, and its indices
	inst, err := prepared(ctx, t, inner, in)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, inst.Close()) }()

	line := PeerLine{Peer: t.peer(), Workload: w.Name, Threads: t.Device().Threads, Batch: n}
	m, err := c.measure(ctx, func() error { return errors.Join(inst.Run(ctx), t.Sync(ctx)) })
	if err != nil {
		return nil, err
	}
	lines = append(lines, line.with(m, d, inst.Kernel.Info().Algorithm))

	plain, impl, _, close, err := plainRun(ctx, t, d, inst, in)
	if err == nil {
		m, err = c.measure(ctx, plain)
		err = errors.Join(err, close())
	}
	if err != nil {
		return lines, fmt.Errorf("plain: %w", err)
	}
	line.Peer += "-plain"
	return append(lines, line.with(m, d, impl)), nil
}

// prepared returns an instance with its inputs set.
func prepared(ctx context.Context, be backend.Backend, d backend.Desc, in []*tensor.Tensor) (*backend.Instance, error) {
	inst, err := backend.NewInstance(ctx, be, d)
	if err != nil {
		return nil, err
	}
	for i, t := range in {
		if err := inst.SetInput(ctx, i, t); err != nil {
			return nil, errors.Join(err, inst.Close())
		}
	}
	return inst, nil
}

// plainRun returns a run that takes and gives plain buffers: the faster of a
// kernel that does so itself, where there is one, and of inst between two
// reorders. Out is where the plain result lies. Close releases what was made for it.
func plainRun(ctx context.Context, be backend.Backend, d backend.Desc, inst *backend.Instance, in []*tensor.Tensor) (run func() error, impl string, out backend.Buffer, close func() error, err error) {
	var owned []*backend.Instance
	close = func() error {
		var errs []error
		for _, o := range owned {
			errs = append(errs, o.Close())
		}
		return errors.Join(errs...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, close())
		}
	}()
	info := inst.Kernel.Info()
	impl = info.Algorithm
	reorder := func(from, to backend.TensorDesc, suffix string) (*backend.Instance, error) {
		if from.Layout == to.Layout {
			return nil, nil
		}
		from.Const, to.Const = false, false
		r, err := backend.NewInstance(ctx, be, backend.Desc{Op: backend.Reorder{}, In: []backend.TensorDesc{from}, Out: []backend.TensorDesc{to}})
		if err == nil {
			owned = append(owned, r)
			impl += suffix
		}
		return r, err
	}
	plain := func(t backend.TensorDesc) backend.TensorDesc {
		t.Layout = backend.Plain
		return t
	}
	before, err := reorder(plain(info.In[0]), info.In[0], "+in")
	if err != nil {
		return nil, "", nil, nil, err
	}
	after, err := reorder(info.Out[0], plain(info.Out[0]), "+out")
	if err != nil {
		return nil, "", nil, nil, err
	}
	args := inst.Args
	args.In = slices.Clone(args.In)
	out = args.Out[0]
	if before != nil {
		if err := before.SetInput(ctx, 0, in[0]); err != nil {
			return nil, "", nil, nil, err
		}
		args.In[0] = before.Args.Out[0]
	}
	if after != nil {
		after.Args.In[0] = inst.Args.Out[0]
		out = after.Args.Out[0]
	}
	run = func() error {
		if before != nil {
			if err := before.Run(ctx); err != nil {
				return err
			}
		}
		if err := inst.Kernel.Run(ctx, args); err != nil {
			return err
		}
		if after != nil {
			if err := after.Run(ctx); err != nil {
				return err
			}
		}
		return be.Sync(ctx)
	}
	if before == nil && after == nil {
		return run, impl, out, close, nil
	}
	direct := d
	direct.In, direct.Out = slices.Clone(d.In), slices.Clone(d.Out)
	direct.In[0].Layout, direct.Out[0].Layout = backend.Plain, backend.Plain
	one, err := prepared(ctx, be, direct, in)
	if errors.Is(err, errors.ErrUnsupported) {
		return run, impl, out, close, nil
	}
	if err != nil {
		return nil, "", nil, nil, err
	}
	owned = append(owned, one)
	alone := func() error { return errors.Join(one.Run(ctx), be.Sync(ctx)) }
	best := [2]float64{math.Inf(1), math.Inf(1)}
	for range 4 { // the first is to warm up, and the slowest
		for i, fn := range []func() error{run, alone} {
			best[i] = min(best[i], timed(func() { err = errors.Join(err, fn()) }))
		}
	}
	if err != nil {
		return nil, "", nil, nil, err
	}
	if best[1] < best[0] {
		return alone, one.Kernel.Info().Algorithm + "+direct", one.Args.Out[0], close, nil
	}
	return run, impl, out, close, nil
}

// peerTime is what a cell was measured to be, in milliseconds.
type peerTime struct {
	median, min float64
	samples     int
	other       *float64
}

// slowCell is from where one call warms up, and two samples are enough.
const slowCell = 0.25 // seconds

// measure calls fn as the programs for other engines do: twice to warm up, then so
// often in a sample that it takes a millisecond.
func (c PeersConfig) measure(ctx context.Context, fn func() error) (peerTime, error) {
	var err error
	call := func() {
		if err == nil {
			if err = ctx.Err(); err == nil {
				err = fn()
			}
		}
	}
	least, runs := 3, 1
	slow := timed(call) > slowCell
	if slow {
		least = 2
	} else {
		call()
	}
	load := startLoad()
	if !slow {
		runs = max(1, int(1e-3/max(timed(call), 1e-7)))
	}
	var s []float64
	for start := time.Now(); err == nil && len(s) < c.Samples && (len(s) < least || time.Since(start) < c.Budget); {
		s = append(s, timed(func() {
			for range runs {
				call()
			}
		})/float64(runs)*1e3)
	}
	if err != nil {
		return peerTime{}, err
	}
	slices.Sort(s)
	return peerTime{median: s[len(s)/2], min: s[0], samples: len(s), other: load.others()}, nil
}

// with returns the line for a measured time.
func (l PeerLine) with(m peerTime, d backend.Desc, impl string) PeerLine {
	l.Median, l.Min, l.Samples, l.Other, l.Impl = round(m.median, 5), round(m.min, 5), m.samples, m.other, impl
	switch op := d.Op.(type) {
	case backend.Conv:
		op.Bias = false // 2·MAC is what engines are compared by
		v := round(float64(op.Cost(d.In[:2], d.Out).FLOPs)/m.median*1e-6, 2)
		l.GFLOPS = &v
	default:
		v := round(float64(d.Cost().Bytes)/m.median*1e-6, 2)
		l.GBps = &v
	}
	return l
}

func round(v float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(v*p) / p
}
