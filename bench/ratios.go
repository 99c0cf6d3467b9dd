package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
)

// PeerResults is what the JSON lines of several engines come to.
type PeerResults struct {
	cells   map[peerKey]*peerResult
	order   []peerKey // as the lines first had them
	peers   []string  // likewise
	peaks   map[int]PeerPeaks
	devices []string
	details map[string]string // of a peer: what its lines say of versions
	errors  []PeerError
}

// peerKey is a cell of one peer.
type peerKey struct {
	peer, workload string
	batch, threads int
}

// of is the same cell of another peer.
func (k peerKey) of(peer string) peerKey {
	k.peer = peer
	return k
}

// peerResult is a cell over all rounds.
type peerResult struct {
	kind    peerKind
	min     float64   // ms
	medians []float64 // of the rounds
	work    float64   // FLOPs; bytes of a pool
	flops   int64
	bytes   int64
	worst   *float64
	source  string  // as PeerLine has it
	other   float64 // CPUs that other processes used in the round with the least time
}

// busy reports whether others disturbed even the best round.
func (r *peerResult) busy() bool { return r.other > busyCPUs }

// busyCPUs is what other processes may use while a cell is measured: the clocks tick
// in hundredths of a second.
const busyCPUs = 0.3

type peerKind int

const (
	peerConv peerKind = iota
	peerPool
	peerNetwork
)

// spread is by how much a typical sample exceeds the least: the median of the rounds'
// medians over the minimum, less 1.
func (r *peerResult) spread() float64 {
	return quantile(slices.Sorted(slices.Values(r.medians)), 0.5)/r.min - 1
}

// rate is the work at the least time, in units of 1e9 a second.
func (r *peerResult) rate() float64 { return r.work / r.min * 1e-6 }

// peerRecord is a line of any program.
type peerRecord struct {
	PeerLine
	Error  string  `json:"error"`
	Device string  `json:"device"`
	PeakF  float64 `json:"peak_gflops"`
	PeakB  float64 `json:"peak_gb_s"`
	// A program that measures peaks has lines of peer "peak" with these.
	BestF float64 `json:"gflops_best"`
	BestB float64 `json:"gbytes_s_best"`
}

// ReadPeers reads the JSON lines that [Peers] and programs for other engines printed.
// Lines of the same cell are rounds. It fails where a line is no such object.
func ReadPeers(files ...string) (*PeerResults, error) {
	t := &PeerResults{cells: map[peerKey]*peerResult{}, peaks: map[int]PeerPeaks{}, details: map[string]string{}}
	for _, file := range files {
		if err := t.readFile(file); err != nil {
			return nil, fmt.Errorf("bench: peers: %w", err)
		}
	}
	return t, nil
}

func (t *PeerResults) readFile(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	n := 1
	for ; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" {
			continue
		}
		var r peerRecord
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return fmt.Errorf("%s:%d: %w", file, n, err)
		}
		if err := t.add(r); err != nil {
			return fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", file, n, err)
	}
	return nil
}

