package preprocess_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"log"
	"os"
	"path/filepath"
	"slices"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/cpu"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/preprocess"
	"github.com/convgl/convgl/tensor"
)

// A picture through a network from an ONNX file, as cnn classify does it.
func Example() {
	dir, err := os.MkdirTemp("", "preprocess")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	model, photo := filepath.Join(dir, "m.onnx"), filepath.Join(dir, "green.png")
	if err := writeColours(model, photo); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	be, err := backend.Open("cpu")
	if err != nil {
		log.Fatal(err)
	}
	defer be.Close()
	m, err := onnx.Load(model)
	if err != nil {
		log.Fatal(err)
	}
	s, err := m.Compile(ctx, be)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	in := m.Inputs()[0]
	shape := make([]int, len(in.Shape))
	for i, d := range in.Shape {
		n, known := d.Size()
		if !known {
			n = -1
		}
		shape[i] = n
	}
	cfg, err := preprocess.ForInput(shape, in.Type.DType()) // what the input suggests
	if err != nil {
		log.Fatal(err)
	}
	if _, err := cfg.Load(preprocess.Path(model)); err != nil { // m.json says better, where there is one
		log.Fatal(err)
	}
	if err := cfg.Check(shape, in.Type.DType()); err != nil {
		log.Fatal(err)
	}
	f, err := os.Open(photo)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	pic, err := preprocess.Decode(f) // upright, uint8 [H,W,3]
	if err != nil {
		log.Fatal(err)
	}
	x, err := cfg.Tensor(pic)
	if err != nil {
		log.Fatal(err)
	}
	y, err := s.Run(ctx, x)
	if err != nil {
		log.Fatal(err)
	}
	scores := y[0].Float32s()
	fmt.Println(pic.Shape(), x.Shape(), "class", slices.Index(scores, slices.Max(scores)))
	// Output: [60,80,3] [1,3,32,32] class 1
}

// writeColours writes a network whose three scores are the mean red, green and blue of a
// picture, and a green picture.
func writeColours(model, photo string) error {
	net, err := cnn.New("colours", cnn.Shape(3, 32, 32), cnn.GlobalAvgPool(), cnn.Flatten())
	if err != nil {
		return err
	}
	g, err := net.Graph()
	if err != nil {
		return err
	}
	if err := onnx.ExportFile(model, g); err != nil {
		return err
	}
	img := image.NewRGBA(image.Rect(0, 0, 80, 60))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.RGBA{0, 200, 0, 255}), image.Point{}, draw.Src)
	return tensor.SavePNG(photo, img)
}
