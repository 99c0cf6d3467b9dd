package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/convgl/convgl/tensor"
)

// file builds a file by hand: the header as it is, and the data.
func file(header, data string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + data
}

func decodeString(s string) (*File, error) { return Decode(strings.NewReader(s), int64(len(s))) }

func mustDecode(t *testing.T, s string) *File {
	t.Helper()
	f, err := decodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func wantSame(t *testing.T, name string, got, want *tensor.Tensor) {
	t.Helper()
	if got.DType() != want.DType() || !got.Shape().Equal(want.Shape()) {
		t.Fatalf("%q: got %v %v, want %v %v", name, got.DType(), got.Shape(), want.DType(), want.Shape())
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("%q: got bytes %x, want %x", name, got.Bytes(), want.Bytes())
	}
}

// wantError fails unless err is there, contains each part, and wraps kind if
// that is not nil.
func wantError(t *testing.T, err, kind error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	if kind != nil && !errors.Is(err, kind) {
		t.Errorf("error %q does not wrap %q", err, kind)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not contain %q", err, p)
		}
	}
}

func named[T tensor.Element](name string, data []T, shape ...int) Named {
	return Named{name, tensor.Must(tensor.From(data, shape...))}
}

// samples has each type, a scalar, an empty tensor, and values that a detour
// through another type would change.
func samples() []Named {
	nan := math.Float32frombits(0x7fc12345)
	return []Named{
		named("0.weight", []float32{1, -2, nan, float32(math.Inf(-1)), math.SmallestNonzeroFloat32, float32(math.Copysign(0, -1))}, 2, 3),
		named("0.bias", []float32{0.5}, 1),
		named("byte", []uint8{0, 7, 255}, 3),
		named("mask", []bool{true, false}, 2),
		named("int", []int32{math.MinInt32, math.MaxInt32}, 1, 2, 1),
		named("1.num_batches_tracked", []int64{math.MinInt64 + 1}),
		named("double", []float64{math.Pi, 1e300}, 2),
		named("none", []float32{}, 4, 0, 2),
	}
}

func TestRoundTrip(t *testing.T) {
	metadata := map[string]string{"format": "pt", "": "empty key", "a\"b": "c\nd"}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := Save(path, samples(), metadata); err != nil {
		t.Fatal(err)
	}
	list, gotMeta, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(gotMeta, metadata) {
		t.Errorf("metadata: got %q, want %q", gotMeta, metadata)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()

	var names []string
	for i, n := range list {
		names = append(names, n.Name)
		lazy, err := f.Tensor(n.Name)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, n.Name, lazy, n.Tensor)
		// Each begins at a multiple of its element size.
		if at := f.data + int64(f.entries[i].begin); at%int64(n.Tensor.DType().Size()) != 0 {
			t.Errorf("%q of %v begins at byte %d of the file", n.Name, n.Tensor.DType(), at)
		}
	}
	want := []string{"1.num_batches_tracked", "double", "0.bias", "0.weight", "none", "int", "byte", "mask"}
	if !slices.Equal(names, want) || !slices.Equal(f.Names(), want) {
		t.Errorf("names: read %q, open %q, want %q", names, f.Names(), want)
	}
	for _, n := range samples() {
		got, err := f.Tensor(n.Name)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, n.Name, got, n.Tensor)
		info, ok := f.Info(n.Name)
		if !ok || info.Name != n.Name || !info.Shape.Equal(n.Tensor.Shape()) || info.As != n.Tensor.DType() {
			t.Errorf("Info(%q): got %v, %v", n.Name, info, ok)
		}
	}
}

// The bytes do not depend on the order of the arguments.
func TestEncodeDeterministic(t *testing.T) {
	list, metadata := samples(), map[string]string{"z": "1", "a": "2", "m": "3"}
	var first bytes.Buffer
	if err := Encode(&first, list, metadata); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		list = append(list[1:], list[0])
		before := slices.Clone(list)
		var b bytes.Buffer
		if err := Encode(&b, list, maps.Clone(metadata)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), first.Bytes()) {
			t.Fatalf("got %q\nwant %q", b.Bytes(), first.Bytes())
		}
		if !slices.Equal(list, before) {
			t.Fatal("Encode sorted the caller's list")
		}
	}
}

