package convgl_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/convgl/convgl/"

// TestHouse holds the imports of every package to the floors of docs/design.md; a
// backend is imported by commands and backendtest alone.
func TestHouse(t *testing.T) {
	design, err := os.ReadFile("docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	floors := map[string]int{}
	for _, row := range regexp.MustCompile("(?m)^\\| (\\d+) \\| `([a-z/]+)` \\|").FindAllStringSubmatch(string(design), -1) {
		floors[row[2]], _ = strconv.Atoi(row[1])
	}
	if len(floors) < 15 {
		t.Fatalf("docs/design.md: found %d packages with floors", len(floors))
	}
	backends := map[string]bool{"backend/ref": true, "backend/cpu": true, "backend/gl": true}
	// room returns the package of the table that a folder belongs to.
	room := func(dir string) string {
		for ; dir != "."; dir = path.Dir(dir) {
			if _, ok := floors[dir]; ok {
				return dir
			}
		}
		return ""
	}
	seen := map[string]bool{}
	err = filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() && name != "." && (base[0] == '.' || base[0] == '_' || base == "testdata") {
			return fs.SkipDir
		}
		dir := path.Dir(filepath.ToSlash(name))
		if d.IsDir() || dir == "." || !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		from := room(dir)
		if from == "" {
			t.Errorf("%s: package %s has no floor in docs/design.md", name, dir)
			return nil
		}
		seen[from] = true
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			imported, ours := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), module)
			if !ours {
				continue
			}
			if backends[room(imported)] && from != room(imported) && from != "backend/backendtest" && !strings.HasPrefix(from, "cmd/") {
				t.Errorf("%s imports %s: only commands and backendtest import a backend", name, imported)
			}
			if to := room(imported); to != from && (to == "" || floors[to] >= floors[from]) {
				t.Errorf("%s on floor %d imports %s on floor %d", name, floors[from], imported, floors[to])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for p := range floors {
		if !seen[p] {
			t.Errorf("docs/design.md has a floor for %s, which does not exist", p)
		}
	}
}

// TestReadme finds every piece of Go and every summary of the README in an example
// that runs.
func TestReadme(t *testing.T) {
	// lines drops what examples and README indent differently.
	lines := func(text string) string {
		var b strings.Builder
		for _, l := range strings.Split(text, "\n") {
			l = strings.TrimSpace(l)
			b.WriteString(strings.TrimPrefix(l, "// ") + "\n")
		}
		return b.String()
	}
	var examples strings.Builder
	for _, pattern := range []string{"example*_test.go", "cnn/example*_test.go", "cnn/models/example*_test.go", "onnx/example*_test.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			examples.WriteString(lines(string(text)))
		}
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, block := range regexp.MustCompile("(?s)```(go)?\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
		if block[1] != "go" && !strings.HasPrefix(block[2], "net ") {
			continue
		}
		found++
		if text := lines(strings.TrimSpace(block[2])); !strings.Contains(examples.String(), text) {
			t.Errorf("README.md: no example has\n%s", text)
		}
	}
	if found < 3 {
		t.Errorf("README.md: found %d blocks, want the first example, the functional one and a summary", found)
	}
}
