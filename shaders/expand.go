package shaders

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Version is the line that every expanded source begins with.
const Version = "#version 430 core"

// Define is a preprocessor constant. An empty Value defines the bare name.
type Define struct{ Name, Value string }

// Int returns a define with a decimal value.
func Int(name string, v int) Define { return Define{name, strconv.Itoa(v)} }

// Source is an expanded shader. Its zero value is an empty shader.
type Source struct {
	Name  string   // kernel, as "fill.comp"
	Text  string   // what the driver compiles
	Key   string   // Name and the defines, as "fill.comp A=1 B"; equal keys have equal texts
	Files []string // file names by source id; id 0 is the version and the defines

	lines [][]string // of each file
}

// Expand returns the embedded kernel of that name with its includes in place and
// the defines, in alphabetical order, behind the version line. A file is included
// once; where it is included again, nothing is written. The lines between
//
//	#unroll i COUNT
//	#endunroll
//
// are written COUNT times, with 0, 1, ... for the word i: drivers keep an array in
// registers only while all its indices are constants, and few unroll a loop of
// hundreds of instructions. COUNT is an expression of integers, defines and the
// words of outer blocks. Errors: a file that does not exist and a cycle, each with
// the chain of includes; a malformed include, #version or #unroll line, with its
// place; a define that is not an identifier, has a line break in its value, or
// comes twice.
func Expand(name string, defines ...Define) (Source, error) {
	return ExpandFS(files, name, defines...)
}

// ExpandFS is Expand for sources in another file system.
func ExpandFS(fsys fs.FS, name string, defines ...Define) (Source, error) {
	defs, err := sortDefines(name, defines)
	if err != nil {
		return Source{}, err
	}
	x := expander{fsys: fsys, ids: map[string]int{}, defines: map[string]string{}}
	for _, d := range defs {
		x.defines[d.Name] = d.Value
	}
	x.src.Name = name
	key := []string{name}
	head := []string{Version}
	for _, d := range defs {
		head = append(head, strings.TrimRight("#define "+d.Name+" "+d.Value, " "))
		if d.Value == "" {
			key = append(key, d.Name)
		} else {
			key = append(key, d.Name+"="+d.Value)
		}
	}
	x.src.Key = strings.Join(key, " ")
	x.src.Files = []string{name + " (defines)"}
	x.src.lines = [][]string{head}
	for _, l := range head {
		x.line(l)
	}
	if err := x.file(name, nil); err != nil {
		return Source{}, err
	}
	x.src.Text = x.out.String()
	return x.src, nil
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func sortDefines(name string, defines []Define) ([]Define, error) {
	defs := slices.Clone(defines)
	slices.SortFunc(defs, func(a, b Define) int { return cmp.Compare(a.Name, b.Name) })
	for i, d := range defs {
		switch {
		case !identifier.MatchString(d.Name), strings.HasPrefix(d.Name, "GL_"), strings.Contains(d.Name, "__"):
			return nil, fmt.Errorf("shaders: %s: define: got name %q, want an identifier without __ or GL_", name, d.Name)
		case strings.ContainsAny(d.Value, "\n\r\\\x00"):
			return nil, fmt.Errorf("shaders: %s: define %s: got value %q, want one line", name, d.Name, d.Value)
		case i > 0 && defs[i-1].Name == d.Name:
			return nil, fmt.Errorf("shaders: %s: define %s: got twice (%q and %q), want once", name, d.Name, defs[i-1].Value, d.Value)
		}
	}
	return defs, nil
}

type expander struct {
	fsys fs.FS
	src  Source
	out  strings.Builder
	ids  map[string]int // of the files already written or being written

	defines map[string]string
}

// lineStride separates the line numbers of files: line n of file id is compiled as
// id*lineStride + n. The id is also given as the source string number, but Mesa
// forgets that one in some messages, as for an undeclared name.
const lineStride = 4096

func (x *expander) lineMark(id, n int) { x.line(fmt.Sprintf("#line %d %d", id*lineStride+n, id)) }

func (x *expander) line(s string) { x.out.WriteString(s); x.out.WriteByte('\n') }

var (
	directive   = regexp.MustCompile(`^\s*#\s*(include|version|line|unroll|endunroll)\b(.*)$`)
	includeName = regexp.MustCompile(`^\s*"([^"]+)"\s*(//.*)?$`)
)

// file writes one file; chain names the files that include it, outermost first.
func (x *expander) file(name string, chain []string) error {
	chain = append(slices.Clone(chain), name)
	trail := strings.Join(chain, " -> ")
	b, err := fs.ReadFile(x.fsys, name)
	if err != nil {
		return fmt.Errorf("shaders: include chain %s: %w", trail, err)
	}
	lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n"), "\n")
	id := len(x.src.Files)
	x.ids[name] = id
	x.src.Files = append(x.src.Files, name)
	x.src.lines = append(x.src.lines, lines)
	if len(lines) >= lineStride {
		return fmt.Errorf("shaders: %s: got %d lines, want less than %d", name, len(lines), lineStride)
	}
	x.lineMark(id, 1)
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		m := directive.FindStringSubmatch(l)
		if m == nil {
			x.line(l)
			continue
		}
		if m[1] == "unroll" || m[1] == "endunroll" {
			end, err := x.unroll(id, lines, i, nil)
			if err != nil {
				return err
			}
			i = end
			x.lineMark(id, i+2)
			continue
		}
		if m[1] != "include" {
			return fmt.Errorf("shaders: %s:%d: got #%s, want none (Expand writes it)", name, i+1, m[1])
		}
		inc := includeName.FindStringSubmatch(m[2])
		if inc == nil {
			return fmt.Errorf(`shaders: %s:%d: got %q, want #include "lib/x.glsl"`, name, i+1, strings.TrimSpace(l))
		}
		target := path.Clean(inc[1])
		if slices.Contains(chain, target) {
			return fmt.Errorf("shaders: include cycle: %s -> %s (at %s:%d)", trail, target, name, i+1)
		}
		if _, done := x.ids[target]; !done {
			if err := x.file(target, chain); err != nil {
				return err
			}
		}
		x.lineMark(id, i+2)
	}
	return nil
}

