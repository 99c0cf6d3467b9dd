package main

import (
	"math"
	"strings"
	"testing"

	"github.com/convgl/convgl/tensor"
)

func TestCompare(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	f := func(v ...float32) *tensor.Tensor { return tensor.Must(tensor.From(v, 1, len(v))) }
	of := func(x *tensor.Tensor, err error) *tensor.Tensor { return tensor.Must(x, err) }
	for _, c := range []struct {
		name      string
		got, want *tensor.Tensor
		fine      bool
		say       string
	}{
		{"equal", f(1, nan, inf), f(1, nan, inf), true, "ok: equal in all 3 elements"},
		{"near", f(1, -99.95), f(1, -100), true, "ok: largest difference 0.05, 0.0005 of the maximum 100 (allowed 0.001); at [0,1] got -99.95, expected -100"},
		{"far", f(1.2, -100), f(1, -100), false, "FAIL: largest difference 0.2, 0.002 of the maximum 100 (allowed 0.001); at [0,0] got 1.2, expected 1"},
		{"nan", f(1, nan, 5), f(2, 7, nan), false, "2 elements with NaN on one side; at [0,1] got NaN, expected 7"},
		{"infinite", f(inf, inf), f(-inf, 3), false, "2 with infinity on one side; at [0,0] got +Inf, expected -Inf"},
		{"infinity is not the maximum", f(inf, 2.01), f(inf, 2), false, "0.005 of the maximum 2"},
		{"zeros", f(1e-30), f(0), false, "FAIL"},
		{"float64", f(1), of(tensor.From([]float64{1 + 1e-12}, 1, 1)), true, "equal"},
		{"shape", f(1, 2), of(tensor.From([]float32{1, 2}, 2)), false, "the shape is [1,2], expected [2]"},
		{"type", f(1), of(tensor.From([]int64{1}, 1, 1)), false, "the type is float32, expected int64"},
		{"ints", of(tensor.From([]int64{1, 1 << 60}, 2)), of(tensor.From([]int64{1, 1<<60 + 1}, 2)), false,
			"FAIL: 1 of 2 elements differ, the first at [1]: got 1152921504606846976, expected 1152921504606846977"},
		{"int32", of(tensor.From([]int32{-1}, 1)), of(tensor.From([]int32{-1}, 1)), true, "equal"},
		{"uint8", of(tensor.From([]uint8{255}, 1)), of(tensor.From([]uint8{254}, 1)), false, "got 255, expected 254"},
		{"bools", of(tensor.From([]bool{true, false}, 2)), of(tensor.From([]bool{true, true}, 2)), false, "at [1]: got false, expected true"},
		{"scalar", of(tensor.From([]float32{1})), of(tensor.From([]float32{2})), false, "at []"},
		{"empty", of(tensor.From([]float32{}, 0, 3)), of(tensor.From([]float32{}, 0, 3)), true, "equal in all 0 elements"},
	} {
		r := compare(c.got, c.want)
		if r.fine(1e-3) != c.fine || !strings.Contains(r.say(1e-3), c.say) {
			t.Errorf("%s: fine %v, want %v; %q, want %q", c.name, r.fine(1e-3), c.fine, r.say(1e-3), c.say)
		}
	}
}
