package safetensors_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/convgl/convgl/safetensors"
	"github.com/convgl/convgl/tensor"
)

func ExampleSave() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")

	weight := tensor.Must(tensor.From([]float32{1, 2, 3, 4}, 2, 2))
	bias := tensor.Must(tensor.From([]float32{0.5, -0.5}, 2))
	err = safetensors.Save(path, []safetensors.Named{{Name: "0.weight", Tensor: weight}, {Name: "0.bias", Tensor: bias}}, nil)
	if err != nil {
		log.Fatal(err)
	}

	list, _, err := safetensors.Read(path)
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range list {
		fmt.Println(n.Name, n.Tensor.Shape(), n.Tensor.Float32s())
	}
	// Output:
	// 0.bias [2] [0.5 -0.5]
	// 0.weight [2,2] [1 2 3 4]
}

// Look at a file before its data is read, and read one tensor of it.
func ExampleDecode() {
	file := []byte("\x40\x00\x00\x00\x00\x00\x00\x00" +
		`{"scale":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}      ` +
		"\x00\x3c\x00\xc0")
	f, err := safetensors.Decode(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range f.Names() {
		info, _ := f.Info(name)
		fmt.Println(name, info.DType, info.Shape)
	}
	t, err := f.Tensor("scale")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.DType(), t.Float32s())
	// Output:
	// scale F16 [2]
	// float32 [1 -2]
}

// A file that was not fully downloaded.
func ExampleDecode_damaged() {
	file := []byte("\x38\x00\x00\x00\x00\x00\x00\x00" +
		`{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  ` +
		"\x00\x00\x80")
	_, err := safetensors.Decode(bytes.NewReader(file), int64(len(file)))
	fmt.Println(err)
	// Output:
	// safetensors: Decode: tensor "w": data_offsets [0, 8]: got 3 bytes of data in the file (was it cut off?): unexpected EOF
}
