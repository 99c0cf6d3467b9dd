package bench

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Format is a form of report.
type Format string

const (
	Table Format = "table" // for people
	JSON  Format = "json"  // an object a line
	CSV   Format = "csv"
	Bench Format = "bench" // what benchstat reads
)

// ParseFormat returns the format of that name, which must be one of those given.
func ParseFormat(name string, allowed ...Format) (Format, error) {
	for _, f := range allowed {
		if string(f) == name {
			return f, nil
		}
	}
	return "", fmt.Errorf("bench: format: got %q, want one of %v", name, allowed)
}

// table writes aligned columns.
func table(w io.Writer, head []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, r := range append([][]string{head}, rows...) {
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	return t.Flush()
}

func writeCSV(w io.Writer, head []string, rows [][]string) error {
	c := csv.NewWriter(w)
	if err := c.WriteAll(append([][]string{head}, rows...)); err != nil {
		return err
	}
	return c.Error()
}

func writeJSON[T any](w io.Writer, list []T) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, v := range list {
		if err := enc.Encode(v); err != nil {
			return err
		}
	}
	return nil
}

// WriteVerifications reports judgments as Table, JSON or CSV. After a table come
// the details and the command of each that did not pass, and the counts.
func WriteVerifications(w io.Writer, f Format, vs []Verification) error {
	head := []string{"problem", "backend", "algorithm", "fill", "status", "worst/bound"}
	var rows [][]string
	for _, v := range vs {
		rows = append(rows, []string{v.Problem, v.Backend, v.Algorithm, v.Fill, string(v.Status), strconv.FormatFloat(v.Worst, 'g', 3, 64)})
	}
	switch f {
	case JSON:
		return writeJSON(w, vs)
	case CSV:
		return writeCSV(w, head, rows)
	}
	if err := table(w, head, rows); err != nil {
		return err
	}
	count := map[Status]int{}
	for _, v := range vs {
		count[v.Status]++
		if v.Status == Passed {
			continue
		}
		fmt.Fprintf(w, "\n%s: %s on %s, fill %s\n", v.Status, v.Problem, v.Backend, v.Fill)
		for _, line := range append(v.Outputs, v.Detail) {
			if line != "" {
				fmt.Fprintf(w, "  %s\n", line)
			}
		}
		if v.Repro != "" {
			fmt.Fprintf(w, "  %s\n", v.Repro)
		}
	}
	_, err := fmt.Fprintf(w, "\n%d passed, %d suspect, %d failed, %d unsupported\n", count[Passed], count[Suspicious], count[Failed], count[Unsupported])
	return err
}

