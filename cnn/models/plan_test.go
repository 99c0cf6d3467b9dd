package models

import (
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/tensor"
)

// TestPlan holds the plan of every architecture against a file: what the passes leave,
// the kernels, layouts, offsets, and the memory. The family of kernels and the number
// of threads are fixed, as a plan depends on the machine by them.
func TestPlan(t *testing.T) {
	if raceEnabled {
		t.Skip("planning is one goroutine's work, and slow under the race detector")
	}
	t.Setenv("CONVGL_CPU", "generic")
	be, err := backend.Open("cpu", backend.WithVariant("generic"), backend.WithThreads(1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := be.Close(); err != nil {
			t.Error(err)
		}
	}()
	shapes := map[string]tensor.Shape{
		"lenet":  {1, 1, 28, 28},
		"unet2d": {1, 3, 256, 256},
		"unet3d": {1, 3, 64, 64, 64},
	}
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			var n *cnn.Net
			if a.big {
				var err error
				if n, err = a.make(WithHidden(64)); err != nil {
					t.Fatal(err)
				}
			} else {
				n = a.net(t)
			}
			m, err := n.Compile(ctx, be)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := m.Close(); err != nil {
					t.Error(err)
				}
			}()
			shape, ok := shapes[a.name]
			if !ok {
				shape = tensor.Shape{1, 3, 224, 224}
			}
			p, err := m.Runtime().Plan(ctx, shape)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "plan/"+a.name+".golden", m.Runtime().Report().String()+"\n"+p.String())
			if p.Arena() < p.Peak() || p.Arena() > p.Peak()*5/4 {
				t.Errorf("the arena has %d bytes, want at most a quarter above the peak of %d", p.Arena(), p.Peak())
			}
		})
	}
}
