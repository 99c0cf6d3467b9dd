package backend

import (
	"errors"
	"math"
	"testing"

	"github.com/convgl/convgl/tensor"
)

// FuzzResolve gives ops attributes and shapes from all of their range, sane and
// not: an op is refused with one of the errors that Infer promises, or its outputs
// are tensors and its cost, where they may
// fit in memory, is not negative.
func FuzzResolve(f *testing.F) {
	for kind := range byte(fuzzedOps) {
		f.Add([]byte{kind, 4, 2, 6, 5, 5, 4, 1, 1, 1, 2, 2, 2, 2, 1, 1, 0, 0, 1, 1, 1})
		f.Add([]byte{kind, 3, 0, 200, 210, 3, 220, 230, 240, 250, 7, 9, 1, 2, 3, 4, 201, 202, 203})
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &bytesource{b: b}
		d := Desc{Op: s.op()}
		in, _ := d.Op.Args()
		x := s.desc()
		d.In = append(d.In, x)
		for i := 1; i < len(in) && i < 70; i++ {
			switch s.next() % 4 {
			case 0:
				d.In = append(d.In, s.desc())
			case 1:
				d.In = append(d.In, x)
			case 2: // weights that fit a convolution, parameters a channel or a slice
				if w := x.Shape.Clone(); i == 1 && len(w) > 2 {
					w[0], w[1] = x.Shape[1], s.size()
					for k := range w[2:] {
						w[2+k] = s.size()
					}
					d.In = append(d.In, F32(w...))
					continue
				}
				d.In = append(d.In, F32(x.Shape[min(1, len(x.Shape)):min(2, len(x.Shape))]...))
			default:
				d.In = append(d.In, F32(x.Shape[int(s.next())%(len(x.Shape)+1):]...))
			}
		}
		r, err := d.Resolve()
		if err != nil {
			var shape *ShapeError
			var attr *AttrError
			var limit *LimitError
			if !errors.As(err, &shape) && !errors.As(err, &attr) && !errors.As(err, &limit) {
				t.Fatalf("%#v %v: %T %v", d.Op, d.In, err, err)
			}
			return
		}
		large := false
		for _, y := range append(r.Out, r.In...) {
			if err := y.Check("op", "y"); err != nil {
				t.Fatalf("%#v %v: accepted, but %v", d.Op, d.In, err)
			}
			large = large || y.Shape.Size() > math.MaxInt32
		}
		if c := r.Cost(); !large && (c.FLOPs < 0 || c.Bytes < 0) {
			t.Fatalf("%#v %v: cost %+v", d.Op, d.In, c)
		}
	})
}

// bytesource turns bytes into attributes; those that are missing are 0.
type bytesource struct{ b []byte }

func (s *bytesource) next() byte {
	if len(s.b) == 0 {
		return 0
	}
	v := s.b[0]
	s.b = s.b[1:]
	return v
}

// size is small for most bytes, and on an edge of some type for the others.
func (s *bytesource) size() int {
	edges := [...]int{1 << 16, 1 << 20, math.MaxInt32 - 1, math.MaxInt32, 1 << 31, 1<<32 - 1, 1 << 40, math.MaxInt / 8, math.MaxInt}
	v := int(s.next())
	if v < 200 {
		return v % 13
	}
	return edges[v%len(edges)]
}

// attr is a size that may be negative.
func (s *bytesource) attr() int {
	if n := s.size(); s.next()%8 != 7 {
		return n
	} else {
		return -n
	}
}

func (s *bytesource) attrs() []int {
	n := int(s.next()) % 9
	if n == 8 {
		return nil
	}
	v := make([]int, n)
	for i := range v {
		v[i] = s.attr()
	}
	return v
}

// positions are attributes of which some count from the end.
func (s *bytesource) positions() []int {
	v := s.attrs()
	for i := range v {
		if s.next()%4 == 3 {
			v[i] = SliceEnd - v[i]
		}
	}
	return v
}

func (s *bytesource) float() float32 {
	edges := [...]float32{0, 1, -1, 1e-5, 0.5, 1e30, math.SmallestNonzeroFloat32, math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}
	return edges[int(s.next())%len(edges)]
}

func (s *bytesource) desc() TensorDesc {
	x := make(tensor.Shape, int(s.next())%9)
	for i := range x {
		x[i] = s.size()
	}
	d := F32(x...)
	if s.next()%16 == 15 {
		d.DType = tensor.DType(s.next() % 8)
	}
	return d
}

// fuzzedOps counts the cases of op, the one at its end among them.
const fuzzedOps = 24

func (s *bytesource) op() Op {
	kind := s.next() % fuzzedOps
	window := func() Window {
		return Window{Kernel: s.attrs(), Strides: s.attrs(), Dilations: s.attrs(), Pads: s.attrs(), AutoPad: AutoPad(s.next() % 6)}
	}
	switch kind {
	case 0:
		w := window()
		if s.next()%2 == 0 {
			w.Kernel = nil
		}
		return ConvTranspose{Window: w, OutputPadding: s.attrs(), Groups: s.attr(), Bias: s.next()%2 == 1}
	case 1:
		return AdaptivePool{Out: s.attrs(), Mean: s.next()%2 == 1}
	case 2:
		r := Resize{Mode: ResizeMode(s.next() % 3), Coord: CoordMode(s.next() % 4)}
		if s.next()%4 != 0 {
			r.Size = s.attrs()
			return r
		}
		r.Scales = make([]float64, s.next()%5)
		for i := range r.Scales {
			r.Scales[i] = float64(s.float()) * float64(s.next()) / 16
		}
		return r
	case 3:
		return Concat{Axis: s.attr(), Inputs: s.attr()}
	case 4:
		return Transpose{Perm: s.attrs()}
	case 5:
		return GroupNorm{Groups: s.attr(), Epsilon: s.float()}
	case 6:
		return InstanceNorm{Epsilon: s.float()}
	case 7:
		return LayerNorm{Axis: s.attr(), Epsilon: s.float()}
	case 8:
		return LRN{Size: s.attr(), Alpha: s.float(), Beta: s.float(), K: s.float()}
	case 9:
		return Activation{Act: Act{Kind: ActKind(int(s.next()) % (len(actNames) + 2)), Alpha: s.float(), Beta: s.float()}}
	case 10:
		k := s.next()
		return Binary{Fn: BinaryKind(int(k) % (len(binaryNames) + 1)), SameShape: k >= 128}
	case 12:
		return Gather{Axis: s.attr()}
	case 13:
		return Resample{Axis: s.attr()}
	case 14:
		return MaxUnpool{Size: s.attrs()}
	case 15:
		op := Slice{Starts: s.positions(), Ends: s.positions()}
		if s.next()%2 == 1 {
			op.Steps = s.positions()
		}
		return op
	case 16:
		return Expand{Shape: s.attrs()}
	case 17:
		return Tile{Repeats: s.attrs()}
	case 18:
		return Pad{Pads: s.attrs(), Mode: PadMode(s.next() % 5), Value: s.float()}
	case 19:
		return Reduce{Fn: ReduceKind(s.next() % 12), Axes: s.attrs(), KeepDims: s.next()%2 == 1}
	case 20:
		return ArgMax{Axis: s.attr(), Min: s.next()%2 == 1, KeepDims: s.next()%2 == 1}
	case 21:
		return TopK{K: s.attr(), Axis: s.attr(), Smallest: s.next()%2 == 1}
	case 22:
		return OneHot{Axis: s.attr(), Depth: s.attr()}
	case 23:
		return Where{}
	}
	return Conv{Window: window(), Groups: s.attr()}
}
