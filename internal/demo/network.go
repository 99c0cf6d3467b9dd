package demo

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/tensor"
)

// The sizes of the network.
const (
	seed    = 1
	block1  = 16 // filters
	block2  = 32
	hidden  = 64 // units
	classes = 10
)

// newNetwork returns the course note's network for pictures of h × w: two blocks of
// Conv, ReLU, BatchNorm and MaxPool, and a classifier. The windows of the pooling
// are 4×4, less where a picture is too small for that.
func newNetwork(h, w int) (*cnn.Net, error) {
	h1, w1 := min(4, h), min(4, w)
	h2, w2 := min(4, h/h1), min(4, w/w1)
	net, err := cnn.New("two blocks", cnn.Shape(3, h, w),
		cnn.Named("conv1", cnn.Conv2D(block1, 3, cnn.Padding(1))),
		cnn.Named("relu1", cnn.ReLU()),
		cnn.Named("bn1", cnn.BatchNorm()),
		cnn.Named("pool1", cnn.MaxPool2D(0, cnn.KernelSize(h1, w1))),
		cnn.Named("conv2", cnn.Conv2D(block2, 3, cnn.Padding(1))),
		cnn.Named("relu2", cnn.ReLU()),
		cnn.Named("bn2", cnn.BatchNorm()),
		cnn.Named("pool2", cnn.MaxPool2D(0, cnn.KernelSize(h2, w2))),
		cnn.Named("flatten", cnn.Flatten()),
		cnn.Named("fc1", cnn.Dense(hidden)),
		cnn.Named("relu3", cnn.ReLU()),
		cnn.Named("dropout", cnn.Dropout(.5)),
		cnn.Named("fc2", cnn.Dense(classes)),
		cnn.Named("softmax", cnn.Softmax()),
	)
	if err != nil {
		return nil, err
	}
	net.Init(seed)
	// A network begins with biases of 0; with others they take part in what is judged,
	// and the classes differ on a picture that pooling leaves one pixel of.
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, name := range []string{"conv1.bias", "conv2.bias", "fc1.bias", "fc2.bias"} {
		bias, err := net.Param(name)
		if err != nil {
			return nil, err
		}
		bias = bias.Clone()
		cnn.Uniform(-.1, .1).Fill(bias.Float32s(), 0, 0, rng)
		if err := net.SetParam(name, bias); err != nil {
			return nil, err
		}
	}
	return net, nil
}

// layersOf returns the network, which is a chain, as one layer a node.
func layersOf(net *cnn.Net) ([]layer, error) {
	g, err := net.Graph()
	if err != nil {
		return nil, err
	}
	trained := map[string]bool{}
	for _, p := range net.Params() {
		trained[p.Name] = true
	}
	var layers []layer
	for _, n := range g.Nodes() {
		l := layer{name: n.Name(), op: n.Op()}
		if _, ok := l.op.(graph.Dropout); ok {
			l.op = nil
		}
		for _, v := range n.In()[1:] {
			l.weights, l.params = append(l.weights, v.Const()), append(l.params, v.Name())
			if trained[v.Name()] {
				l.trained += v.Const().Size()
			}
		}
		layers = append(layers, l)
	}
	return layers, nil
}

// calibrate gives the batch norms the mean and variance that their inputs have when
// the network sees x, as the first step of a training would: with 0 and 1 the
// classifier would hardly see a picture at all.
func calibrate(ctx context.Context, ref backend.Backend, net *cnn.Net, x *tensor.Tensor) error {
	layers, err := layersOf(net)
	if err != nil {
		return err
	}
	for _, l := range layers {
		if l.op == nil {
			continue
		}
		if _, ok := l.op.(backend.BatchNorm); ok {
			mean, variance, err := statistics(x)
			if err != nil {
				return err
			}
			l.weights[2], l.weights[3] = mean, variance
			for _, i := range []int{2, 3} {
				if err := net.SetParam(l.params[i], l.weights[i]); err != nil {
					return err
				}
			}
		}
		out, err := backend.RunOnce(ctx, ref, l.op, append([]*tensor.Tensor{x}, l.weights...)...)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		x = out[0]
	}
	return nil
}

// statistics returns mean and variance of each channel of x [1,C,H,W].
func statistics(x *tensor.Tensor) (mean, variance *tensor.Tensor, err error) {
	c := x.Shape()[1]
	if mean, err = tensor.New(tensor.Float32, c); err != nil {
		return nil, nil, err
	}
	if variance, err = tensor.New(tensor.Float32, c); err != nil {
		return nil, nil, err
	}
	data := x.Float32s()
	n := len(data) / c
	for ch := range c {
		plane := data[ch*n : (ch+1)*n]
		sum := 0.0
		for _, v := range plane {
			sum += float64(v)
		}
		m, ss := sum/float64(n), 0.0
		for _, v := range plane {
			d := float64(v) - m
			ss += d * d
		}
		// A map that is nearly constant is not blown up to noise.
		mean.Float32s()[ch], variance.Float32s()[ch] = float32(m), float32(max(ss/float64(n), .01))
	}
	return mean, variance, nil
}
