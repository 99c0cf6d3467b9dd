package tensor

import "testing"

// count returns a tensor whose elements are 0, 1, 2... in row-major order.
func count[T Number](shape ...int) *Tensor {
	data := make([]T, Shape(shape).Size())
	for i := range data {
		data[i] = T(i)
	}
	return Must(From(data, shape...))
}

// at returns the element of a tensor made by count, or of a permutation of one.
func at[T Element](t *Tensor, index ...int) T {
	i := 0
	for a, s := range t.Shape().Strides() {
		i += index[a] * s
	}
	return t.data.([]T)[i]
}

// Each case gives, for an axis of the result, the axis of the input.
func TestLayouts(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(*Tensor) (*Tensor, error)
		in   Shape
		axes []int
	}{
		"HWCToNCHW batch":  {HWCToNCHW, Shape{2, 3, 5, 4}, []int{0, 3, 1, 2}},
		"HWCToNCHW gray":   {HWCToNCHW, Shape{2, 3, 5, 1}, []int{0, 3, 1, 2}},
		"NCHWToHWC batch":  {NCHWToHWC, Shape{2, 3, 5, 4}, []int{0, 2, 3, 1}},
		"NCHWToHWC single": {NCHWToHWC, Shape{3, 5, 4}, []int{1, 2, 0}},
		"ChannelsFirst 1":  {ChannelsFirst, Shape{2, 3, 5}, []int{0, 2, 1}},
		"ChannelsFirst 2":  {ChannelsFirst, Shape{2, 3, 5, 4}, []int{0, 3, 1, 2}},
		"ChannelsFirst 3":  {ChannelsFirst, Shape{2, 3, 5, 4, 7}, []int{0, 4, 1, 2, 3}},
		"ChannelsLast 1":   {ChannelsLast, Shape{2, 3, 5}, []int{0, 2, 1}},
		"ChannelsLast 2":   {ChannelsLast, Shape{2, 3, 5, 4}, []int{0, 2, 3, 1}},
		"ChannelsLast 3":   {ChannelsLast, Shape{2, 3, 5, 4, 7}, []int{0, 2, 3, 4, 1}},
		"KKIOToOIHW 1":     {KKIOToOIHW, Shape{2, 3, 5}, []int{2, 1, 0}},
		"KKIOToOIHW 2":     {KKIOToOIHW, Shape{2, 3, 5, 4}, []int{3, 2, 0, 1}},
		"KKIOToOIHW 3":     {KKIOToOIHW, Shape{2, 3, 5, 4, 7}, []int{4, 3, 0, 1, 2}},
		"OIHWToKKIO 1":     {OIHWToKKIO, Shape{2, 3, 5}, []int{2, 1, 0}},
		"OIHWToKKIO 2":     {OIHWToKKIO, Shape{2, 3, 5, 4}, []int{2, 3, 1, 0}},
		"OIHWToKKIO 3":     {OIHWToKKIO, Shape{2, 3, 5, 4, 7}, []int{2, 3, 4, 1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			in := count[int32](c.in...)
			got, err := c.f(in)
			if err != nil {
				t.Fatal(err)
			}
			want := make(Shape, len(c.axes))
			for i, a := range c.axes {
				want[i] = c.in[a]
			}
			if !got.Shape().Equal(want) {
				t.Fatalf("shape %v, want %v", got.Shape(), want)
			}
			to, from := make([]int, len(want)), make([]int, len(want))
			for i := range got.Size() {
				for a, s := range want.Strides() {
					to[a] = i / s % want[a]
					from[c.axes[a]] = to[a]
				}
				if g, w := at[int32](got, to...), at[int32](in, from...); g != w {
					t.Fatalf("element %v is %d, want %d", to, g, w)
				}
			}
			got.data.([]int32)[0] = -1
			if in.data.([]int32)[0] != 0 {
				t.Error("the result shares the input's memory")
			}
		})
	}
}

func TestHWCToNCHWSingle(t *testing.T) {
	got, err := HWCToNCHW(Must(From([]uint8{1, 2, 3, 4, 5, 6}, 1, 2, 3)))
	if err != nil {
		t.Fatal(err)
	}
	wantTensor[uint8](t, got, Shape{1, 3, 1, 2}, 1, 4, 2, 5, 3, 6)
	got, err = HWCToNCHW(Must(From([]bool{true, false, false, true}, 1, 2, 2)))
	if err != nil {
		t.Fatal(err)
	}
	wantTensor(t, got, Shape{1, 2, 1, 2}, true, false, false, true)
}

func TestLayoutRoundTrips(t *testing.T) {
	pairs := [][2]func(*Tensor) (*Tensor, error){
		{ChannelsFirst, ChannelsLast}, {ChannelsLast, ChannelsFirst}, {KKIOToOIHW, OIHWToKKIO}, {OIHWToKKIO, KKIOToOIHW},
	}
	for _, in := range []*Tensor{
		count[float32](3, 3, 2, 5), count[float64](2, 1, 3), count[int32](1, 2, 3, 4, 5),
		count[int64](2, 2, 2), count[uint8](4, 3, 2, 1), count[float32](2, 0, 3), count[float32](3, 2, 0),
	} {
		for i, f := range pairs {
			mid, err := f[0](in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f[1](mid)
			if err != nil {
				t.Fatal(err)
			}
			if got.DType() != in.DType() {
				t.Errorf("pair %d: type %v, want %v", i, got.DType(), in.DType())
			}
			wantSame(t, got, in)
		}
	}
}

func TestLayoutErrors(t *testing.T) {
	for name, f := range map[string]func(*Tensor) (*Tensor, error){
		"HWCToNCHW": HWCToNCHW, "NCHWToHWC": NCHWToHWC, "ChannelsFirst": ChannelsFirst,
		"ChannelsLast": ChannelsLast, "KKIOToOIHW": KKIOToOIHW, "OIHWToKKIO": OIHWToKKIO,
	} {
		_, err := f(nil)
		wantError(t, err, nil, "tensor: "+name+": ", "nil")
		_, err = f(&Tensor{shape: Shape{1, 1, 1}})
		wantError(t, err, nil, "type invalid")
		_, err = f(count[float32](2, 3))
		wantError(t, err, nil, "tensor: "+name+": got rank 2 (shape [2,3]), want [")
		_, err = f(count[float32](1, 1, 1, 1, 1, 1))
		wantError(t, err, nil, "tensor: "+name+": got rank 6")
	}
}
