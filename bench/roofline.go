package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/convgl/convgl/viz"
)

// RooflineConfig says which of the lines of [Peers] are shown.
type RooflineConfig struct {
	Peer    string // "convgl-cpu"
	Batch   int
	Threads []int // nil is all
}

// ReadRoofline reads files that [WriteMeasurements] wrote as JSON, or [Peers] as JSON
// lines, and returns the chart of them, without a size. Of lines of the same cell the
// least time counts, of measurements the median.
func ReadRoofline(c RooflineConfig, files ...string) (viz.Roofline, error) {
	var ms []Measurement
	var peers []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return viz.Roofline{}, fmt.Errorf("bench: roofline: %w", err)
		}
		var first struct{ Problem string }
		if json.NewDecoder(bytes.NewReader(text)).Decode(&first) != nil || first.Problem == "" {
			peers = append(peers, file) // which says what is wrong with it
			continue
		}
		list, err := ReadMeasurements(file)
		if err != nil {
			return viz.Roofline{}, err
		}
		ms = append(ms, list...)
	}
	if len(ms) > 0 && len(peers) > 0 {
		return viz.Roofline{}, fmt.Errorf("bench: roofline: %s has lines of perf -peers, %d measurements are of perf -format json: want one kind", peers[0], len(ms))
	}
	if len(peers) == 0 {
		return MeasurementRoofline(ms, c.Threads)
	}
	results, err := ReadPeers(peers...)
	if err != nil {
		return viz.Roofline{}, err
	}
	return results.roofline(c)
}

// roofline charts one peer's cells.
func (t *PeerResults) roofline(c RooflineConfig) (viz.Roofline, error) {
	b := roofBuilder{title: c.Peer + ", batch " + fmt.Sprint(c.Batch)}
	if len(t.devices) == 1 {
		b.title += ", " + t.devices[0]
	}
	for _, k := range t.order {
		r := t.cells[k]
		if k.peer != c.Peer || k.batch != c.Batch || c.Threads != nil && !slices.Contains(c.Threads, k.threads) {
			continue
		}
		p := t.peaks[k.threads]
		if p.GFLOPS <= 0 || p.GBps <= 0 || r.flops <= 0 || r.bytes <= 0 {
			return viz.Roofline{}, fmt.Errorf("bench: roofline: %s, %s: the lines have no peaks, FLOPs or bytes (cnnbench perf -peers writes them)", k.workload, plural(k.threads, "thread"))
		}
		b.add(plural(k.threads, "thread"), p.GFLOPS, p.GBps, k.workload, r.flops, r.bytes, r.min*1e-3)
	}
	return b.roofline()
}

// MeasurementRoofline charts measurements, a roof for each backend; threads nil is
// all. It has no size yet.
func MeasurementRoofline(ms []Measurement, threads []int) (viz.Roofline, error) {
	b := roofBuilder{title: "medians"}
	for _, m := range ms {
		if m.Status != Passed || threads != nil && !slices.Contains(threads, m.Threads) {
			continue
		}
		if m.PeakFLOPS <= 0 || m.PeakCopy <= 0 {
			return viz.Roofline{}, fmt.Errorf("bench: roofline: backend %s measures no peaks", m.Backend)
		}
		if m.FLOPs <= 0 || m.Kernel.Median <= 0 {
			continue // a copy has no place on these axes
		}
		name := m.Problem
		if p, err := Parse(m.Problem); err == nil && p.Name != "" {
			name = p.Name
		}
		if len(b.r.Roofs) == 0 && m.Device != "" {
			b.title += ", " + m.Device
		}
		b.add(m.Backend, m.PeakFLOPS, m.PeakCopy, name, m.FLOPs, m.Bytes, m.Kernel.Median)
	}
	return b.roofline()
}

// roofBuilder puts points under their roofs.
type roofBuilder struct {
	title string
	r     viz.Roofline
}

func (b *roofBuilder) add(roof string, gflops, gbps float64, name string, flops, bytes int64, seconds float64) {
	i := slices.IndexFunc(b.r.Roofs, func(f viz.Roof) bool { return f.Name == roof })
	if i < 0 {
		i = len(b.r.Roofs)
		b.r.Roofs = append(b.r.Roofs, viz.Roof{Name: roof, FLOPS: gflops, Bytes: gbps})
	}
	f := &b.r.Roofs[i]
	f.Points = append(f.Points, viz.RoofPoint{Name: name, Intensity: float64(flops) / float64(bytes), FLOPS: float64(flops) / seconds * 1e-9})
}

func (b *roofBuilder) roofline() (viz.Roofline, error) {
	if len(b.r.Roofs) == 0 {
		return b.r, fmt.Errorf("bench: roofline: nothing that was measured fits what is asked for")
	}
	b.r.Title = b.title
	cutPrefix(b.r.Roofs)
	return b.r, nil
}

// cutPrefix drops what all names have before a colon, as "resnet50:".
func cutPrefix(roofs []viz.Roof) {
	var prefix string
	for i, f := range roofs {
		for j, p := range f.Points {
			before, _, found := strings.Cut(p.Name, ":")
			if i == 0 && j == 0 {
				prefix = before
			}
			if !found || before != prefix {
				return
			}
		}
	}
	for _, f := range roofs {
		for j := range f.Points {
			f.Points[j].Name = strings.TrimPrefix(f.Points[j].Name, prefix+":")
		}
	}
}
