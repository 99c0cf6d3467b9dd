package cli

import (
	"strconv"
	"strings"
)

// longFlags gives -flag its second dash, since pflag reads a single one as a row
// of one-letter flags. What follows -- is left alone, and so are numbers.
func longFlags(args []string) []string {
	out := make([]string, len(args))
	rest := false
	for i, a := range args {
		rest = rest || a == "--"
		if !rest && len(a) > 2 && a[0] == '-' && a[1] != '-' && (a[1] < '0' || a[1] > '9') {
			a = "-" + a
		}
		out[i] = a
	}
	return out
}

// SplitList splits a list with commas, the value of a flag; empty is nil.
func SplitList(flag, text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	seen := map[string]bool{}
	list := strings.Split(text, ",")
	for i, s := range list {
		list[i] = strings.TrimSpace(s)
		if list[i] == "" || seen[list[i]] {
			return nil, Usagef("-%s %s: want a list with commas, each item once", flag, text)
		}
		seen[list[i]] = true
	}
	return list, nil
}

// Positive parses a list of numbers from 1, the value of a flag.
func Positive(flag, text string) ([]int, error) {
	items, err := SplitList(flag, text)
	if err != nil {
		return nil, err
	}
	var list []int
	for _, s := range items {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 1<<20 {
			return nil, Usagef("-%s: got %q, want a number from 1 to %d", flag, s, 1<<20)
		}
		list = append(list, n)
	}
	return list, nil
}
