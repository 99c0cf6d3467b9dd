package demo

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/convgl/convgl/viz"
)

// table is rows of text, for the report and for the page alike.
type table struct {
	Head  []string
	Rows  [][]string
	Right []bool // columns that are aligned right
}

// String returns the table in columns, for a terminal.
func (t table) String() string {
	widths := make([]int, len(t.Head))
	rows := append([][]string{t.Head}, t.Rows...)
	for _, r := range rows {
		for c, s := range r {
			widths[c] = max(widths[c], utf8.RuneCountInString(s))
		}
	}
	var b strings.Builder
	for i, r := range rows {
		var l strings.Builder
		for c, s := range r {
			pad := strings.Repeat(" ", widths[c]-utf8.RuneCountInString(s))
			if c < len(t.Right) && t.Right[c] {
				s = pad + s
			} else {
				s += pad
			}
			l.WriteString("  " + s)
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
		if i == 0 {
			for _, w := range widths {
				b.WriteString("  " + strings.Repeat("─", w))
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// milliseconds writes a time with three significant digits.
func milliseconds(d time.Duration) string {
	ms := float64(d) / 1e6
	switch {
	case ms >= 100:
		return fmt.Sprintf("%.0f", ms)
	case ms >= 10:
		return fmt.Sprintf("%.1f", ms)
	case ms >= 1:
		return fmt.Sprintf("%.2f", ms)
	case ms >= .1:
		return fmt.Sprintf("%.3f", ms)
	}
	return fmt.Sprintf("%.4f", ms)
}

// thousands writes n with a thin mark every three digits.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// mebibytes writes a number of bytes as "1.25 MiB".
func mebibytes(n int64) string { return fmt.Sprintf("%.2f MiB", float64(n)/(1<<20)) }

// small writes an error, and 0 as such.
func small(v float64) string {
	if v == 0 {
		return "0"
	}
	return strings.ReplaceAll(fmt.Sprintf("%.1e", v), "-", "−")
}

// size writes a height and width as "427 × 640".
func size(shape []int) string {
	n := len(shape)
	return fmt.Sprintf("%d × %d", shape[n-2], shape[n-1])
}

// matrix writes a small matrix as [[6,4],[8,5]].
func matrix(data []float32, width int) string {
	var rows []string
	for i := 0; i < len(data); i += width {
		var cells []string
		for _, v := range data[i : i+width] {
			cells = append(cells, viz.Number(float64(v)))
		}
		rows = append(rows, "["+strings.Join(cells, ",")+"]")
	}
	return "[" + strings.Join(rows, ",") + "]"
}
