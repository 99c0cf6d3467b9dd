package shaders

import (
	"strings"
	"testing"
)

func TestUnroll(t *testing.T) {
	s, err := ExpandFS(mapFS(map[string]string{"k.comp": `a
#unroll i 2 * N - 1
#unroll k i // fewer and fewer
f(i, k, ik, N, 2i);
#endunroll
#endunroll
b`}), "k.comp", Define{"N", "(M + 1) / 2"}, Int("M", 3))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range strings.Split(s.Text, "\n") {
		if l != "" && !strings.HasPrefix(l, "#") {
			got = append(got, l)
		}
	}
	want := "a|f(1, 0, ik, N, 2i);|f(2, 0, ik, N, 2i);|f(2, 1, ik, N, 2i);|b"
	if g := strings.Join(got, "|"); g != want {
		t.Errorf("got %s, want %s", g, want)
	}
	// A driver's line number leads to the line in the file, in every copy.
	lines := strings.Split(s.Text, "\n")
	at := 0
	for i, l := range lines {
		if n, ok := strings.CutPrefix(l, "#line "); ok {
			n, _, _ = strings.Cut(n, " ")
			if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "f(") {
				if log := s.Translate("0:" + n + "(1): error: x"); !strings.HasPrefix(log, "k.comp:4:1: error") {
					t.Errorf("line %s: got %q", n, log)
				}
				at++
			}
		}
	}
	if at != 3 {
		t.Errorf("found %d marked copies, want 3", at)
	}
}

func TestUnrollErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"#unroll i", "want #unroll word count"},
		{"#unroll i 2\nx", "without #endunroll"},
		{"x\n#endunroll", "want an #unroll before it"},
		{"#unroll i Q\n#endunroll", "Q is neither a define"},
		{"#unroll i 1 - 2\n#endunroll", "got -1, want 0 to"},
		{"#unroll i 1000\n#endunroll", "got 1000, want 0 to"},
		{"#unroll i 2 / 0\n#endunroll", "want + - * /"},
		{"#unroll i f(2)\n#endunroll", "want + - * /"},
		{"#unroll i 2 +\n#endunroll", "want an expression"},
		{"#unroll i LOOP\n#endunroll", "round in circles"},
		{"#unroll N 2\n#endunroll", "is the word of an outer block or a define"},
		{"#unroll i 2\n#unroll i 2\n#endunroll\n#endunroll", "is the word of an outer block"},
		{"#unroll i 2\n#include \"x\"\n#endunroll", "want none within #unroll"},
		{"#unroll i 200\n#unroll j 200\n" + strings.Repeat("x", 100) + "\n#endunroll\n#endunroll", "grows beyond"},
	} {
		_, err := ExpandFS(mapFS(map[string]string{"k.comp": c.text}), "k.comp", Int("N", 2), Define{"LOOP", "LOOP"})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "k.comp:") {
			t.Errorf("%q: got %v, want the place and %q", c.text, err, c.want)
		}
	}
}
