package demo

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// layer is one op with its weights.
type layer struct {
	name    string
	op      backend.Op // nil is the identity, for dropout in inference
	weights []*tensor.Tensor
	// prepare sets weights that depend on the reference's input, before the layer
	// first runs; nil for most.
	prepare func(x *tensor.Tensor)
}

// step is a chain of layers with its input, and after run what came of it.
type step struct {
	id     string
	title  string
	input  *tensor.Tensor
	layers []layer

	ref     []*tensor.Tensor // the reference's output of each layer
	results []result         // one a backend, in the backends' order
}

// The steps of the demo, in the order that they run in.
const (
	stepFilters = iota
	stepMaxPool
	stepAvgPool
	stepNote
	stepNetwork
)

// makeSteps returns the computations on a picture, uint8 [H,W,3].
func makeSteps(img *tensor.Tensor) ([]*step, error) {
	x, err := tensor.ImageToNCHW(img)
	if err != nil {
		return nil, err
	}
	// The network gets the picture from −1 to 1, as is usual: with values of one sign
	// a random filter is mostly always on or always off.
	centred, err := tensor.ImageToNCHWScaled(img, 127.5)
	if err != nil {
		return nil, err
	}
	for i, d := 0, centred.Float32s(); i < len(d); i++ {
		d[i]--
	}
	gray, err := tensor.GrayMean(img)
	if err != nil {
		return nil, err
	}
	w, err := bankWeights()
	if err != nil {
		return nil, err
	}
	note, err := tensor.From([]float32{1, 3, 2, 4, 5, 6, 1, 2, 7, 8, 3, 1, 4, 2, 0, 5}, 1, 1, 4, 4)
	if err != nil {
		return nil, err
	}
	network, err := makeNetwork(x.Shape())
	if err != nil {
		return nil, err
	}
	return []*step{
		stepFilters: {id: "filters", title: "RGB picture through 16 filters", input: x, layers: []layer{
			{name: "Conv 3×3, 16 filters", op: backend.Conv{Window: same3}, weights: []*tensor.Tensor{w}},
			{name: "ReLU", op: relu},
			{name: "MaxPool 2×2", op: backend.MaxPool{Window: pool(2, 2)}},
		}},
		stepMaxPool: {id: "max pooling", title: "Max pooling", input: gray, layers: []layer{
			{name: "MaxPool 4×4, stride 4", op: backend.MaxPool{Window: pool(4, 4)}},
		}},
		stepAvgPool: {id: "average pooling", title: "Average pooling", input: gray, layers: []layer{
			{name: "AvgPool 4×4, stride 4", op: backend.AvgPool{Window: pool(4, 4)}},
		}},
		stepNote: {id: noteID, title: "The 4×4 example", input: note, layers: []layer{
			{name: "MaxPool 2×2, stride 2", op: backend.MaxPool{Window: pool(2, 2)}},
		}},
		stepNetwork: {id: networkID, title: "A network of two blocks", input: centred, layers: network},
	}, nil
}

// The ids of steps that are reported in a way of their own.
const (
	noteID    = "4×4 example"
	networkID = "network"
)

// noteAnswer is what the 4×4 example has to give.
var noteAnswer = []float32{6, 4, 8, 5}

// same3 is a 3×3 window with padding (k−1)/2: the size stays.
var same3 = backend.Window{Pads: []int{1, 1, 1, 1}}

var relu = backend.Activation{Act: backend.Act{Kind: backend.Relu}}

// pool is a window of kh×kw that moves by its own size.
func pool(kh, kw int) backend.Window {
	return backend.Window{Kernel: []int{kh, kw}, Strides: []int{kh, kw}}
}

// The sizes of the network.
const (
	seed    = 1
	block1  = 16 // filters
	block2  = 32
	hidden  = 64 // units
	classes = 10
)

