// Gen writes the default picture of the demo to the PNG file that it is given.
package main

import (
	"fmt"
	"image/png"
	"io"
	"os"

	"github.com/convgl/convgl/internal/atomicfile"
	"github.com/convgl/convgl/internal/demo/scene"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen FILE.png")
		os.Exit(2)
	}
	err := atomicfile.Write(os.Args[1], func(w io.Writer) error {
		enc := png.Encoder{CompressionLevel: png.BestCompression}
		return enc.Encode(w, scene.Draw())
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
