package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convgl/convgl/tensor"
)

// entryJSON is the header of one tensor "w".
func entryJSON(dtype, shape, offsets string) string {
	return `{"w":{"dtype":` + dtype + `,"shape":` + shape + `,"data_offsets":` + offsets + `}}`
}

// pairJSON is the header of two tensors of bytes at these offsets.
func pairJSON(shapeA, offsetsA, shapeB, offsetsB string) string {
	return `{"a":{"dtype":"U8","shape":` + shapeA + `,"data_offsets":` + offsetsA + `},"b":{"dtype":"U8","shape":` + shapeB + `,"data_offsets":` + offsetsB + `}}`
}

const (
	good  = `"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}`
	eight = "12345678"
)

var hostile = []struct {
	name, file string
	kind       error
	parts      []string
}{
	{"empty file", "", io.ErrUnexpectedEOF, []string{"got a file of 0 bytes", "8"}},
	{"half a length", "\x02\x00\x00", io.ErrUnexpectedEOF, []string{"got a file of 3 bytes"}},
	{"length and no header", "\x02\x00\x00\x00\x00\x00\x00\x00", io.ErrUnexpectedEOF, []string{"got 0 bytes", "2"}},
	{"header cut off", file(entryJSON(`"U8"`, "[1]", "[0,1]"), "")[:40], io.ErrUnexpectedEOF, []string{"got 32 bytes", "53"}},
	{"length at the cap", string(binary.LittleEndian.AppendUint64(nil, maxHeader)) + "{}", io.ErrUnexpectedEOF, []string{"got 2 bytes", "100000000"}},
	{"length above the cap", string(binary.LittleEndian.AppendUint64(nil, maxHeader+1)) + "{}", nil, []string{"got a length of 100000001", "at most 100000000"}},
	{"length of all ones", strings.Repeat("\xff", 8) + "{}", nil, []string{"18446744073709551615", "at most 100000000"}},
	{"another format", "PK\x03\x04\x00\x00\x08\x08\x00\x00", nil, []string{`"PK\x03\x04`, "safetensors file?"}},
	{"empty header", file("", ""), nil, []string{"header", "got the end", "'{'"}},
	{"not an object", file("[]", ""), nil, []string{`got "[]"`, "'{'"}},
	{"blank before the object", file(" {}", ""), nil, []string{"byte 0", "'{'"}},
	{"object not closed", file("{"+good, "1"), nil, []string{"got the end", "'}'"}},
	{"comma at the end", file("{"+good+",}", "1"), nil, []string{`got "}"`, "string"}},
	{"comma missing", file("{"+good+` "x":{}}`, "1"), nil, []string{`got "\"x\"`, "','"}},
	{"colon missing", file(`{"w" {}}`, "1"), nil, []string{"':'"}},
	{"key without quotes", file(`{w:{}}`, "1"), nil, []string{`got "w:`, "string"}},
	{"text after the object", file("{"+good+"} x", "1"), nil, []string{`got "x"`, "nothing"}},
	{"zero bytes after the object", file("{"+good+"}\x00\x00", "1"), nil, []string{`got "\x00\x00"`, "nothing"}},
	{"string not closed", file(`{"w`, ""), nil, []string{"got the end", "begins at byte 1"}},
	{"control character in a name", file("{\"a\nb\":{}}", ""), nil, []string{"byte 3", "control character"}},
	{"unknown escape", file(`{"\x41":{}}`, ""), nil, []string{"escape"}},
	{"escape cut off", file(`{"\`, ""), nil, []string{"escape"}},
	{"escape not hexadecimal", file(`{"\u00g0":{}}`, ""), nil, []string{"escape"}},
	{"half a surrogate pair", file(`{"\ud83d":{}}`, ""), nil, []string{"surrogates"}},
	{"surrogate and a letter", file(`{"\ud83d\u0041":{}}`, ""), nil, []string{"surrogates"}},
	{"low surrogate first", file(`{"\ude00\ud83d":{}}`, ""), nil, []string{"surrogates"}},
	{"invalid UTF-8", file("{\"a\xffb\":{}}", ""), nil, []string{"byte 3", `got "\xffb`, "UTF-8"}},
	{"UTF-8 cut off", file("{\"\xc3", ""), nil, []string{"UTF-8"}},
	{"encoded surrogate", file("{\"\xed\xa0\x80\":{}}", ""), nil, []string{"UTF-8"}},

	{"name twice", file("{"+good+","+good+"}", "1"), nil, []string{`tensor "w"`, "twice"}},
	{"name twice, once escaped", file("{"+good+","+strings.Replace(good, "w", `\u0077`, 1)+"}", "1"), nil, []string{`tensor "w"`, "twice"}},
	{"entry is a number", file(`{"w":1}`, ""), nil, []string{`tensor "w"`, `got "1`, "'{'"}},
	{"entry is null", file(`{"w":null}`, ""), nil, []string{`tensor "w"`, "null"}},
	{"empty entry", file(`{"w":{}}`, ""), nil, []string{`tensor "w"`, "dtype is missing"}},
	{"no shape", file(`{"w":{"dtype":"U8","data_offsets":[0,1]}}`, "1"), nil, []string{`tensor "w"`, "shape is missing"}},
	{"no offsets", file(`{"w":{"dtype":"U8","shape":[1]}}`, "1"), nil, []string{`tensor "w"`, "data_offsets is missing"}},
	{"key twice", file(`{"w":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "1"), nil, []string{`tensor "w"`, `"dtype" comes twice`}},
	{"unknown key", file(`{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"strides":[1]}}`, "1"), nil, []string{`tensor "w"`, `unknown key "strides"`}},
	{"dtype is a number", file(entryJSON("8", "[1]", "[0,1]"), "1"), nil, []string{`tensor "w"`, "dtype", "string"}},
	{"unknown dtype", file(entryJSON(`"F4"`, "[1]", "[0,1]"), "1"), errors.ErrUnsupported, []string{`tensor "w"`, `"F4"`, "want F64"}},
	{"dtype in small letters", file(entryJSON(`"u8"`, "[1]", "[0,1]"), "1"), errors.ErrUnsupported, []string{`tensor "w"`, `"u8"`}},
	{"long dtype", file(entryJSON(`"`+strings.Repeat("F", 1000)+`"`, "[1]", "[0,1]"), "1"), errors.ErrUnsupported, []string{`tensor "w"`, `FFF"...`}},

	{"shape is a number", file(entryJSON(`"U8"`, "1", "[0,1]"), "1"), nil, []string{`tensor "w"`, "shape", "'['"}},
	{"negative dim", file(entryJSON(`"U8"`, "[-1]", "[0,1]"), "1"), nil, []string{`tensor "w"`, "shape", `got "-1]`, "from 0"}},
	{"two negative dims", file(entryJSON(`"U8"`, "[-1,-1]", "[0,1]"), "1"), nil, []string{`tensor "w"`, "shape", `got "-1,`}},
	{"fraction in a shape", file(entryJSON(`"U8"`, "[1.0]", "[0,1]"), "1"), nil, []string{`tensor "w"`, "shape", `got "1.0]`, "whole"}},
	{"exponent in a shape", file(entryJSON(`"U8"`, "[1e0]", "[0,1]"), "1"), nil, []string{`tensor "w"`, "shape", "whole"}},
	{"leading zero", file(entryJSON(`"U8"`, "[01]", "[0,1]"), "1"), nil, []string{`tensor "w"`, "shape", "whole"}},
	{"plus sign", file(entryJSON(`"U8"`, "[+1]", "[0,1]"), "1"), nil, []string{`tensor "w"`, "shape", "whole"}},
	{"string in a shape", file(entryJSON(`"U8"`, `["1"]`, "[0,1]"), "1"), nil, []string{`tensor "w"`, "shape", "whole"}},
	{"nested shape", file(entryJSON(`"U8"`, "[[1]]", "[0,1]"), "1"), nil, []string{`tensor "w"`, "shape", "whole"}},
	{"deep JSON", file(entryJSON(`"U8"`, strings.Repeat("[", 1<<20), "[0,1]"), "1"), nil, []string{`tensor "w"`, "shape", "whole", "..."}},
	{"deep objects", file(strings.Repeat(`{"a":`, 1<<18), "1"), nil, []string{`tensor "a"`, `unknown key "a"`}},
	{"dim above 2^63", file(entryJSON(`"U8"`, "[9223372036854775808]", "[0,1]"), "1"), nil, []string{`tensor "w"`, "shape", "2^63-1"}},
	{"dim of 40 digits", file(entryJSON(`"U8"`, "["+strings.Repeat("9", 40)+"]", "[0,1]"), "1"), nil, []string{`tensor "w"`, "shape", "2^63-1"}},
	{"product wraps to 0", file(entryJSON(`"U8"`, "[4294967296,4294967296]", "[0,0]"), ""), nil, []string{`tensor "w"`, "[4294967296,4294967296]", "more than"}},
	{"bytes wrap to 0", file(entryJSON(`"F64"`, "[2305843009213693952]", "[0,0]"), ""), nil, []string{`tensor "w"`, "more than"}},
	{"rank 9", file(entryJSON(`"U8"`, "[1,1,1,1,1,1,1,1,1]", "[0,1]"), "1"), nil, []string{`tensor "w"`, "shape", "at most 8"}},

	{"one offset", file(entryJSON(`"U8"`, "[1]", "[1]"), "1"), nil, []string{`tensor "w"`, "data_offsets", "got [1]"}},
	{"three offsets", file(entryJSON(`"U8"`, "[1]", "[0,1,1]"), "1"), nil, []string{`tensor "w"`, "data_offsets", "at most 2"}},
	{"offsets reversed", file(entryJSON(`"U8"`, "[1]", "[1,0]"), "1"), nil, []string{`tensor "w"`, "data_offsets", "got [1 0]"}},
	{"negative offset", file(entryJSON(`"U8"`, "[1]", "[-1,0]"), "1"), nil, []string{`tensor "w"`, "data_offsets", `got "-1,`}},
	{"too few bytes", file(entryJSON(`"F32"`, "[2]", "[0,7]"), "1234567"), nil, []string{`tensor "w"`, "[0, 7]", "got 7 bytes, want 8", "F32", "[2]"}},
	{"too many bytes", file(entryJSON(`"F16"`, "[3]", "[0,8]"), eight), nil, []string{`tensor "w"`, "got 8 bytes, want 6"}},
	{"bytes for an empty tensor", file(entryJSON(`"F32"`, "[0]", "[0,8]"), eight), nil, []string{`tensor "w"`, "got 8 bytes, want 0"}},
	{"no bytes for a scalar", file(entryJSON(`"F32"`, "[]", "[0,0]"), ""), nil, []string{`tensor "w"`, "got 0 bytes, want 4"}},
	{"end past the data", file(entryJSON(`"F32"`, "[2]", "[0,8]"), "1234567"), io.ErrUnexpectedEOF, []string{`tensor "w"`, "[0, 8]", "got 7 bytes", "cut off"}},
	{"far past the data", file(entryJSON(`"U8"`, "[1]", "[9223372036854775806,9223372036854775807]"), "1"), io.ErrUnexpectedEOF, []string{`tensor "w"`, "got 1 bytes"}},
	{"data after the end", file("{"+good+"}", "12"), nil, []string{"got 2 bytes of data, want 1", `tensor "w"`}},
	{"data and no tensor", file("{}", "1"), nil, []string{"got 1 bytes of data, want 0"}},
	{"hole at the begin", file(entryJSON(`"U8"`, "[1]", "[1,2]"), "12"), nil, []string{`tensor "w"`, "hole", "byte 0"}},
	{"hole", file(pairJSON("[1]", "[0,1]", "[1]", "[2,3]"), "123"), nil, []string{`tensor "b"`, "[2, 3]", "a hole", "byte 1", `tensor "a"`}},
	{"overlap", file(pairJSON("[2]", "[0,2]", "[2]", "[1,3]"), "123"), nil, []string{`tensor "b"`, "[1, 3]", "an overlap", "byte 2", `tensor "a"`}},
	{"same bytes twice", file(pairJSON("[2]", "[0,2]", "[2]", "[0,2]"), "12"), nil, []string{`tensor "b"`, "an overlap"}},
	{"empty tensor inside another", file(pairJSON("[2]", "[0,2]", "[0]", "[1,1]"), "12"), nil, []string{`tensor "b"`, "an overlap"}},
	{"empty tensor in a hole", file(pairJSON("[1]", "[0,1]", "[0]", "[2,2]"), "12"), nil, []string{`tensor "b"`, "a hole"}},

	{"metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`, ""), nil, []string{"__metadata__", "twice"}},
	{"metadata key twice", file(`{"__metadata__":{"k":"1","k":"2"}}`, ""), nil, []string{"__metadata__", `"k" comes twice`}},
	{"metadata is a tensor", file(`{"__metadata__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "1"), nil, []string{"__metadata__", "string"}},
	{"metadata is a string", file(`{"__metadata__":"x"}`, ""), nil, []string{"__metadata__", "'{'"}},
	{"metadata holds a number", file(`{"__metadata__":{"k":1}}`, ""), nil, []string{"__metadata__", `got "1}`, "string"}},
}

func TestDecodeErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.safetensors")
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			f, err := decodeString(c.file)
			wantError(t, err, c.kind, append(c.parts, "safetensors: Decode: ")...)
			if f != nil {
				t.Error("a file came with the error")
			}
			if len(err.Error()) > 600 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if err := os.WriteFile(path, []byte(c.file), 0o666); err != nil {
				t.Fatal(err)
			}
			_, _, err = Read(path)
			wantError(t, err, c.kind, append(c.parts, path)...)
		})
	}
}

// The files that the errors are made from are good where they are not spoiled.
func TestDecodeGoodNeighbours(t *testing.T) {
	for name, s := range map[string]string{
		"good":         file("{"+good+"}", "1"),
		"pair":         file(pairJSON("[1]", "[0,1]", "[2]", "[1,3]"), "123"),
		"pair swapped": file(pairJSON("[1]", "[2,3]", "[2]", "[0,2]"), "123"),
		"empty first":  file(pairJSON("[2]", "[0,2]", "[0]", "[0,0]"), "12"),
		"empty last":   file(pairJSON("[2]", "[0,2]", "[0]", "[2,2]"), "12"),
		"rank 8":       file(entryJSON(`"U8"`, "[1,1,1,1,1,1,1,1]", "[0,1]"), "1"),
		"no tensor":    file("{}", ""),
	} {
		if _, err := decodeString(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A size that the reader does not have, and a reader that fails.
func TestDecodeShortReader(t *testing.T) {
	s := file("{"+good+"}", "1")
	for _, cut := range []int{3, 20} {
		_, err := Decode(strings.NewReader(s[:cut]), int64(len(s)))
		wantError(t, err, io.ErrUnexpectedEOF, "header", "got", "want")
	}
	_, err := Decode(strings.NewReader(s), -1)
	wantError(t, err, io.ErrUnexpectedEOF, "-1 bytes")
}

func TestEncodeErrors(t *testing.T) {
	x := tensor.Must(tensor.From([]float32{1}, 1))
	for _, c := range []struct {
		name     string
		list     []Named
		metadata map[string]string
		parts    []string
	}{
		{"nil tensor", []Named{{"a", x}, {"b", nil}}, nil, []string{`tensor 1, "b"`, "nil"}},
		{"zero tensor", []Named{{"a", &tensor.Tensor{}}}, nil, []string{`tensor 0, "a"`, "no type"}},
		{"name twice", []Named{{"a", x}, {"b", x}, {"a", x}}, nil, []string{`tensor 2, "a"`, "twice"}},
		{"the format's name", []Named{{"__metadata__", x}}, nil, []string{`"__metadata__"`, "own"}},
		{"name not UTF-8", []Named{{"a\xff", x}}, nil, []string{`"a\xff"`, "UTF-8"}},
		{"metadata key not UTF-8", nil, map[string]string{"\xff": "v"}, []string{`"\xff"`, "UTF-8"}},
		{"metadata value not UTF-8", nil, map[string]string{"k": "\xff"}, []string{`metadata "k"`, "UTF-8"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			err := Encode(&b, c.list, c.metadata)
			wantError(t, err, nil, append(c.parts, "safetensors: Encode: ")...)
			if b.Len() > 0 {
				t.Errorf("%d bytes were written", b.Len())
			}
			// A file that is there stays.
			path := filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
				t.Fatal(err)
			}
			wantError(t, Save(path, c.list, c.metadata), nil, append(c.parts, "safetensors: Save ", path)...)
			if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
				t.Errorf("the old file holds %q, %v", got, err)
			}
		})
	}
}

// What a reader would refuse is not written.
func TestEncodeHeaderTooLong(t *testing.T) {
	list := []Named{named("test", []int32{1}, 1)} // 62 bytes of header, padded to 64
	if _, _, err := layout(list, nil, 64); err != nil {
		t.Error(err)
	}
	_, _, err := layout(list, nil, 63)
	wantError(t, err, nil, "header", "got 64 bytes", "at most 63")
}

// failAfter is a disk that is full after n bytes.
type failAfter struct{ n int }

var errFull = errors.New("disk full")

func (f *failAfter) Write(b []byte) (int, error) {
	if f.n -= len(b); f.n < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestEncodeWriterFails(t *testing.T) {
	x := tensor.Must(tensor.From([]float32{1}, 1))
	// 8 bytes of length and 56 of header, then 4 of data
	for _, room := range []int{0, 63, 64, 67} {
		wantError(t, Encode(&failAfter{room}, []Named{{"a", x}}, nil), errFull, "safetensors: Encode: ")
	}
	if err := Encode(&failAfter{68}, []Named{{"a", x}}, nil); err != nil {
		t.Error(err)
	}
	wantError(t, Save(filepath.Join(t.TempDir(), "none", "f"), nil, nil), os.ErrNotExist, "safetensors: Save: ", "none")
}
