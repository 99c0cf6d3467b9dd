package convgl_test

import (
	"fmt"
	"log"
	"os"

	"github.com/convgl/convgl/cnn/models"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// Writes the files for the first steps with the command cnn.
func Example_files() {
	old, err := os.Getwd()
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "lenet")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chdir(dir); err != nil {
		log.Fatal(err)
	}
	defer os.Chdir(old)

	net, err := models.LeNet()
	if err != nil {
		log.Fatal(err)
	}
	net.Init(1)
	g, err := net.Graph()
	if err != nil {
		log.Fatal(err)
	}
	if err := onnx.ExportFile("lenet.onnx", g); err != nil {
		log.Fatal(err)
	}
	x, err := tensor.New(tensor.Float32, 1, 1, 28, 28)
	if err != nil {
		log.Fatal(err)
	}
	if err := tensor.SaveNPY("digit.npy", x); err != nil {
		log.Fatal(err)
	}

	for _, name := range []string{"lenet.onnx", "digit.npy"} {
		info, err := os.Stat(name)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, info.Size() > 1000)
	}
	// Output:
	// lenet.onnx true
	// digit.npy true
}
