//go:build cgo

package gl

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/ref"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/tensor"
)

var bg = context.Background()

// open opens the backend, or skips the test where there is no OpenGL; with
// CONVGL_REQUIRE_GL=1 that is a failure.
func open(t testing.TB, opts ...backend.Option) *Backend {
	t.Helper()
	be, err := backend.Open(name, opts...)
	var none *backend.UnavailableError
	if errors.As(err, &none) && os.Getenv("CONVGL_REQUIRE_GL") != "1" {
		t.Skipf("no OpenGL: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := be.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return be.(*Backend)
}

// families calls fn with a backend of each family of kernels.
func families(t *testing.T, fn func(t *testing.T, be *Backend)) {
	for _, v := range []string{texelFamily, tiledFamily} {
		t.Run(v, func(t *testing.T) { fn(t, open(t, backend.WithVariant(v), backend.WithDebug())) })
	}
}

// judge runs d and compares with the oracle under a fill.
func judge(t *testing.T, be *Backend, d backend.Desc, f check.Fill, seed uint64) {
	t.Helper()
	in, err := check.Inputs(d, f, seed)
	if err != nil {
		t.Fatalf("%+v: inputs: %v", d, err)
	}
	got, err := backend.RunDesc(bg, be, d, in...)
	if err != nil {
		t.Fatalf("%+v: %v", d, err)
	}
	r, err := check.Judge(d, f, in, got, oracle(t))
	if err != nil {
		t.Fatalf("%+v: %v", d, err)
	}
	if r.Verdict != check.Pass {
		t.Errorf("%+v %v seed %d: %v: %+v", d, f, seed, r.Verdict, r.Outputs)
	}
}

func oracle(t *testing.T) check.Evaluator {
	be, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	return func(d backend.Desc, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		d.Algorithm = ""
		return backend.RunDesc(bg, be, d, in...)
	}
}

var layouts = []backend.Layout{
	backend.Plain, backend.ChannelsLast, backend.ChannelsLast4,
	{Order: backend.OrderChannelsLast, Pad: 8}, {Order: backend.OrderChannelsLast, Pad: 6},
}

func TestReorder(t *testing.T) {
	families(t, func(t *testing.T, be *Backend) {
		for _, s := range []tensor.Shape{{}, {5}, {3, 6}, {2, 5, 7}, {2, 3, 4, 5}, {1, 9, 2, 3, 4}, {0, 3, 2}, {2, 1, 3, 3}} {
			for _, from := range layouts {
				for _, to := range layouts {
					for _, dt := range []tensor.DType{tensor.Float32, tensor.Int32} {
						d := backend.Desc{
							Op:  backend.Reorder{},
							In:  []backend.TensorDesc{{DType: dt, Shape: s, Layout: from}},
							Out: []backend.TensorDesc{{DType: dt, Shape: s, Layout: to}},
						}
						judge(t, be, d, check.Exact, 1)
					}
				}
			}
		}
	})
}

func TestActivation(t *testing.T) {
	families(t, func(t *testing.T, be *Backend) {
		for _, a := range []backend.Act{{Kind: backend.Relu}, {Kind: backend.LeakyRelu, Alpha: 0.1}, {Kind: backend.Clip, Alpha: -1, Beta: 6}, {Kind: backend.Sigmoid}, {Kind: backend.Tanh}} {
			for _, s := range []tensor.Shape{{7}, {3, 6}, {2, 5, 7}, {2, 3, 4, 5}} {
				for _, l := range append([]backend.Layout{backend.Any}, layouts...) {
					d := backend.Desc{Op: backend.Activation{Act: a}, In: []backend.TensorDesc{{DType: tensor.Float32, Shape: s, Layout: l}}}
					judge(t, be, d, check.Normal, 1)
					judge(t, be, d, check.Special, 1)
				}
			}
		}
	})
}
