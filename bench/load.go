package bench

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// load remembers what the CPUs had done when something began.
type load struct {
	busy, own float64 // seconds
	at        time.Time
	known     bool
}

// startLoad reads the clocks of /proc. Where there is none, others is nil.
func startLoad() load {
	l := load{at: time.Now()}
	busy, okBusy := busySeconds()
	own, okOwn := ownSeconds()
	l.busy, l.own, l.known = busy, own, okBusy && okOwn
	return l
}

// others returns how many CPUs other processes used since then, on average.
func (l load) others() *float64 {
	now := startLoad()
	if !l.known || !now.known {
		return nil
	}
	wall := max(time.Since(l.at).Seconds(), 0.02)
	v := round(max(0, (now.busy-l.busy)-(now.own-l.own))/wall, 2)
	return &v
}

// ticks is the unit of /proc, which Linux fixes at 100 a second for programs.
const ticks = 100

// busySeconds returns the time that all CPUs worked: all but idle and iowait.
func busySeconds() (float64, bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return sumTicks(strings.Fields(line), 1, 2, 3, 6, 7, 8)
}

// ownSeconds returns the time that this process worked.
func ownSeconds() (float64, bool) {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, false
	}
	// The name in parentheses may hold blanks; utime and stime are 12 and 13 after.
	_, rest, ok := strings.Cut(string(text), ") ")
	if !ok {
		return 0, false
	}
	return sumTicks(strings.Fields(rest), 11, 12)
}

func sumTicks(fields []string, at ...int) (float64, bool) {
	var sum float64
	for _, i := range at {
		if i >= len(fields) {
			return 0, false
		}
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return 0, false
		}
		sum += v / ticks
	}
	return sum, true
}
