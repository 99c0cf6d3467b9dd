package onnx

import (
	"context"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// imported computes a model that was exported.
func imported(t *testing.T, on string, data []byte, in []*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	m, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	be, err := backend.Open(on)
	if err != nil {
		t.Fatal(err)
	}
	defer be.Close()
	s, err := m.Compile(context.Background(), be)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestExportImport loads what is exported: it must compute what the graph does.
func TestExportImport(t *testing.T) {
	for _, c := range exportCases {
		t.Run(c.name, func(t *testing.T) {
			g, plain, optimised := exported(t, c)
			in := feeds(g)
			want := reference(t, g, in)
			limit := 1e-5
			if c.exact {
				limit = 0
			}
			for i, data := range [][]byte{plain, optimised} {
				judgeImport(t, []string{"as built", "optimised"}[i], g, imported(t, "ref", data, in), want, limit)
			}
		})
	}
}

func judgeImport(t *testing.T, form string, g *graph.Graph, got, want []*tensor.Tensor, limit float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d outputs, want %d", form, len(got), len(want))
	}
	for i := range want {
		if d := deviation(t, got[i], want[i]); d > limit {
			t.Errorf("%s: output %q: differs by %.2g of the largest element, want at most %.2g", form, g.Outputs()[i].Name, d, limit)
		}
	}
}

// TestExportImportNetworks does so with every layer, and on cpu with the architectures.
func TestExportImportNetworks(t *testing.T) {
	check := func(on string, n *cnn.Net) {
		t.Run(n.Name(), func(t *testing.T) {
			g, in := netCase(t, n)
			data, err := Export(g)
			if err != nil {
				t.Fatal(err)
			}
			judgeImport(t, "as built", g, imported(t, on, data, in), computed(t, on, g, in), 1e-5)
		})
	}
	for _, n := range layerCases(t) {
		check("ref", n)
	}
	for _, n := range modelCases(t) {
		check("cpu", n)
	}
}