// makeNetwork returns two blocks of Conv, ReLU, BatchNorm and MaxPool, and the
// classifier Flatten, Dense, ReLU, Dropout, Dense, Softmax, for pictures of shape
// x. Weights are drawn by He's rule, a normal distribution of variance 2/fan-in;
// biases are small and uniform. A batch norm takes its mean and variance from
// the picture, as the first step of a training would: with statistics drawn at
// random the classifier would see no picture at all.
func makeNetwork(x tensor.Shape) ([]layer, error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	var layers []layer
	c, h, w := x[1], x[2], x[3]
	for i, filters := range []int{block1, block2} {
		weights, bias, err := he(rng, filters, c, 3, 3)
		if err != nil {
			return nil, err
		}
		norm, err := batchNorm(filters)
		if err != nil {
			return nil, err
		}
		kh, kw := min(4, h), min(4, w)
		layers = append(layers,
			layer{name: fmt.Sprintf("Conv%d 3×3, %d filters", i+1, filters), op: backend.Conv{Window: same3, Bias: true}, weights: []*tensor.Tensor{weights, bias}},
			layer{name: fmt.Sprintf("ReLU%d", i+1), op: relu},
			norm.named(fmt.Sprintf("BatchNorm%d", i+1)),
			layer{name: fmt.Sprintf("MaxPool%d %d×%d", i+1, kh, kw), op: backend.MaxPool{Window: pool(kh, kw)}},
		)
		c, h, w = filters, h/kh, w/kw
	}
	w1, b1, err := he(rng, hidden, c*h*w)
	if err != nil {
		return nil, err
	}
	w2, b2, err := he(rng, classes, hidden)
	if err != nil {
		return nil, err
	}
	return append(layers,
		layer{name: "Flatten", op: backend.Flatten{Axis: 1}},
		layer{name: fmt.Sprintf("Dense1, %d units", hidden), op: backend.Dense{Bias: true}, weights: []*tensor.Tensor{w1, b1}},
		layer{name: "ReLU3", op: relu},
		layer{name: "Dropout 0.5 (identity)"},
		layer{name: fmt.Sprintf("Dense2, %d classes", classes), op: backend.Dense{Bias: true}, weights: []*tensor.Tensor{w2, b2}},
		layer{name: "Softmax", op: backend.Softmax{Axis: 1}},
	), nil
}

// he returns weights of the given shape, the outputs first, and their biases.
func he(rng *rand.Rand, shape ...int) (w, b *tensor.Tensor, err error) {
	if w, err = tensor.New(tensor.Float32, shape...); err != nil {
		return nil, nil, err
	}
	if b, err = tensor.New(tensor.Float32, shape[0]); err != nil {
		return nil, nil, err
	}
	fan := float64(w.Size() / shape[0])
	for i, d := 0, w.Float32s(); i < len(d); i++ {
		d[i] = float32(rng.NormFloat64() * math.Sqrt(2/fan))
	}
	for i, d := 0, b.Float32s(); i < len(d); i++ {
		d[i] = float32((2*rng.Float64() - 1) * .1)
	}
	return w, b, nil
}

// batchNorm returns a batch norm of scale 1 and shift 0, which measures mean and
// variance on its input.
func batchNorm(c int) (layer, error) {
	var p [4]*tensor.Tensor
	for i := range p {
		var err error
		if p[i], err = tensor.New(tensor.Float32, c); err != nil {
			return layer{}, err
		}
	}
	for i := range c {
		p[0].Float32s()[i] = 1
	}
	measure := func(x *tensor.Tensor) {
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
			p[2].Float32s()[ch], p[3].Float32s()[ch] = float32(m), float32(max(ss/float64(n), .01))
		}
	}
	return layer{op: backend.BatchNorm{Epsilon: 1e-5}, weights: p[:], prepare: measure}, nil
}

func (l layer) named(name string) layer {
	l.name = name
	return l
}

// parameters returns the number of elements in the weights.
func (l layer) parameters() int {
	n := 0
	for _, w := range l.weights {
		n += w.Size()
	}
	return n
}

// multiplyAdds returns how many the layer does for an output of y elements: one a
// weight and output pixel in Conv and Dense, one an element in BatchNorm.
func (l layer) multiplyAdds(y int) int64 {
	switch l.op.(type) {
	case backend.Conv, backend.Dense:
		w := l.weights[0]
		return int64(y) * int64(w.Size()/w.Shape()[0])
	case backend.BatchNorm:
		return int64(y)
	}
	return 0
}
