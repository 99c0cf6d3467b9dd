package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/convgl/convgl/onnx/internal/pb"
)

// attrs reads a node's attributes by name and type. It keeps the first fault and which
// names were asked for, so that an op reads without checks after each, and an attribute
// that nobody asked for is found: to leave it out could give a wrong answer.
type attrs struct {
	list []*pb.Attr
	read map[string]bool
	err  error
}

func newAttrs(n *pb.Node) *attrs { return &attrs{list: n.Attrs, read: map[string]bool{}} }

// find returns the attribute if it is there and of the wanted type.
func (a *attrs) find(name string, want pb.AttrType) *pb.Attr {
	a.read[name] = true
	for _, x := range a.list {
		if x.Name != name {
			continue
		}
		if x.Type != want {
			a.fail("attribute %q: got %v, want %v", name, x.Type, want)
			return nil
		}
		return x
	}
	return nil
}

// fail keeps the first fault.
func (a *attrs) fail(format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf(format, args...)
	}
}

// has reports whether the attribute is there, of whatever type.
func (a *attrs) has(name string) bool {
	a.read[name] = true
	return slices.ContainsFunc(a.list, func(x *pb.Attr) bool { return x.Name == name })
}

func (a *attrs) int(name string, def int64) int64 {
	if x := a.find(name, pb.AttrInt); x != nil {
		return x.I
	}
	return def
}

// small is int for what is a size or an axis here: it must fit 32 bits.
func (a *attrs) small(name string, def int) int {
	v := a.int(name, int64(def))
	if v < math.MinInt32 || v > math.MaxInt32 {
		a.fail("attribute %q: got %d, want a number of 32 bits", name, v)
		return def
	}
	return int(v)
}

// flag is int for 0 and 1.
func (a *attrs) flag(name string, def bool) bool {
	d := int64(0)
	if def {
		d = 1
	}
	v := a.int(name, d)
	if v != 0 && v != 1 {
		a.fail("attribute %q: got %d, want 0 or 1", name, v)
	}
	return v == 1
}

// ints returns nil when the attribute is absent, and else a slice that is not nil.
func (a *attrs) ints(name string) []int64 {
	if x := a.find(name, pb.AttrInts); x != nil {
		if x.Ints == nil {
			return []int64{}
		}
		return x.Ints
	}
	return nil
}

// smalls is ints for sizes and axes: all must fit 32 bits.
func (a *attrs) smalls(name string) []int {
	v := a.ints(name)
	if v == nil {
		return nil
	}
	out := make([]int, len(v))
	for i, n := range v {
		if n < math.MinInt32 || n > math.MaxInt32 {
			a.fail("attribute %q: got %d, want numbers of 32 bits", name, n)
			return nil
		}
		out[i] = int(n)
	}
	return out
}

func (a *attrs) float(name string, def float32) float32 {
	if x := a.find(name, pb.AttrFloat); x != nil {
		return x.F
	}
	return def
}

func (a *attrs) floats(name string) []float32 {
	if x := a.find(name, pb.AttrFloats); x != nil {
		if x.Floats == nil {
			return []float32{}
		}
		return x.Floats
	}
	return nil
}

func (a *attrs) str(name, def string) string {
	if x := a.find(name, pb.AttrString); x != nil {
		return string(x.S)
	}
	return def
}

// choice is str for one of a list.
func (a *attrs) choice(name, def string, want ...string) string {
	v := a.str(name, def)
	if !slices.Contains(want, v) {
		a.fail("attribute %q: got %s, want one of %v", name, pb.Quote(v), want)
		return def
	}
	return v
}

func (a *attrs) tensor(name string) *pb.Tensor {
	if x := a.find(name, pb.AttrTensor); x != nil {
		return x.T
	}
	return nil
}

// ignore marks attributes as known that change nothing here.
func (a *attrs) ignore(names ...string) {
	for _, n := range names {
		a.read[n] = true
	}
}

// check returns the first fault, or one for an attribute that nobody asked for.
func (a *attrs) check() error {
	if a.err != nil {
		return a.err
	}
	for _, x := range a.list {
		if !a.read[x.Name] {
			return fmt.Errorf("attribute %s is not known for this op and version", pb.Quote(x.Name))
		}
	}
	return nil
}
