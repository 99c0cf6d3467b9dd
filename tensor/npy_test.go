package tensor

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// wantTensor fails unless got has the shape and exactly the elements, NaN and
// the sign of zero included.
func wantTensor[T Element](t *testing.T, got *Tensor, shape Shape, data ...T) {
	t.Helper()
	want, err := From(data, shape...)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, got, want)
}

func wantSame(t *testing.T, got, want *Tensor) {
	t.Helper()
	if got.DType() != want.DType() || !got.Shape().Equal(want.Shape()) {
		t.Fatalf("got %v %v, want %v %v", got.DType(), got.Shape(), want.DType(), want.Shape())
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("got %v, want %v", got.data, want.data)
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

// npyFile builds a file by hand: the version, a header length of the version's
// width, the header as it is, and the data.
func npyFile(version byte, header, data string) string {
	s := "\x93NUMPY" + string([]byte{version, 0})
	if version == 1 {
		s += string(binary.LittleEndian.AppendUint16(nil, uint16(len(header))))
	} else {
		s += string(binary.LittleEndian.AppendUint32(nil, uint32(len(header))))
	}
	return s + header + data
}

func dict(descr, order, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", descr, order, shape)
}

func readString(s string) (*Tensor, error) { return ReadNPY(strings.NewReader(s)) }

// 1.0 and -2.0 as float32, little endian.
const onePair = "\x00\x00\x80\x3f\x00\x00\x00\xc0"

func TestReadNPYVersions(t *testing.T) {
	for _, v := range []byte{1, 2, 3} {
		got, err := readString(npyFile(v, dict("<f4", "False", "(2,)"), onePair))
		if err != nil {
			t.Fatalf("version %d: %v", v, err)
		}
		wantTensor[float32](t, got, Shape{2}, 1, -2)
	}
}

// The whole file as numpy.save writes it, byte by byte.
func TestWriteNPYGolden(t *testing.T) {
	golden := "\x93NUMPY\x01\x00\x76\x00" +
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }" + strings.Repeat(" ", 60) + "\n" +
		onePair
	var b bytes.Buffer
	if err := WriteNPY(&b, Must(From([]float32{1, -2}, 2))); err != nil {
		t.Fatal(err)
	}
	if b.String() != golden {
		t.Errorf("got  %q\nwant %q", b.String(), golden)
	}
	got, err := readString(golden)
	if err != nil {
		t.Fatal(err)
	}
	wantTensor[float32](t, got, Shape{2}, 1, -2)
}

func TestReadNPYTypes(t *testing.T) {
	read := func(descr, data string) *Tensor {
		t.Helper()
		got, err := readString(npyFile(1, dict(descr, "False", "(2,)"), data))
		if err != nil {
			t.Fatalf("%s: %v", descr, err)
		}
		return got
	}
	pair := Shape{2}
	wantTensor[float32](t, read("<f4", onePair), pair, 1, -2)
	wantTensor[float32](t, read(">f4", "\x3f\x80\x00\x00\xc0\x00\x00\x00"), pair, 1, -2)
	wantTensor[float64](t, read("<f8", "\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\xc0"), pair, 1, -2)
	wantTensor[float64](t, read(">f8", "\x3f\xf0\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x00"), pair, 1, -2)
	wantTensor[int32](t, read("<i4", "\x01\x02\x00\x00\xfe\xff\xff\xff"), pair, 513, -2)
	wantTensor[int32](t, read(">i4", "\x00\x00\x02\x01\xff\xff\xff\xfe"), pair, 513, -2)
	wantTensor[int64](t, read("<i8", "\x01\x02\x00\x00\x00\x00\x00\x00\xfe\xff\xff\xff\xff\xff\xff\xff"), pair, 513, -2)
	wantTensor[int64](t, read(">i8", "\x00\x00\x00\x00\x00\x00\x02\x01\xff\xff\xff\xff\xff\xff\xff\xfe"), pair, 513, -2)
	wantTensor[uint8](t, read("|u1", "\x07\xff"), pair, 7, 255)
	wantTensor[bool](t, read("|b1", "\x00\x01"), pair, false, true)
	wantTensor[bool](t, read("|b1", "\x80\x00"), pair, true, false) // never a Go bool of another byte
	wantTensor[float32](t, read("<f2", "\x00\x3c\x00\xc0"), pair, 1, -2)
	wantTensor[float32](t, read(">f2", "\x3c\x00\xc0\x00"), pair, 1, -2)
}

func TestReadNPYFortran(t *testing.T) {
	// a[i,j,k] = 100i + 10j + k of shape (2,3,2), the first index fastest.
	var col []byte
	for k := range 2 {
		for j := range 3 {
			for i := range 2 {
				col = append(col, byte(100*i+10*j+k))
			}
		}
	}
	got, err := readString(npyFile(1, dict("|u1", "True", "(2, 3, 2)"), string(col)))
	if err != nil {
		t.Fatal(err)
	}
	wantTensor[uint8](t, got, Shape{2, 3, 2}, 0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121)

	// Bytes are swapped within an element, not across the reordering.
	got, err = readString(npyFile(1, dict(">i4", "True", "(1, 2)"), "\x00\x00\x00\x01\x00\x00\x00\x02"))
	if err != nil {
		t.Fatal(err)
	}
	wantTensor[int32](t, got, Shape{1, 2}, 1, 2)

	for shape, data := range map[string]string{"()": "\x05", "(1,)": "\x05", "(0, 3)": ""} {
		got, err := readString(npyFile(1, dict("|u1", "True", shape), data))
		if err != nil || got.Size() != len(data) {
			t.Errorf("shape %s: got %v, %v", shape, got, err)
		}
	}
}

func TestReadNPYHeaderForms(t *testing.T) {
	for name, header := range map[string]string{
		"compact":       "{'descr':'|u1','fortran_order':False,'shape':(2,3)}",
		"other order":   "{'shape': (2, 3), 'fortran_order': False, 'descr': '|u1'}",
		"double quotes": `{"descr": "|u1", "fortran_order": False, "shape": (2, 3)}`,
		"python 2":      "{'descr': '|u1', 'fortran_order': False, 'shape': (2L, 3L), }",
		"blanks":        "  {\t'descr' : '|u1' , 'fortran_order' : False ,\n 'shape' : ( 2 , 3 , ) }   \n",
		"order given":   "{'descr': '<u1', 'fortran_order': False, 'shape': (2, 3)}",
	} {
		got, err := readString(npyFile(1, header, "abcdef"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wantTensor(t, got, Shape{2, 3}, []byte("abcdef")...)
	}
}

func TestReadNPYMalformed(t *testing.T) {
	good := npyFile(1, dict("<f4", "False", "(2,)"), onePair)
	head := func(header string) string { return npyFile(1, header, onePair) }
	typ := func(descr string) string { return head(dict(descr, "False", "(2,)")) }
	shape := func(s string) string { return head(dict("<f4", "False", s)) }
	for name, c := range map[string]struct {
		file string
		kind error
		part string
	}{
		"empty":             {"", io.ErrUnexpectedEOF, "file header: got 0 bytes, want 8"},
		"cut magic":         {good[:3], io.ErrUnexpectedEOF, "got 3 bytes, want 8"},
		"cut length":        {good[:9], io.ErrUnexpectedEOF, "header length: got 1 bytes, want 2"},
		"no header":         {good[:10], io.ErrUnexpectedEOF, "header: got 0 bytes"},
		"cut header":        {good[:30], io.ErrUnexpectedEOF, "header: got 20 bytes"},
		"no data":           {good[:len(good)-8], io.ErrUnexpectedEOF, "data: got 0 bytes, want 8"},
		"cut data":          {good[:len(good)-1], io.ErrUnexpectedEOF, "data: got 7 bytes, want 8"},
		"a zip":             {"PK\x03\x04 and more than eight", nil, "not an npy file"},
		"version 4":         {npyFile(4, dict("<f4", "False", "(2,)"), onePair), errors.ErrUnsupported, "version 4.0"},
		"version 1.1":       {"\x93NUMPY\x01\x01" + good[8:], errors.ErrUnsupported, "version 1.1"},
		"long header":       {"\x93NUMPY\x02\x00\x00\x00\x00\xff", nil, "header of 4278190080 bytes: want at most 65536"},
		"float128":          {typ("<f16"), errors.ErrUnsupported, `dtype "<f16"`},
		"complex":           {typ("<c8"), errors.ErrUnsupported, `dtype "<c8"`},
		"int8":              {typ("|i1"), errors.ErrUnsupported, `dtype "|i1"`},
		"uint16":            {typ("<u2"), errors.ErrUnsupported, `dtype "<u2"`},
		"object":            {typ("|O"), errors.ErrUnsupported, `dtype "|O"`},
		"no order":          {typ("f4"), errors.ErrUnsupported, `dtype "f4"`},
		"orderless float":   {typ("|f4"), errors.ErrUnsupported, `dtype "|f4"`},
		"empty dtype":       {typ(""), errors.ErrUnsupported, `dtype ""`},
		"structured":        {head("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}"), errors.ErrUnsupported, "[('a', '<f4')]"},
		"not a dict":        {head("(1, 2)"), nil, "want a dict"},
		"empty header":      {head(""), nil, "want a dict"},
		"empty dict":        {head("{}"), nil, "descr is missing"},
		"open dict":         {head("{'descr': '<f4', "), nil, "want a quoted key"},
		"no comma":          {head("{'descr': '<f4' 'shape': (2,)}"), nil, "want a comma"},
		"open string":       {head("{'descr"), nil, "want a quoted key"},
		"no shape":          {head("{'descr': '<f4', 'fortran_order': False}"), nil, "shape is missing"},
		"twice":             {head("{'descr': '<f4', 'descr': '<f8'}"), nil, "comes twice"},
		"unknown key":       {head("{'descr': '<f4', 'color': 1}"), nil, `unknown key "color"`},
		"order is a number": {head(dict("<f4", "0", "(2,)")), nil, "value of fortran_order"},
		"text after":        {head(dict("<f4", "False", "(2,)") + "x"), nil, "text after the dict"},
		"shape is a number": {shape("2"), nil, "value of shape"},
		"shape is (2)":      {shape("(2)"), nil, "value of shape"},
		"shape is a list":   {shape("[2]"), nil, "value of shape"},
		"hole in shape":     {shape("(2,,1)"), nil, "value of shape"},
		"no comma in shape": {shape("(2 1)"), nil, "value of shape"},
		"float dim":         {shape("(2.0,)"), nil, "value of shape"},
		"open shape":        {head("{'shape': (2,"), nil, "value of shape"},
		"negative dim":      {shape("(-2,)"), nil, "dim 0 is -2"},
		"dim over int64":    {shape("(9223372036854775808,)"), nil, "value of shape"},
		"product overflows": {shape("(4294967296, 4294967296, 4)"), nil, "more than"},
		"rank 9":            {shape("(1,1,1,1,1,1,1,1,1)"), nil, "rank is 9"},
		"rank 20000":        {shape("(" + strings.Repeat("1,", 20000) + ")"), nil, "value of shape"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readString(c.file)
			if got != nil {
				t.Errorf("got a tensor of shape %v", got.Shape())
			}
			wantError(t, err, c.kind, "tensor: ReadNPY: ", c.part)
			if err != nil && len(err.Error()) > 300 {
				t.Errorf("error of %d bytes", len(err.Error()))
			}
		})
	}
}

// A header that claims far more than the file holds must cost little memory.
func TestReadNPYHostileMemory(t *testing.T) {
	for name, c := range map[string]struct{ descr, order, shape string }{
		"1e12 floats":  {"<f4", "False", "(1000000, 1000000)"},
		"1e12 fortran": {"<f8", "True", "(1000000, 1000000)"},
		"1e12 halves":  {"<f2", "False", "(1000000, 1000000)"},
		"1e18 bytes":   {"|u1", "False", "(1000000000000000000,)"},
	} {
		file := npyFile(2, dict(c.descr, c.order, c.shape), onePair)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readString(file)
		runtime.ReadMemStats(&after)
		wantError(t, err, io.ErrUnexpectedEOF, "got 8 bytes, want ")
		if grew := after.TotalAlloc - before.TotalAlloc; grew > 1<<20 {
			t.Errorf("%s: allocated %d bytes for a file of %d", name, grew, len(file))
		}
	}
}

// Data larger than the first read grows its slice; one byte a call is the
// slowest reader there is.
func TestReadNPYGrowth(t *testing.T) {
	n := 3*npyFirstRead/4 + 5
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(i)
	}
	want := Must(From(data, n))
	var b bytes.Buffer
	if err := WriteNPY(&b, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadNPY(iotest.OneByteReader(&b))
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, got, want)
}

func TestReadNPYReaderError(t *testing.T) {
	good := npyFile(1, dict("<f4", "False", "(2,)"), onePair)
	boom := errors.New("boom")
	for n := range len(good) {
		_, err := ReadNPY(io.MultiReader(strings.NewReader(good[:n]), iotest.ErrReader(boom)))
		wantError(t, err, boom)
	}
}

func TestNPYStream(t *testing.T) {
	a, b := Must(From([]int64{1, -1}, 2)), Must(From([]uint8{3}))
	var buf bytes.Buffer
	for _, x := range []*Tensor{a, b} {
		if err := WriteNPY(&buf, x); err != nil {
			t.Fatal(err)
		}
	}
	buf.WriteString("rest")
	for _, want := range []*Tensor{a, b} {
		got, err := ReadNPY(&buf)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, got, want)
	}
	if buf.String() != "rest" {
		t.Errorf("left %q, want %q", buf.String(), "rest")
	}
}