// Whole files, byte by byte, with the length and the padding counted by hand.
func TestEncodeGolden(t *testing.T) {
	for _, c := range []struct {
		name     string
		list     []Named
		metadata map[string]string
		want     string
	}{
		{"nothing", nil, nil, "\x08\x00\x00\x00\x00\x00\x00\x00{}      "},
		{"one", []Named{named("test", []int32{1, -2, 3, 4}, 2, 2)}, nil,
			"\x40\x00\x00\x00\x00\x00\x00\x00" +
				`{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}    ` +
				"\x01\x00\x00\x00\xfe\xff\xff\xff\x03\x00\x00\x00\x04\x00\x00\x00"},
		{"metadata and types", []Named{named("u", []uint8{9}), named("b", []float32{1}, 1), named("a", []float32{-2}, 1, 1)},
			map[string]string{"format": "pt", "by": "<me>"},
			"\xd0\x00\x00\x00\x00\x00\x00\x00" +
				`{"__metadata__":{"by":"<me>","format":"pt"},` +
				`"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},` +
				`"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},` +
				`"u":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}     ` +
				"\x00\x00\x00\xc0\x00\x00\x80\x3f\x09"},
	} {
		var b bytes.Buffer
		if err := Encode(&b, c.list, c.metadata); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if b.String() != c.want {
			t.Errorf("%s:\ngot  %q\nwant %q", c.name, b.String(), c.want)
		}
	}
}