// WriteMeasurements reports times in any format.
func WriteMeasurements(w io.Writer, f Format, ms []Measurement) error {
	switch f {
	case JSON:
		return writeJSON(w, ms)
	case Bench:
		return writeBench(w, ms)
	case CSV:
		head := []string{"problem", "backend", "device", "threads", "algorithm", "status", "prepare_ms", "pack_ms", "first_run_ms", "upload_ms", "kernel_ms", "kernel_lo_ms", "kernel_hi_ms", "spread", "samples", "readback_ms", "wall_ms", "gflops", "gb_s", "roof"}
		var rows [][]string
		for _, m := range ms {
			row := []string{m.Problem, m.Backend, m.Device, strconv.Itoa(m.Threads), m.Algorithm, string(m.Status)}
			for _, s := range []float64{m.Prepare, m.Pack, m.FirstRun, m.Upload.Median, m.Kernel.Median, m.Kernel.Lo, m.Kernel.Hi} {
				row = append(row, strconv.FormatFloat(s*1e3, 'g', 6, 64))
			}
			row = append(row, strconv.FormatFloat(m.Kernel.Spread, 'g', 3, 64), strconv.Itoa(m.Kernel.N))
			for _, v := range []float64{m.Readback.Median * 1e3, m.Wall.Median * 1e3, m.GFLOPS, m.GBps, m.Roof} {
				row = append(row, strconv.FormatFloat(v, 'g', 6, 64))
			}
			rows = append(rows, row)
		}
		return writeCSV(w, head, rows)
	}
	head := []string{"problem", "backend", "algorithm", "first ms", "upload ms", "kernel ms", "95 % interval", "spread", "readback ms", "wall ms", "GFLOP/s", "GB/s", "of peak"}
	var rows [][]string
	for _, m := range ms {
		if m.Status != Passed {
			rows = append(rows, []string{m.Problem, m.Backend, m.Algorithm, string(m.Status) + ": " + m.Detail})
			continue
		}
		roof := "-"
		if m.Roof > 0 {
			roof = fmt.Sprintf("%.0f %%", 100*m.Roof)
		}
		interval := ms3(m.Kernel.Lo) + " – " + ms3(m.Kernel.Hi)
		if m.Kernel.Coverage < 0.95 {
			interval += fmt.Sprintf(" (%.0f %%)", 100*m.Kernel.Coverage)
		}
		rows = append(rows, []string{m.Problem, m.Backend, m.Algorithm, ms3(m.FirstRun), ms3(m.Upload.Median), ms3(m.Kernel.Median), interval,
			fmt.Sprintf("%.1f %%", 100*m.Kernel.Spread), ms3(m.Readback.Median), ms3(m.Wall.Median), sig3(m.GFLOPS), sig3(m.GBps), roof})
	}
	if err := table(w, head, rows); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, m := range ms {
		if m.PeakFLOPS > 0 && !seen[m.Backend] {
			seen[m.Backend] = true
			if _, err := fmt.Fprintf(w, "measured peak of %s on %s: %s GFLOP/s, copy %s GB/s\n", m.Backend, m.Device, sig3(m.PeakFLOPS), sig3(m.PeakCopy)); err != nil {
				return err
			}
		}
	}
	return nil
}

func ms3(seconds float64) string { return sig3(seconds * 1e3) }