func TestNPYRoundTrip(t *testing.T) {
	nan := math.Float32frombits(0x7fa12345) // a signalling NaN keeps its bits
	dir := t.TempDir()
	for i, want := range []*Tensor{
		Must(From([]float32{nan, float32(math.Inf(-1)), float32(math.Copysign(0, -1)), 1e-45, 3, math.MaxFloat32}, 1, 2, 3)),
		Must(From([]float64{math.Pi, math.NaN()}, 2, 1)),
		Must(From([]int32{math.MinInt32, math.MaxInt32}, 2)),
		Must(From([]int64{math.MinInt64, math.MaxInt64}, 2)),
		Must(From([]uint8{0, 255}, 1, 1, 1, 1, 1, 1, 1, 2)),
		Must(From([]bool{true, false, true}, 3, 1)),
		Must(From([]float32{7})),
		Must(New(Float64, 0)),
		Must(New(Int32, 3, 0, 2)),
		Must(New(Uint8, 0, math.MaxInt, math.MaxInt, math.MaxInt, math.MaxInt, math.MaxInt, math.MaxInt, math.MaxInt)), // the longest header
	} {
		path := filepath.Join(dir, fmt.Sprint(i, ".npy"))
		if err := SaveNPY(path, want); err != nil {
			t.Fatal(err)
		}
		got, err := LoadNPY(path)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, got, want)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if start := len(raw) - len(want.Bytes()); start%64 != 0 || raw[start-1] != '\n' {
			t.Errorf("case %d: data begins at byte %d after %q, want a multiple of 64 after a newline", i, start, raw[start-1])
		}
	}
}

