package bench

import (
	"bufio"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

//go:embed testdata/shapes/*.txt
var shapeFiles embed.FS

const shapeDir = "testdata/shapes"

// ShapeFiles lists the names of the shape files that are built in, as
// "resnet50", with the first comment of each.
func ShapeFiles() (names, about []string) {
	entries, err := fs.ReadDir(shapeFiles, shapeDir)
	if err != nil {
		panic(err) // the folder is part of the program
	}
	for _, e := range entries {
		text, err := shapeFiles.ReadFile(path.Join(shapeDir, e.Name()))
		if err != nil {
			panic(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		names = append(names, strings.TrimSuffix(e.Name(), ".txt"))
		about = append(about, strings.TrimPrefix(first, "# "))
	}
	return names, about
}

// ReadShapes reads a shape file: a problem a line, blank lines, and comments
// from # to the end of a line. File is a path, or the name of a built-in file.
// Errors name the file and line.
func ReadShapes(file string) ([]Problem, error) {
	f, err := openShapes(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ps, err := readShapes(file, f)
	if err == nil && len(ps) == 0 {
		err = fmt.Errorf("bench: %s: no problem in it", file)
	}
	return ps, err
}

func openShapes(file string) (io.ReadCloser, error) {
	f, err := os.Open(file)
	if err == nil {
		return f, nil
	}
	if b, errBuiltIn := shapeFiles.Open(path.Join(shapeDir, file+".txt")); errBuiltIn == nil {
		return b, nil
	}
	names, _ := ShapeFiles()
	return nil, fmt.Errorf("bench: shape file: %w (built in are %s)", err, strings.Join(names, ", "))
}

func readShapes(file string, r io.Reader) ([]Problem, error) {
	var ps []Problem
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(cutComment(sc.Text()))
		if line == "" {
			continue
		}
		p, err := Parse(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		ps = append(ps, p)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("bench: %s: %w", file, err)
	}
	return ps, nil
}

// cutComment drops what follows a # that does not stand in a name.
func cutComment(line string) string {
	quoted := false
	for i := range len(line) {
		switch line[i] {
		case '"':
			quoted = !quoted
		case '#':
			if !quoted {
				return line[:i]
			}
		}
	}
	return line
}
