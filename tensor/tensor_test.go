package tensor

import (
	"math"
	"slices"
	"testing"
)

func TestShapeElems(t *testing.T) {
	for _, c := range []struct {
		shape Shape
		want  int
		err   string
	}{
		{Shape{}, 1, ""},
		{Shape{2, 3, 4}, 24, ""},
		{Shape{math.MaxInt, 0}, 0, ""},
		{Shape{0, math.MaxInt, math.MaxInt}, 0, ""},
		{Shape{MaxElems}, MaxElems, ""},
		{Shape{MaxElems + 1}, 0, "more than"},
		{Shape{1 << 32, 1 << 32}, 0, "more than"}, // wraps to 0
		{Shape{3, 1 << 62, 1 << 2}, 0, "more than"},
		{Shape{2, -1}, 0, "dim 1 is -1"},
		{Shape{0, -1}, 0, "dim 1 is -1"},
		{make(Shape, MaxRank+1), 0, "rank is 9, want at most 8"},
	} {
		got, err := c.shape.Elems()
		if c.err != "" {
			wantError(t, err, nil, c.err)
		} else if err != nil {
			t.Error(err)
		}
		if got != c.want || c.shape.Size() != c.want {
			t.Errorf("%v: got %d and Size %d, want %d", c.shape, got, c.shape.Size(), c.want)
		}
	}
}

func TestShapeStrides(t *testing.T) {
	if got := (Shape{2, 3, 4}).Strides(); !slices.Equal(got, []int{12, 4, 1}) {
		t.Errorf("got %v, want [12 4 1]", got)
	}
	if got := (Shape{}).Strides(); len(got) != 0 {
		t.Errorf("got %v, want none", got)
	}
}

func TestBroadcast(t *testing.T) {
	for _, c := range []struct{ a, b, want Shape }{
		{Shape{2, 3}, Shape{2, 3}, Shape{2, 3}},
		{Shape{2, 1, 4}, Shape{3, 1}, Shape{2, 3, 4}},
		{Shape{}, Shape{5}, Shape{5}},
		{Shape{0}, Shape{1}, Shape{0}},
		{Shape{2, 3}, Shape{2}, nil},
		{Shape{0}, Shape{2}, nil},
	} {
		for _, ab := range [][2]Shape{{c.a, c.b}, {c.b, c.a}} {
			got, err := Broadcast(ab[0], ab[1])
			if c.want == nil {
				wantError(t, err, nil, "do not broadcast")
			} else if err != nil || !got.Equal(c.want) {
				t.Errorf("%v with %v: got %v, %v, want %v", ab[0], ab[1], got, err, c.want)
			}
		}
	}
}

func TestNewAndFromErrors(t *testing.T) {
	_, err := New(Invalid, 2)
	wantError(t, err, nil, "type invalid")
	_, err = New(DType(99), 2)
	wantError(t, err, nil, "DType(99)")
	_, err = New(Float32, -1)
	wantError(t, err, nil, "dim 0 is -1")
	_, err = From([]float32{1, 2}, 3)
	wantError(t, err, nil, "shape [3] needs 3 elements, got 2")
	defer func() {
		if recover() == nil {
			t.Error("Must did not panic")
		}
	}()
	Must(From([]float32{1, 2}, 3))
}

func TestTensorMemory(t *testing.T) {
	data := []float32{1, 2, 3, 4}
	a := Must(From(data, 2, 2))
	b, err := a.Reshape(4, 1)
	if err != nil {
		t.Fatal(err)
	}
	c := a.Clone()
	data[0] = 9
	wantTensor[float32](t, b, Shape{4, 1}, 9, 2, 3, 4)
	wantTensor[float32](t, c, Shape{2, 2}, 1, 2, 3, 4)
	if got, err := Data[float32](a); err != nil || &got[0] != &data[0] {
		t.Errorf("Data does not share the memory: %v", err)
	}
	_, err = Data[int32](a)
	wantError(t, err, nil, "float32", "int32")
	_, err = a.Reshape(3)
	wantError(t, err, nil, "[2,2]", "[3]")
	if count[int32](2).Float32s() != nil {
		t.Error("Float32s of an int32 tensor is not nil")
	}
}

func TestAsFloat32(t *testing.T) {
	want := []float32{0, 1, 2}
	for _, in := range []*Tensor{count[float32](3), count[float64](3), count[int32](3), count[int64](3), count[uint8](3)} {
		wantTensor(t, in.AsFloat32(), Shape{3}, want...)
		if in.DType() == Float32 != (in.AsFloat32() == in) {
			t.Errorf("%v: the wrong one of copy and tensor itself", in.DType())
		}
	}
	wantTensor[float32](t, Must(From([]bool{true, false}, 2)).AsFloat32(), Shape{2}, 1, 0)
	wantTensor[float32](t, Must(From([]int64{1<<24 + 1, 1<<24 + 3}, 2)).AsFloat32(), Shape{2}, 1<<24, 1<<24+4) // ties to even
}

func TestDType(t *testing.T) {
	for d, want := range map[DType]struct {
		name string
		size int
	}{
		Invalid: {"invalid", 0}, Float32: {"float32", 4}, Float64: {"float64", 8},
		Int32: {"int32", 4}, Int64: {"int64", 8}, Uint8: {"uint8", 1}, Bool: {"bool", 1}, 77: {"DType(77)", 0},
	} {
		if d.String() != want.name || d.Size() != want.size {
			t.Errorf("got %v of %d bytes, want %s of %d", d, d.Size(), want.name, want.size)
		}
	}
}