// Files as other programs write them: unpadded, blanks between the tokens, keys
// and tensors in any order, no metadata or an empty one, escaped names.
func TestDecodeOtherWriters(t *testing.T) {
	f := mustDecode(t, file("{\r\n\t\"b\": {\"data_offsets\": [4, 8], \"shape\": [1], \"dtype\": \"F32\"},\n"+
		` "__metadata__" : {} , "a\u00e9\/\ud83d\ude00" : {"shape":[ ],"dtype":"I32","data_offsets":[0,4]},`+
		`"e":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[4,4]} }`+" \n",
		"\x01\x02\x00\x00\x00\x00\x80\x3f"))
	if want := []string{"b", "aé/😀", "e"}; !slices.Equal(f.Names(), want) {
		t.Fatalf("names: got %q, want %q", f.Names(), want)
	}
	for _, want := range []Named{named("b", []float32{1}, 1), named("aé/😀", []int32{513}), named("e", []float32{}, 0, math.MaxInt)} {
		got, err := f.Tensor(want.Name)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, want.Name, got, want.Tensor)
	}
	if m := f.Metadata(); m == nil || len(m) != 0 {
		t.Errorf("metadata: got %v, want an empty map", m)
	}
	if m := mustDecode(t, file("{}", "")).Metadata(); m != nil {
		t.Errorf("metadata of a file without: got %v, want nil", m)
	}
	// The data begins where the header ends, aligned or not; a size beyond what
	// is the file's own does not matter to a part of another.
	inner := file(`{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, "\x05\x06")
	part, err := Decode(io.NewSectionReader(strings.NewReader("before"+inner+"after"), 6, int64(len(inner))), int64(len(inner)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := part.Tensor("x")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "x", got, named("x", []uint8{5, 6}, 2).Tensor)
	if err := part.Close(); err != nil {
		t.Error(err)
	}
}

// Every value of the types of two bytes, and an odd count of them.
func TestHalves(t *testing.T) {
	for dtype, value := range map[string]func(uint16) float32{"F16": tensor.Float16frombits, "BF16": tensor.BFloat16frombits} {
		var data []byte
		want := make([]float32, 1<<16)
		for i := range want {
			data = binary.LittleEndian.AppendUint16(data, uint16(i))
			want[i] = value(uint16(i))
		}
		f := mustDecode(t, file(`{"all":{"dtype":"`+dtype+`","shape":[256,256],"data_offsets":[0,131072]},`+
			`"odd":{"dtype":"`+dtype+`","shape":[3],"data_offsets":[131072,131078]},`+
			`"none":{"dtype":"`+dtype+`","shape":[0],"data_offsets":[131078,131078]}}`, string(data)+string(data[2:8])))
		for _, n := range []Named{named("all", want, 256, 256), named("odd", want[1:4], 3), named("none", []float32{}, 0)} {
			got, err := f.Tensor(n.Name)
			if err != nil {
				t.Fatal(err)
			}
			wantSame(t, dtype+" "+n.Name, got, n.Tensor)
		}
		if info, _ := f.Info("odd"); info.DType != dtype {
			t.Errorf("Info: got dtype %q, want %q", info.DType, dtype)
		}
	}
	// The ends of float16 by their values: 65504, the least subnormal, 2^-14.
	f := mustDecode(t, file(`{"x":{"dtype":"F16","shape":[3],"data_offsets":[0,6]}}`, "\xff\x7b\x01\x00\x00\x04"))
	got, err := f.Tensor("x")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "x", got, named("x", []float32{65504, 0x1p-24, 0x1p-14}, 3).Tensor)
}

func TestDecodeBool(t *testing.T) {
	f := mustDecode(t, file(`{"mask":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}`, "\x00\x02"))
	got, err := f.Tensor("mask")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "mask", got, named("mask", []bool{false, true}, 2).Tensor)
}

// A type that no tensor can hold hinders only its own tensors.
func TestUnsupportedType(t *testing.T) {
	for dtype, size := range map[string]string{"I8": "1", "F8_E4M3": "1", "F8_E5M2": "1", "F8_E8M0": "1", "I16": "2", "U16": "2", "U32": "4", "U64": "8", "C64": "8"} {
		s := file(`{"odd.one":{"dtype":"`+dtype+`","shape":[1],"data_offsets":[1,`+string(size[0]+1)+`]},"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
			"\x07"+strings.Repeat("\x00", int(size[0]-'0')))
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(s), 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got, err := f.Tensor("x")
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "x", got, named("x", []uint8{7}, 1).Tensor)
		_, err = f.Tensor("odd.one")
		wantError(t, err, errors.ErrUnsupported, "safetensors:", path, `tensor "odd.one"`, dtype, "[1]", "want F64, F32")
		_, _, err = Read(path)
		wantError(t, err, errors.ErrUnsupported, "safetensors: Read", path, `tensor "odd.one"`, dtype)
	}
}

// Names and metadata of any characters come back as they were, also beside names
// that a careless reader would take for the same.
func TestNamesRoundTrip(t *testing.T) {
	names := []string{"", " ", "a", "A", `"`, `\`, `\u0041`, "/", "\x00", "\x1f\x7f", "a\nb\tc\r\b\f", "é", "e\u0301", "\u2028\u2029",
		"\ufffd", "\ufeff", "\U0010ffff", "😀", "<&>'", "{}[],:", "metadata", "__metadata__ ", strings.Repeat("long.", 5000)}
	var list []Named
	metadata := map[string]string{}
	for i, n := range names {
		list = append(list, named(n, []int32{int32(i)}))
		metadata[n] = n
	}
	metadata["__metadata__"] = "allowed here"
	var b bytes.Buffer
	if err := Encode(&b, list, metadata); err != nil {
		t.Fatal(err)
	}
	f := mustDecode(t, b.String())
	if !maps.Equal(f.Metadata(), metadata) {
		t.Errorf("metadata: got %q, want %q", f.Metadata(), metadata)
	}
	slices.Sort(names)
	if !slices.Equal(f.Names(), names) {
		t.Errorf("names: got %q, want %q", f.Names(), names)
	}
	for _, n := range list {
		got, err := f.Tensor(n.Name)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, n.Name, got, n.Tensor)
	}
}

func TestTensorNoSuchName(t *testing.T) {
	_, err := mustDecode(t, file("{}", "")).Tensor("a")
	wantError(t, err, nil, `no tensor "a"`, "has none")
	f := mustDecode(t, file(`{"0.weight":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "x"))
	_, err = f.Tensor("weight")
	wantError(t, err, nil, `no tensor "weight"`, "1", `"0.weight"`)
	if info, ok := f.Info("weight"); ok {
		t.Errorf("Info: got %v, want none", info)
	}
}

