package tensor

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// MaxRank is the largest rank of a tensor: more than any op here needs
// (N, C and three spatial dims, and room for splits of them).
const MaxRank = 8

// MaxElems bounds the number of elements of a tensor, so that eight bytes for
// each still count in an int64 and an int.
const MaxElems = math.MaxInt / 8

// Shape lists the sizes of a tensor's dims, outermost first. A rank-0 shape is
// a scalar with one element; a dim of 0 makes the tensor empty.
type Shape []int

// Elems returns the number of elements, the product of the dims. It fails when
// the rank is above [MaxRank], a dim is negative, or the product is above
// [MaxElems].
func (s Shape) Elems() (int, error) {
	if len(s) > MaxRank {
		return 0, fmt.Errorf("tensor: shape %v: rank is %d, want at most %d", s, len(s), MaxRank)
	}
	empty := false
	for i, d := range s {
		if d < 0 {
			return 0, fmt.Errorf("tensor: shape %v: dim %d is %d, want 0 or more", s, i, d)
		}
		empty = empty || d == 0
	}
	if empty {
		return 0, nil
	}
	n := 1
	for _, d := range s {
		if d > MaxElems/n {
			return 0, fmt.Errorf("tensor: shape %v: more than %d elements", s, MaxElems)
		}
		n *= d
	}
	return n, nil
}

// Size is Elems of a shape that is known to be valid; it returns 0 for one that
// is not.
func (s Shape) Size() int {
	n, err := s.Elems()
	if err != nil {
		return 0
	}
	return n
}

// Strides returns the row-major distance, in elements, between neighbours
// along each dim: the last is 1.
func (s Shape) Strides() []int {
	st := make([]int, len(s))
	n := 1
	for i := len(s) - 1; i >= 0; i-- {
		st[i] = n
		n *= s[i]
	}
	return st
}

// Equal reports whether s and t have the same rank and dims.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// Clone returns a copy of s.
func (s Shape) Clone() Shape { return append(Shape{}, s...) }

// String returns the shape as [2,3,8,8].
func (s Shape) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for i, d := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(d))
	}
	b.WriteByte(']')
	return b.String()
}

// Broadcast returns the shape of an elementwise op on tensors of shapes a and
// b by NumPy's rule: dims are aligned at the right, and a dim of 1 (or one that
// is absent) stretches to the other's.
func Broadcast(a, b Shape) (Shape, error) {
	n := max(len(a), len(b))
	out := make(Shape, n)
	for i := 1; i <= n; i++ {
		da, db := 1, 1
		if i <= len(a) {
			da = a[len(a)-i]
		}
		if i <= len(b) {
			db = b[len(b)-i]
		}
		switch {
		case da == db || db == 1:
			out[n-i] = da
		case da == 1:
			out[n-i] = db
		default:
			return nil, fmt.Errorf("tensor: shapes %v and %v do not broadcast: %d against %d in dim %d from the right", a, b, da, db, i)
		}
	}
	return out, nil
}
