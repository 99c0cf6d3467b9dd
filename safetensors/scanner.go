package safetensors

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A scanner takes the JSON of a header from the front of text, which is valid
// UTF-8. It knows objects, strings, lists and whole numbers only, and never
// nests, so no input is too deep for it. encoding/json does not serve here: it
// takes the last of two equal keys, and U+FFFD for half a surrogate pair, by
// which two names become one.
type scanner struct {
	text string
	pos  int
}

// errorf says what is wrong at the scanner's place, and shows what is there.
func (s *scanner) errorf(format string, args ...any) error {
	what := "the end"
	if s.pos < len(s.text) {
		what = quote(s.text[s.pos:])
	}
	return fmt.Errorf("byte %d: got %s, want %s", s.pos, what, fmt.Sprintf(format, args...))
}

// next skips blanks and returns the byte that follows, 0 at the end.
func (s *scanner) next() byte {
	for ; s.pos < len(s.text); s.pos++ {
		if c := s.text[s.pos]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

// accept skips blanks, and takes the byte c if it comes next.
func (s *scanner) accept(c byte) bool {
	if s.next() != c {
		return false
	}
	s.pos++
	return true
}

// list takes what stands between open and end, with commas between the items.
func (s *scanner) list(open, end byte, item func() error) error {
	if !s.accept(open) {
		return s.errorf("%q", open)
	}
	if s.accept(end) {
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		switch {
		case s.accept(end):
			return nil
		case !s.accept(','):
			return s.errorf("%q or %q", ',', end)
		}
	}
}

// object takes an object; member takes the value of a key.
func (s *scanner) object(member func(key string) error) error {
	return s.list('{', '}', func() error {
		key, err := s.string()
		if err != nil {
			return err
		}
		if !s.accept(':') {
			return s.errorf("%q", ':')
		}
		return member(key)
	})
}

// number takes a whole number of 0 or more.
func (s *scanner) number() (int, error) {
	s.next()
	rest := s.text[s.pos:]
	// What JSON allows in a number is taken whole, so that 1.5 is not 1.
	token := rest[:len(rest)-len(strings.TrimLeft(rest, "+-.0123456789eE"))]
	n, err := strconv.ParseUint(token, 10, strconv.IntSize-1)
	if err != nil || len(token) > 1 && token[0] == '0' {
		return 0, s.errorf("a whole number from 0 to 2^%d-1", strconv.IntSize-1)
	}
	s.pos += len(token)
	return int(n), nil
}

// numbers takes a list of at most most numbers.
func (s *scanner) numbers(most int) ([]int, error) {
	list := []int{}
	err := s.list('[', ']', func() error {
		if len(list) == most {
			return s.errorf("at most %d numbers", most)
		}
		n, err := s.number()
		list = append(list, n)
		return err
	})
	return list, err
}

// string takes a string.
func (s *scanner) string() (string, error) {
	if !s.accept('"') {
		return "", s.errorf("a string")
	}
	begin := s.pos
	var b strings.Builder // what came before the last escape, if any did
	for done := begin; ; {
		if s.pos == len(s.text) {
			return "", s.errorf("the end of the string that begins at byte %d", begin-1)
		}
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			if b.Len() == 0 {
				return s.text[begin : s.pos-1], nil
			}
			b.WriteString(s.text[done : s.pos-1])
			return b.String(), nil
		case c == '\\':
			b.WriteString(s.text[done:s.pos])
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
			done = s.pos
		case c < ' ':
			return "", s.errorf("no control character in a string")
		default:
			s.pos++
		}
	}
}

// escape takes an escape sequence; two that form a surrogate pair are one.
func (s *scanner) escape() (rune, error) {
	const short, means = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	rest := s.text[s.pos:]
	if len(rest) >= 2 {
		if i := strings.IndexByte(short, rest[1]); i >= 0 {
			s.pos += 2
			return rune(means[i]), nil
		}
	}
	r, ok := hexEscape(rest)
	size := len(`\u1234`)
	if ok && utf16.IsSurrogate(r) {
		low, _ := hexEscape(rest[size:])
		r = utf16.DecodeRune(r, low) // U+FFFD if they are no pair
		ok = r != utf8.RuneError
		size *= 2
	}
	if !ok {
		return 0, s.errorf("an escape sequence of JSON, surrogates in pairs")
	}
	s.pos += size
	return r, nil
}

// hexEscape returns the value of the four digits after the \u that s begins with.
func hexEscape(s string) (rune, bool) {
	if len(s) < 6 || s[:2] != `\u` {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(n), err == nil
}

// quote quotes the beginning of a text for an error.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}
