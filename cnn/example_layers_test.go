package cnn_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/tensor"
)

// show applies layers to the numbers 1, 2, 3, … and prints what comes out.
func show(shape cnn.InputShape, layers ...cnn.Layer) {
	net, err := cnn.New("show", shape, layers...)
	if err != nil {
		fmt.Println(err)
		return
	}
	x := tensor.Must(tensor.New(tensor.Float32, append([]int{1}, shape...)...))
	for i, d := 0, x.Float32s(); i < len(d); i++ {
		d[i] = float32(i + 1)
	}
	model, stop := start(net)
	defer stop()
	y, err := model.Predict(context.Background(), x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.Shape(), y.Float32s())
}

func ExampleConv2D() {
	ones := cnn.Init(cnn.Ones)
	show(cnn.Shape(1, 3, 3), cnn.Conv2D(1, 3, ones))                                      // one window
	show(cnn.Shape(1, 3, 3), cnn.Conv2D(1, 3, ones, cnn.Same()))                          // zeros around
	show(cnn.Shape(1, 3, 3), cnn.Conv2D(1, 2, ones, cnn.Dilation(2)))                     // the corners
	show(cnn.Shape(2, 1, 3), cnn.Conv2D(2, 0, ones, cnn.KernelSize(1, 3), cnn.Groups(2))) // channel by channel
	// Output:
	// [1,1,1,1] [45]
	// [1,1,3,3] [12 21 16 27 45 33 24 39 28]
	// [1,1,1,1] [20]
	// [1,2,1,1] [6 15]
}

func ExampleConvTranspose2D() {
	ones := cnn.Init(cnn.Ones)
	show(cnn.Shape(1, 2, 2), cnn.ConvTranspose2D(1, 2, cnn.Stride(2), ones))
	show(cnn.Shape(1, 1, 2), cnn.ConvTranspose2D(1, 0, cnn.KernelSize(1, 3), cnn.Stride(2), ones))
	// Output:
	// [1,1,4,4] [1 1 2 2 1 1 2 2 3 3 4 4 3 3 4 4]
	// [1,1,1,5] [1 1 3 2 2]
}

func ExampleMaxPool2D() {
	show(cnn.Shape(1, 4, 4), cnn.MaxPool2D(2))
	show(cnn.Shape(1, 4, 4), cnn.MaxPool2D(3, cnn.Stride(2), cnn.Padding(1)))
	show(cnn.Shape(1, 3, 3), cnn.MaxPool2D(2, cnn.CeilMode()))
	// Output:
	// [1,1,2,2] [6 8 14 16]
	// [1,1,2,2] [6 8 14 16]
	// [1,1,2,2] [5 6 8 9]
}

func ExampleAvgPool2D() {
	show(cnn.Shape(1, 2, 2), cnn.AvgPool2D(2))
	show(cnn.Shape(1, 2, 2), cnn.AvgPool2D(2, cnn.Padding(1)))
	show(cnn.Shape(1, 2, 2), cnn.AvgPool2D(2, cnn.Padding(1), cnn.CountIncludePad()))
	// Output:
	// [1,1,1,1] [2.5]
	// [1,1,2,2] [1 2 3 4]
	// [1,1,2,2] [0.25 0.5 0.75 1]
}

func ExampleAdaptiveAvgPool() {
	show(cnn.Shape(1, 5), cnn.AdaptiveAvgPool(2))
	show(cnn.Shape(1, 2, 4), cnn.AdaptiveAvgPool(1, 2))
	// Output:
	// [1,1,2] [2 4]
	// [1,1,1,2] [3.5 5.5]
}

func ExampleGlobalAvgPool() {
	show(cnn.Shape(2, 2, 2), cnn.GlobalAvgPool())
	// Output: [1,2,1,1] [2.5 6.5]
}

func ExampleUpsample() {
	show(cnn.Shape(1, 2), cnn.Upsample(2, cnn.Nearest))
	show(cnn.Shape(1, 2), cnn.Upsample(2, cnn.Linear))
	show(cnn.Shape(1, 2), cnn.Upsample(2.5, cnn.Linear, cnn.AlignCorners()))
	show(cnn.Shape(1, 4), cnn.Resize(cnn.Nearest, 2))
	// Output:
	// [1,1,4] [1 1 2 2]
	// [1,1,4] [1 1.25 1.75 2]
	// [1,1,5] [1 1.25 1.5 1.75 2]
	// [1,1,2] [1 3]
}

func ExamplePad() {
	show(cnn.Shape(1, 3), cnn.Pad(1, 2))
	show(cnn.Shape(1, 3), cnn.ConstantPad(9, 1))
	show(cnn.Shape(1, 3), cnn.ReflectPad(2))
	show(cnn.Shape(1, 3), cnn.EdgePad(2))
	// Output:
	// [1,1,6] [0 1 2 3 0 0]
	// [1,1,5] [9 1 2 3 9]
	// [1,1,7] [3 2 1 2 3 2 1]
	// [1,1,7] [1 1 1 2 3 3 3]
}

