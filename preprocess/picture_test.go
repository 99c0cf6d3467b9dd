package preprocess

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/tensor"
)

// tiff returns EXIF's data with an orientation behind another entry.
func tiff(order binary.AppendByteOrder, value uint16) []byte {
	b := []byte("II*\x00")
	if order == binary.BigEndian {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	for _, e := range [][2]uint16{{0x0100, 7}, {0x0112, value}} {
		b = order.AppendUint16(b, e[0])
		b = order.AppendUint16(b, 3)
		b = order.AppendUint32(b, 1)
		b = order.AppendUint16(b, e[1])
		b = order.AppendUint16(b, 0)
	}
	return order.AppendUint32(b, 0)
}

// withSegment puts a segment behind the start of a JPEG file.
func withSegment(file []byte, marker byte, body []byte) []byte {
	out := append([]byte{}, file[:2]...)
	out = append(out, 0xff, marker)
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
	return append(append(out, body...), file[2:]...)
}

func exif(body []byte) []byte { return append([]byte("Exif\x00\x00"), body...) }

// blocks is a picture of 2×3 blocks of 16×16 pixels with a gray each, so that JPEG keeps them.
func blocks(grays [2][3]uint8) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, 48, 32))
	for y := range 32 {
		for x := range 48 {
			img.SetGray(x, y, color.Gray{Y: grays[y/16][x/16]})
		}
	}
	return img
}

func encode(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The letters a to f stand for blocks. What a camera stored under each orientation, and
// what it saw, by the table of EXIF's tag 0x0112: 6 has its first row at the right side.
func TestOrientation(t *testing.T) {
	file := encode(t, blocks([2][3]uint8{{10, 50, 90}, {130, 170, 210}})) // abc def
	want := []string{1: "abc def", 2: "cba fed", 3: "fed cba", 4: "def abc", 5: "ad be cf", 6: "da eb fc", 7: "fc eb da", 8: "cf be ad"}
	for o := 1; o <= 8; o++ {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			data := withSegment(withSegment(file, 0xe1, exif(tiff(order, uint16(o)))), 0xe0, []byte("JFIF\x00"))
			pic, err := Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			h, w := pic.Shape()[0]/16, pic.Shape()[1]/16
			var rows []string
			for y := range h {
				row := ""
				for x := range w {
					v := pic.Bytes()[((y*16+8)*w*16+x*16+8)*3]
					row += string(rune('a' + (int(v)-10+20)/40))
				}
				rows = append(rows, row)
			}
			if got := strings.Join(rows, " "); got != want[o] {
				t.Errorf("orientation %d, %v: got %s, want %s", o, order, got, want[o])
			}
		}
	}
}

func TestOrientationDamaged(t *testing.T) {
	good := tiff(binary.LittleEndian, 6)
	edit := func(at int, v ...byte) []byte {
		b := slices.Clone(good)
		copy(b[at:], v)
		return b
	}
	file := encode(t, blocks([2][3]uint8{}))
	for name, body := range map[string][]byte{
		"empty":               {},
		"no order":            edit(0, 'X', 'X'),
		"no 42":               edit(2, 0),
		"directory beyond":    edit(4, 255, 255, 255, 255),
		"directory at end":    edit(4, byte(len(good)-1)),
		"value 0":             edit(30, 0),
		"value 9":             edit(30, 9),
		"type of 32 bits":     edit(24, 4),
		"two values":          edit(26, 2),
		"cut in the entry":    good[:28],
		"cut before the list": good[:9],
	} {
		data := withSegment(file, 0xe1, exif(body))
		if got := orientation(data); got != 1 {
			t.Errorf("%s: got %d", name, got)
		}
		if _, err := Decode(bytes.NewReader(data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []struct {
		name string
		data []byte
		want int
	}{
		{"good", withSegment(file, 0xe1, exif(good)), 6},
		{"many entries claimed", withSegment(file, 0xe1, exif(edit(8, 255, 255))), 6},
		{"another APP1 first", withSegment(withSegment(file, 0xe1, exif(good)), 0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00")), 6},
		{"fill bytes", slices.Concat([]byte{0xff, 0xd8, 0xff, 0xff}, withSegment(file, 0xe1, exif(good))[2:]), 6},
		{"length 0", []byte{0xff, 0xd8, 0xff, 0xe1, 0, 0, 1, 2, 3}, 1},
		{"length beyond", []byte{0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff, 1, 2, 3}, 1},
		{"nothing", []byte{0xff, 0xd8}, 1},
		{"only fill bytes", bytes.Repeat([]byte{0xff}, 1000), 1},
		{"no JPEG", []byte("hello"), 1},
	} {
		if got := orientation(c.data); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestOpen(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, blocks([2][3]uint8{{1, 2, 3}, {4, 5, 6}})); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"PNG": b.Bytes(), "JPEG": encode(t, blocks([2][3]uint8{}))} {
		p, err := Open(bytes.NewReader(data))
		if err != nil || p.Pixels() != 48*32 {
			t.Fatal(name, err)
		}
		pic, err := p.Decode()
		if err != nil || !pic.Shape().Equal(tensor.Shape{32, 48, 3}) {
			t.Error(name, err)
		}
		p, err = Open(bytes.NewReader(data[:len(data)/2]))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Decode(); err == nil || errors.Is(err, ErrNoPicture) {
			t.Errorf("half a %s: %v", name, err)
		}
		if p, err = Open(bytes.NewReader(data[:12])); err != nil || p.Pixels() != tensor.MaxPixels {
			t.Errorf("the start of a %s: %v", name, err)
		}
	}
	for _, data := range []string{"", "GIF89a", "text"} {
		if _, err := Open(strings.NewReader(data)); !errors.Is(err, ErrNoPicture) {
			t.Errorf("%q: %v", data, err)
		}
	}
	huge := bytes.Clone(b.Bytes())
	binary.BigEndian.PutUint32(huge[16:], 1<<30) // the width, which the checksum no longer fits
	if p, err := Open(bytes.NewReader(huge)); err != nil || p.Pixels() != tensor.MaxPixels {
		t.Error(err)
	} else if _, err := p.Decode(); err == nil {
		t.Error("a huge picture was decoded")
	}
}

func FuzzOrientation(f *testing.F) {
	small := image.NewGray(image.Rect(0, 0, 3, 2))
	file := encode(f, small)
	for o := range uint16(10) {
		f.Add(withSegment(file, 0xe1, exif(tiff(binary.LittleEndian, o))))
		f.Add(withSegment(file, 0xe1, exif(tiff(binary.BigEndian, o))))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := orientation(data); o < 1 || o > 8 {
			t.Fatalf("orientation %d", o)
		}
		pic := tensor.Must(tensor.From([]uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}, 2, 3, 3))
		out, err := upright(pic, orientation(data))
		if err != nil || out.Size() != pic.Size() {
			t.Fatal(err)
		}
		got := slices.Clone(out.Bytes())
		slices.Sort(got)
		if !slices.Equal(got, pic.Bytes()) {
			t.Fatalf("pixels were lost: %v", out.Bytes())
		}
	})
}

// No tensor is an error, not a panic.
func TestNil(t *testing.T) {
	cfg, err := ForInput([]int{-1, 3, 4, 4}, tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.Tensor(nil); err == nil || !strings.Contains(err.Error(), "want uint8 [H,W,3]") {
		t.Errorf("Tensor: %v", err)
	}
	if _, err := cfg.Image(nil); err == nil || !strings.Contains(err.Error(), "want float32 NCHW") {
		t.Errorf("Image: %v", err)
	}
}
