package tensor

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestRaw(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		t         *Tensor
	}{
		{"float32", onePair, Must(From([]float32{1, -2}, 2))},
		{"float64", "\x00\x00\x00\x00\x00\x00\xf0\x3f", Must(From([]float64{1}))},
		{"int32", "\x01\x02\x00\x00\xfe\xff\xff\xff", Must(From([]int32{513, -2}, 1, 2))},
		{"int64", "\x01\x02\x00\x00\x00\x00\x00\x00", Must(From([]int64{513}, 1))},
		{"uint8", "\x07\xff", Must(From([]uint8{7, 255}, 2, 1))},
		{"bool", "\x01\x00", Must(From([]bool{true, false}, 2))},
		{"empty", "", Must(From([]float32{}, 0, 3))},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := c.t.Clone()
			var b bytes.Buffer
			if err := c.t.WriteRaw(&b); err != nil || b.String() != c.raw {
				t.Errorf("wrote %q, %v; want %q", b.String(), err, c.raw)
			}
			wantSame(t, c.t, before)

			got := Must(New(c.t.DType(), c.t.Shape()...))
			r := strings.NewReader(c.raw + "rest")
			if err := got.ReadRaw(r); err != nil {
				t.Fatal(err)
			}
			wantSame(t, got, c.t)
			if r.Len() != len("rest") {
				t.Errorf("%d bytes are left, want 4", r.Len())
			}
		})
	}
}

// A Go bool is 0 or 1, whatever the file holds, also where it ends too early.
func TestReadRawBool(t *testing.T) {
	got := Must(New(Bool, 3))
	if err := got.ReadRaw(strings.NewReader("\x02\x00\xff")); err != nil {
		t.Fatal(err)
	}
	wantTensor(t, got, Shape{3}, true, false, true)
	wantError(t, got.ReadRaw(strings.NewReader("\x00\x80")), io.ErrUnexpectedEOF, "got 2 bytes, want 3")
	wantTensor(t, got, Shape{3}, false, true, true)
}

func TestReadRawTruncated(t *testing.T) {
	x := Must(New(Float32, 2))
	for n, part := range map[int]string{0: "got 0 bytes, want 8", 7: "got 7 bytes, want 8"} {
		wantError(t, x.ReadRaw(strings.NewReader(onePair[:n])), io.ErrUnexpectedEOF, part)
	}
}
