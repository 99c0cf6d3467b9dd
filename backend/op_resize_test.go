package backend

import (
	"fmt"
	"math/big"
	"testing"
)

// Taps of rational coordinates agree with exact arithmetic on the formulas.
func TestResizeTaps(t *testing.T) {
	rat := func(a, b int) *big.Rat { return big.NewRat(int64(a), int64(b)) }
	floor := func(x *big.Rat) int { return int(new(big.Int).Div(x.Num(), x.Denom()).Int64()) }
	f32 := func(x *big.Rat) float32 { f, _ := x.Float64(); return float32(f) }
	half := rat(1, 2)
	for n := 1; n < 14; n++ {
		for m := 1; m < 30; m++ {
			for coord := range CoordMode(len(coordModeNames)) {
				for mode := range ResizeMode(len(resizeModeNames)) {
					taps, err := Resize{Size: shape{m}, Mode: mode, Coord: coord}.Taps(shape{n})
					if err != nil {
						t.Fatal(err)
					}
					for o, got := range taps[0] {
						x := new(big.Rat)
						switch coord {
						case HalfPixel:
							x.Sub(x.Mul(x.Add(rat(o, 1), half), rat(n, m)), half)
						case AlignCorners:
							if m > 1 {
								x = rat(o*(n-1), m-1)
							}
						case Asymmetric:
							x = rat(o*n, m)
						}
						want := ResizeTap{W0: 1}
						switch {
						case mode == ResizeNearest && coord == Asymmetric:
							want.I0 = int32(min(floor(x), n-1))
							want.I1 = want.I0
						case mode == ResizeNearest: // ⌈x − ½⌉
							x.Sub(half, x)
							want.I0 = int32(min(max(-floor(x), 0), n-1))
							want.I1 = want.I0
						default:
							if x.Sign() < 0 {
								x.SetInt64(0)
							}
							if top := rat(n-1, 1); x.Cmp(top) > 0 {
								x = top
							}
							i := floor(x)
							w := x.Sub(x, rat(i, 1))
							want = ResizeTap{int32(i), int32(i), 1, 0}
							if w.Sign() > 0 {
								want = ResizeTap{int32(i), int32(i + 1), f32(new(big.Rat).Sub(rat(1, 1), w)), f32(w)}
							}
						}
						if got != want {
							t.Fatalf("%d to %d, %v %v: output %d: got %+v, want %+v", n, m, mode, coord, o, got, want)
						}
					}
				}
			}
		}
	}
}

// A scale that gives a whole size is the ratio of the sizes, however it is rounded;
// any other counts itself.
func TestResizeScales(t *testing.T) {
	indices := func(n int, s float64, coord CoordMode) string {
		taps, err := Resize{Scales: []float64{s}, Coord: coord}.Taps(shape{n})
		if err != nil {
			t.Fatal(err)
		}
		var list []int32
		for _, tap := range taps[0] {
			list = append(list, tap.I0)
		}
		return fmt.Sprint(list)
	}
	for _, c := range []struct {
		n     int
		s     float64
		coord CoordMode
		want  string
	}{
		{2, 2, Asymmetric, "[0 0 1 1]"},
		{3, 1.0 / 3, Asymmetric, "[0]"},
		{30, 0.1, Asymmetric, "[0 10 20]"},
		{4, 0.5, HalfPixel, "[0 2]"},  // x = ½, 2½
		{4, 0.6, Asymmetric, "[0 1]"}, // m = 2 of 2.4: x = 0, 1.67
		{4, 0.6, HalfPixel, "[0 2]"},  // x = 0.33, 2
		{3, 2.5, Asymmetric, "[0 0 0 1 1 2 2]"},
		{3, 2.5, AlignCorners, "[0 0 1 1 1 2 2]"}, // x = o/3: 1 of 1, 4/3
	} {
		if got := indices(c.n, c.s, c.coord); got != c.want {
			t.Errorf("%d × %v %v: got %s, want %s", c.n, c.s, c.coord, got, c.want)
		}
	}
	// Sizes at the limit do not overflow.
	for coord := range CoordMode(len(coordModeNames)) {
		r := Resize{Coord: coord}
		for _, c := range []coordinate{r.coordinate(maxAttr-1, maxAttr, maxAttr, 0), r.coordinate(maxAttr-1, maxAttr, 1<<31-2, 0)} {
			if c.i != maxAttr-1 || c.num != 0 {
				t.Errorf("%v: the last of %d: got %+v", coord, maxAttr, c)
			}
		}
	}
}
