package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/convgl/convgl/internal/cli"
)

func TestText(t *testing.T) {
	for _, c := range [][2]string{
		{clean("conv 1"), "conv 1"}, {clean("größe"), "größe"}, {clean("a\x1b[2Jb"), `"a\x1b[2Jb"`}, {clean("a\nb"), `"a\nb"`}, {clean("\xff"), `"\xff"`},
		{thousands(0), "0"}, {thousands(999), "999"}, {thousands(1234567), "1,234,567"},
		{byteString(1023), "1023 B"}, {byteString(1536), "1.5 KiB"}, {byteString(3 << 30), "3.00 GiB"},
		{shorten("a  b\nc"), "a b c"}, {shorten(strings.Repeat("ä", 200)), strings.Repeat("ä", 100) + "…"},
		{strings.Join(wrap([]string{"aa", "bb", "cccc"}, 7), "|"), "aa, bb,|cccc"},
		{quoteDot(`a"b\`, "c\nd"), `"a\"b\\\nc d"`},
	} {
		if c[0] != c[1] {
			t.Errorf("got %q, want %q", c[0], c[1])
		}
	}
}

// wantUsage fails unless err is a usage error with the text, or nil for no text.
func wantUsage(t *testing.T, what string, err error, text string) {
	t.Helper()
	var usage cli.UsageError
	switch {
	case text == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case text != "" && (!errors.As(err, &usage) || !strings.Contains(err.Error(), text)):
		t.Errorf("%s: got error %v, want a usage error with %q", what, err, text)
	}
}
