package models_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/cnn/models"
	"github.com/convgl/convgl/tensor"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// made stops the program where a network cannot be made.
func made(net *cnn.Net, err error) *cnn.Net {
	check(err)
	return net
}

// predict runs a network once on the CPU. A program that predicts more than once keeps
// the backend and the model.
func predict(net *cnn.Net, x *tensor.Tensor) *tensor.Tensor {
	be, err := backend.Open("cpu")
	check(err)
	defer be.Close()
	model, err := net.Compile(context.Background(), be)
	check(err)
	defer model.Close()
	y, err := model.Predict(context.Background(), x)
	check(err)
	return y
}

// picture makes an input with a gradient.
func picture(shape ...int) *tensor.Tensor {
	x := tensor.Must(tensor.New(tensor.Float32, shape...))
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i) / float32(x.Size())
	}
	return x
}

// Weights are written to a file and read into another network of the same kind, which
// then predicts the same.
func ExampleLeNet() {
	dir, err := os.MkdirTemp("", "lenet")
	check(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "lenet.safetensors")

	trained := made(models.LeNet())
	trained.Init(42) // training would go here
	check(trained.Save(path))

	net := made(models.LeNet())
	check(net.Load(path))

	digits := picture(2, 1, 28, 28) // N,C,H,W
	a, b := predict(trained, digits), predict(net, digits)
	same := true
	for i, v := range a.Float32s() {
		same = same && v == b.Float32s()[i]
	}
	fmt.Println(b.Shape(), same)
	// Output: [2,10] true
}

// A file of other weights says what does not fit.
func ExampleMobileNetV2() {
	dir, err := os.MkdirTemp("", "mobilenet")
	check(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "two.safetensors")

	net := made(models.MobileNetV2(models.WithClasses(2), models.WithInput(3, cnn.Dynamic, cnn.Dynamic)))
	check(net.Save(path))
	fmt.Println(predict(net, picture(1, 3, 32, 48)).Shape())

	err = made(models.MobileNetV2()).Load(path)
	fmt.Println(err != nil)
	// Output:
	// [1,2]
	// true
}

// Eight fire modules look at a picture of any size.
func ExampleSqueezeNet() {
	net := made(models.SqueezeNet(models.WithClasses(5), models.WithInput(3, cnn.Dynamic, cnn.Dynamic)))
	w, err := net.Param("features.3.squeeze.weight")
	check(err)
	fmt.Println(w.Shape(), predict(net, picture(1, 3, 40, 56)).Shape())
	// Output: [16,64,1,1] [1,5]
}

// Narrow hidden layers make it small.
func ExampleVGG16() {
	net := made(models.VGG16(models.WithClasses(10), models.WithHidden(32), models.WithInput(3, 32, 32)))
	fmt.Println(predict(net, picture(1, 3, 32, 32)).Shape())
	// Output: [1,10]
}

// The names are those of torchvision's model, so its weights load as they are.
func ExampleResNet18() {
	net := made(models.ResNet18(models.WithClasses(10), models.WithInput(3, 64, 64)))
	params := net.Params()
	for _, p := range append(params[:4], params[len(params)-2:]...) {
		fmt.Println(p.Name, p.Tensor.Shape())
	}
	// Output:
	// conv1.weight [64,3,7,7]
	// bn1.weight [64]
	// bn1.bias [64]
	// layer1.0.conv1.weight [64,64,3,3]
	// fc.weight [10,512]
	// fc.bias [10]
}

// The body of a network gives features to other tasks.
func ExampleResNet18_features() {
	net := made(models.ResNet18(models.WithInput(3, 64, 96)))
	body, err := net.Features("layer4")
	check(err)
	x := picture(1, 3, 64, 96)
	fmt.Println(predict(net, x).Shape(), predict(body, x).Shape())
	// Output: [1,1000] [1,512,2,3]
}

func ExampleResNet50() {
	net := made(models.ResNet50(models.WithClasses(10), models.WithInput(3, 32, 32)))
	fmt.Println(predict(net, picture(1, 3, 32, 32)).Shape())
	// Output: [1,10]
}

// A label for each pixel is the class with the largest logit.
func ExampleUNet2D() {
	net := made(models.UNet2D(models.WithInput(1, cnn.Dynamic, cnn.Dynamic), models.WithBase(4)))
	y := predict(net, picture(1, 1, 48, 32))
	labels := make([]int, 48*32)
	for i := range labels {
		if y.Float32s()[48*32+i] > y.Float32s()[i] {
			labels[i] = 1
		}
	}
	fmt.Println(y.Shape(), len(labels))
	// Output: [1,2,48,32] 1536
}

// A dynamic size must suit the depth; the error says where it does not.
func ExampleUNet3D() {
	net := made(models.UNet3D(models.WithClasses(4), models.WithBase(2), models.WithDepth(2)))
	fmt.Println(predict(net, picture(1, 3, 8, 4, 12)).Shape())

	_, err := models.UNet3D(models.WithInput(3, 10, 8, 8))
	fmt.Println(err)
	// Output:
	// [1,4,8,4,12]
	// models: UNet3D: WithInput: spatial dim 0: got 10, want a multiple of 8, which is 2^depth, or cnn.Dynamic
}

func ExampleWithInput() {
	net := made(models.LeNet(models.WithInput(3, 32, 32), models.WithClasses(4)))
	w, err := net.Param("conv1.weight")
	check(err)
	fmt.Println(w.Shape(), predict(net, picture(1, 3, 32, 32)).Shape())
	// Output: [6,3,5,5] [1,4]
}
