package main

import (
	"errors"
	"fmt"

	"gorgonia.org/gorgonia"
	gtensor "gorgonia.org/tensor"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/bench"
	"github.com/convgl/convgl/tensor"
)

// gorgoniaEngine is gorgonia's Conv2d and MaxPool2D on its tape machine. Conv2d has no
// bias; it is added after what is timed.
func gorgoniaEngine() bench.Engine {
	return bench.Engine{Peer: "gorgonia", Version: version("gorgonia.org/gorgonia", "gorgonia.org/tensor", "gonum.org/v1/gonum"), Ready: func(d backend.Desc, in []*tensor.Tensor, _ int) (func() error, func() (*tensor.Tensor, error), string, error) {
		fail := func(err error) (func() error, func() (*tensor.Tensor, error), string, error) {
			return nil, nil, "", err
		}
		if len(in[0].Shape()) != 4 {
			return fail(fmt.Errorf("only two spatial dims: %w", errors.ErrUnsupported))
		}
		g := gorgonia.NewGraph()
		node := func(name string, t *tensor.Tensor) *gorgonia.Node {
			v := gtensor.New(gtensor.WithShape(t.Shape()...), gtensor.WithBacking(t.Float32s()))
			return gorgonia.NewTensor(g, gtensor.Float32, 4, gorgonia.WithShape(t.Shape()...), gorgonia.WithName(name), gorgonia.WithValue(v))
		}
		x := node("x", in[0])
		var y *gorgonia.Node
		var err error
		impl := "tape machine"
		switch op := d.Op.(type) {
		case backend.Conv:
			if op.GroupCount() != 1 {
				return fail(fmt.Errorf("only dense convolutions: %w", errors.ErrUnsupported))
			}
			impl += ", bias not timed"
			y, err = gorgonia.Conv2d(x, node("w", in[1]), gtensor.Shape(op.Kernel), op.Pads[:2], op.Strides, []int{1, 1})
		case backend.MaxPool:
			y, err = gorgonia.MaxPool2D(x, gtensor.Shape(op.Kernel), op.Pads[:2], op.Strides)
		}
		if err != nil {
			return fail(err)
		}
		vm := gorgonia.NewTapeMachine(g)
		run := func() error {
			vm.Reset()
			return vm.RunAll()
		}
		result := func() (*tensor.Tensor, error) {
			v, ok := y.Value().(*gtensor.Dense)
			if !ok {
				return nil, fmt.Errorf("gorgonia: value %T", y.Value())
			}
			// A transposed result is a view.
			flat, ok := gtensor.Materialize(v).(*gtensor.Dense).Data().([]float32)
			if !ok || len(flat) != d.Out[0].Shape.Size() {
				return nil, fmt.Errorf("gorgonia: result of shape %v", v.Shape())
			}
			t, err := tensor.From(append([]float32{}, flat...), d.Out[0].Shape...)
			if err != nil || len(in) < 3 {
				return t, err
			}
			plane := len(flat) / t.Shape()[0] / t.Shape()[1]
			for i := range t.Float32s() {
				t.Float32s()[i] += in[2].Float32s()[i/plane%t.Shape()[1]]
			}
			return t, nil
		}
		return run, result, impl, nil
	}}
}
