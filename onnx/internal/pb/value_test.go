package pb

import (
	"errors"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/convgl/convgl/tensor"
)

func TestElems(t *testing.T) {
	for _, c := range []struct {
		dims []int64
		want int64
		err  string
	}{
		{nil, 1, ""},
		{[]int64{2, 3}, 6, ""},
		{[]int64{2, 0, math.MaxInt64}, 0, ""},
		{[]int64{math.MaxInt64, math.MaxInt64, 0}, 0, ""},
		{[]int64{-1}, 0, "dim 0 is -1, want 0 or more"},
		{[]int64{0, math.MinInt64}, 0, "dim 1 is -9223372036854775808"},
		{[]int64{1 << 32, 1 << 32}, 0, "more than"},
		{[]int64{1 << 31, 1 << 31, 4}, 0, "more than"}, // 2⁶⁴, which is 0 in 64 bits
		{[]int64{tensor.MaxElems}, tensor.MaxElems, ""},
		{[]int64{tensor.MaxElems, 2}, 0, "more than"},
		{make([]int64, 9), 0, "got 9 dims, want at most 8"},
	} {
		got, err := (&Tensor{Name: "w", Dims: c.dims}).Elems()
		if c.err == "" && (err != nil || got != c.want) {
			t.Errorf("%v: got %d, %v, want %d", c.dims, got, err, c.want)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), `tensor "w"`)) {
			t.Errorf("%v: got %v, want %q", c.dims, err, c.err)
		}
	}
}

func value[T tensor.Element](data ...T) *tensor.Tensor {
	return tensor.Must(tensor.From(data, len(data)))
}

