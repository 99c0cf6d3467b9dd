package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
)

// PeersConfig says how the workloads are measured.
type PeersConfig struct {
	Targets []Target
	Batches []int
	// Samples and Budget end a cell: so many samples, or at least three once the
	// budget is spent.
	Samples int
	Budget  time.Duration
	Filter  *regexp.Regexp // of the names; nil is all
	Big     bool           // VGG16 with more than one picture too
	Fill    check.Fill     // of layers; networks get normal numbers
	Seed    uint64
	// Models is a folder with NAME.onnx for each network; without one, networks are built
	// by cnn/models, with random weights.
	Models string
	// Ref judges the result of what was timed, unless it is nil: of a layer the first
	// and the last image by the bound of its op, with some of the output channels
	// where all would take long; of a network the same two images, end to end, by
	// 1e-4 of the largest output.
	Ref backend.Backend
}

// PeersEnv sets Samples, Budget, Filter and Big from the environment variables REPS,
// CELL_MS, FILTER and BIG, as the programs for other engines do.
func (c *PeersConfig) PeersEnv(getenv func(string) string) error {
	c.Samples, c.Budget, c.Big = 15, 150*time.Millisecond, getenv("BIG") == "1"
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
	GFLOPS   *float64 `json:"gflops"`             // 2·MAC, by the median; null for a pool
	GBps     *float64 `json:"gb_s,omitempty"`     // pools: bytes in and out
	ImagesPS *float64 `json:"images_s,omitempty"` // networks
	// FLOPs and Bytes are those of one run: of a network the sums of its kernels'
	// bytes, of a layer those of its tensors.
	FLOPs int64 `json:"flops,omitempty"`
	Bytes int64 `json:"bytes,omitempty"`
	// Worst is the largest error over its bound; see PeersConfig.Ref.
	Worst *float64 `json:"worst_ratio,omitempty"`
	Other *float64 `json:"other,omitempty"` // CPUs that other processes used meanwhile
	Impl  string   `json:"impl"`
	// Source is "onnx" for a network that was read from a file.
	Source string `json:"source,omitempty"`
	// Version is that of another engine.
	Version string `json:"version,omitempty"`
}

// PeerError says that a workload cannot be run, or that its result is wrong.
type PeerError struct {
	Peer     string `json:"peer"`
	Workload string `json:"workload"`
	Error    string `json:"error"`
}

// PeerPeaks are the measured peaks of what a peer runs on, with these threads.
type PeerPeaks struct {
	Peer    string  `json:"peer"`
	Device  string  `json:"device"`
	Threads int     `json:"threads"`
	GFLOPS  float64 `json:"peak_gflops"`
	GBps    float64 `json:"peak_gb_s"` // copy: read and written
}

// errWrong marks a result outside its bounds.
var errWrong = errors.New("wrong result")

// Peers measures the workloads on the targets and writes a JSON line a cell to
// out, after a line with the peaks of each target that can measure them.
//
// A layer has two lines: peer "convgl-NAME" with activations in the layout that the
// kernel prefers, and "convgl-NAME-plain" with conversion from and to plain N, C,
// spatial inside the timed part. Weights are constant in both. A network has one,
// "convgl-NAME": it is compiled once, and the timed part takes a plain tensor in host
// memory to another, upload, conversions and readback included. One that is built by
// cnn/models writes into the output of the run before; one from a file gives a new one.
//
// A workload that cannot be run gives a PeerError line. One with a wrong result does
// too, and Peers fails when all the others are done. Otherwise it fails only when ctx
// is done or out fails.
func Peers(ctx context.Context, c PeersConfig, workloads []Workload, out io.Writer) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, t := range c.Targets {
		if err := writePeaks(ctx, t, enc); err != nil {
			return err
		}
	}
	wrong := 0
	for _, w := range workloads {
		if c.Filter != nil && !c.Filter.MatchString(w.Name) {
			continue
		}
		n, err := peerWorkload(ctx, c, w, enc)
		if err != nil {
			return err
		}
		wrong += n
	}
	if wrong > 0 {
		return fmt.Errorf("bench: %s with a %w", plural(wrong, "workload"), errWrong)
	}
	return nil
}

func writePeaks(ctx context.Context, t Target, enc *json.Encoder) error {
	p, ok := t.Backend.(backend.Prober)
	if !ok {
		return nil
	}
	peaks, err := p.Peaks(ctx)
	if err != nil {
		return fmt.Errorf("bench: peaks of %s: %w", t.Label, err)
	}
	dev := t.Device()
	return enc.Encode(PeerPeaks{Peer: t.peer(), Device: dev.Name, Threads: dev.Threads, GFLOPS: round(peaks.FLOPS*1e-9, 2), GBps: round(peaks.CopyBytes*1e-9, 2)})
}

// contestant is a workload that is ready for all its cells.
type contestant interface {
	// cell measures batch n on a target.
	cell(ctx context.Context, t Target, n int) ([]PeerLine, error)
	Close() error
}

// peerWorkload writes the cells of one workload, and returns how many targets had
// wrong results.
func peerWorkload(ctx context.Context, c PeersConfig, w Workload, enc *json.Encoder) (wrong int, err error) {
	failed := map[string]bool{} // one line is enough
	fail := func(t Target, err error) error {
		if failed[t.peer()] {
			return nil
		}
		failed[t.peer()] = true
		if errors.Is(err, errWrong) {
			wrong++
		}
		return enc.Encode(PeerError{Peer: t.peer(), Workload: w.Name, Error: brief(err)})
	}
	work, prepareErr := c.contestant(ctx, w)
	if prepareErr != nil {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		for _, t := range c.Targets {
			if err := fail(t, prepareErr); err != nil {
				return 0, err
			}
		}
		return 0, nil
	}
	defer func() { err = errors.Join(err, work.Close()) }()
	for _, n := range c.Batches {
		if n > 1 && w.Name == "vgg16" && !c.Big {
			continue
		}
		for _, t := range c.Targets {
			if failed[t.peer()] {
				continue
			}
			lines, cellErr := work.cell(ctx, t, n)
			if err := ctx.Err(); err != nil {
				return wrong, err
			}
			for _, l := range lines {
				if err := enc.Encode(l); err != nil {
					return wrong, err
				}
			}
			if cellErr != nil {
				if err := fail(t, cellErr); err != nil {
					return wrong, err
				}
			}
		}
	}
	return wrong, nil
}

func (c PeersConfig) contestant(ctx context.Context, w Workload) (contestant, error) {
	switch w.Kind {
	case "net":
		return newPeerNet(c, w)
	case "train":
		return nil, fmt.Errorf("%s: this version does not train", w.Name)
	}
	return newPeerLayer(ctx, c, w)
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

// line begins the line of a cell.
func (t Target) line(w Workload, n int) PeerLine {
	return PeerLine{Peer: t.peer(), Workload: w.Name, Threads: t.Device().Threads, Batch: n}
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

// timed fills in what a cell was measured to be.
func (l PeerLine) timed(m peerTime, impl string) PeerLine {
	l.Median, l.Min, l.Samples, l.Other, l.Impl = round(m.median, 5), round(m.min, 5), m.samples, m.other, impl
	return l
}

// rate is a count in a time of ms, in units of 1e9 a second.
func rate(count int64, ms float64) *float64 {
	v := round(float64(count)/ms*1e-6, 2)
	return &v
}

func round(v float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(v*p) / p
}
