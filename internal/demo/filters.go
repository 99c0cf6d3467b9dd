package demo

import (
	"github.com/convgl/convgl/tensor"
)

// filter is one 3×3 filter for RGB: a pattern, and how much of it each colour
// gets.
type filter struct {
	name string
	what string
	rgb  [3]float32
	k    [9]float32
}

// mean looks at the brightness: the mean of the three colours.
var mean = [3]float32{1. / 3, 1. / 3, 1. / 3}

// bank is the filters of the demo: those that people design by hand, and that a
// trained first layer is found to resemble.
var bank = []filter{
	{"Sobel x", "vertical edges, dark to bright", mean, [9]float32{-1, 0, 1, -2, 0, 2, -1, 0, 1}},
	{"Sobel y", "horizontal edges, dark to bright", mean, [9]float32{-1, -2, -1, 0, 0, 0, 1, 2, 1}},
	{"Diagonal /", "edges along /, dark to bright", mean, [9]float32{-2, -1, 0, -1, 0, 1, 0, 1, 2}},
	{"Diagonal \\", "edges along \\, dark to bright", mean, [9]float32{0, -1, -2, 1, 0, -1, 2, 1, 0}},
	{"Line, vertical", "bright bars", mean, [9]float32{-.5, 1, -.5, -1, 2, -1, -.5, 1, -.5}},
	{"Line, horizontal", "bright bars", mean, [9]float32{-.5, -1, -.5, 1, 2, 1, -.5, -1, -.5}},
	{"Laplacian", "all edges and points", mean, [9]float32{-.25, -.5, -.25, -.5, 3, -.5, -.25, -.5, -.25}},
	{"Corner", "the mixed second derivative", mean, [9]float32{1, 0, -1, 0, 0, 0, -1, 0, 1}},
	{"Gaussian blur", "the surroundings", mean, [9]float32{.0625, .125, .0625, .125, .25, .125, .0625, .125, .0625}},
	{"Sharpen", "the picture plus its edges", mean, [9]float32{0, -1, 0, -1, 5, -1, 0, -1, 0}},
	{"Emboss", "light from the top left", mean, [9]float32{-2, -1, 0, -1, 1, 1, 0, 1, 2}},
	{"Texture", "a chequerboard of pixels", mean, [9]float32{.5, -1, .5, -1, 2, -1, .5, -1, .5}},
	{"Red − green", "red against green", [3]float32{1, -1, 0}, [9]float32{.0625, .125, .0625, .125, .25, .125, .0625, .125, .0625}},
	{"Yellow − blue", "warm against cold", [3]float32{.5, .5, -1}, [9]float32{.0625, .125, .0625, .125, .25, .125, .0625, .125, .0625}},
	{"Red − green edge", "colour edges, not brightness", [3]float32{.5, -.5, 0}, [9]float32{-1, 0, 1, -2, 0, 2, -1, 0, 1}},
	{"Warm spot", "a warm centre on cold ground", [3]float32{.5, .25, -.75}, [9]float32{-.125, -.125, -.125, -.125, 1, -.125, -.125, -.125, -.125}},
}

// bankWeights returns the filters in the order of the course note, [K,K,Cin,Cout],
// converted to the library's weights [Cout,Cin,K,K].
func bankWeights() (*tensor.Tensor, error) {
	kkio := make([]float32, 0, 9*3*len(bank))
	for tap := range 9 {
		for c := range 3 {
			for _, f := range bank {
				kkio = append(kkio, f.k[tap]*f.rgb[c])
			}
		}
	}
	t, err := tensor.From(kkio, 3, 3, 3, len(bank))
	if err != nil {
		return nil, err
	}
	return tensor.KKIOToOIHW(t)
}
