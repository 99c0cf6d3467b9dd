package graph

import (
	"fmt"
	"strings"

	"github.com/convgl/convgl/tensor"
)

// Dim is the size of a dim: a number, or a name that stands for one until an
// input arrives.
type Dim struct {
	size int    // when expr is ""
	expr string // a symbol, as "N", or an expression of one, as "H/2"
}

// Static returns a dim of known size.
func Static(n int) Dim { return Dim{size: n} }

// Symbol returns a dim that is bound when an input arrives. The same name stands
// for the same size everywhere in a graph. Without a name it is a dim that
// [Graph.Input] refuses.
func Symbol(name string) Dim {
	if name == "" {
		return Static(-1)
	}
	return Dim{expr: name}
}

// Size returns the number of a static dim, and false for a symbolic one.
func (d Dim) Size() (n int, static bool) { return d.size, d.expr == "" }

// String returns the number or the expression.
func (d Dim) String() string {
	if d.expr != "" {
		return d.expr
	}
	return fmt.Sprint(d.size)
}

// Shape lists dims, outermost first.
type Shape []Dim

// Dims returns a shape from numbers; a negative one is the symbolic batch N.
func Dims(sizes ...int) Shape {
	s := make(Shape, len(sizes))
	for i, n := range sizes {
		if s[i] = Static(n); n < 0 {
			s[i] = Symbol("N")
		}
	}
	return s
}

// String returns "[N,3,224,224]".
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = d.String()
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// dims returns the dims as text, and nil when all are numbers.
func (s Shape) dims() []string {
	if _, static := s.Static(); static {
		return nil
	}
	d := make([]string, len(s))
	for i := range s {
		d[i] = s[i].String()
	}
	return d
}

// Static returns the sizes when none is symbolic.
func (s Shape) Static() (tensor.Shape, bool) {
	t := make(tensor.Shape, len(s))
	for i, d := range s {
		n, ok := d.Size()
		if !ok {
			return nil, false
		}
		t[i] = n
	}
	return t, true
}
