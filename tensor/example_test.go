package tensor_test

import (
	"bytes"
	"fmt"
	"image"
	"log"
	"strings"

	"github.com/convgl/convgl/tensor"
)

func ExampleFrom() {
	t, err := tensor.From([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.DType(), t.Shape(), t.Shape().Strides())

	_, err = tensor.From([]float32{1, 2, 3}, 2, 3)
	fmt.Println(err)
	// Output:
	// float32 [2,3] [3 1]
	// tensor: shape [2,3] needs 6 elements, got 3
}

func ExampleBroadcast() {
	s, err := tensor.Broadcast(tensor.Shape{8, 1, 6}, tensor.Shape{7, 1})
	fmt.Println(s, err)
	// Output: [8,7,6] <nil>
}

func ExampleWriteNPY() {
	var file bytes.Buffer
	if err := tensor.WriteNPY(&file, tensor.Must(tensor.From([]int32{1, 2, 3}, 3))); err != nil {
		log.Fatal(err)
	}
	header := file.String()[10:] // after the magic, the version and the header's length
	fmt.Println(header[:strings.Index(header, "}")+1])

	t, err := tensor.ReadNPY(&file)
	if err != nil {
		log.Fatal(err)
	}
	data, err := tensor.Data[int32](t)
	fmt.Println(t.Shape(), data, err)
	// Output:
	// {'descr': '<i4', 'fortran_order': False, 'shape': (3,), }
	// [3] [1 2 3] <nil>
}

func ExampleHWCToNCHW() {
	// One row of two pixels, each R, G, B.
	picture := tensor.Must(tensor.From([]uint8{10, 20, 30, 11, 21, 31}, 1, 2, 3))
	planes, err := tensor.HWCToNCHW(picture)
	if err != nil {
		log.Fatal(err)
	}
	data, err := tensor.Data[uint8](planes)
	fmt.Println(planes.Shape(), data, err)
	// Output: [1,3,1,2] [10 11 20 21 30 31] <nil>
}

func ExampleNCHWToHWC() {
	batch := tensor.Must(tensor.New(tensor.Float32, 1, 16, 427, 640))
	t, err := tensor.NCHWToHWC(batch)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Shape())
	t, err = t.Reshape(427, 640, 16) // the batch of one is dropped by name
	fmt.Println(t.Shape(), err)
	// Output:
	// [1,427,640,16]
	// [427,640,16] <nil>
}

func ExampleKKIOToOIHW() {
	filters := tensor.Must(tensor.New(tensor.Float32, 3, 3, 4, 16)) // K, K, Cin, Cout
	weights, err := tensor.KKIOToOIHW(filters)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(weights.Shape())

	_, err = tensor.KKIOToOIHW(tensor.Must(tensor.New(tensor.Float32, 3, 3)))
	fmt.Println(err)
	// Output:
	// [16,4,3,3]
	// tensor: KKIOToOIHW: got rank 2 (shape [3,3]), want [K...,Cin,Cout] with 1 to 3 kernel dims
}

func ExampleGrayMean() {
	picture := tensor.Must(tensor.From([]uint8{255, 0, 0, 10, 20, 60}, 1, 2, 3))
	gray, err := tensor.GrayMean(picture)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(gray.Shape(), gray.Float32s())
	// Output: [1,1,1,2] [85 30]
}

// A picture file becomes the input of a network, and a result becomes a picture.
func ExampleDecodeImage() {
	var file bytes.Buffer
	if err := tensor.EncodePNG(&file, image.NewRGBA(image.Rect(0, 0, 640, 427))); err != nil {
		log.Fatal(err)
	}
	pixels, err := tensor.DecodeImage(&file)
	if err != nil {
		log.Fatal(err)
	}
	input, err := tensor.ImageToNCHW(pixels)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pixels.DType(), pixels.Shape(), "->", input.DType(), input.Shape())
	// Output: uint8 [427,640,3] -> float32 [1,3,427,640]
}

func ExampleToGray() {
	featureMap := tensor.Must(tensor.From([]float32{-1, 0, 1}, 1, 3))
	img, err := tensor.ToGray(featureMap, -1, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(img.RGBAAt(0, 0).R, img.RGBAAt(1, 0).R, img.RGBAAt(2, 0).R)
	// Output: 0 128 255
}
