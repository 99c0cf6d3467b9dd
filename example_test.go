package convgl_test

import (
	"context"
	"fmt"
	"log"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	"github.com/convgl/convgl/tensor"
)

// The ten lines of the README: the max pooling example of a course on CNNs.
func Example() {
	be, err := backend.Open("cpu") // or "gl", or "auto"
	if err != nil {
		log.Fatal(err)
	}
	defer be.Close()
	x := tensor.Must(tensor.From([]float32{1, 3, 2, 1, 4, 6, 4, 0, 8, 2, 5, 1, 0, 7, 3, 2}, 1, 1, 4, 4)) // N,C,H,W
	pool := backend.MaxPool{Window: backend.Window{Kernel: []int{2, 2}, Strides: []int{2, 2}}}
	y, err := backend.RunOnce(context.Background(), be, pool, x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y[0].Shape(), y[0].Float32s())
	// Output: [1,1,2,2] [6 4 8 5]
}
