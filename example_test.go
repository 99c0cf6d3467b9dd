package convgl_test

import (
	"context"
	"fmt"
	"log"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/tensor"
)

// The network of the README.
func Example() {
	ctx := context.Background()
	x := tensor.Must(tensor.New(tensor.Float32, 4, 3, 32, 32)) // N,C,H,W

	net, err := cnn.New("small", cnn.Shape(3, 32, 32), // pictures [N,3,32,32]
		cnn.Conv2D(32, 3, cnn.Same()), cnn.ReLU(), cnn.BatchNorm(), cnn.MaxPool2D(2),
		cnn.Conv2D(64, 3, cnn.Same()), cnn.ReLU(), cnn.BatchNorm(), cnn.MaxPool2D(2),
		cnn.Flatten(), cnn.Dense(10), cnn.Softmax())
	if err != nil {
		log.Fatal(err)
	}
	be, err := backend.Open("cpu") // or "gl", or "auto"
	if err != nil {
		log.Fatal(err)
	}
	defer be.Close()
	model, err := net.Compile(ctx, be)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	y, err := model.Predict(ctx, x) // x [N,3,32,32], y [N,10]
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.Shape())
	// Output: [4,10]
}
