package pb

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// conformance returns the folder of conformance files and skips where there is none.
func conformance(t testing.TB) string {
	dir := os.Getenv("CONVGL_CONFORMANCE")
	if dir == "" {
		dir = "../../../../shared/conformance"
	}
	if _, err := os.Stat(filepath.Join(dir, "onnx_node")); err != nil {
		t.Skipf("no conformance files: set CONVGL_CONFORMANCE (%v)", err)
	}
	return dir
}

// files calls fn for each file below dir with that extension.
func files(t testing.TB, dir, ext string, fn func(name string, data []byte)) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ext {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n++
		fn(path, data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestConformanceModels(t *testing.T) {
	dir := conformance(t)
	for _, c := range []struct {
		dir  string
		want int
	}{{"onnx_node", 634}, {"light", 9}, {"models", 7}} {
		n := files(t, filepath.Join(dir, c.dir), ".onnx", func(name string, data []byte) {
			m, err := Decode(data, Limits{})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			if m.IRVersion < 3 || len(m.OpsetImports) == 0 || len(m.Graph.Nodes) == 0 || len(m.Graph.Outputs) == 0 {
				t.Errorf("%s: IR version %d, opsets %v, %d nodes, %d outputs", name, m.IRVersion, m.OpsetImports, len(m.Graph.Nodes), len(m.Graph.Outputs))
			}
		})
		if n != c.want {
			t.Errorf("%s: %d models, want %d", c.dir, n, c.want)
		}
	}
}

// Two sound messages lie about where a tensor's values are and how many.
func TestConformanceNegativeValues(t *testing.T) {
	dir := filepath.Join(conformance(t), "negative")
	d, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for name, want := range map[string]string{
		"huge_dims.onnx":       "raw_data has 16 bytes, want 13510798882111488",
		"external_escape.onnx": "want a file in the model's folder",
	} {
		data, err := ReadFile(filepath.Join(dir, name), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, v := range mustDecode(t, data).Graph.Initializers {
			_, _, err := v.Value(ValueOptions{External: d})
			found = found || err != nil && strings.Contains(err.Error(), want)
		}
		if !found {
			t.Errorf("%s: no tensor is refused with %q", name, want)
		}
	}
}

func TestConformanceNegative(t *testing.T) {
	dir := filepath.Join(conformance(t), "negative")
	// The others are sound messages with unsound contents.
	want := map[string]string{
		"empty.onnx":          "the file is empty",
		"garbage.onnx":        "not an ONNX model: ",
		"truncated_half.onnx": "was the file cut off?",
	}
	files(t, dir, ".onnx", func(name string, data []byte) {
		_, err := Decode(data, Limits{})
		w, bad := want[filepath.Base(name)]
		var fe *FormatError
		switch {
		case !bad && err != nil:
			t.Errorf("%s: %v", name, err)
		case bad && (!errors.As(err, &fe) || !strings.Contains(err.Error(), w)):
			t.Errorf("%s: got %v, want %q", name, err, w)
		}
	})
}
