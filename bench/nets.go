package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/cnn/models"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
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

// builtNet is a network that package cnn builds.
type builtNet struct{ net *cnn.Net }

// newBuiltNet returns the network of a row of kind net, with random parameters.
func newBuiltNet(w Workload, seed uint64) (*builtNet, error) {
	net, err := w.Net()
	if err != nil {
		return nil, err
	}
	net.Init(seed)
	return &builtNet{net}, nil
}

func (*builtNet) name() string { return "" }

func (b *builtNet) compile(ctx context.Context, be backend.Backend) (netModel, error) {
	m, err := b.net.Compile(ctx, be)
	if err != nil {
		return nil, err
	}
	return &builtModel{Model: m}, nil
}

// builtModel runs into the output of the run before.
type builtModel struct {
	*cnn.Model
	batch int
	y     *tensor.Tensor
}

func (m *builtModel) run(ctx context.Context, x *tensor.Tensor) (_ []*tensor.Tensor, err error) {
	if m.y != nil && m.batch == x.Shape()[0] {
		err = m.PredictInto(ctx, m.y, x)
	} else {
		m.batch = x.Shape()[0]
		m.y, err = m.Predict(ctx, x)
	}
	return []*tensor.Tensor{m.y}, err
}

func (m *builtModel) plans(ctx context.Context, x *tensor.Tensor) ([]*graph.Plan, error) {
	p, err := m.Runtime().Plan(ctx, x.Shape())
	return []*graph.Plan{p}, err
}
