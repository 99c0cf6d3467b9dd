package backend

import "fmt"

// PadMode says what Pad fills with.
type PadMode uint8

const (
	// PadConstant fills with Pad.Value.
	PadConstant PadMode = iota
	// PadReflect mirrors at the first and last element, which is not repeated; a pad
	// is at most the dim less 1.
	PadReflect
	// PadEdge repeats the first and last element.
	PadEdge
	// PadWrap goes on at the other end, as often as need be: y[i] = x[(i − begin) mod n].
	PadWrap
)

var padModeNames = [...]string{"constant", "reflect", "edge", "wrap"}

// String returns ONNX's name.
func (m PadMode) String() string {
	if int(m) < len(padModeNames) {
		return padModeNames[m]
	}
	return fmt.Sprintf("PadMode(%d)", uint8(m))
}

// Pad extends a tensor at the beginning and end of each dim:
//
//	y[i, ...] = x[i − begin, ...]   where that exists, else as Mode says
//
// Input: x of rank 1 or more. Output: y, each dim longer by its two pads.
//
// Source: ONNX Pad-19, without negative pads.
type Pad struct {
	Pads  []int // begin of every dim, N and C included, then end of every dim
	Mode  PadMode
	Value float32 // for PadConstant
}

// Kind returns "Pad".
func (Pad) Kind() string { return "Pad" }

// Args implements Op.
func (Pad) Args() (in, out []Arg) { return []Arg{{Name: "x"}}, []Arg{{Name: "y"}} }

// Infer implements Op.
func (p Pad) Infer(in []TensorDesc) ([]TensorDesc, error) {
	if err := wantF32("Pad", "x", in[0]); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if len(x) == 0 {
		return nil, &ShapeError{Op: "Pad", Arg: "x: rank", Got: "0", Want: "1 or more"}
	}
	if int(p.Mode) >= len(padModeNames) {
		return nil, &AttrError{Op: "Pad", Attr: "mode", Got: p.Mode.String(), Want: fmt.Sprint(padModeNames)}
	}
	pads, err := attrInts("Pad", "pads", p.Pads, 2*len(x), 0, 0)
	if err != nil {
		return nil, err
	}
	y := x.Clone()
	for i := range y {
		b, e := pads[i], pads[len(x)+i]
		if p.Mode == PadReflect && max(b, e) >= max(x[i], 1) {
			return nil, &AttrError{Op: "Pad", Attr: fmt.Sprintf("pads of dim %d", i), Got: fmt.Sprintf("%d, %d", b, e), Want: fmt.Sprintf("less than the dim, which is %s, in mode %v", in[0].dim(i), p.Mode)}
		}
		if p.Mode != PadConstant && x[i] == 0 && b+e > 0 {
			return nil, &AttrError{Op: "Pad", Attr: fmt.Sprintf("pads of dim %d", i), Got: fmt.Sprintf("%d, %d", b, e), Want: fmt.Sprintf("0, 0, as the dim is empty, in mode %v", p.Mode)}
		}
		y[i] += b + e
	}
	return f32Out(y...), nil
}

// Cost implements Op: no arithmetic.
func (Pad) Cost(in, out []TensorDesc) Cost { return Cost{Bytes: sumBytes(in) + sumBytes(out)} }