// The places that drivers write at the start of a line: "0:12(3)" (Mesa),
// "0(12)" (NVIDIA), "ERROR: 0:12:" (AMD, Intel, glslang).
var place = regexp.MustCompile(`(?m)^(\s*(?:(?:ERROR|WARNING): )?)\d+(?::(\d+)(?:\((\d+)\))?|\((\d+)\))`)

// Translate returns a driver's log with numbers replaced by file names and lines:
// "2:8204(3): error" becomes "lib/exp.glsl:12:3: error". Each translated line is
// followed by the line of the shader that it speaks of. What is in no known form
// stays as it is.
func (s Source) Translate(log string) string {
	log = strings.TrimRight(log, "\x00\n ")
	var out []string
	for _, l := range strings.Split(log, "\n") {
		m := place.FindStringSubmatchIndex(l)
		if m == nil {
			out = append(out, l)
			continue
		}
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return l[m[2*i]:m[2*i+1]]
		}
		at, text, ok := s.at(group(2) + group(4))
		if !ok {
			out = append(out, l)
			continue
		}
		if c := group(3); c != "" {
			at += ":" + c
		}
		out = append(out, group(1)+at+l[m[1]:], "\t| "+text)
	}
	return strings.Join(out, "\n")
}

// at names the place with a compiled line number, and quotes it.
func (s Source) at(line string) (at, text string, ok bool) {
	n, err := strconv.Atoi(line)
	if err != nil {
		return "", "", false
	}
	id, n := n/lineStride, n%lineStride
	if id >= len(s.Files) || n < 1 || n > len(s.lines[id]) {
		return "", "", false
	}
	return fmt.Sprintf("%s:%d", s.Files[id], n), strings.TrimSpace(s.lines[id][n-1]), true
}
