package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// ReadMeasurements reads what WriteMeasurements wrote as JSON.
func ReadMeasurements(file string) ([]Measurement, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("bench: baseline: %w", err)
	}
	defer f.Close()
	var ms []Measurement
	dec := json.NewDecoder(bufio.NewReader(f))
	for {
		var m Measurement
		switch err := dec.Decode(&m); {
		case err == io.EOF:
			return ms, nil
		case err != nil:
			return nil, fmt.Errorf("bench: baseline: %s: %w", file, err)
		case m.Problem == "" || m.Backend == "":
			return nil, fmt.Errorf("bench: baseline: %s: object %d has no problem or backend (perf -format json writes them)", file, len(ms)+1)
		}
		ms = append(ms, m)
	}
}

// Regressions compares kernel times with earlier ones of the same problem,
// backend, algorithm and cache state, and describes each that is slower: its interval lies
// above the old one, and its median is more than slack (0.05 is 5 %) above.
// Compared counts the measurements that have an earlier one.
func Regressions(old, now []Measurement, slack float64) (worse []string, compared int) {
	type key struct {
		problem, backend, algorithm string
		cold                        bool
	}
	of := func(m Measurement) key { return key{m.Problem, m.Backend, m.Algorithm, m.Cold} }
	before := map[key]Measurement{}
	for _, m := range old {
		if m.Status == Passed {
			before[of(m)] = m
		}
	}
	for _, m := range now {
		b, ok := before[of(m)]
		if !ok {
			continue
		}
		compared++
		switch {
		case m.Status != Passed:
			worse = append(worse, fmt.Sprintf("%s on %s: %s: %s", m.Problem, m.Backend, m.Status, m.Detail))
		case m.Kernel.Lo > b.Kernel.Hi && m.Kernel.Median > b.Kernel.Median*(1+slack):
			worse = append(worse, fmt.Sprintf("%s on %s: %s ms, was %s ms (%+.1f %%)", m.Problem, m.Backend, ms3(m.Kernel.Median), ms3(b.Kernel.Median), 100*(m.Kernel.Median/b.Kernel.Median-1)))
		}
	}
	return worse, compared
}
