package models_test

import (
	"fmt"
	"log"

	"github.com/convgl/convgl/cnn/models"
)

// The names are those of torchvision's model, so its weights load as they are.
func ExampleResNet18() {
	net, err := models.ResNet18(models.WithClasses(10), models.WithInput(3, 64, 64))
	if err != nil {
		log.Fatal(err)
	}
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
