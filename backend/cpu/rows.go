package cpu

import (
	"math"
	"unsafe"

	"github.com/convgl/convgl/backend"
)

//go:generate go -C _asm run . -family rows -out ../rows_amd64.s -stubs ../zrows_amd64.go -pkg cpu

// rowFns are elementwise functions on rows of contiguous elements, in one
// instruction set. An element's value does not depend on its place in a row, nor on
// the length of that. The rows have one length, which the caller vouches for; dst
// and src may be the same memory, but not overlap otherwise.
//
// A call is not preempted, so that it should take no more than rowChunk elements.
type rowFns struct {
	// add is dst += b.
	add func(dst, b []float32)
	// scaleShift is dst = src·scale + shift.
	scaleShift func(dst, src, scale, shift []float32)
	// scaleShiftAll is scaleShift with one scale and shift.
	scaleShiftAll func(dst, src []float32, scale, shift float32)
	// act has the function of each ActKind.
	act [len(genericActs)]actFn
	// binary has the functions of each BinaryKind by rowForm.
	binary [binaryKinds][3]binaryFn
	// where has the functions of Where by whereForm.
	where [4]whereFn
	// streamed are functions that store past the caches, nil for none.
	streamed *streamedFns
}

// streamedFns are functions whose rows of results begin at multiples of align bytes,
// nil where time goes into arithmetic. An output that no cache holds is then not read
// before it is written: 2 times the rate of Relu. In place they lose.
type streamedFns struct {
	act    [len(genericActs)]actFn
	binary [binaryKinds][3]binaryFn
}

// binaryKinds is the number of BinaryKinds.
const binaryKinds = backend.Equal + 1

// streams reports whether an output of d is better stored past the caches.
func (d *device) streams(out backend.TensorDesc) bool { return out.Bytes() >= d.cache }

// sameStart reports whether two rows begin at the same place.
func sameStart(a, b []float32) bool { return unsafe.SliceData(a) == unsafe.SliceData(b) }

// aligned reports whether a row begins at a multiple of align bytes.
func aligned(a []float32) bool { return uintptr(unsafe.Pointer(unsafe.SliceData(a)))%align == 0 }

// rowChunk is how many elements one call may take: some tens of microseconds.
const rowChunk = 1 << 14

// actFn sets dst to an activation of src, with the constants k.
type actFn func(dst, src []float32, k *[3]float64)

// binaryFn computes rows of n elements, ly, la and lb apart: y = a op b. There is
// at least one row.
type binaryFn func(y, a, b []float32, n, rows, ly, la, lb int)

// rowForm says what the operands of a binaryFn are in each row.
type rowForm int

const (
	formVV rowForm = iota // vectors both
	formVS                // b is one element
	formSV                // a is one element
)

// rowImpls lists the functions on rows, best first.
var rowImpls = append(rowsArch[:len(rowsArch):len(rowsArch)], impl[*rowFns]{isaGeneric, &genericRows})

// rows returns the functions on rows for plans of this device.
func (d *device) rows() *rowFns { return pick(d.isa, rowImpls) }

var genericRows = rowFns{
	add:           add,
	scaleShift:    scaleShiftRow,
	scaleShiftAll: scaleShiftAll,
	act:           genericActs,
	binary:        genericBinaries(),
	where:         [...]whereFn{genericWhere(1, 1), genericWhere(1, 0), genericWhere(0, 1), genericWhere(0, 0)},
}

func genericBinaries() (fns [binaryKinds][3]binaryFn) {
	for k := range fns {
		fns[k] = genericBinary(backend.BinaryKind(k))
	}
	return fns
}

// What an instruction set has no kernel of, it does in plain Go.
func init() {
	for _, im := range rowImpls {
		for k, fn := range im.fn.act {
			if fn == nil {
				im.fn.act[k] = genericActs[k]
			}
		}
		for k, fns := range im.fn.binary {
			if fns[formVV] == nil {
				im.fn.binary[k] = genericRows.binary[k]
			}
		}
	}
}

func add(dst, b []float32) {
	b = b[:len(dst)]
	for i := range dst {
		dst[i] += b[i]
	}
}

func scaleShiftRow(dst, src, scale, shift []float32) {
	src, scale, shift = src[:len(dst)], scale[:len(dst)], shift[:len(dst)]
	for i, v := range src {
		dst[i] = v*scale[i] + shift[i]
	}
}

func scaleShiftAll(dst, src []float32, scale, shift float32) {
	src = src[:len(dst)]
	for i, v := range src {
		dst[i] = v*scale + shift
	}
}

