package ref

import (
	"unsafe"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// place says where the elements of a tensor lie: what the layout decides.
type place struct {
	shape    tensor.Shape
	size     int // elements
	bytes    int // of one element
	strides  []int
	rowMajor bool // strides are those of a row-major array
	// volume are the strides of an image seen as N, C, D, H, W: 0 for a dim that it
	// lacks.
	volume [5]int
	lanes  [2]int // channels used and stored in each row of a padded layout
}

func placeOf(d backend.TensorDesc) place {
	if d.Layout.Order == backend.OrderAny {
		d.Layout = backend.Plain
	}
	p := place{shape: d.Shape, size: d.Shape.Size(), bytes: d.DType.Size(), strides: d.Layout.Strides(d.Shape)}
	p.rowMajor = true
	for i, s := range d.Shape.Strides() {
		p.rowMajor = p.rowMajor && p.strides[i] == s
	}
	if n := len(d.Shape); n >= 2 && n <= 5 {
		copy(p.volume[:2], p.strides)
		copy(p.volume[7-n:], p.strides[2:])
	}
	if n := len(d.Shape); n >= 2 && d.Layout.Order == backend.OrderChannelsLast {
		p.lanes = [2]int{d.Shape[1], d.Layout.PhysicalShape(d.Shape)[n-1]}
	}
	return p
}

// pos is a position in the three spatial dims.
type pos struct{ d, h, w int }

// array is a tensor in memory. Its elements are addressed either by their number
// in row-major logical order (at, set) or as those of an image or of weights
// (get, put), whatever the layout.
type array struct {
	place
	raw []byte
	f32 []float32
	i32 []int32
}

// bind gives the array its memory.
func (a *array) bind(mem []byte) {
	a.raw = mem
	p := unsafe.Pointer(unsafe.SliceData(mem))
	a.f32 = unsafe.Slice((*float32)(p), len(mem)/4)
	a.i32 = unsafe.Slice((*int32)(p), len(mem)/4)
}

// where returns the offset in memory, in elements, of element number i.
func (a *array) where(i int) int {
	if a.rowMajor {
		return i
	}
	return offset(i, a.shape, a.strides)
}

// offset returns Σ coordinate·stride of element number i in row-major order of a
// shape.
func offset(i int, shape tensor.Shape, strides []int) int {
	o := 0
	for k := len(shape) - 1; k >= 0; k-- {
		o += i % shape[k] * strides[k]
		i /= shape[k]
	}
	return o
}

// at returns element number i.
func (a *array) at(i int) float64 { return float64(a.f32[a.where(i)]) }

// set stores element number i, rounded to float32.
func (a *array) set(i int, v float64) { a.f32[a.where(i)] = float32(v) }

// intAt returns element number i of an int32 array.
func (a *array) intAt(i int) int { return int(a.i32[a.where(i)]) }

// setInt stores element number i of an int32 array.
func (a *array) setInt(i, v int) { a.i32[a.where(i)] = int32(v) }

// get returns the element of batch entry n and channel c at p; for weights, the
// one of output channel n, input channel c and kernel position p.
func (a *array) get(n, c int, p pos) float64 {
	v := &a.volume
	return float64(a.f32[n*v[0]+c*v[1]+p.d*v[2]+p.h*v[3]+p.w*v[4]])
}

// zeroPadding clears the lanes beyond the last channel.
func (a *array) zeroPadding() {
	used, stored := a.lanes[0]*a.bytes, a.lanes[1]*a.bytes
	if used == stored {
		return
	}
	// The shape may be empty, and an allocation longer than the tensor.
	rows := 0
	if used > 0 {
		rows = a.size / a.lanes[0]
	}
	for r := range rows {
		clear(a.raw[r*stored+used : (r+1)*stored])
	}
}

// copyElement copies the bits of element number j to element number i.
func copyElement(to *array, i int, from *array, j int) {
	n := from.bytes
	copy(to.raw[to.where(i)*n:][:n], from.raw[from.where(j)*n:][:n])
}

// copyElements copies bits from one array to another with as many elements, in
// row-major logical order.
func copyElements(to, from *array) {
	for i := range from.size {
		copyElement(to, i, from, i)
	}
}