func ExampleReshape() {
	show(cnn.Shape(6), cnn.Reshape(2, -1))
	show(cnn.Shape(1, 2, 3), cnn.Flatten())
	// Output:
	// [1,2,3] [1 2 3 4 5 6]
	// [1,6] [1 2 3 4 5 6]
}

func ExampleDense() {
	show(cnn.Shape(3), cnn.Dense(2, cnn.Init(cnn.Ones)))
	show(cnn.Shape(2, 3), cnn.Dense(1, cnn.Init(cnn.Ones), cnn.LastDim()))
	// Output:
	// [1,2] [6 6]
	// [1,2,1] [6 15]
}

func ExampleBatchNorm() {
	net, err := cnn.New("n", cnn.Shape(2), cnn.BatchNorm(cnn.Epsilon(0)))
	if err != nil {
		log.Fatal(err)
	}
	mean := tensor.Must(tensor.From([]float32{10, 20}, 2))
	if err := net.SetParam("0.running_mean", mean); err != nil {
		log.Fatal(err)
	}
	model, stop := start(net)
	defer stop()
	y, err := model.Predict(context.Background(), tensor.Must(tensor.From([]float32{11, 22}, 1, 2)))
	fmt.Println(y.Float32s(), err)
	// Output: [1 2] <nil>
}

// Dropout has an effect in training only.
func ExampleDropout() {
	show(cnn.Shape(4), cnn.Dropout(0.5))
	// Output: [1,4] [1 2 3 4]
}

func ExampleClip() {
	show(cnn.Shape(8), cnn.Clip(3, 6))
	show(cnn.Shape(8), cnn.ReLU6())
	// Output:
	// [1,8] [3 3 3 4 5 6 6 6]
	// [1,8] [1 2 3 4 5 6 6 6]
}

// middle is an initialiser of one's own: a filter that passes its middle on.
type middle struct{}

func (middle) Fill(w []float32, fanIn, fanOut int, _ *rand.Rand) {
	for i := fanIn / 2; i < len(w); i += fanIn {
		w[i] = 1
	}
}

func ExampleInitializer() {
	show(cnn.Shape(1, 3, 3), cnn.Conv2D(2, 3, cnn.Init(middle{})))
	// Output: [1,2,1,1] [5 5]
}

// Apply takes layers of several inputs; Mul, Add and Concat are there for the usual.
func ExampleApply() {
	a, b := cnn.Input("a", 2), cnn.Input("b", 2)
	net, err := cnn.NewNet("sums", []*cnn.Tensor{a, b}, []*cnn.Tensor{cnn.Add(a, b), cnn.Mul(a, b), cnn.Concat(a, b)})
	if err != nil {
		log.Fatal(err)
	}
	be, err := backend.Open("cpu")
	if err != nil {
		log.Fatal(err)
	}
	defer be.Close()
	model, err := net.Compile(context.Background(), be)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	out, err := model.PredictAll(context.Background(), tensor.Must(tensor.From([]float32{1, 2}, 1, 2)), tensor.Must(tensor.From([]float32{3, 4}, 1, 2)))
	if err != nil {
		log.Fatal(err)
	}
	for _, y := range out {
		fmt.Println(y.Float32s())
	}
	// Output:
	// [4 6]
	// [3 8]
	// [1 2 3 4]
}

// A PReLU learns the slope below 0: one, or one for each channel.
func ExamplePReLU() {
	net, err := cnn.New("n", cnn.Shape(2, 2), cnn.PReLU(cnn.PerChannel()))
	if err != nil {
		log.Fatal(err)
	}
	if err := net.SetParam("0.weight", tensor.Must(tensor.From([]float32{0.5, 0.25}, 2))); err != nil {
		log.Fatal(err)
	}
	model, stop := start(net)
	defer stop()
	y, err := model.Predict(context.Background(), tensor.Must(tensor.From([]float32{-2, 2, -4, 4}, 1, 2, 2)))
	fmt.Println(y.Float32s(), err)
	// Output: [-1 2 -1 4] <nil>
}

func ExampleLayerNorm() {
	show(cnn.Shape(2, 2), cnn.LayerNorm(cnn.Axis(-1), cnn.Epsilon(0))) // each row
	show(cnn.Shape(2, 2), cnn.InstanceNorm(cnn.Epsilon(0)))            // each channel: the same here
	show(cnn.Shape(2, 1), cnn.GroupNorm(1, cnn.Epsilon(0)))            // both channels
	// Output:
	// [1,2,2] [-1 1 -1 1]
	// [1,2,2] [-1 1 -1 1]
	// [1,2,1] [-1 1]
}

func ExampleLRN() {
	show(cnn.Shape(3, 1), cnn.LRN(3, cnn.Response(3, 1, 0))) // y = x/(Σx²) over three channels
	// Output: [1,3,1] [0.2 0.14285715 0.23076923]
}

func ExampleSoftmax() {
	show(cnn.Shape(1, 2), cnn.Softmax(cnn.Axis(1))) // one class: all of it
	show(cnn.Shape(2), cnn.Dense(4, cnn.Init(cnn.Zeros)), cnn.Softmax())
	// Output:
	// [1,1,2] [1 1]
	// [1,4] [0.25 0.25 0.25 0.25]
}
