package onnx

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// seeds adds the small models of the conformance data, if they are there.
func seeds(f *testing.F) {
	root := os.Getenv("CONVGL_CONFORMANCE")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "conformance")
	}
	for _, pattern := range []string{"negative/*.onnx", "onnx_node/*/node/*/model.onnx"} {
		files, _ := filepath.Glob(filepath.Join(root, pattern))
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 1<<14 {
				f.Add(data)
			}
		}
	}
}

// FuzzRead loads files of any content, and runs those that can be loaded and are tiny.
func FuzzRead(f *testing.F) {
	seeds(f)
	be, err := backend.Open("cpu")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := be.Close(); err != nil {
			f.Error(err)
		}
	})
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read(data)
		if err != nil {
			var refused *RefusedError
			if !errors.As(err, &refused) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		in, ok := tinyInputs(m)
		if !ok {
			return
		}
		s, err := m.Compile(context.Background(), be)
		if err != nil {
			return
		}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		out, err := s.Run(context.Background(), in...)
		if err == nil && len(out) != len(m.Outputs()) {
			t.Errorf("got %d outputs, want %d", len(out), len(m.Outputs()))
		}
	})
}

// tinyInputs returns inputs for a model that takes few elements.
func tinyInputs(m *Model) ([]*tensor.Tensor, bool) {
	var in []*tensor.Tensor
	for _, v := range m.Inputs() {
		shape := tensor.Shape{}
		for _, d := range v.Shape {
			n, static := d.Size()
			if !static {
				n = 2
			}
			shape = append(shape, n)
		}
		n, err := shape.Elems()
		if err != nil || n > 4096 || len(shape) > tensor.MaxRank {
			return nil, false
		}
		x, err := tensor.New(v.Type.DType(), shape...)
		if err != nil {
			return nil, false
		}
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(i%7) - 3
		}
		if v, err := tensor.Data[int64](x); err == nil {
			for i := range v {
				v[i] = int64(i%3) + 1
			}
		}
		in = append(in, x)
	}
	return in, true
}
