package pb

import (
	"strconv"
	"unicode/utf8"
)

// maxQuoted is how many bytes of a name of a file an error shows.
const maxQuoted = 80

// Quote quotes a name of a file for people: what a terminal would take for a command is
// escaped, and the middle of a long one is left out.
func Quote(name string) string {
	if len(name) <= maxQuoted {
		return strconv.Quote(name)
	}
	head, tail := maxQuoted*2/3, len(name)-maxQuoted/3
	for head > 0 && !utf8.RuneStart(name[head]) {
		head--
	}
	for tail < len(name) && !utf8.RuneStart(name[tail]) {
		tail++
	}
	h, t := strconv.Quote(name[:head]), strconv.Quote(name[tail:])
	return h[:len(h)-1] + "…" + t[1:]
}

// Printable is Quote without the quotes: most names as they are.
func Printable(name string) string {
	q := Quote(name)
	return q[1 : len(q)-1]
}

// Word is Quote, without quotes where the name is made of letters, digits, _, . and -, as those of ops are.
func Word(name string) string {
	for _, c := range []byte(name) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-') {
			return Quote(name)
		}
	}
	if len(name) == 0 || len(name) > maxQuoted {
		return Quote(name)
	}
	return name
}
