package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/preprocess"
)

// String returns a value's name, type and shape.
func (v valueReport) String() string {
	if v.Shape == nil {
		return fmt.Sprintf("%s %s of any rank", clean(v.Name), v.Type)
	}
	dims := make([]string, len(v.Shape))
	for i, d := range v.Shape {
		dims[i] = clean(fmt.Sprint(d))
	}
	return fmt.Sprintf("%s %s[%s]", clean(v.Name), v.Type, strings.Join(dims, ","))
}

// clean quotes text from a file that would disturb a terminal or a line.
func clean(s string) string { return cli.Clean(s) }

// shorten returns text from a file in one line of bounded length.
func shorten(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return clean(s)
}

// after returns s with the text before it, and nothing for no s.
func after(before, s string) string {
	if s == "" {
		return ""
	}
	return before + clean(s)
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// wrap joins items with commas to lines of at most width characters, if an item is
// not longer.
func wrap(items []string, width int) []string {
	var lines []string
	for i, s := range items {
		if i < len(items)-1 {
			s += ","
		}
		if n := len(lines) - 1; n >= 0 && len(lines[n])+1+len(s) <= width {
			lines[n] += " " + s
		} else {
			lines = append(lines, s)
		}
	}
	return lines
}

// thousands returns n with commas.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func byteString(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
}

// count returns "1 node" or "2 nodes".
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// compact returns the description in one line of JSON.
func compact(c *preprocess.Config) string {
	lines := strings.Split(c.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return strings.NewReplacer("{ ", "{", " }", "}").Replace(strings.Join(lines, " "))
}
