package cpu

import (
	"fmt"
	"testing"

	"github.com/convgl/convgl/backend"
)

// The output may take the place of the inputs that a kernel names, and of no residual
// that it reads too late.
func TestResidualInPlace(t *testing.T) {
	relu := backend.Step{Kind: backend.Activate, Act: backend.Act{Kind: backend.Relu}}
	residual, scale := backend.Step{Kind: backend.Residual}, backend.Step{Kind: backend.ScaleShift}
	f := backend.F32
	for _, set := range isas(t) {
		be := open(t, "cpu", backend.WithVariant(set.String()), backend.WithThreads(2))
		for _, c := range []struct {
			steps backend.Epilogue
			want  int // how many of the residuals may be overwritten
		}{
			{backend.Epilogue{relu}, 0},
			{backend.Epilogue{residual}, 1},
			{backend.Epilogue{scale, residual, relu}, 1},
			{backend.Epilogue{relu, residual}, 0},
			{backend.Epilogue{residual, relu, residual}, 1},
		} {
			for name, op := range map[string]backend.Op{
				"depthwise":           backend.Conv{Groups: 19, Window: backend.Window{Pads: []int{1, 1, 1, 1}}, Epilogue: c.steps},
				"conv":                backend.Conv{Window: backend.Window{Pads: []int{1, 1, 1, 1}}, Epilogue: c.steps},
				"transpose":           backend.ConvTranspose{Window: backend.Window{Pads: []int{1, 1, 1, 1}}, Epilogue: c.steps},
				"transpose depthwise": backend.ConvTranspose{Groups: 19, Window: backend.Window{Pads: []int{1, 1, 1, 1}}, Epilogue: c.steps},
				"dense":               backend.Dense{Epilogue: c.steps},
			} {
				d := backend.Desc{Op: op, In: []backend.TensorDesc{f(2, 19, 5, 8), constant(f(19, 19, 3, 3))}}
				switch name {
				case "depthwise", "transpose depthwise":
					d.In[1].Shape = []int{19, 1, 3, 3}
				case "dense":
					d.In = []backend.TensorDesc{f(6, 19), constant(f(19, 19))}
				}
				for _, s := range c.steps {
					switch s.Kind {
					case backend.ScaleShift:
						d.In = append(d.In, f(19), f(19))
					case backend.Residual:
						d.In = append(d.In, f(d.In[0].Shape...))
					}
				}
				for _, alg := range be.Algorithms(d) {
					d.Algorithm = alg
					t.Run(fmt.Sprintf("%v/%s/%s/%v", set, name, alg, c.steps), func(t *testing.T) { overwriteInputs(t, be, d, c.want) })
				}
			}
		}
	}
}

// overwriteInputs runs d with the output in the place of each input that may be
// overwritten; want tells how many they are.
func overwriteInputs(t *testing.T, be backend.Backend, d backend.Desc, want int) {
	ins := inputs(3, d)
	y, err := backend.RunDesc(ctx, be, d, ins...)
	if err != nil {
		t.Fatal(err)
	}
	inst, err := backend.NewInstance(ctx, be, d)
	if err != nil {
		t.Fatal(err)
	}
	defer inst.Close()
	places := inst.Kernel.Info().InPlace
	if len(places) != want {
		t.Errorf("the output may overwrite the inputs %v, want %d of them", places, want)
	}
	for _, i := range places {
		for j, x := range ins {
			if err := inst.SetInput(ctx, j, x); err != nil {
				t.Fatal(err)
			}
		}
		out := inst.Args.Out[0]
		inst.Args.Out[0] = inst.Args.In[i]
		if err := inst.Run(ctx); err != nil {
			t.Fatal(err)
		}
		got, err := inst.Output(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, y[0])
		inst.Args.Out[0] = out
	}
}
