package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/convgl/convgl/internal/onnxtest"
)

// A folder of ONNX's cases ends in the exit codes of any other.
func TestConformONNX(t *testing.T) {
	dir, dump := t.TempDir(), t.TempDir()
	model, err := os.ReadFile(unary(t, "Relu"))
	if err != nil {
		t.Fatal(err)
	}
	put := func(data []byte, path ...string) {
		file := filepath.Join(append([]string{dir}, path...)...)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	put([]byte(`[{"id":"v1/relu","path":"v1/relu","ops":["Relu"],"dtypes":["float32"],"onnxruntime_agrees":true}]`), "index.json")
	put(model, "v1/relu/model.onnx")
	put(onnxtest.Floats("x", []float32{-1, 0, 2}, 1, 3), "v1/relu/test_data_set_0/input_0.pb")
	for want, code := range map[float32]int{2: 0, 3: 1} {
		put(onnxtest.Floats("y", []float32{0, 0, want}, 1, 3), "v1/relu/test_data_set_0/output_0.pb")
		if got, out, errs := command(t, "conform", "-cases", dir, "-backend", "cpu", "-dump", dump); got != code {
			t.Errorf("want %g: exit %d, want %d\n%s%s", want, got, code, out, errs)
		}
	}
	if _, err := os.Stat(filepath.Join(dump, "cpu", "v1", "relu", "output_0.npy")); err != nil {
		t.Error(err)
	}
	if code, _, errs := command(t, "conform", "-cases", filepath.Join(dir, "v1")); code != 2 {
		t.Errorf("neither form: exit %d: %s", code, errs)
	}
}
