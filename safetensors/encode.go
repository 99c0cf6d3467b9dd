package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/convgl/convgl/internal/atomicfile"
	"github.com/convgl/convgl/tensor"
)

// Save writes the tensors and the metadata, which may be nil, to the file at
// path, as [Encode] does. A file that is there already is replaced once the new
// one is complete; after an error it is as it was.
func Save(path string, tensors []Named, metadata map[string]string) error {
	head, order, err := layout(tensors, metadata, maxHeader)
	if err != nil {
		return fmt.Errorf("safetensors: Save %q: %w", path, err)
	}
	err = atomicfile.Write(path, func(w io.Writer) error { return write(w, head, order) })
	if err != nil {
		return fmt.Errorf("safetensors: Save: %w", err)
	}
	return nil
}

// Encode writes the tensors and the metadata, which may be nil, as a safetensors
// file. Equal tensors make equal bytes, in whatever order they are given: in the
// file the wider types come first (I64, F64, F32, I32, U8), and in one type the
// names are sorted. The data begins at a multiple of 8 bytes, and each tensor at
// one of its element size.
//
// Names and metadata may hold any characters that are valid UTF-8, but each name
// once, and not "__metadata__". Everything is checked before the first byte is
// written.
func Encode(w io.Writer, tensors []Named, metadata map[string]string) error {
	head, order, err := layout(tensors, metadata, maxHeader)
	if err == nil {
		err = write(w, head, order)
	}
	if err != nil {
		return fmt.Errorf("safetensors: Encode: %w", err)
	}
	return nil
}

func write(w io.Writer, head []byte, order []Named) error {
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, n := range order {
		if err := n.Tensor.WriteRaw(w); err != nil {
			return err
		}
	}
	return nil
}

// layout returns the bytes in front of the data, and the tensors in the data's
// order. The header may have at most most bytes.
func layout(tensors []Named, metadata map[string]string, most int) ([]byte, []Named, error) {
	seen := map[string]bool{}
	for i, n := range tensors {
		var fault string
		switch {
		case n.Tensor == nil || typeRank(n.Tensor) < 0:
			fault = "is nil or has no type (make it with tensor.New or From)"
		case !utf8.ValidString(n.Name):
			fault = "the name is not UTF-8"
		case n.Name == metadataKey:
			fault = "the name is the format's own, want another"
		case seen[n.Name]:
			fault = "comes twice, want each name once"
		}
		if fault != "" {
			return nil, nil, fmt.Errorf("tensor %d, %s: %s", i, quote(n.Name), fault)
		}
		seen[n.Name] = true
	}
	order := slices.Clone(tensors)
	slices.SortFunc(order, func(a, b Named) int {
		return cmp.Or(cmp.Compare(typeRank(a.Tensor), typeRank(b.Tensor)), strings.Compare(a.Name, b.Name))
	})

	var b bytes.Buffer
	b.Write(make([]byte, 8)) // for the length
	b.WriteByte('{')
	comma := ""
	if len(metadata) > 0 {
		fmt.Fprintf(&b, `"%s":{`, metadataKey)
		for _, k := range slices.Sorted(maps.Keys(metadata)) {
			v := metadata[k]
			if !utf8.ValidString(k) || !utf8.ValidString(v) {
				return nil, nil, fmt.Errorf("metadata %s: %s: key or value is not UTF-8", quote(k), quote(v))
			}
			fmt.Fprintf(&b, "%s%s:%s", comma, jsonString(k), jsonString(v))
			comma = ","
		}
		b.WriteByte('}')
		comma = ","
	}
	end := 0
	for _, n := range order {
		begin := end
		end += n.Tensor.Size() * n.Tensor.DType().Size()
		fmt.Fprintf(&b, `%s%s:{"dtype":"%s","shape":%v,"data_offsets":[%d,%d]}`, comma,
			jsonString(n.Name), writeOrder[typeRank(n.Tensor)].name, n.Tensor.Shape(), begin, end)
		comma = ","
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	size := b.Len() - 8
	if size > most {
		return nil, nil, fmt.Errorf("header: got %d bytes of names, shapes and metadata, want at most %d", size, most)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(size))
	return b.Bytes(), order, nil
}

// typeRank returns the index in writeOrder of t's type, -1 where it is not.
func typeRank(t *tensor.Tensor) int {
	for i, w := range writeOrder {
		if w.as == t.DType() {
			return i
		}
	}
	return -1
}

// jsonString returns s, which is valid UTF-8, as a string of JSON.
func jsonString(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) // which cannot fail for a string and a Builder
	return strings.TrimSuffix(b.String(), "\n")
}