// add takes a line in.
func (t *PeerResults) add(r peerRecord) error {
	switch {
	case r.Peer == "":
		return fmt.Errorf("got no peer, want a line of cnnbench perf -peers or of a program like it")
	case r.Peer == "peak":
		if !strings.HasPrefix(r.Workload, "copy_768MB") || strings.HasSuffix(r.Workload, "readonly") {
			r.BestB = 0 // caches are no roof, and reading alone is no copy
		}
		t.addPeaks(r.Threads, r.BestF, r.BestB)
		return nil
	case r.PeakF > 0:
		t.addPeaks(r.Threads, r.PeakF, r.PeakB)
		addOnce(&t.devices, r.Device)
		return nil
	case r.Workload == "":
		return fmt.Errorf("got no workload for peer %s", r.Peer)
	case r.Error != "":
		e := PeerError{Peer: r.Peer, Workload: r.Workload, Error: r.Error}
		if !slices.Contains(t.errors, e) {
			t.errors = append(t.errors, e)
		}
		return nil
	case !(r.Min > 0) || !(r.Median >= r.Min) || math.IsInf(r.Median, 0):
		return fmt.Errorf("%s %s: got ms_min %g, ms_median %g, want 0 < minimum ≤ median", r.Peer, r.Workload, r.Min, r.Median)
	case r.Threads < 1 || r.Batch < 1:
		return fmt.Errorf("%s %s: got threads %d, batch %d, want 1 or more", r.Peer, r.Workload, r.Threads, r.Batch)
	}
	addOnce(&t.peers, r.Peer)
	if r.Version != "" {
		t.details[r.Peer] = r.Version
	}
	k := peerKey{r.Peer, r.Workload, r.Batch, r.Threads}
	c := t.cells[k]
	if c == nil {
		c = &peerResult{min: r.Min, source: r.Source}
		t.cells[k] = c
		t.order = append(t.order, k)
	}
	if r.Source != c.source {
		return fmt.Errorf("%s %s: got times of a network with source %q and with source %q: want a report for each", r.Peer, r.Workload, c.source, r.Source)
	}
	if r.Min <= c.min {
		c.min, c.other = r.Min, 0
		if r.Other != nil {
			c.other = *r.Other
		}
	}
	c.medians = append(c.medians, r.Median)
	switch {
	case r.GFLOPS != nil:
		c.work = *r.GFLOPS * r.Median * 1e6
		if r.FLOPs > 0 {
			c.work = float64(r.FLOPs)
		}
		if r.ImagesPS != nil {
			c.kind = peerNetwork
		}
	case r.GBps != nil:
		c.kind, c.work = peerPool, *r.GBps*r.Median*1e6
		if r.Bytes > 0 {
			c.work = float64(r.Bytes)
		}
	}
	c.flops, c.bytes = r.FLOPs, r.Bytes
	if r.Worst != nil && (c.worst == nil || *r.Worst > *c.worst) {
		c.worst = r.Worst
	}
	return nil
}

func (t *PeerResults) addPeaks(threads int, gflops, gbps float64) {
	p := t.peaks[threads]
	p.GFLOPS, p.GBps = max(p.GFLOPS, gflops), max(p.GBps, gbps)
	t.peaks[threads] = p
}

// RatioConfig says what is compared.
type RatioConfig struct {
	Peer  string   // ours: "convgl-cpu"
	Plain []string // peers that take and give plain N, C, spatial
}

// PlainPeers are the peers known to take and give plain N, C, spatial.
func PlainPeers() []string {
	return []string{"onednn_nchw", "torch", "ort", "opencv_dnn", "darknet", "ncnn", "gonum", "gomlx", "gorgonia"}
}

// shortCell is the time under which, on several threads, a cell says more about
// waking threads than about kernels: it is reported and does not count.
const shortCell = 0.020 // ms

// comparison is one of the report's tables: our times over those of others.
type comparison struct {
	title, text string
	suffix      string // of our peer's name
	kinds       []peerKind
	against     func(peer string) bool
	single      string // the peer's name in the head where it is one
	floor, mean float64
	counts      func(k peerKey) bool // nil: all do
}

func (c RatioConfig) comparisons() []comparison {
	ours := func(peer string) bool { return strings.HasPrefix(peer, "convgl-") }
	is := func(name string) func(string) bool { return func(peer string) bool { return peer == name } }
	return []comparison{
		{
			title: "Convolution, each engine in its own layout", single: "oneDNN direct",
			kinds: []peerKind{peerConv}, against: is("onednn"), floor: 0.90, mean: 0.97,
		},
		{
			title:  "Plain order in and out, conversion counted",
			text:   "The fastest peer that takes and gives plain N, C, spatial: of " + strings.Join(c.Plain, ", ") + ".",
			suffix: "-plain", kinds: []peerKind{peerConv, peerPool}, mean: 1.2,
			against: func(peer string) bool { return slices.Contains(c.Plain, peer) },
		},
		{
			title: "Pooling", text: "The fastest peer in any layout.",
			kinds: []peerKind{peerPool}, floor: 1, against: func(peer string) bool { return !ours(peer) },
		},
		{
			title: "Networks", text: "From host memory to host memory. Targets are for LeNet, ResNet-50 and MobileNetV2 with a batch of 1; the rest is reported.",
			kinds: []peerKind{peerNetwork}, against: is("ort"), single: "ONNX Runtime", floor: 0.90,
			counts: func(k peerKey) bool {
				return k.batch == 1 && slices.Contains([]string{"lenet", "resnet50", "mobilenetv2"}, k.workload)
			},
		},
	}
}