// prelu is a, and a·slope below 0; NaN stays.
func prelu(a, slope float32) float32 {
	if a < 0 {
		return a * slope
	}
	return a
}

// power is aᵇ, rounded once.
func power(a, b float32) float32 { return float32(math.Pow(float64(a), float64(b))) }

// mask is 1 for true and 0 for false.
func mask(holds bool) float32 {
	if holds {
		return 1
	}
	return 0
}

// genericBinary returns the rows of fn in each form.
func genericBinary(fn backend.BinaryKind) [3]binaryFn {
	form := func(sa, sb int) binaryFn {
		return func(y, a, b []float32, n, rows, ly, la, lb int) {
			for r := range rows {
				stridedRow(fn, y[r*ly:], a[r*la:], b[r*lb:], n, 1, sa, sb)
			}
		}
	}
	return [3]binaryFn{form(1, 1), form(1, 0), form(0, 1)}
}

// stridedRow computes n elements with the given strides.
func stridedRow(fn backend.BinaryKind, y, a, b []float32, n, sy, sa, sb int) {
	if sy == 1 && sa == 1 && sb == 1 {
		denseRow(fn, y[:n], a[:n], b[:n])
		return
	}
	switch fn {
	case backend.Add:
		for i := range n {
			y[i*sy] = a[i*sa] + b[i*sb]
		}
	case backend.Sub:
		for i := range n {
			y[i*sy] = a[i*sa] - b[i*sb]
		}
	case backend.Mul:
		for i := range n {
			y[i*sy] = a[i*sa] * b[i*sb]
		}
	case backend.Div:
		for i := range n {
			y[i*sy] = a[i*sa] / b[i*sb]
		}
	case backend.PRelu:
		for i := range n {
			y[i*sy] = prelu(a[i*sa], b[i*sb])
		}
	case backend.Maximum:
		for i := range n {
			y[i*sy] = max(a[i*sa], b[i*sb])
		}
	case backend.Minimum:
		for i := range n {
			y[i*sy] = min(a[i*sa], b[i*sb])
		}
	case backend.Power:
		switch {
		case sb == 0 && b[0] == 2: // as rounded as power: the square is exact in float64
			for i := range n {
				y[i*sy] = a[i*sa] * a[i*sa]
			}
		case sb == 0 && b[0] == 3:
			for i := range n {
				v := float64(a[i*sa])
				y[i*sy] = float32(v * v * v)
			}
		default:
			for i := range n {
				y[i*sy] = power(a[i*sa], b[i*sb])
			}
		}
	case backend.Less:
		for i := range n {
			y[i*sy] = mask(a[i*sa] < b[i*sb])
		}
	case backend.LessOrEqual:
		for i := range n {
			y[i*sy] = mask(a[i*sa] <= b[i*sb])
		}
	case backend.Greater:
		for i := range n {
			y[i*sy] = mask(a[i*sa] > b[i*sb])
		}
	case backend.GreaterOrEqual:
		for i := range n {
			y[i*sy] = mask(a[i*sa] >= b[i*sb])
		}
	case backend.Equal:
		for i := range n {
			y[i*sy] = mask(a[i*sa] == b[i*sb])
		}
	}
}

// denseRow is stridedRow for contiguous rows of one length.
func denseRow(fn backend.BinaryKind, y, a, b []float32) {
	a, b = a[:len(y)], b[:len(y)]
	switch fn {
	case backend.Add:
		for i := range y {
			y[i] = a[i] + b[i]
		}
	case backend.Sub:
		for i := range y {
			y[i] = a[i] - b[i]
		}
	case backend.Mul:
		for i := range y {
			y[i] = a[i] * b[i]
		}
	case backend.Div:
		for i := range y {
			y[i] = a[i] / b[i]
		}
	case backend.PRelu:
		for i := range y {
			y[i] = prelu(a[i], b[i])
		}
	case backend.Maximum:
		for i := range y {
			y[i] = max(a[i], b[i])
		}
	case backend.Minimum:
		for i := range y {
			y[i] = min(a[i], b[i])
		}
	case backend.Power:
		for i := range y {
			y[i] = power(a[i], b[i])
		}
	case backend.Less:
		for i := range y {
			y[i] = mask(a[i] < b[i])
		}
	case backend.LessOrEqual:
		for i := range y {
			y[i] = mask(a[i] <= b[i])
		}
	case backend.Greater:
		for i := range y {
			y[i] = mask(a[i] > b[i])
		}
	case backend.GreaterOrEqual:
		for i := range y {
			y[i] = mask(a[i] >= b[i])
		}
	case backend.Equal:
		for i := range y {
			y[i] = mask(a[i] == b[i])
		}
	}
}
