package pb

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// FuzzDecode holds that every input gives a model or a *FormatError, in memory that
// follows its size; that no tensor of a model makes trouble; and that what was encoded
// once is encoded the same again.
func FuzzDecode(f *testing.F) {
	data, err := Encode(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte("not a model"))
	f.Add(inAttr(body(8, []byte{1, 2}), varint(8, 3)))
	f.Add(inAttr(body(22), body(14)))
	f.Add(inValue(body(4, body(1, body(1)))))
	f.Add(inTensor(varint(1, 1<<62), varint(1, 4), varint(2, 1), body(9, make([]byte, 8))))
	f.Add(inTensor(varint(2, 1), varint(14, 1), body(13, str(1, "location"), str(2, "../w"))))
	f.Add(cat(inModel(body(15)), body(20), body(25, str(1, "f"))))
	if dir := os.Getenv("CONVGL_CONFORMANCE"); dir != "" {
		for _, sub := range []string{"onnx_node", "negative"} {
			files(f, filepath.Join(dir, sub), ".onnx", func(_ string, data []byte) {
				if len(data) < 4096 {
					f.Add(data)
				}
			})
		}
	}
	folder, err := OpenFolder(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		checkFuzzTensor(t, data)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := Decode(data, Limits{})
		runtime.ReadMemStats(&after)
		// Fuzzing itself takes memory meanwhile.
		if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
			t.Errorf("took %d bytes for a file of %d", got, len(data))
		}
		if err != nil {
			wantFormatError(t, err)
			return
		}
		values(t, m.Graph, folder)
		once, err := Encode(m)
		if err != nil {
			return
		}
		back, err := Decode(once, Limits{})
		if err != nil {
			t.Fatalf("what was encoded is not decoded: %v", err)
		}
		if twice, err := Encode(back); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("encoded again: %v\n%x\n%x", err, once, twice)
		}
	})
}

func checkFuzzTensor(t *testing.T, data []byte) {
	v, err := DecodeTensor(data, Limits{})
	if err != nil {
		wantFormatError(t, err)
		return
	}
	checkValue(t, v, nil)
}

func wantFormatError(t *testing.T, err error) {
	var fe *FormatError
	if !errors.As(err, &fe) || fe.Error() == "" {
		t.Errorf("got %v, want a *FormatError", err)
	}
}

// values asks for the values of all tensors of g.
func values(t *testing.T, g *Graph, d *Folder) {
	for _, v := range g.Initializers {
		checkValue(t, v, d)
	}
	for _, n := range g.Nodes {
		for _, a := range n.Attrs {
			if a.T != nil {
				checkValue(t, a.T, d)
			}
			for _, v := range a.Tensors {
				checkValue(t, v, d)
			}
			if a.G != nil {
				values(t, a.G, d)
			}
			for _, g := range a.Graphs {
				values(t, g, d)
			}
		}
	}
}

// checkValue demands that a value has as many elements as the tensor says.
func checkValue(t *testing.T, v *Tensor, d *Folder) {
	got, _, err := v.Value(ValueOptions{External: d, Widen: true})
	if err != nil {
		return
	}
	if n, err := v.Elems(); err != nil || n != int64(got.Size()) {
		t.Errorf("got %d elements, %v, want %d", got.Size(), err, n)
	}
}
