package preprocess

import (
	"encoding/hex"
	"slices"
	"testing"

	"github.com/convgl/convgl/tensor"
)

// formula returns a picture whose pixels follow from their place.
func formula(h, w int) *tensor.Tensor {
	data := make([]uint8, 0, h*w*3)
	for y := range h {
		for x := range w {
			for c := range 3 {
				data = append(data, uint8(x*37+y*101+c*59+x*y*13))
			}
		}
	}
	return tensor.Must(tensor.From(data, h, w, 3))
}

// raw is a description that leaves pixels as they are, [1,H,W,3].
func raw(t *testing.T, set ...string) *Config {
	t.Helper()
	c, err := ForInput([]int{1, -1, -1, 3}, tensor.Uint8)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(set); i += 2 {
		if err := c.Set(set[i], set[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	return &c
}

func pixels(t *testing.T, c *Config, pic *tensor.Tensor) []uint8 {
	t.Helper()
	x, err := c.Tensor(pic)
	if err != nil {
		t.Fatal(err)
	}
	return x.Bytes()
}

// The expected pixels are Image.resize's of Pillow 9.4.0 for formula(5, 6).
func TestResampleAsPillow(t *testing.T) {
	for _, c := range []struct{ filter, size, want string }{
		{"box", "3x4", "49847f8a45808b86818cc7826a25604883bea7629d05407b8b868187427d837e797eb974"},
		{"bilinear", "3x4", "3b768877697f90828c82bd6674567c6d628a8868a35b6179888c6c905c8782806990948a"},
		{"bicubic", "3x4", "38788678677e96818e80c06473567e6c62858d62ab555d78898d6b90578e7e836594948a"},
		{"lanczos", "3x4", "367b7e7c687e9b7e8d7cc162715a836d64819157ae4f5c798b8a6d8b59947885649b9688"},
		{"box", "1x2", "6f667f828980"},
		{"bilinear", "1x2", "726b83807882"},
		{"bicubic", "1x2", "736982817c83"},
		{"lanczos", "1x2", "746883817d83"},
		{"nearest", "1x2", "09447fc6013c"},
		{"nearest", "3x4", "003b764a85c06faae5b9f42fca05404883be87c2fd05407b94cf0a4681bc9fda15518cc7"},
		{"bilinear", "9x7", "003b761d58933d78b35d98d37cb7979cd712b9f42f225d98427d75666a86896faa8e92907bb6469bd6665a95d080bb43a9533cd32b66ab5485437e9d69a4c3925b966487527b5b63ac5994a9609b6546813772adca0540323772316ca768a3de9e7db89d0e4905407b743d785275b07555906b5f9a6072ad836581619c493a7594779cd1a745806e37643e6f987a9fa9a1dc3372ad3eb56a809057927181678f8c5ab267906faa9094cf0ada4c5082619c73ae69bf9e35d44681518cc7"},
		{"lanczos", "9x7", "0029620b409e2c81c445b1ff72c3a5b1e100c1fd1e1160a04088766b6979945fba89959274c93aace565509be484d93fb2491df70161b05480298aa876acc8b85e9d6f93306b5244d356a3d65a93501e861654d7d3033e2e336e1b68a368bffab484bfa100360045807216762879da7854935c55a03677e28e697066a51f2b789872b7e7d33b7a6d12371870af80afb9aeea2666c139ca707ca23fa75a8c4f989241bc64a272b6939fe100fa34296d46c94cee74fbaa00e720853782e3"},
	} {
		got := pixels(t, raw(t, "resize", c.size, "filter", c.filter), formula(5, 6))
		if hex.EncodeToString(got) != c.want {
			t.Errorf("%s to %s:\ngot  %x\nwant %s", c.filter, c.size, got, c.want)
		}
	}
	if got := hex.EncodeToString(luma(formula(5, 6).Bytes())); got != "30557a9fa7cc95aa46785d8f473978b743355fab44438fbea76a76b27581" {
		t.Errorf("gray: %s", got)
	}
}

// Without antialias, a picture made much smaller depends on four pixels around each place.
func TestNoAntialias(t *testing.T) {
	pic := formula(8, 8)
	p := pic.Bytes()
	got := pixels(t, raw(t, "resize", "1x1", "antialias", "false"), pic)
	for c := range 3 {
		// Each pass rounds a mean of two up at a half.
		mean := func(a, b uint8) uint8 { return uint8((int(a) + int(b) + 1) / 2) }
		at := func(y, x int) uint8 { return p[(y*8+x)*3+c] }
		if want := mean(mean(at(3, 3), at(3, 4)), mean(at(4, 3), at(4, 4))); got[c] != want {
			t.Errorf("channel %d: got %d, want %d", c, got[c], want)
		}
	}
	for _, f := range filterNames() { // every output pixel has a weight
		for _, size := range []string{"1x1", "2x5", "3x3", "20x1"} {
			white := tensor.Must(tensor.New(tensor.Uint8, 7, 7, 3))
			for i := range white.Bytes() {
				white.Bytes()[i] = 200
			}
			for i, v := range pixels(t, raw(t, "resize", size, "filter", f, "antialias", "false"), white) {
				if v != 200 {
					t.Fatalf("%s to %s: element %d is %d, want 200", f, size, i, v)
				}
			}
		}
	}
}

// A crop is a part of the whole.
func TestCrop(t *testing.T) {
	pic := formula(23, 31)
	for _, resize := range []string{"none", "17", "40", "19x13", "23x31"} {
		for _, crop := range []string{"1", "13x12", "10x13"} {
			whole := raw(t, "resize", resize, "filter", "bicubic")
			h, w := whole.resized(23, 31)
			all := pixels(t, whole, pic)
			cut := raw(t, "resize", resize, "filter", "bicubic", "crop", crop)
			ch, cw := cut.Crop[0], cut.Crop[1]
			got := pixels(t, cut, pic)
			y0, x0 := middle(h, ch), middle(w, cw)
			var want []uint8
			for y := range ch {
				want = append(want, all[((y0+y)*w+x0)*3:][:cw*3]...)
			}
			if !slices.Equal(got, want) {
				t.Errorf("resize %s, crop %s: not the middle of the whole", resize, crop)
			}
		}
	}
	for _, c := range []struct{ size, n, want int }{{256, 224, 16}, {341, 224, 58}, {343, 224, 60}, {5, 2, 2}, {7, 2, 2}, {4, 4, 0}} {
		if got := middle(c.size, c.n); got != c.want { // int(round((size − n) / 2.0)) of Python
			t.Errorf("middle(%d, %d): got %d, want %d", c.size, c.n, got, c.want)
		}
	}
}

// The longer side is ⌊s·long/short⌋, as torchvision's Resize has it.
func TestShorterSide(t *testing.T) {
	for _, c := range []struct{ h, w, s, th, tw int }{{427, 640, 256, 256, 383}, {640, 427, 256, 383, 256}, {3, 3, 7, 7, 7}, {1, 1000, 2, 2, 2000}} {
		th, tw := (&Config{Resize: []int{c.s}}).resized(c.h, c.w)
		if th != c.th || tw != c.tw {
			t.Errorf("%dx%d, shorter side %d: got %dx%d, want %dx%d", c.h, c.w, c.s, th, tw, c.th, c.tw)
		}
	}
}

func BenchmarkTensor(b *testing.B) {
	c, err := ForInput([]int{-1, 3, 224, 224}, tensor.Float32)
	if err != nil {
		b.Fatal(err)
	}
	pic := formula(3000, 4000)
	for b.Loop() {
		if _, err := c.Tensor(pic); err != nil {
			b.Fatal(err)
		}
	}
}