// WriteRatios writes the tables of ratios in Markdown. It fails where there are no
// times of c.Peer.
func (t *PeerResults) WriteRatios(w io.Writer, c RatioConfig) error {
	if !slices.Contains(t.peers, c.Peer) && !slices.Contains(t.peers, c.Peer+"-plain") {
		if len(t.peers) == 0 {
			return errors.New("bench: the files have no times, want lines that perf -peers or another engine's program wrote")
		}
		return fmt.Errorf("bench: no times of peer %s among those of %s (-peer chooses)", c.Peer, strings.Join(t.peers, ", "))
	}
	m := &markdown{w: w}
	m.line("Ratio: the peer's time over ours; above 1 we are faster. Times are the least of all samples of all rounds; spread is by")
	m.line("how much the median of the rounds' medians exceeds that, ours and theirs. Cells in which the peer takes under %g µs on", shortCell*1e3)
	m.line("several threads are reported and do not count. Error is the worst one over its bound, judged on what was timed.")
	m.line("")
	if len(t.devices) > 0 {
		m.line("Device: %s.", strings.Join(t.devices, "; "))
	}
	for _, threads := range sortedKeys(t.peaks) {
		p := t.peaks[threads]
		m.line("Measured peak, %s: %s GFLOP/s, copy %s GB/s.", plural(threads, "thread"), sig3(p.GFLOPS), sig3(p.GBps))
	}
	for _, g := range c.comparisons() {
		t.writeComparison(m, c, g)
	}
	t.writeAll(m)
	return m.err
}

// match is a cell of ours with the peer that it is held against.
type match struct {
	key   peerKey
	ours  *peerResult
	peer  string // "" where there is none
	other *peerResult
}

func (m match) ratio() float64 { return m.other.min / m.ours.min }

// matches returns our cells of a comparison, in the order of the workloads.
func (t *PeerResults) matches(c RatioConfig, g comparison) []match {
	var list []match
	for _, k := range t.order {
		r := t.cells[k]
		if k.peer != c.Peer+g.suffix || !slices.Contains(g.kinds, r.kind) {
			continue
		}
		m := match{key: k, ours: r}
		for _, peer := range t.peers {
			if o := t.cells[k.of(peer)]; o != nil && g.against(peer) && (m.other == nil || o.min < m.other.min) {
				m.peer, m.other = peer, o
			}
		}
		list = append(list, m)
	}
	return list
}

func (t *PeerResults) writeComparison(m *markdown, c RatioConfig, g comparison) {
	list := t.matches(c, g)
	if len(list) == 0 {
		return
	}
	m.line("\n## %s\n", g.title)
	if g.text != "" {
		m.line("%s\n", g.text)
	}
	head := "peer"
	if g.single != "" {
		head = g.single + ", ms"
	}
	m.row("workload", "batch", "threads", "ms", "rate", "of peak", "error / bound", head, "ratio", "spread", "")
	m.row("---", "---", "---", "---", "---", "---", "---", "---", "---", "---", "---")
	var counted []match
	below, busy := 0, 0
	for _, x := range list {
		other, ratio, spread, note := "–", "–", percent(x.ours.spread()), ""
		if x.other != nil {
			other = sig3(x.other.min)
			if g.single == "" {
				other = x.peer + " " + other
			}
			ratio = fmt.Sprintf("%.2f", x.ratio())
			spread += ", " + percent(x.other.spread())
			switch {
			case g.counts != nil && !g.counts(x.key), x.key.threads > 1 && x.other.min < shortCell:
				note = "reported"
			default:
				counted = append(counted, x)
				if x.ratio() < g.floor {
					note = "below"
					below++
				}
			}
			if x.ours.busy() || x.other.busy() {
				note = strings.TrimPrefix(note+", busy", ", ")
				busy++
			}
		}
		m.row(x.key.workload, x.key.batch, x.key.threads, sig3(x.ours.min), t.rateOf(x.ours), t.shareOfPeak(x.key, x.ours), worstOf(x.ours), other, ratio, spread, note)
	}
	m.line("")
	writeMeans(m, g, counted, below)
	if busy > 0 {
		m.line("%s of %d measured while other processes used more than %g CPUs, which may have slowed either side: more rounds on an idle machine are better.", plural(busy, "cell"), len(list), busyCPUs)
	}
}