func TestWriteNPYErrors(t *testing.T) {
	wantError(t, WriteNPY(io.Discard, nil), nil, "tensor: WriteNPY: ", "nil")
	wantError(t, WriteNPY(io.Discard, &Tensor{}), nil, "no type")
	boom := errors.New("boom")
	for n := range 2 { // the header fails, the data fails
		wantError(t, WriteNPY(&failAfter{n, boom}, Must(New(Float32, 4))), boom)
	}
}

// failAfter accepts n writes.
type failAfter struct {
	n   int
	err error
}

func (f *failAfter) Write(b []byte) (int, error) {
	if f.n--; f.n < 0 {
		return 0, f.err
	}
	return len(b), nil
}

func TestSaveNPYFailureKeepsOld(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.npy")
	want := Must(From([]float32{1, 2}, 2))
	if err := SaveNPY(path, want); err != nil {
		t.Fatal(err)
	}
	wantError(t, SaveNPY(path, nil), nil, "tensor: SaveNPY: ", path)
	got, err := LoadNPY(path)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, got, want)
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("folder holds %v, want only a.npy", entries)
	}
	wantError(t, SaveNPY(filepath.Join(dir, "none", "a.npy"), want), fs.ErrNotExist, "none")
}

func TestLoadNPYErrors(t *testing.T) {
	dir := t.TempDir()
	good := npyFile(1, dict("<f4", "False", "(2,)"), onePair)
	put := func(name, data string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		path string
		kind error
		part string
	}{
		{filepath.Join(dir, "none.npy"), fs.ErrNotExist, "none.npy"},
		{dir, nil, "got a folder"},
		{put("trailing.npy", good+"x"), nil, "data after the end of the float32 array of shape [2]"},
		{put("short.npy", good[:len(good)-3]), io.ErrUnexpectedEOF, "data: got 5 bytes, want 8"},
	} {
		_, err := LoadNPY(c.path)
		wantError(t, err, c.kind, "tensor: LoadNPY", c.part)
	}
}

