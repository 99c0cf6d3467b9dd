package onnx

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convgl/convgl/internal/onnxtest"
	"github.com/convgl/convgl/tensor"
)

func TestReadTensor(t *testing.T) {
	dir := t.TempDir()
	write := func(data []byte) string {
		file := filepath.Join(dir, "x.pb")
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for _, want := range []*tensor.Tensor{
		tensor.Must(tensor.From([]float32{1, -2.5}, 2, 1)),
		tensor.Must(tensor.From([]int64{1 << 60})),
		tensor.Must(tensor.From([]bool{true, false}, 2)),
	} {
		got, err := ReadTensor(write(onnxtest.Tensor("x", want)))
		if err != nil || !got.Equal(want) || got.DType() != want.DType() {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	if got, err := ReadTensor(write(onnxtest.Tensor("x", tensor.Must(tensor.From([]float64{0.5}, 1))))); err != nil || !got.Equal(tensor.Must(tensor.From([]float32{0.5}, 1))) {
		t.Errorf("float64: got %v, %v", got, err)
	}
	for _, c := range []struct {
		data        []byte
		want        string
		unsupported bool
	}{
		{nil, "empty", false},
		{[]byte("no tensor"), "", false},
		{onnxtest.Floats("x", []float32{1, 2}, 3), "x", false},
		{onnxtest.Floats("x", nil, 1<<30, 1<<30), "x", false},
		{onnxtest.Raw("x", 3, []byte{1}, 1), "int8", true},
	} {
		_, err := ReadTensor(write(c.data))
		var refused *RefusedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) || errors.Is(err, errors.ErrUnsupported) != c.unsupported {
			t.Errorf("%q: got %v", c.data, err)
		}
	}
	if _, err := ReadTensor(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