// writeMeans writes the geometric means by batch and threads, and of all.
func writeMeans(m *markdown, g comparison, counted []match, below int) {
	if len(counted) == 0 {
		m.line("No cell counts.")
		return
	}
	type setting struct{ batch, threads int }
	var settings []setting
	for _, x := range counted {
		if s := (setting{x.key.batch, x.key.threads}); !slices.Contains(settings, s) {
			settings = append(settings, s)
		}
	}
	text := "Geometric mean:"
	if len(settings) > 1 {
		for _, s := range settings {
			var some []match
			for _, x := range counted {
				if x.key.batch == s.batch && x.key.threads == s.threads {
					some = append(some, x)
				}
			}
			text += fmt.Sprintf(" %.2f (batch %d, %s),", geometricMean(some), s.batch, plural(s.threads, "thread"))
		}
	}
	mean := geometricMean(counted)
	text += fmt.Sprintf(" %.2f of %s", mean, plural(len(counted), "cell"))
	if g.mean > 0 {
		text += fmt.Sprintf("; target %.2f: %s", g.mean, verdict(mean >= g.mean))
	} else {
		text += "; no target"
	}
	m.line("%s.", text)
	if g.floor > 0 {
		m.line("Each at least %.2f: %s, %d of %d below.", g.floor, verdict(below == 0), below, len(counted))
	}
}

func verdict(ok bool) string {
	if ok {
		return "met"
	}
	return "missed"
}

// geometricMean is that of the ratios.
func geometricMean(ms []match) float64 {
	ratios := make([]float64, len(ms))
	for i, m := range ms {
		ratios[i] = m.ratio()
	}
	return stat.GeometricMean(ratios, nil)
}

// writeAll writes the times of all peers side by side, and what could not be run.
func (t *PeerResults) writeAll(m *markdown) {
	m.line("\n## All engines, ms\n")
	m.row(append([]any{"workload", "batch", "threads"}, anys(t.peers)...)...)
	m.row(anys(slices.Repeat([]string{"---"}, 3+len(t.peers)))...)
	seen := map[peerKey]bool{}
	for _, k := range t.order {
		k = k.of("")
		if seen[k] {
			continue
		}
		seen[k] = true
		row := []any{k.workload, k.batch, k.threads}
		for _, peer := range t.peers {
			if r := t.cells[k.of(peer)]; r != nil {
				row = append(row, sig3(r.min))
			} else {
				row = append(row, "–")
			}
		}
		m.row(row...)
	}
	for _, peer := range t.peers {
		if v := t.details[peer]; v != "" {
			m.line("\n%s: %s.", peer, v)
		}
	}
	if len(t.errors) > 0 {
		m.line("\nNot run:\n")
	}
	for _, e := range t.errors {
		m.line("- %s, %s: %s", e.Peer, e.Workload, strings.ReplaceAll(strings.TrimSpace(e.Error), "\n", " "))
	}
}

func (t *PeerResults) rateOf(r *peerResult) string {
	unit := "GFLOP/s"
	if r.kind == peerPool {
		unit = "GB/s"
	}
	if r.work <= 0 {
		return "–"
	}
	return sig3(r.rate()) + " " + unit
}

func (t *PeerResults) shareOfPeak(k peerKey, r *peerResult) string {
	peak := t.peaks[k.threads].GFLOPS
	if r.kind == peerPool {
		peak = t.peaks[k.threads].GBps
	}
	if peak <= 0 || r.work <= 0 {
		return "–"
	}
	return percent(r.rate() / peak)
}

func worstOf(r *peerResult) string {
	if r.worst == nil {
		return "–"
	}
	return fmt.Sprintf("%.2g", *r.worst)
}

func percent(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func sortedKeys[V any](m map[int]V) []int {
	var keys []int
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// markdown writes lines and keeps the first error.
type markdown struct {
	w   io.Writer
	err error
}

func (m *markdown) line(format string, args ...any) {
	if m.err == nil {
		_, m.err = fmt.Fprintf(m.w, format+"\n", args...)
	}
}

// row writes a row of a table. A bar in a cell would end it.
func (m *markdown) row(cells ...any) {
	var b strings.Builder
	for _, c := range cells {
		b.WriteString("| " + strings.ReplaceAll(fmt.Sprint(c), "|", `\|`) + " ")
	}
	m.line("%s|", b.String())
}
