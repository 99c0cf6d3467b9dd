package cnn_test

import (
	"context"
	"fmt"
	"log"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/tensor"
)

// The CNN of a course: two blocks of convolution, ReLU, batch norm and pooling, and
// a classifier.
func Example() {
	net, err := cnn.New("course", cnn.Shape(3, 32, 32),
		cnn.Conv2D(32, 3, cnn.Same()), cnn.ReLU(), cnn.BatchNorm(), cnn.MaxPool2D(2),
		cnn.Conv2D(64, 3, cnn.Same()), cnn.ReLU(), cnn.BatchNorm(), cnn.MaxPool2D(2),
		cnn.Flatten(), cnn.Dense(128), cnn.ReLU(), cnn.Dropout(0.5), cnn.Dense(10), cnn.Softmax(),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(net.Summary())

	ctx := context.Background()
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
	pictures := tensor.Must(tensor.New(tensor.Float32, 4, 3, 32, 32)) // N,C,H,W
	shares, err := model.Predict(ctx, pictures)
	if err != nil {
		log.Fatal(err)
	}
	var sum float32
	for _, v := range shares.Float32s()[:10] {
		sum += v
	}
	fmt.Printf("shares %v, each row sums to %.3f\n", shares.Shape(), sum)
	// Output:
	// net course x[N,3,32,32], figures for N = 1
	// layer  kind       output        parameters  multiply-adds     memory
	// --------------------------------------------------------------------
	// 0      Conv2D     [N,32,32,32]         896        884,736  128.0 KiB
	// 1      ReLU       [N,32,32,32]           0              0  128.0 KiB
	// 2      BatchNorm  [N,32,32,32]          64              0  128.0 KiB
	// 3      MaxPool2D  [N,32,16,16]           0              0   32.0 KiB
	// 4      Conv2D     [N,64,16,16]      18,496      4,718,592   64.0 KiB
	// 5      ReLU       [N,64,16,16]           0              0   64.0 KiB
	// 6      BatchNorm  [N,64,16,16]         128              0   64.0 KiB
	// 7      MaxPool2D  [N,64,8,8]             0              0   16.0 KiB
	// 8      Flatten    [N,4096]               0              0   16.0 KiB
	// 9      Dense      [N,128]          524,416        524,288      512 B
	// 10     ReLU       [N,128]                0              0      512 B
	// 11     Dropout    [N,128]                0              0      512 B
	// 12     Dense      [N,10]             1,290          1,280       40 B
	// 13     Softmax    [N,10]                 0              0       40 B
	// --------------------------------------------------------------------
	// total                              545,290      6,128,896  641.6 KiB
	// parameters: 545,290 trainable, 192 not, 2.1 MiB
	// shares [4,10], each row sums to 1.000
}