func TestValue(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		name  string
		t     Tensor
		want  *tensor.Tensor
		notes []string
	}{
		{"float32", Tensor{DataType: Float, Raw: []byte{0, 0, 128, 63, 0, 0, 0, 192}}, value[float32](1, -2), nil},
		{"float32 typed", Tensor{DataType: Float, FloatData: []float32{1, -2}}, value[float32](1, -2), nil},
		{"int32", Tensor{DataType: Int32, Raw: []byte{1, 0, 0, 0, 254, 255, 255, 255}}, value[int32](1, -2), nil},
		{"int32 typed", Tensor{DataType: Int32, Int32Data: []int32{1, -2}}, value[int32](1, -2), nil},
		{"int64", Tensor{DataType: Int64, Raw: []byte{1, 0, 0, 0, 0, 0, 0, 0, 254, 255, 255, 255, 255, 255, 255, 255}}, value[int64](1, -2), nil},
		{"int64 typed", Tensor{DataType: Int64, Int64Data: []int64{1, math.MinInt64}}, value[int64](1, math.MinInt64), nil},
		{"uint8", Tensor{DataType: Uint8, Raw: []byte{0, 255}}, value[uint8](0, 255), nil},
		{"uint8 typed", Tensor{DataType: Uint8, Int32Data: []int32{0, 255}}, value[uint8](0, 255), nil},
		{"bool", Tensor{DataType: Bool, Raw: []byte{0, 1}}, value(false, true), nil},
		{"bool typed", Tensor{DataType: Bool, Int32Data: []int32{0, 1}}, value(false, true), nil},
		{"float16", Tensor{DataType: Float16, Raw: []byte{0, 0x3c, 1, 0}}, value[float32](1, 0x1p-24), []string{"float16 as float32"}},
		{"float16 typed", Tensor{DataType: Float16, Int32Data: []int32{0x3c00, 0xfc00}}, value(1, -inf), []string{"float16 as float32"}},
		{"bfloat16", Tensor{DataType: BFloat16, Raw: []byte{0x80, 0x3f, 0, 0xc0}}, value[float32](1, -2), []string{"bfloat16 as float32"}},
		{"bfloat16 typed", Tensor{DataType: BFloat16, Int32Data: []int32{0x3f80, 0xc000}}, value[float32](1, -2), []string{"bfloat16 as float32"}},
		{"float64", Tensor{DataType: Double, Raw: []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f}}, value(1, inf), []string{"float64 as float32"}},
		{"float64 typed", Tensor{DataType: Double, DoubleData: []float64{0.1, -1e39, 1e300}}, value(0.1, -inf, inf),
			[]string{"float64 as float32", "2 float64 values beyond float32's range as infinity"}},
		{"int8", Tensor{DataType: Int8, Raw: []byte{127, 128}}, value[int32](127, -128), []string{"int8 as int32"}},
		{"int8 typed", Tensor{DataType: Int8, Int32Data: []int32{127, -128}}, value[int32](127, -128), []string{"int8 as int32"}},
		{"int16", Tensor{DataType: Int16, Raw: []byte{255, 127, 0, 128}}, value[int32](32767, -32768), []string{"int16 as int32"}},
		{"int16 typed", Tensor{DataType: Int16, Int32Data: []int32{32767, -32768}}, value[int32](32767, -32768), []string{"int16 as int32"}},
		{"uint16", Tensor{DataType: Uint16, Raw: []byte{255, 255, 0, 1}}, value[int32](65535, 256), []string{"uint16 as int32"}},
		{"uint16 typed", Tensor{DataType: Uint16, Int32Data: []int32{65535}}, value[int32](65535), []string{"uint16 as int32"}},
		{"uint32", Tensor{DataType: Uint32, Raw: []byte{255, 255, 255, 255}}, value[int64](math.MaxUint32), []string{"uint32 as int64"}},
		{"uint32 typed", Tensor{DataType: Uint32, Uint64Data: []uint64{math.MaxUint32}}, value[int64](math.MaxUint32), []string{"uint32 as int64"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.t.Dims = []int64{int64(c.want.Size())}
			got, notes, err := c.t.Value(ValueOptions{Widen: true})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) || !reflect.DeepEqual(notes, c.notes) {
				t.Errorf("got %v %q, want %v %q", got, notes, c.want, c.notes)
			}
			// One value too few, by dims.
			c.t.Dims = []int64{int64(c.want.Size()) + 1}
			if _, _, err := c.t.Value(ValueOptions{Widen: true}); err == nil || !strings.Contains(err.Error(), "want") {
				t.Errorf("one value too few: got %v", err)
			}
			// No value, for as many as it takes.
			c.t = Tensor{DataType: c.t.DataType, Dims: []int64{0, 3}}
			if got, _, err := c.t.Value(ValueOptions{Widen: true}); err != nil || !got.Shape().Equal(tensor.Shape{0, 3}) || got.DType() != c.want.DType() {
				t.Errorf("empty: got %v, %v", got, err)
			}
		})
	}
	// More than one buffer of the conversion.
	big := Tensor{DataType: Int16, Dims: []int64{3, 10001}, Raw: make([]byte, 2*30003)}
	big.Raw[2*30002], big.Raw[2*8192] = 7, 8
	got, _, err := big.Value(ValueOptions{Widen: true})
	if err != nil {
		t.Fatal(err)
	}
	if d, _ := tensor.Data[int32](got); d[30002] != 7 || d[8192] != 8 || d[8191] != 0 {
		t.Error("a large tensor is converted wrong")
	}
}

