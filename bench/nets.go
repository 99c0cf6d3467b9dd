package bench

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/cnn/models"
)

// networks are what a row of kind net can name, for a picture of w's size.
var networks = map[string]func(w Workload) (*cnn.Net, error){
	// Not models.LeNet: engines are compared by this one, of 3×3 convolutions.
	"lenet": func(w Workload) (*cnn.Net, error) {
		return cnn.New("lenet", cnn.Shape(w.Cin, w.H, w.W),
			cnn.Conv2D(32, 3, cnn.Padding(1)), cnn.ReLU(), cnn.MaxPool2D(2),
			cnn.Conv2D(64, 3, cnn.Padding(1)), cnn.ReLU(), cnn.MaxPool2D(2),
			cnn.Flatten(), cnn.Dense(128), cnn.ReLU(), cnn.Dense(w.Cout))
	},
	"vgg16":       torchvision(models.VGG16),
	"resnet18":    torchvision(models.ResNet18),
	"resnet50":    torchvision(models.ResNet50),
	"mobilenetv2": torchvision(models.MobileNetV2),
}

func torchvision(arch func(...models.Option) (*cnn.Net, error)) func(Workload) (*cnn.Net, error) {
	return func(w Workload) (*cnn.Net, error) {
		return arch(models.WithInput(w.Cin, w.H, w.W), models.WithClasses(w.Cout))
	}
}

// Net returns the network of a row of kind net, with the parameters that it begins
// with. It fails with errors.ErrUnsupported where the name is no network's.
func (w Workload) Net() (*cnn.Net, error) {
	arch, ok := networks[w.Name]
	if w.Kind != "net" || !ok {
		return nil, fmt.Errorf("bench: network %q of kind %q: %w (networks are %s)", w.Name, w.Kind, errors.ErrUnsupported, strings.Join(slices.Sorted(maps.Keys(networks)), ", "))
	}
	return arch(w)
}

// netFLOPs is 2·MAC of all convolutions and dense layers, for one picture: what
// engines are compared by.
func netFLOPs(n *cnn.Net) (int64, error) {
	g, err := n.Graph()
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, node := range g.Nodes() {
		switch node.Op().(type) {
		case backend.Conv, backend.Dense:
		default:
			continue
		}
		flops := int64(2)
		for _, d := range slices.Concat(node.Out()[0].Shape()[1:], node.In()[1].Shape()[1:]) {
			size, static := d.Size()
			if !static {
				return 0, fmt.Errorf("bench: %s: %s: dim %v depends on the input", n.Name(), node.Name(), d)
			}
			flops *= int64(size)
		}
		sum += flops
	}
	return sum, nil
}
