package ref

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// The memory itself, worked out by hand: 2 pixels of 3 channels.
func TestReorderMemory(t *testing.T) {
	x := from(f32(1, 2, 10, 20, 100, 200), 1, 3, 2)
	be := open(t)
	for _, c := range []struct {
		layout backend.Layout
		want   []float32
	}{
		{backend.Plain, f32(1, 2, 10, 20, 100, 200)},
		{backend.ChannelsLast, f32(1, 10, 100, 2, 20, 200)},
		{backend.ChannelsLast4, f32(1, 10, 100, 0, 2, 20, 200, 0)},
	} {
		t.Run(c.layout.String(), func(t *testing.T) {
			d := backend.Of(x)
			d.Layout = c.layout
			inst, err := backend.NewInstance(ctx, be, backend.Desc{Op: backend.Reorder{}, In: []backend.TensorDesc{backend.Of(x)}, Out: []backend.TensorDesc{d}})
			if err != nil {
				t.Fatal(err)
			}
			defer inst.Close()
			if err := inst.SetInput(ctx, 0, x); err != nil {
				t.Fatal(err)
			}
			if err := inst.Run(ctx); err != nil {
				t.Fatal(err)
			}
			packed, err := be.Pack(ctx, x, d, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer packed.Close()
			for _, b := range []backend.Buffer{inst.Args.Out[0], packed} {
				got := from(make([]float32, len(c.want)), len(c.want))
				if b.Bytes() != int64(len(got.Bytes())) {
					t.Fatalf("got %d bytes, want %d", b.Bytes(), len(got.Bytes()))
				}
				if err := be.Read(ctx, got.Bytes(), b); err != nil {
					t.Fatal(err)
				}
				same(t, "memory", got, c.want)
			}
		})
	}
}

// Float32 bits (a NaN with a payload) and int32 come back as they were, from any
// layout to any other, in every rank.
func TestReorderRoundTrip(t *testing.T) {
	layouts := []backend.Layout{backend.Plain, backend.ChannelsLast, backend.ChannelsLast4, {Order: backend.OrderChannelsLast, Pad: 8}}
	shape := []int{2, 5, 3, 2, 2, 1, 2, 1}
	r := rand.New(rand.NewPCG(11, 12))
	for rank := range len(shape) + 1 {
		x := tensor.Must(tensor.New(tensor.Int32, shape[:rank]...))
		d, _ := tensor.Data[int32](x)
		for i := range d {
			d[i] = r.Int32() | 0x7fc00000*int32(i%2)
		}
		for _, from := range layouts {
			for _, to := range layouts {
				t.Run(fmt.Sprintf("rank %d %v to %v", rank, from, to), func(t *testing.T) {
					in, out := backend.Of(x), backend.Of(x)
					in.Layout, out.Layout = from, to
					got := runDesc(t, backend.Desc{Op: backend.Reorder{}, In: []backend.TensorDesc{in}, Out: []backend.TensorDesc{out}}, x)[0]
					if !bytes.Equal(got.Bytes(), x.Bytes()) {
						t.Errorf("the elements changed")
					}
				})
			}
		}
	}
}

// Reshape and Flatten keep the logical order whatever the layouts, for elements
// of every size.
func TestReshape(t *testing.T) {
	values := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	in := []*tensor.Tensor{from(values, 1, 3, 2, 2), as[float32](values, 1, 3, 2, 2), as[int32](values, 1, 3, 2, 2), as[int64](values, 1, 3, 2, 2), as[float64](values, 1, 3, 2, 2)}
	for _, x := range in {
		for _, op := range []backend.Op{backend.Reshape{Shape: []int{2, -1, 3}}, backend.Flatten{Axis: 2}} {
			layouts := []backend.Layout{backend.Plain}
			if x.DType().Size() == 4 { // what Upload and Download reorder
				layouts = append(layouts, backend.ChannelsLast4)
			}
			for _, l := range layouts {
				t.Run(fmt.Sprintf("%s %v %v", op.Kind(), x.DType(), l), func(t *testing.T) {
					d := backend.DescOf(op, x)
					d.In[0].Layout = l
					d, err := d.Resolve()
					if err != nil {
						t.Fatal(err)
					}
					d.Out[0].Layout = l
					got := runDesc(t, d, x)[0]
					if !bytes.Equal(got.Bytes(), x.Bytes()) || got.DType() != x.DType() {
						t.Errorf("the elements changed")
					}
				})
			}
		}
	}
}

func as[T tensor.Number](v []byte, shape ...int) *tensor.Tensor {
	d := make([]T, len(v))
	for i := range v {
		d[i] = T(v[i])
	}
	return from(d, shape...)
}