func TestValueErrors(t *testing.T) {
	two := []int64{2}
	for _, c := range []struct {
		t           Tensor
		unsupported bool
		want        string
	}{
		{Tensor{DataType: Undefined}, true, `tensor "w" (undefined []): elements of type undefined`},
		{Tensor{DataType: String, StringData: [][]byte{{}}}, true, "elements of type string"},
		{Tensor{DataType: Uint64}, true, "elements of type uint64"},
		{Tensor{DataType: Complex64}, true, "elements of type complex64"},
		{Tensor{DataType: Float8E5M2}, true, "elements of type float8e5m2"},
		{Tensor{DataType: Int4}, true, "elements of type int4"},
		{Tensor{DataType: 99}, true, "elements of type type 99"},
		{Tensor{DataType: Int8, Raw: []byte{1}}, true, "elements of type int8"},
		{Tensor{DataType: Float, Segmented: true}, true, "a part of a tensor"},
		{Tensor{DataType: Float}, false, "raw_data has 0 bytes, want 4"},
		{Tensor{DataType: Float, Dims: two, Raw: make([]byte, 9)}, false, "raw_data has 9 bytes, want 8"},
		{Tensor{DataType: Float, Dims: two, Raw: make([]byte, 7)}, false, "raw_data has 7 bytes, want 8"},
		{Tensor{DataType: Float, Dims: two, FloatData: []float32{1}}, false, "float_data has 1 values, want 2"},
		{Tensor{DataType: Float, Dims: two, FloatData: make([]float32, 3)}, false, "float_data has 3 values, want 2"},
		{Tensor{DataType: Float, Dims: two, Int32Data: make([]int32, 2)}, false, "values in int32_data, want float_data or raw_data"},
		{Tensor{DataType: Int32, Dims: two, Int64Data: make([]int64, 2)}, false, "values in int64_data, want int32_data or raw_data"},
		{Tensor{DataType: Float, FloatData: []float32{1}, Raw: make([]byte, 4)}, false, "values in float_data and raw_data, want them in one place"},
		{Tensor{DataType: Float, Dims: []int64{math.MaxInt64}, Raw: make([]byte, 4)}, false, "more than"},
		{Tensor{DataType: Float, Dims: []int64{tensor.MaxElems}, Raw: make([]byte, 4)}, false, "raw_data has 4 bytes"},
		{Tensor{DataType: Uint8, Int32Data: []int32{256}}, false, "value 0 is 256, want 0 to 255"},
		{Tensor{DataType: Uint8, Dims: two, Int32Data: []int32{0, -1}}, false, "value 1 is -1, want 0 to 255"},
		{Tensor{DataType: Float16, Int32Data: []int32{65536}}, false, "value 0 is 65536, want 0 to 65535"},
		{Tensor{DataType: Float, DataLocation: 2}, false, "data_location is 2"},
		{Tensor{DataType: Float, DataLocation: 1}, false, "a file of its own"},
		{Tensor{DataType: Float, DataLocation: 1, Raw: make([]byte, 4)}, false, "values in raw_data and external data"},
	} {
		c.t.Name = "w"
		v, _, err := c.t.Value(ValueOptions{})
		if v != nil || err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, errors.ErrUnsupported) != c.unsupported {
			t.Errorf("got %v, %v; want %q", v, err, c.want)
		}
	}
	wide := Tensor{DataType: Int8, Int32Data: []int32{128}}
	if _, _, err := wide.Value(ValueOptions{Widen: true}); err == nil || !strings.Contains(err.Error(), "want -128 to 127") {
		t.Errorf("got %v", err)
	}
}

// The tensors of the conformance files' inputs, outputs and weights are all read.
func TestConformanceTensors(t *testing.T) {
	dir := conformance(t)
	read, unsupported := 0, map[string]int{}
	one := func(name string, v *Tensor) {
		_, _, err := v.Value(ValueOptions{Widen: true})
		switch {
		case err == nil:
			read++
		case errors.Is(err, errors.ErrUnsupported):
			unsupported[v.DataType.String()]++
		default:
			t.Errorf("%s: %v", name, err)
		}
	}
	tensors := 0
	for _, sub := range []string{"onnx_node", "light", "models"} {
		files(t, filepath.Join(dir, sub), ".pb", func(name string, data []byte) {
			v, err := DecodeTensor(data, Limits{})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			tensors++
			one(name, v)
		})
		files(t, filepath.Join(dir, sub), ".onnx", func(name string, data []byte) {
			for _, v := range mustDecode(t, data).Graph.Initializers {
				one(name, v)
			}
		})
	}
	if tensors < 1500 || read < 4000 {
		t.Errorf("%d files of tensors, %d tensors read", tensors, read)
	}
	delete(unsupported, "uint64")
	if len(unsupported) > 0 {
		t.Errorf("not supported: %v", unsupported)
	}
}