// The methods' results are the caller's.
func TestFileIsNotAliased(t *testing.T) {
	f := mustDecode(t, file(`{"__metadata__":{"k":"v"},"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "x"))
	f.Names()[0] = "y"
	f.Metadata()["k"] = "w"
	info, _ := f.Info("x")
	info.Shape[0] = 5
	first, err := f.Tensor("x")
	if err != nil {
		t.Fatal(err)
	}
	first.Bytes()[0] = 0
	got, err := f.Tensor("x")
	if err != nil || f.Names()[0] != "x" || f.Metadata()["k"] != "v" {
		t.Fatalf("got %v, %v, %v", f.Names(), f.Metadata(), err)
	}
	wantSame(t, "x", got, named("x", []uint8{'x'}, 1).Tensor)
}

func TestConcurrentReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := Save(path, samples(), nil); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var wg sync.WaitGroup
	for _, n := range slices.Repeat(samples(), 8) {
		wg.Go(func() {
			got, err := f.Tensor(n.Name)
			if err != nil {
				t.Error(err)
				return
			}
			if !bytes.Equal(got.Bytes(), n.Tensor.Bytes()) {
				t.Errorf("%q: got bytes %x, want %x", n.Name, got.Bytes(), n.Tensor.Bytes())
			}
		})
	}
	wg.Wait()
}

func TestCloseTwiceAndUseAfter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := Save(path, samples(), nil); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err = f.Tensor("0.bias")
	wantError(t, err, os.ErrClosed, path, `tensor "0.bias"`)
}

// A file that is cut while it is open gives an error, not zeros.
func TestFileShrinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	s := file(`{"f":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"h":{"dtype":"F16","shape":[2],"data_offsets":[8,12]}}`, "123456789abc")
	if err := os.WriteFile(path, []byte(s), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for cut, c := range map[int]struct{ name, got string }{1: {"h", "got 3 bytes, want 4"}, 4: {"h", "got 0 bytes, want 4"}, 5: {"f", "got 7 bytes, want 8"}} {
		if err := os.WriteFile(path, []byte(s[:len(s)-cut]), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := f.Tensor(c.name)
		wantError(t, err, io.ErrUnexpectedEOF, path, `tensor "`+c.name+`"`, c.got)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte(file(`{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "1234567")), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		kind error
		part string
	}{
		{filepath.Join(dir, "none"), os.ErrNotExist, ""},
		{dir, nil, "regular file"},
		{bad, io.ErrUnexpectedEOF, `tensor "w"`},
	} {
		f, err := Open(c.path)
		wantError(t, err, c.kind, "safetensors: Open", c.path, c.part)
		list, metadata, err2 := Read(c.path)
		wantError(t, err2, c.kind, "safetensors: Read", c.path, c.part)
		if f != nil || list != nil || metadata != nil {
			t.Errorf("%s: got %v, %v, %v with the error", c.path, f, list, metadata)
		}
	}
}

// What a header claims takes no memory: neither its own length nor a shape.
func TestClaimsTakeNoMemory(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for name, s := range map[string]string{
		"length": string(binary.LittleEndian.AppendUint64(nil, maxHeader)) + long,
		"shape":  file(`{"w":{"dtype":"F32","shape":[1000,1000,100],"data_offsets":[0,400000000]}}`, long),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := decodeString(s)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
			t.Errorf("%s: took %d bytes of memory for a file of %d", name, took, len(s))
		}
	}
}
