package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// When progress is told: at first, and then at most so often.
const (
	firstBar  = time.Second
	firstLine = 5 * time.Second
	nextLine  = 5 * time.Second
)

// Progress says how much of long work is done and how long the rest takes: as a bar
// on a terminal, anywhere else as a line every few seconds, such as
// "37/200, 12 s left". Work that is soon done gets neither. It is for one goroutine.
type Progress struct {
	w           io.Writer
	terminal    bool
	total, done int
	start, last time.Time
	now         func() time.Time
	bar         *progressbar.ProgressBar
}

// NewProgress begins work of so many units. The writer is standard error.
func NewProgress(w io.Writer, total int) *Progress {
	p := &Progress{w: w, total: total, now: time.Now}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	p.start = p.now()
	return p
}

// Step counts one unit of the work.
func (p *Progress) Step() {
	p.done++
	now := p.now()
	spent := now.Sub(p.start)
	switch {
	case p.terminal && spent >= firstBar:
		if p.bar == nil {
			p.bar = progressbar.NewOptions(p.total, progressbar.OptionSetWriter(p.w), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(),
				progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false))
		}
		p.bar.Describe(left(spent, p.done, p.total))
		_ = p.bar.Set(min(p.done, p.total)) // a bar that cannot be drawn is no fault of the work
	case !p.terminal && spent >= firstLine && now.Sub(p.last) >= nextLine && p.done < p.total:
		p.last = now
		fmt.Fprintf(p.w, "%d/%d, %s\n", p.done, p.total, left(spent, p.done, p.total))
	}
}

// Hide removes the bar until the next step, for a line that shall be printed.
func (p *Progress) Hide() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// End removes the bar.
func (p *Progress) End() { p.Hide() }

// left says how long the rest takes at the speed so far.
func left(spent time.Duration, done, total int) string {
	rest := time.Duration(float64(spent) / float64(done) * float64(max(total-done, 0)))
	switch s := int((rest + time.Second/2) / time.Second); {
	case s < 120:
		return fmt.Sprintf("%d s left", s)
	case s < 7200:
		return fmt.Sprintf("%d min left", (s+30)/60)
	default:
		return fmt.Sprintf("%d h %d min left", s/3600, s%3600/60)
	}
}
