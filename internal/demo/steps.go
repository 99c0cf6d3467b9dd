package demo

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/tensor"
)

// layer is one op with its weights.
type layer struct {
	name    string
	op      backend.Op // nil is the identity, for dropout in inference
	weights []*tensor.Tensor

	// Of a layer of the network:
	params  []string // the weights' names
	trained int      // elements of the weights that are trained
}

// step is a chain of layers with its input, and after run what came of it.
type step struct {
	id     string
	title  string
	input  *tensor.Tensor
	layers []layer
	net    *cnn.Net // of the network, whose layers these are; else nil

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
	net, err := newNetwork(x.Shape()[2], x.Shape()[3])
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
		stepNetwork: {id: networkID, title: "A network of two blocks", input: centred, net: net},
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