// conformance returns the folder of data made by other programs.
func conformance(t *testing.T) string {
	dir := os.Getenv("CONVGL_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "conformance")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no conformance data: %v", err)
	}
	return dir
}

// Files written by NumPy: the elements are the file's last bytes, as they are.
func TestConformanceNPYFiles(t *testing.T) {
	files := 0
	err := filepath.WalkDir(conformance(t), func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".npy" {
			return err
		}
		got, err := LoadNPY(path)
		if err != nil {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if hostLittleEndian && !bytes.HasSuffix(raw, got.Bytes()) {
			t.Errorf("%s: elements are not those of the file", path)
		}
		var b bytes.Buffer
		if err := WriteNPY(&b, got); err != nil {
			return err
		}
		again, err := ReadNPY(&b)
		if err != nil {
			return err
		}
		wantSame(t, again, got)
		files++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Error("no .npy file in the conformance data")
	}
}

// The shapes and types that the manifest of the course note's cases gives.
func TestConformanceNPYManifest(t *testing.T) {
	dir := filepath.Join(conformance(t), "seed_golden")
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name   string
		Shapes map[string]Shape
		DTypes map[string]string
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Error("the manifest has no cases")
	}
	for _, c := range cases {
		for name, shape := range c.Shapes {
			got, err := LoadNPY(filepath.Join(dir, c.Name, name+".npy"))
			if err != nil {
				t.Error(err)
			} else if !got.Shape().Equal(shape) || got.DType().String() != c.DTypes[name] {
				t.Errorf("%s/%s: got %v %v, want %s %v", c.Name, name, got.DType(), got.Shape(), c.DTypes[name], shape)
			}
		}
	}
}

