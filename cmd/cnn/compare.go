package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/internal/feed"
	"github.com/convgl/convgl/tensor"
)

// comparison is how far an output is from what was expected.
type comparison struct {
	unlike   string  // what differs in type or shape; there is nothing else then
	elements int     //
	floats   bool    // judged by a tolerance; others must be equal
	unequal  int     // elements that differ
	nans     int     // of these: one is NaN, the other is not
	infs     int     // one is infinite, the other is another number
	maxAbs   float64 // the largest difference of finite elements
	largest  float64 // the largest magnitude of a finite expected element

	// The element to look at: one that differs in kind, else the one with the largest
	// difference.
	at        []int
	got, want string
}

// compare holds an output against what was expected. Float64 counts as float32, in
// which outputs are computed.
func compare(got, want *tensor.Tensor) comparison {
	if got.DType() == tensor.Float32 && want.DType() == tensor.Float64 {
		want = want.AsFloat32()
	}
	c := comparison{elements: got.Size(), floats: got.DType() == tensor.Float32}
	switch {
	case got.DType() != want.DType():
		c.unlike = fmt.Sprintf("the type is %v, expected %v", got.DType(), want.DType())
		return c
	case !got.Shape().Equal(want.Shape()):
		c.unlike = fmt.Sprintf("the shape is %v, expected %v", got.Shape(), want.Shape())
		return c
	}
	at := -1
	switch got.DType() {
	case tensor.Float32:
		at = c.compareFloats(got.Float32s(), want.Float32s())
	case tensor.Int32:
		at = compareExactly[int32](&c, got, want)
	case tensor.Int64:
		at = compareExactly[int64](&c, got, want)
	case tensor.Uint8:
		at = compareExactly[uint8](&c, got, want)
	case tensor.Bool:
		at = compareExactly[bool](&c, got, want)
	default:
		c.unlike = fmt.Sprintf("the type is %v, which is not compared", got.DType())
	}
	if at >= 0 {
		c.at = make([]int, len(got.Shape()))
		for k, stride := range got.Shape().Strides() {
			c.at[k] = at / stride % got.Shape()[k]
		}
	}
	return c
}

// compareFloats fills in the figures, and returns the element to look at or -1.
func (c *comparison) compareFloats(got, want []float32) int {
	at, odd := -1, false
	for i := range got {
		g, w := float64(got[i]), float64(want[i])
		infinite := math.IsInf(g, 0) || math.IsInf(w, 0)
		if !math.IsInf(w, 0) && !math.IsNaN(w) {
			c.largest = max(c.largest, math.Abs(w))
		}
		if g == w || math.IsNaN(g) && math.IsNaN(w) {
			continue
		}
		c.unequal++
		switch {
		case math.IsNaN(g) || math.IsNaN(w):
			c.nans++
		case infinite:
			c.infs++
		default:
			if d := math.Abs(g - w); d > c.maxAbs {
				c.maxAbs = d
				if !odd {
					at = i
				}
			}
			continue
		}
		if !odd {
			at, odd = i, true
		}
	}
	if at >= 0 {
		c.got, c.want = fmt.Sprint(got[at]), fmt.Sprint(want[at])
	}
	return at
}

func compareExactly[T tensor.Element](c *comparison, got, want *tensor.Tensor) int {
	g, _ := tensor.Data[T](got)
	w, _ := tensor.Data[T](want)
	at := -1
	for i := range g {
		if g[i] != w[i] {
			if c.unequal++; at < 0 {
				at, c.got, c.want = i, fmt.Sprint(g[i]), fmt.Sprint(w[i])
			}
		}
	}
	return at
}

// fine reports whether all is as expected: equal, or for floats nothing farther off than
// tol of the largest expected magnitude.
func (c comparison) fine(tol float64) bool {
	if c.unlike != "" || !c.floats {
		return c.unlike == "" && c.unequal == 0
	}
	return c.nans == 0 && c.infs == 0 && c.maxAbs <= tol*c.largest
}

// say describes the comparison.
func (c comparison) say(tol float64) string {
	verdict := "FAIL"
	if c.fine(tol) {
		verdict = "ok"
	}
	switch {
	case c.unlike != "":
		return verdict + ": " + c.unlike
	case c.unequal == 0:
		return fmt.Sprintf("%s: equal in all %d elements", verdict, c.elements)
	}
	where := strings.ReplaceAll(fmt.Sprint(c.at), " ", ",")
	if !c.floats {
		return fmt.Sprintf("%s: %d of %d elements differ, the first at %s: got %s, expected %s", verdict, c.unequal, c.elements, where, c.got, c.want)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: largest difference %.3g, %.3g of the maximum %.4g (allowed %g)", verdict, c.maxAbs, c.maxAbs/c.largest, c.largest, tol)
	if c.nans > 0 {
		fmt.Fprintf(&b, ", %d elements with NaN on one side", c.nans)
	}
	if c.infs > 0 {
		fmt.Fprintf(&b, ", %d with infinity on one side", c.infs)
	}
	fmt.Fprintf(&b, "; at %s got %s, expected %s", where, c.got, c.want)
	return b.String()
}

// outputFile is the name of the file of output i.
func outputFile(i int) string { return fmt.Sprintf("output_%d.npy", i) }

// expectedFile returns the file of output i in a folder, of NumPy or, as in ONNX's own
// cases, of ONNX; "" where there is none.
func expectedFile(dir string, i int) string {
	npy := filepath.Join(dir, outputFile(i))
	for _, file := range []string{npy, strings.TrimSuffix(npy, ".npy") + ".pb"} {
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			return file
		}
	}
	return ""
}

// readExpected reads n outputs from a folder, which must hold as many.
func readExpected(dir string, n int) ([]*tensor.Tensor, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("-compare: %w", err)
	}
	ts := make([]*tensor.Tensor, n)
	for i := range ts {
		file := expectedFile(dir, i)
		if file == "" {
			return nil, cli.Usagef("-compare %s: there is no %s, and no such .pb file; the model has %s", dir, outputFile(i), count(n, "output"))
		}
		t, err := feed.ReadTensor(file)
		if err != nil {
			return nil, cli.Usagef("-compare: %v", err)
		}
		ts[i] = t
	}
	if file := expectedFile(dir, n); file != "" {
		return nil, cli.Usagef("-compare %s: there is an %s, but the model has %s", dir, filepath.Base(file), count(n, "output"))
	}
	return ts, nil
}
