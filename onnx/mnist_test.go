package onnx

import (
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/convgl/convgl/tensor"
)

// TestMNIST classifies the 10,000 test images with two trained networks on every backend, and
// holds each prediction to that of ONNX Runtime.
func TestMNIST(t *testing.T) {
	root := conformance(t, "")
	f, err := os.Open(filepath.Join(root, "data", "mnist", "t10k-images-idx3-ubyte.gz"))
	if err != nil {
		t.Skipf("no images: %v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	pixels, err := io.ReadAll(z)
	const count, size = 10000, 28 * 28
	if err != nil || len(pixels) != 16+count*size {
		t.Fatalf("read %d bytes, %v", len(pixels), err)
	}
	pixels = pixels[16:]
	for _, net := range []struct {
		name  string
		input func(uint8) float32
	}{
		{"mnist_cntk_opset8", func(p uint8) float32 { return float32(p) }},
		{"mnist_burn_bn", func(p uint8) float32 { return (float32(p)/255 - 0.1307) / 0.3081 }},
	} {
		want, err := os.ReadFile(filepath.Join(root, "models", net.name, "t10k_predictions_u8.bin"))
		if err != nil || len(want) != count {
			t.Fatalf("%s: %d predictions, %v", net.name, len(want), err)
		}
		m, err := Load(filepath.Join(root, "models", net.name, "model.onnx"))
		if err != nil {
			t.Fatal(err)
		}
		batch, static := m.Inputs()[0].Shape[0].Size()
		if !static {
			batch = 100
		}
		for _, be := range backends(t) {
			t.Run(net.name+"/"+be.Name(), func(t *testing.T) {
				n := count
				switch oracle := be.Name() == "ref"; {
				case testing.Short() && oracle:
					t.Skip("slow")
				case testing.Short():
					n = 500
				case oracle && os.Getenv("CONVGL_LONG") == "":
					n = 200 // the oracle takes half an hour for all
				}
				s, err := m.Compile(context.Background(), be)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				wrong := 0
				x := tensor.Must(tensor.New(tensor.Float32, batch, 1, 28, 28))
				for at := 0; at < n; at += batch {
					for i := range x.Float32s() {
						x.Float32s()[i] = net.input(pixels[at*size+i])
					}
					out, err := s.Run(context.Background(), x)
					if err != nil {
						t.Fatal(err)
					}
					scores := out[0].Float32s()
					for k := range batch {
						best := 0
						for c := range 10 {
							if scores[k*10+c] > scores[k*10+best] {
								best = c
							}
						}
						if best != int(want[at+k]) {
							wrong++
						}
					}
				}
				if wrong > 0 {
					t.Errorf("%d of %d predictions differ", wrong, n)
				}
			})
		}
	}
}