// What can be read can be written, and then reads the same.
func FuzzReadNPY(f *testing.F) {
	for _, seed := range []string{
		"",
		npyFile(1, dict("<f4", "False", "(2,)"), onePair),
		npyFile(2, dict(">i8", "True", "(1, 1)"), onePair),
		npyFile(3, dict("<f2", "True", "(2, 2)"), onePair),
		npyFile(1, dict("|b1", "False", "()"), "\x01"),
		npyFile(1, dict("|u1", "True", "(2, 0, 3)"), ""),
		npyFile(2, dict("<f8", "False", "(1000000, 1000000)"), onePair),
		npyFile(1, `{"shape": (2L,), "fortran_order": True, "descr": "<i4"}`, onePair),
		npyFile(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", onePair),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := ReadNPY(bytes.NewReader(file))
		if err != nil {
			if got != nil {
				t.Errorf("a tensor beside the error %v", err)
			}
			return
		}
		if n := len(got.Bytes()); n > 2*len(file) { // float16 doubles
			t.Errorf("%d bytes of elements from a file of %d", n, len(file))
		}
		var b bytes.Buffer
		if err := WriteNPY(&b, got); err != nil {
			t.Fatal(err)
		}
		again, err := ReadNPY(&b)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, again, got)
	})
}
