package convgl_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"slices"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/tensor"
)

// The network of the README: two blocks and a classifier.
func Example() {
	ctx := context.Background()
	x := tensor.Must(tensor.New(tensor.Float32, 1, 3, 32, 32)) // N,C,H,W
	cnn.Uniform(-1, 1).Fill(x.Float32s(), 0, 0, rand.New(rand.NewPCG(1, 2)))

	net, err := cnn.New("small", cnn.Shape(3, 32, 32), // pictures [N,3,32,32]
		cnn.Conv2D(32, 3, cnn.Same()), cnn.ReLU(), cnn.BatchNorm(), cnn.MaxPool2D(2),
		cnn.Conv2D(64, 3, cnn.Same()), cnn.ReLU(), cnn.BatchNorm(), cnn.MaxPool2D(2),
		cnn.Flatten(), cnn.Dense(10), cnn.Softmax())
	if err != nil {
		log.Fatal(err)
	}
	net.Init(1)                     // random weights; net.Load("small.safetensors") takes trained ones
	be, err := backend.Open("auto") // a GPU with OpenGL, else the CPU; or "cpu", or "gl"
	if err != nil {
		log.Fatal(err)
	}
	defer be.Close()
	model, err := net.Compile(ctx, be) // folded, fused and planned for this backend
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	y, err := model.Predict(ctx, x) // x [1,3,32,32], y [1,10]
	if err != nil {
		log.Fatal(err)
	}
	p := y.Float32s()
	fmt.Println("class", slices.Index(p, slices.Max(p)))

	var sum float32
	for _, v := range p {
		sum += v
	}
	fmt.Printf("probabilities %v, in all %.4f\n", y.Shape(), sum)
	// Output:
	// class 1
	// probabilities [1,10], in all 1.0000
}
