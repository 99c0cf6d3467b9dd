package scene

import (
	"image"
	"image/png"
	"os"
	"runtime"
	"testing"
)

// TestFileIsCurrent holds the committed picture against what the program draws.
// On amd64 they are equal; elsewhere the compiler may fuse multiplications and
// additions, so one level of 255 is allowed.
func TestFileIsCurrent(t *testing.T) {
	f, err := os.Open("../../../testdata/picture.png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	file, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if want := image.Rect(0, 0, 640, 427); file.Bounds() != want {
		t.Fatalf("file has bounds %v, want %v", file.Bounds(), want)
	}
	allowed := 1
	if runtime.GOARCH == "amd64" {
		allowed = 0
	}
	drawn, different := Draw(), 0
	for y := range Height {
		for x := range Width {
			r, g, b, _ := file.At(x, y).RGBA()
			c := drawn.RGBAAt(x, y)
			for _, p := range [][2]int{{int(r >> 8), int(c.R)}, {int(g >> 8), int(c.G)}, {int(b >> 8), int(c.B)}} {
				if d := p[0] - p[1]; d > allowed || d < -allowed {
					different++
				}
			}
		}
	}
	if different > 0 {
		t.Errorf("%d components differ from testdata/picture.png: run go generate ./internal/demo/scene", different)
	}
}

func BenchmarkDraw(b *testing.B) {
	for b.Loop() {
		Draw()
	}
}