// sig3 writes a number with three digits, without an exponent where it is short.
func sig3(v float64) string {
	if v >= 1000 && v < 1e6 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// writeBench writes a line a sample, in Go's benchmark format. The unit lines
// tell benchstat what is better. The algorithm is part of a name only where a
// backend has several of them, so that "benchstat -col /impl" finds the pairs.
//
// Source: go.dev/design/14313-benchmark-format.
func writeBench(w io.Writer, ms []Measurement) error {
	fmt.Fprintf(w, "goos: %s\ngoarch: %s\npkg: github.com/convgl/convgl/bench\n", runtime.GOOS, runtime.GOARCH)
	type pair struct{ problem, backend string }
	algorithms, devices := map[pair]int{}, map[string]bool{}
	for _, m := range ms {
		algorithms[pair{m.Problem, m.Backend}]++
		if !devices[m.Backend] {
			devices[m.Backend] = true
			fmt.Fprintf(w, "device-%s: %s\n", strings.NewReplacer("/", "-", ":", "-").Replace(m.Backend), m.Device)
		}
	}
	fmt.Fprint(w, "Unit GFLOP/s better=higher\nUnit GB/s better=higher\n")
	for _, m := range ms {
		kind, rest, _ := strings.Cut(m.Problem, ":")
		// Slashes divide a name, and blanks end it.
		rest = strings.ReplaceAll(rest, "channels-last/", "channels-last")
		name := fmt.Sprintf("Benchmark%s%s/%s/impl=%s", strings.ToUpper(kind[:1]), kind[1:], rest, strings.ReplaceAll(m.Backend, "/", "-threads"))
		if algorithms[pair{m.Problem, m.Backend}] > 1 {
			name += "/alg=" + m.Algorithm
		}
		name = strings.ReplaceAll(name, " ", "_")
		if m.Status != Passed {
			fmt.Fprintf(w, "# %s: %s: %s\n", name, m.Status, strings.ReplaceAll(m.Detail, "\n", "; "))
			continue
		}
		for _, s := range m.samples {
			seconds := s.mean.Seconds()
			line := fmt.Sprintf("%s \t%d\t%.1f ns/op", name, s.runs, seconds*1e9)
			if seconds > 0 && m.FLOPs > 0 {
				line += fmt.Sprintf("\t%.5g GFLOP/s", float64(m.FLOPs)/seconds*1e-9)
			}
			if seconds > 0 {
				line += fmt.Sprintf("\t%.5g GB/s", float64(m.Bytes)/seconds*1e-9)
			}
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// ConformReport is Conform's report in JSON.
type ConformReport struct {
	Folder  string        `json:"folder"`
	Summary []Tally       `json:"summary"`
	Results []Conformance `json:"results"`
}

// WriteConformance reports outcomes as Table or JSON, the latter one document.
// After the table come those that did not pass, of the unsupported one line a
// reason.
func WriteConformance(w io.Writer, f Format, folder string, rs []Conformance) error {
	tallies := Tallies(rs)
	if f == JSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", " ")
		return enc.Encode(ConformReport{folder, tallies, rs})
	}
	var rows [][]string
	total := map[string]*Tally{}
	var order []string
	for _, t := range tallies {
		rows = append(rows, t.row())
		sum := total[t.Backend]
		if sum == nil {
			sum = &Tally{Backend: t.Backend, Family: "all"}
			total[t.Backend] = sum
			order = append(order, t.Backend)
		}
		sum.Passed += t.Passed
		sum.Failed += t.Failed
		sum.Unsupported += t.Unsupported
		sum.Reported += t.Reported
	}
	for _, b := range order {
		rows = append(rows, total[b].row())
	}
	if err := table(w, []string{"family", "backend", "passed", "failed", "unsupported", "reported"}, rows); err != nil {
		return err
	}
	var reasons []*unsupportedCases
	for _, r := range rs {
		switch r.Status {
		case Failed, Reported:
			if _, err := fmt.Fprintf(w, "%s: %s on %s: %s\n", r.Status, r.Case, r.Backend, r.Detail); err != nil {
				return err
			}
		case Unsupported:
			dtypes := strings.Join(r.DTypes, "+")
			i := slices.IndexFunc(reasons, func(u *unsupportedCases) bool { return u.reason == r.Reason && u.dtypes == dtypes })
			if i < 0 {
				i = len(reasons)
				reasons = append(reasons, &unsupportedCases{reason: r.Reason, dtypes: dtypes, families: map[string]int{}})
			}
			reasons[i].add(r)
		}
	}
	for _, u := range reasons {
		if _, err := fmt.Fprintln(w, u); err != nil {
			return err
		}
	}
	return nil
}

// unsupportedCases are those that are unsupported for one reason, with tensors of the
// same types.
type unsupportedCases struct {
	reason, dtypes  string
	cases, backends []string
	families        map[string]int // of cases
}

func (u *unsupportedCases) add(r Conformance) {
	n := len(u.cases)
	addOnce(&u.cases, r.Case)
	u.families[r.Family] += len(u.cases) - n
	addOnce(&u.backends, r.Backend)
}

// String returns "unsupported: 3 cases on ref, cpu: input: type int8 (int8: Add 1, Clip 2)".
func (u *unsupportedCases) String() string {
	s := fmt.Sprintf("unsupported: %s on %s: %s", plural(len(u.cases), "case"), strings.Join(u.backends, ", "), u.reason)
	if u.dtypes == "" {
		return s
	}
	var ops []string
	for _, f := range slices.Sorted(maps.Keys(u.families)) {
		ops = append(ops, fmt.Sprintf("%s %d", f, u.families[f]))
	}
	return fmt.Sprintf("%s (%s: %s)", s, u.dtypes, strings.Join(ops, ", "))
}

func addOnce(list *[]string, s string) {
	if !slices.Contains(*list, s) {
		*list = append(*list, s)
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (t Tally) row() []string {
	return []string{t.Family, t.Backend, strconv.Itoa(t.Passed), strconv.Itoa(t.Failed), strconv.Itoa(t.Unsupported), strconv.Itoa(t.Reported)}
}
