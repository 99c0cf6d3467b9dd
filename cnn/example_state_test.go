package cnn_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/tensor"
)

func classifier(name string) *cnn.Net {
	net, err := cnn.New(name, cnn.Shape(4), cnn.Dense(3), cnn.ReLU(), cnn.Dense(2))
	if err != nil {
		log.Fatal(err)
	}
	return net
}

// The same seed gives the same parameters.
func ExampleNet_Init() {
	net := classifier("n")
	first := func() float32 { return net.Params()[0].Tensor.Float32s()[0] }
	a := first()
	net.Init(7)
	b := first()
	net.Init(0)
	fmt.Println(a == b, a == first())
	// Output: false true
}

func ExampleInit() {
	net, err := cnn.New("n", cnn.Shape(4), cnn.Dense(3, cnn.Init(cnn.Constant(0.5)), cnn.NoBias()))
	if err != nil {
		log.Fatal(err)
	}
	w, err := net.Param("0.weight")
	fmt.Println(w.Shape(), w.Float32s()[:4], err)
	// Output: [3,4] [0.5 0.5 0.5 0.5] <nil>
}

func ExampleNet_SetParam() {
	net := classifier("n")
	fmt.Println(net.SetParam("0.bias", tensor.Must(tensor.From([]float32{1, 2, 3}, 3))))
	fmt.Println(net.SetParam("0.bias", tensor.Must(tensor.From([]float32{1, 2}, 2))))
	// Output:
	// <nil>
	// cnn: net "n": parameter "0.bias": got float32[2], want float32[3]
}

// A state must fit exactly; the error lists all that does not.
func ExampleNet_LoadStateDict() {
	net := classifier("n")
	state := net.StateDict()
	delete(state, "0.bias")
	delete(state, "2.weight")
	state["fc.weight"] = state["0.weight"]
	fmt.Println(net.LoadStateDict(state))
	// Output: cnn: net "n": state does not fit: 2 missing: 0.bias, 2.weight; 1 unknown: fc.weight
}

// Weights go to and come from safetensors files.
func ExampleNet_Save() {
	dir, err := os.MkdirTemp("", "convgl")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "classifier.safetensors")
	trained, fresh := classifier("trained"), classifier("fresh")
	trained.Init(42)
	if err := trained.Save(path); err != nil {
		log.Fatal(err)
	}
	if err := fresh.Load(path); err != nil {
		log.Fatal(err)
	}
	a, b := trained.Params()[0].Tensor.Float32s(), fresh.Params()[0].Tensor.Float32s()
	fmt.Println(len(a), a[0] == b[0], a[11] == b[11])
	// Output: 12 true true
}
