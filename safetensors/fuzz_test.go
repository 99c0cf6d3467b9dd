package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/convgl/convgl/tensor"
)

// FuzzDecode holds what is accepted against encoding/json, which must read the
// same from the header, and against a round trip through Encode.
func FuzzDecode(f *testing.F) {
	for _, c := range hostile {
		if len(c.file) < 1000 {
			f.Add([]byte(c.file))
		}
	}
	var b bytes.Buffer
	if err := Encode(&b, samples(), map[string]string{"format": "pt", "\u2028": "\x00\""}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(file(pairJSON("[1]", "[2,3]", "[2]", "[0,2]"), "123")))
	f.Add([]byte(file(`{"\u00e9\ud83d\ude00":{"dtype":"BF16","shape":[1,0,2],"data_offsets":[0,0]},"x":{"dtype":"I8","shape":[],"data_offsets":[0,1]}}  `, "1")))
	f.Fuzz(func(t *testing.T, in []byte) {
		file, err := Decode(bytes.NewReader(in), int64(len(in)))
		if err != nil {
			if file != nil {
				t.Fatalf("a file came with the error %v", err)
			}
			return
		}
		n := 8 + binary.LittleEndian.Uint64(in)
		header, data := in[8:n], in[n:]
		var std map[string]json.RawMessage
		if err := json.Unmarshal(header, &std); err != nil {
			t.Fatalf("encoding/json refuses the header %q: %v", header, err)
		}
		var metadata map[string]string
		if raw, ok := std[metadataKey]; ok {
			delete(std, metadataKey)
			if err := json.Unmarshal(raw, &metadata); err != nil {
				t.Fatal(err)
			}
		}
		if !maps.Equal(file.Metadata(), metadata) {
			t.Fatalf("metadata: got %q, encoding/json has %q", file.Metadata(), metadata)
		}
		if len(std) != len(file.Names()) {
			t.Fatalf("names: got %q, encoding/json has %d", file.Names(), len(std))
		}
		var list []Named
		covered := 0
		for _, name := range file.Names() {
			var want struct {
				DType   string       `json:"dtype"`
				Shape   tensor.Shape `json:"shape"`
				Offsets [2]int       `json:"data_offsets"`
			}
			if err := json.Unmarshal(std[name], &want); err != nil {
				t.Fatalf("tensor %q: %v", name, err)
			}
			info, ok := file.Info(name)
			if !ok || info.Name != name || info.DType != want.DType || !info.Shape.Equal(want.Shape) {
				t.Fatalf("tensor %q: got %v, encoding/json has %v", name, info, want)
			}
			raw := data[want.Offsets[0]:want.Offsets[1]]
			covered += len(raw)
			x, err := file.Tensor(name)
			if errors.Is(err, errors.ErrUnsupported) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, Named{name, x})
			var stored bytes.Buffer
			if err := x.WriteRaw(&stored); err != nil {
				t.Fatal(err)
			}
			if elemTypes[info.DType].size == x.DType().Size() && !bytes.Equal(stored.Bytes(), raw) {
				t.Fatalf("tensor %q: got bytes %x, want %x", name, stored.Bytes(), raw)
			}
		}
		if covered != len(data) {
			t.Fatalf("the tensors have %d bytes of %d", covered, len(data))
		}

		var out bytes.Buffer
		if err := Encode(&out, list, metadata); err != nil {
			t.Fatal(err)
		}
		again, err := Decode(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil {
			t.Fatalf("what Encode wrote: %v", err)
		}
		if len(again.Names()) != len(list) || len(metadata) > 0 && !maps.Equal(again.Metadata(), metadata) {
			t.Fatalf("after the round trip: %q, %q", again.Names(), again.Metadata())
		}
		for _, n := range list {
			x, err := again.Tensor(n.Name)
			if err != nil {
				t.Fatal(err)
			}
			if x.DType() != n.Tensor.DType() || !slices.Equal(x.Shape(), n.Tensor.Shape()) || !bytes.Equal(x.Bytes(), n.Tensor.Bytes()) {
				t.Fatalf("tensor %q changed in the round trip", n.Name)
			}
		}
	})
}
