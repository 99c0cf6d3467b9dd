package cli

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Clean quotes text from a file that would disturb a terminal or a line.
func Clean(s string) string {
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return strconv.Quote(s)
		}
	}
	return s
}
