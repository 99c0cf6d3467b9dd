package shaders

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func mapFS(m map[string]string) fstest.MapFS {
	f := fstest.MapFS{}
	for n, s := range m {
		f[n] = &fstest.MapFile{Data: []byte(s)}
	}
	return f
}

func TestExpandText(t *testing.T) {
	fsys := mapFS(map[string]string{
		"k.comp":     "// k\n#include \"lib/a.glsl\"\n#include \"lib/b.glsl\"\nvoid main() {}\n",
		"lib/a.glsl": "int a;\n",
		"lib/b.glsl": "#include \"lib/a.glsl\"\nint b;",
	})
	s, err := ExpandFS(fsys, "k.comp", Define{"Z", ""}, Int("A", 3))
	if err != nil {
		t.Fatal(err)
	}
	want := `#version 430 core
#define A 3
#define Z
#line 4097 1
// k
#line 8193 2
int a;
#line 4099 1
#line 12289 3
#line 12290 3
int b;
#line 4100 1
void main() {}
`
	if s.Text != want {
		t.Errorf("got\n%s\nwant\n%s", s.Text, want)
	}
	if want := "k.comp A=3 Z"; s.Key != want {
		t.Errorf("key: got %q, want %q", s.Key, want)
	}
	again, err := ExpandFS(fsys, "k.comp", Int("A", 3), Define{Name: "Z"})
	if err != nil || again.Text != s.Text || again.Key != s.Key {
		t.Errorf("order of defines matters: %v\n%s", err, again.Text)
	}
}

func TestExpandErrors(t *testing.T) {
	lib := map[string]string{
		"cycle.comp": `#include "lib/a.glsl"`,
		"lib/a.glsl": "int x;\n#include \"lib/b.glsl\"",
		"lib/b.glsl": `#include "lib/a.glsl"`,
		"self.comp":  `#include "./self.comp"`,
		"gone.comp":  `#include "lib/c.glsl"`,
		"lib/c.glsl": `#include "lib/none.glsl"`,
		"ver.comp":   "\n  #  version 310 es",
		"line.comp":  "#line 3",
		"bad.comp":   "#include <lib/a.glsl>",
		"up.comp":    `#include "../x.glsl"`,
		"ok.comp":    "void main() {}",
		"long.comp":  strings.Repeat("\n", 5000),
	}
	for _, c := range []struct {
		name, file string
		defines    []Define
		want       string
	}{
		{"cycle", "cycle.comp", nil, "cycle.comp -> lib/a.glsl -> lib/b.glsl -> lib/a.glsl (at lib/b.glsl:1)"},
		{"self", "self.comp", nil, "self.comp -> self.comp"},
		{"missing include", "gone.comp", nil, "gone.comp -> lib/c.glsl -> lib/none.glsl"},
		{"missing kernel", "nothing.comp", nil, "nothing.comp"},
		{"outside", "up.comp", nil, "up.comp -> ../x.glsl"},
		{"version", "ver.comp", nil, "ver.comp:2: got #version"},
		{"line", "line.comp", nil, "line.comp:1: got #line"},
		{"angle brackets", "bad.comp", nil, "bad.comp:1"},
		{"long", "long.comp", nil, "5000 lines"},
		{"twice", "ok.comp", []Define{{"A", "1"}, {"A", "2"}}, "define A: got twice"},
		{"name", "ok.comp", []Define{{"1A", "1"}}, `got name "1A"`},
		{"reserved", "ok.comp", []Define{{"GL_A", "1"}}, "GL_A"},
		{"value", "ok.comp", []Define{{"A", "1\n#error"}}, "want one line"},
		{"continuation", "ok.comp", []Define{{"A", `1\`}}, "want one line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ExpandFS(mapFS(lib), c.file, c.defines...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestTranslate(t *testing.T) {
	s, err := ExpandFS(mapFS(map[string]string{
		"k.comp":     "#include \"lib/a.glsl\"\nvoid main() { y = 1; }\n",
		"lib/a.glsl": "int a;\n\tfloat b = c;",
	}), "k.comp", Int("N", 4))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, log, want string }{
		{"mesa", "2:8194(12): error: `c' undeclared", "lib/a.glsl:2:12: error: `c' undeclared\n\t| float b = c;"},
		{"mesa without the source", "0:8194(12): error: `c' undeclared", "lib/a.glsl:2:12: error: `c' undeclared\n\t| float b = c;"},
		{"nvidia", "1(4098) : error C1008: undefined variable \"y\"\x00", "k.comp:2 : error C1008: undefined variable \"y\"\n\t| void main() { y = 1; }"},
		{"glslang", "ERROR: 1:4098: 'y' : undeclared", "ERROR: k.comp:2: 'y' : undeclared\n\t| void main() { y = 1; }"},
		{"define", "0:2(9): error: x", "k.comp (defines):2:9: error: x\n\t| #define N 4"},
		{"all lines", "1:4098(1): warning: a\nother text\n2:8193(1): error: b", "k.comp:2:1: warning: a\n\t| void main() { y = 1; }\nother text\nlib/a.glsl:1:1: error: b\n\t| int a;"},
		{"no such file", "9:36865(1): error", "9:36865(1): error"},
		{"no such line", "1:4200(1): error", "1:4200(1): error"},
		{"line 0", "1:4096(1): error", "1:4096(1): error"},
		{"huge", "1:99999999999999999999: error", "1:99999999999999999999: error"},
		{"no place", "out of registers", "out of registers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := s.Translate(c.log); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Every shipped kernel expands, and begins with a comment that names it.
func TestShipped(t *testing.T) {
	if len(Names()) == 0 {
		t.Fatal("no kernels are embedded")
	}
	for _, n := range Names() {
		s, err := Expand(n, countDefines(t, n)...)
		if err != nil {
			t.Error(err)
			continue
		}
		if first := s.lines[1][0]; !strings.HasPrefix(first, "// "+n+":") {
			t.Errorf("%s: got first line %q, want one that begins with its name", n, first)
		}
	}
}

// countDefines gives 1 to every define in the counts of a kernel's #unroll lines.
func countDefines(t *testing.T, name string) []Define {
	b, err := fs.ReadFile(FS(), name)
	if err != nil {
		t.Fatal(err)
	}
	var counts []string
	words := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#unroll (\w+) ([^/\n]*)`).FindAllStringSubmatch(string(b), -1) {
		words[m[1]] = true
		counts = append(counts, identifierIn.FindAllString(m[2], -1)...)
	}
	var defines []Define
	for _, c := range counts {
		if !words[c] {
			words[c] = true
			defines = append(defines, Int(c, 1))
		}
	}
	return defines
}

var identifierIn = regexp.MustCompile(`[A-Za-z_]\w*`)

func FuzzExpand(f *testing.F) {
	f.Add("#unroll i N\n#unroll j i\ni j\n#endunroll\n#endunroll", "", "N", "3", "1:1(1): error")
	f.Add("#include \"b\"\n", "int x;", "N", "1", "1:1(1): error")
	f.Add("#include \"a\"", "#include \"a\"", "A", "", "2(1) : e")
	f.Fuzz(func(t *testing.T, a, b, name, value, log string) {
		s, err := ExpandFS(mapFS(map[string]string{"a": a, "b": b}), "a", Define{name, value})
		if err != nil {
			return
		}
		if !strings.HasPrefix(s.Text, Version+"\n#define ") {
			t.Errorf("text begins %.40q", s.Text)
		}
		s.Translate(log)
	})
}
