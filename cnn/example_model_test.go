package cnn_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"sync"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/tensor"
)

// edges is a network whose one filter finds where a row becomes brighter.
func edges() *cnn.Net {
	net, err := cnn.New("edges", cnn.Shape(1, cnn.Dynamic, cnn.Dynamic),
		cnn.Named("filter", cnn.Conv2D(1, 0, cnn.KernelSize(1, 2), cnn.NoBias())), cnn.Named("relu", cnn.ReLU()))
	if err != nil {
		log.Fatal(err)
	}
	if err := net.SetParam("filter.weight", tensor.Must(tensor.From([]float32{-1, 1}, 1, 1, 1, 2))); err != nil {
		log.Fatal(err)
	}
	return net
}

// start opens the CPU and compiles a network for it.
func start(net *cnn.Net) (m *cnn.Model, stop func()) {
	be, err := backend.Open("cpu")
	if err != nil {
		log.Fatal(err)
	}
	m, err = net.Compile(context.Background(), be)
	if err != nil {
		log.Fatal(err)
	}
	return m, func() {
		if err := m.Close(); err != nil {
			log.Fatal(err)
		}
		if err := be.Close(); err != nil {
			log.Fatal(err)
		}
	}
}

func ExampleModel_Predict() {
	model, stop := start(edges())
	defer stop()
	x := tensor.Must(tensor.From([]float32{0, 0, 5, 5, 1, 9}, 1, 1, 1, 6)) // N,C,H,W
	y, err := model.Predict(context.Background(), x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.Shape(), y.Float32s())
	// Output: [1,1,1,5] [0 5 0 0 8]
}

// One model serves many goroutines; each has an output of its own.
func ExampleModel_PredictInto() {
	model, stop := start(edges())
	defer stop()
	var sums [8]float32
	var wg sync.WaitGroup
	for i := range sums {
		wg.Go(func() {
			x := tensor.Must(tensor.From([]float32{0, float32(i), 0, 1}, 1, 1, 1, 4))
			y := tensor.Must(tensor.New(tensor.Float32, 1, 1, 1, 3))
			if err := model.PredictInto(context.Background(), y, x); err != nil {
				log.Fatal(err)
			}
			for _, v := range y.Float32s() {
				sums[i] += v
			}
		})
	}
	wg.Wait()
	fmt.Println(sums)
	// Output: [1 2 3 4 5 6 7 8]
}

// Features shows what layers within a network see.
func ExampleNet_Features() {
	inside, err := edges().Features("filter", "relu")
	if err != nil {
		log.Fatal(err)
	}
	model, stop := start(inside)
	defer stop()
	out, err := model.PredictAll(context.Background(), tensor.Must(tensor.From([]float32{3, 1, 4, 1}, 1, 1, 1, 4)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out[0].Float32s(), out[1].Float32s())
	// Output: [-2 3 -3] [0 3 0]
}

// The plan of a compiled model: kernels, layouts and where each value lies.
func ExampleModel_Runtime() {
	model, stop := start(edges())
	defer stop()
	plan, err := model.Runtime().Plan(context.Background(), tensor.Shape{1, 1, 4, 8})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Inputs(), plan.Peak() <= plan.Arena())
	// Output: [[1,1,4,8]] true
}

func ExampleNet_WriteSummary() {
	if err := edges().WriteSummary(os.Stdout, cnn.Shape(1, 480, 640)); err != nil {
		log.Fatal(err)
	}
	// Output:
	// net edges x[1,1,480,640]
	// layer   kind    output         parameters  multiply-adds   memory
	// -----------------------------------------------------------------
	// filter  Conv2D  [1,1,480,639]           2        613,440  1.2 MiB
	// relu    ReLU    [1,1,480,639]           0              0  1.2 MiB
	// -----------------------------------------------------------------
	// total                                   2        613,440  2.3 MiB
	// parameters: 2 trainable, 0 not, 8 B
}
