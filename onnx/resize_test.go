package onnx

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx/internal/pb"
	"github.com/convgl/convgl/tensor"
)

func mustAxis(t *testing.T, n, m int) resizeAxis {
	t.Helper()
	a, err := sizedAxis(n, m)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// By hand, from the formulas.
func TestResizeCoordinates(t *testing.T) {
	roi := resizeAxis{n: 5, m: 3, num: 3, den: 5, roi: [2]float64{0.25, 1.5}}
	one := roi
	one.m = 1
	scaled, err := scaledAxis(4, 0.6) // 2 of 2.4
	if err != nil || scaled.m != 2 {
		t.Fatal(scaled, err)
	}
	for _, c := range []struct {
		coord string
		a     resizeAxis
		want  []float64
	}{
		{"half_pixel", mustAxis(t, 4, 8), []float64{-0.25, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.25}},
		{"half_pixel", mustAxis(t, 8, 4), []float64{0.5, 2.5, 4.5, 6.5}},
		{"half_pixel", scaled, []float64{1.0 / 3, 2}},
		{"half_pixel_symmetric", mustAxis(t, 8, 4), []float64{0.5, 2.5, 4.5, 6.5}},
		// 2 of 2.4: a sixth of 2 is left over at each side.
		{"half_pixel_symmetric", scaled, []float64{2.0 / 3, 7.0 / 3}},
		{"pytorch_half_pixel", mustAxis(t, 8, 4), []float64{0.5, 2.5, 4.5, 6.5}},
		{"pytorch_half_pixel", mustAxis(t, 8, 1), []float64{0}},
		{"half_pixel", mustAxis(t, 8, 1), []float64{3.5}},
		{"align_corners", mustAxis(t, 4, 7), []float64{0, 0.5, 1, 1.5, 2, 2.5, 3}},
		{"align_corners", mustAxis(t, 4, 1), []float64{0}},
		{"asymmetric", mustAxis(t, 4, 6), []float64{0, 2.0 / 3, 4.0 / 3, 2, 8.0 / 3, 10.0 / 3}},
		{"tf_half_pixel_for_nn", mustAxis(t, 4, 6), []float64{1.0 / 3, 1, 5.0 / 3, 7.0 / 3, 3, 11.0 / 3}},
		{cropAndResize, roi, []float64{1, 3.5, 6}},
		{cropAndResize, one, []float64{3.5}},
	} {
		for o, want := range c.want {
			if got := c.a.coordinate(c.coord, o); math.Abs(got-want) > 1e-7 {
				t.Errorf("%s, %d to %d: element %d: got %v, want %v", c.coord, c.a.n, c.a.m, o, got, want)
			}
		}
	}
	// A third as float32 is a third; sizes are products in float32.
	if a, err := scaledAxis(9, 1.0/3); err != nil || a.m != 3 || !a.exact() || a.coordinate("asymmetric", 1) != 3 {
		t.Errorf("a third: %+v, %v", a, err)
	}
	if a, err := scaledAxis(10, 0.7); err != nil || a.m != 7 {
		t.Errorf("0.7 of 10: %+v, %v", a, err)
	}
	if a, err := scaledAxis(7, 0.6); err != nil || a.m != 4 || a.exact() {
		t.Errorf("0.6 of 7: %+v, %v", a, err)
	}
}

func TestResizeRounding(t *testing.T) {
	a := resizeAxis{n: 10, m: 20, num: 2, den: 1}
	x := []float64{-0.5, 0.25, 2.5, 3.5, 3.75, 9.5}
	for mode, want := range map[string][]int{
		"round_prefer_floor": {0, 0, 2, 3, 4, 9},
		"round_prefer_ceil":  {0, 0, 3, 4, 4, 9},
		"floor":              {0, 0, 2, 3, 3, 9},
		"ceil":               {0, 1, 3, 4, 4, 9},
		nearestOld:           {0, 0, 2, 3, 3, 9},
	} {
		for i := range x {
			if got := (&resizeAttrs{nearest: mode}).round(a, x[i]); got != want[i] {
				t.Errorf("%s of %v: got %d, want %d", mode, x[i], got, want[i])
			}
		}
	}
	a.num = 0.5
	if got := (&resizeAttrs{nearest: nearestOld}).round(a, 2.25); got != 3 {
		t.Errorf("old, where an axis shrinks: got %d, want 3", got)
	}
}

func TestResizeTable(t *testing.T) {
	linear := resizeAttrs{mode: "linear", coord: "half_pixel", cubicA: -0.75}
	cubic := linear
	cubic.mode = "cubic"
	with := func(r resizeAttrs, f func(*resizeAttrs)) resizeAttrs { f(&r); return r }
	outside := func(r *resizeAttrs) { r.excludeOutside = true }
	antialias := func(r *resizeAttrs) { r.antialias = true }
	for _, c := range []struct {
		name   string
		r      resizeAttrs
		a      resizeAxis
		o      int
		index  []int32
		weight []float64
	}{
		{"linear", linear, mustAxis(t, 4, 8), 2, []int32{0, 1}, []float64{0.25, 0.75}},
		{"linear at the end", linear, mustAxis(t, 4, 8), 0, []int32{0}, []float64{1}},
		// Keys' weights at a half: −0.75/8 and ½ + 0.75/8
		{"cubic", cubic, mustAxis(t, 8, 4), 1, []int32{1, 2, 3, 4}, []float64{-0.09375, 0.59375, 0.59375, -0.09375}},
		{"cubic at the end", cubic, mustAxis(t, 8, 4), 0, []int32{0, 1, 2}, []float64{0.5, 0.59375, -0.09375}},
		{"cubic without outside", with(cubic, outside), mustAxis(t, 8, 4), 0, []int32{0, 1, 2}, []float64{0.59375 / 1.09375, 0.59375 / 1.09375, -0.09375 / 1.09375}},
		{"cubic on an element", with(cubic, func(r *resizeAttrs) { r.coord = "asymmetric" }), mustAxis(t, 8, 4), 1, []int32{2}, []float64{1}},
		{"cubic with a = −½", with(cubic, func(r *resizeAttrs) { r.cubicA = -0.5 }), mustAxis(t, 8, 4), 1, []int32{1, 2, 3, 4}, []float64{-0.0625, 0.5625, 0.5625, -0.0625}},
		// The triangle is 4 wide: from ½, elements −1, 0, 1, 2 weigh ¼, ¾, ¾, ¼ of 2.
		{"antialias", with(linear, antialias), mustAxis(t, 4, 2), 0, []int32{0, 1, 2}, []float64{0.5, 0.375, 0.125}},
		{"antialias without outside", with(with(linear, antialias), outside), mustAxis(t, 4, 2), 0, []int32{0, 1, 2}, []float64{0.75 / 1.75, 0.75 / 1.75, 0.25 / 1.75}},
		{"antialias that grows", with(linear, antialias), mustAxis(t, 4, 8), 2, []int32{0, 1}, []float64{0.25, 0.75}},
	} {
		table, err := c.r.table(c.a, newBudget(maxFolded))
		if err != nil {
			t.Fatal(err)
		}
		index, weight := table.index[c.o*table.terms:][:table.terms], table.weight[c.o*table.terms:][:table.terms]
		if !slices.Equal(index[:len(c.index)], c.index) {
			t.Errorf("%s: indices %v, want %v", c.name, index, c.index)
		}
		for i, w := range weight {
			want := 0.0
			if i < len(c.weight) {
				want = c.weight[i]
			}
			if math.Abs(float64(w)-want) > 1e-7 {
				t.Errorf("%s: weights %v, want %v", c.name, weight, c.weight)
			}
		}
	}
	crop := resizeAttrs{mode: "nearest", nearest: "floor", coord: cropAndResize}
	table, err := crop.table(resizeAxis{n: 5, m: 3, num: 3, den: 5, roi: [2]float64{0.25, 1.5}}, newBudget(maxFolded))
	if err != nil || !slices.Equal(table.outside, []bool{false, false, true}) || table.terms != 1 || !slices.Equal(table.weight, []float32{1, 1, 0}) || table.index[1] != 3 {
		t.Errorf("crop: %+v, %v", table, err)
	}
	big := linear
	big.antialias = true
	if _, err := big.table(resizeAxis{n: 1 << 30, m: 1 << 20, num: 1 << 20, den: 1 << 30}, newBudget(maxFolded)); err == nil {
		t.Error("a table of 2³¹ terms was made")
	}
}

// Weights add up to 1 and name elements, in order.
func TestResizeTableSums(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		r, a := randomResize(rnd)
		table, err := r.table(a, newBudget(maxFolded))
		if err != nil {
			t.Fatal(err)
		}
		for o := range a.m {
			sum, last := 0.0, int32(-1)
			for i := range table.terms {
				k, w := table.index[o*table.terms+i], table.weight[o*table.terms+i]
				if k < 0 || int(k) >= a.n || w != 0 && k <= last {
					t.Fatalf("%+v %+v: element %d has the indices %v", r, a, o, table.index[o*table.terms:][:table.terms])
				}
				if w != 0 {
					last = k
				}
				sum += float64(w)
			}
			if want := 1.0; math.Abs(sum-want) > 1e-5 && !(table.outside != nil && table.outside[o] && sum == 0) {
				t.Fatalf("%+v %+v: the weights of element %d add up to %v", r, a, o, sum)
			}
		}
	}
}

// randomResize returns attributes and an axis.
func randomResize(rnd *rand.Rand) (resizeAttrs, resizeAxis) {
	pick := func(list []string) string { return list[rnd.IntN(len(list))] }
	r := resizeAttrs{mode: pick(resizeModes), coord: pick(resizeCoords), nearest: pick(nearestModes), cubicA: []float64{-0.75, -0.5}[rnd.IntN(2)]}
	if r.mode != "nearest" {
		r.antialias, r.excludeOutside = rnd.IntN(3) == 0, rnd.IntN(3) == 0
	}
	return r, randomAxis(rnd)
}

func randomAxis(rnd *rand.Rand) resizeAxis {
	n := 1 + rnd.IntN(9)
	a, _ := sizedAxis(n, 1+rnd.IntN(12))
	if rnd.IntN(2) == 0 {
		if b, err := scaledAxis(n, []float32{2, 3, 0.5, 1.5, 0.75, 0.6, 1.7, 1.0 / 3, 2.3}[rnd.IntN(9)]); err == nil && b.m > 0 {
			a = b
		}
	}
	a.roi = [2]float64{float64(rnd.IntN(9)-2) / 8, float64(rnd.IntN(9)+2) / 8}
	return a
}

// Where an op of the backends is taken, it is the same as the tables by which the other
// cases go.
func TestResizeOnDevice(t *testing.T) {
	ref, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	rnd := rand.New(rand.NewPCG(3, 4))
	taken := map[string]int{}
	for range 4000 {
		r, a := randomResize(rnd)
		if r.mode == "cubic" {
			continue
		}
		n := resizeAxis{n: 2, m: 2, num: 1, den: 1, roi: [2]float64{0, 1}}
		axes := []resizeAxis{n, n, a, randomAxis(rnd)}
		open := []bool{false, false, false, r.keeps(axes[3]) && rnd.IntN(2) == 0}
		o, ok := r.onDevice(axes, open)
		if !ok {
			continue
		}
		taken[r.mode+" "+r.coord]++
		if open[3] && o.Scales == nil {
			t.Fatalf("%+v %+v: %+v has the size of an open dim", r, axes, o)
		}
		x := tensor.Must(tensor.New(tensor.Float32, 2, 2, axes[2].n, axes[3].n))
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(rnd.NormFloat64())
		}
		got, err := backend.RunOnce(context.Background(), ref, o, x)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		want := x
		h := &hostCall{budget: newBudget(1 << 23)}
		for k := 2; k < 4; k++ {
			table, err := r.table(axes[k], newBudget(maxFolded))
			if err == nil && r.keeps(axes[k]) {
				continue
			}
			if err == nil {
				want, err = h.resampleAxis(want, k, axes[k].m, &table)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !want.Shape().Equal(got[0].Shape()) {
			t.Fatalf("%+v %+v: got %v, want %v", r, axes, got[0].Shape(), want.Shape())
		}
		for i, w := range want.Float32s() {
			if g := got[0].Float32s()[i]; math.Abs(float64(g-w)) > 2e-6 {
				t.Fatalf("%+v %+v as %+v: element %d: got %v, want %v", r, axes, o, i, g, w)
			}
		}
	}
	t.Log(taken)
	for _, mode := range []string{"nearest", "linear"} {
		for _, coord := range []string{"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"} {
			if taken[mode+" "+coord] < 5 {
				t.Errorf("%s %s: %d cases only", mode, coord, taken[mode+" "+coord])
			}
		}
	}
	// What real networks have must be one op.
	two := func(scale float32) []resizeAxis {
		n := resizeAxis{n: 3, m: 3, num: 1, den: 1, roi: [2]float64{0, 1}}
		a, _ := scaledAxis(13, scale)
		return []resizeAxis{n, n, a, a}
	}
	for _, r := range []resizeAttrs{
		{mode: "nearest", coord: "asymmetric", nearest: "floor"},
		{mode: "nearest", coord: "asymmetric", nearest: nearestOld},
		{mode: "nearest", coord: "half_pixel", nearest: "round_prefer_floor"},
		{mode: "nearest", coord: "half_pixel", nearest: "round_prefer_ceil"},
		{mode: "nearest", coord: "tf_half_pixel_for_nn", nearest: "floor"},
		{mode: "linear", coord: "half_pixel"}, {mode: "linear", coord: "pytorch_half_pixel"}, {mode: "linear", coord: "align_corners"}, {mode: "linear", coord: "asymmetric"},
	} {
		if _, ok := r.onDevice(two(2), make([]bool, 4)); !ok {
			t.Errorf("%+v by 2 is not one op", r)
		}
	}
}

// What is taken for open dims is right for every size.
func TestResizeOpen(t *testing.T) {
	ref, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	taken := 0
	for _, scale := range []float32{0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 1.0 / 3, 17} {
		for _, mode := range resizeModes {
			for _, coord := range resizeCoords {
				for _, nearest := range append(slices.Clone(nearestModes), nearestOld) {
					r := resizeNode{resizeAttrs: resizeAttrs{mode: mode, coord: coord, nearest: nearest, antialias: mode == "linear" && nearest == "ceil"}, scales: []float32{1, 1, scale}, roi: make([]float32, 6)}
					var probes [2][]resizeAxis
					for k, n := range []int{448, 5 * 448} {
						if probes[k], err = r.plan([]int{1, 1, n}, nil); err != nil {
							t.Fatal(err)
						}
					}
					o, ok := r.openOnDevice(probes)
					if !ok {
						continue
					}
					taken++
					for n := 1; n < 20; n++ {
						axes, err := r.plan([]int{1, 1, n}, nil)
						if err != nil {
							t.Fatal(err)
						}
						if axes[2].m == 0 {
							continue // an error of the op
						}
						x := tensor.Must(tensor.New(tensor.Float32, 1, 1, n))
						for i := range x.Float32s() {
							x.Float32s()[i] = float32(i*i + 1)
						}
						got, err := backend.RunOnce(context.Background(), ref, o, x)
						if err != nil {
							t.Fatal(err)
						}
						want := x
						if !r.keeps(axes[2]) {
							table, err := r.table(axes[2], newBudget(maxFolded))
							if err != nil {
								t.Fatal(err)
							}
							if want, err = (&hostCall{budget: newBudget(1 << 23)}).resampleAxis(x, 2, axes[2].m, &table); err != nil {
								t.Fatal(err)
							}
						}
						for i, w := range want.Float32s() {
							if g := got[0].Float32s()[i]; math.Abs(float64(g-w)) > 1e-6*float64(w) {
								t.Fatalf("%+v of %d: element %d: got %v, want %v", r, n, i, g, w)
							}
						}
					}
				}
			}
		}
	}
	if taken < 50 {
		t.Errorf("%d cases only", taken)
	}

	// As exporters write it: one graph for all sizes.
	r := resizeModel{resizeNode: resizeNode{resizeAttrs: resizeAttrs{mode: "nearest", coord: "asymmetric", nearest: "floor"}, keep: "stretch", scales: []float32{1, 1, 2, 2}}, x: []int{2, 3, 4, 5}}
	m, err := Read(r.file(t, []string{"n", "", "h", "w"}))
	if err != nil {
		t.Fatal(err)
	}
	if !m.open {
		t.Error("a graph is made for each size")
	}
	r.resizeAttrs.mode, r.scales = "cubic", []float32{1, 1, 1.7, 1.7}
	if m, err = Read(r.file(t, []string{"n", "", "h", "w"})); err != nil || m.open {
		t.Errorf("a table of open sizes was made: %v", err)
	}
}

func TestResizePlan(t *testing.T) {
	sizes := func(r *resizeNode, x, s []int) ([]int, error) {
		axes, err := r.plan(x, s)
		var m []int
		for _, a := range axes {
			m = append(m, a.m)
		}
		return m, err
	}
	for _, c := range []struct {
		name  string
		r     resizeNode
		x     []int
		sizes []int
		want  []int
		err   string
	}{
		{"scales", resizeNode{scales: []float32{1, 2, 0.5}}, []int{3, 4, 5}, nil, []int{3, 8, 2}, ""},
		{"sizes", resizeNode{keep: "stretch"}, []int{3, 4, 5}, []int{3, 1, 9}, []int{3, 1, 9}, ""},
		{"axes", resizeNode{axes: []int{-1, 0}, scales: []float32{3, 2}}, []int{3, 4, 5}, nil, []int{6, 4, 15}, ""},
		{"not larger", resizeNode{axes: []int{1, 2}, keep: "not_larger"}, []int{9, 2, 2}, []int{7, 8}, []int{9, 7, 7}, ""},
		{"not smaller", resizeNode{axes: []int{1, 2}, keep: "not_smaller"}, []int{9, 2, 2}, []int{7, 8}, []int{9, 8, 8}, ""},
		// By 1/2: 2.5 rows are 3.
		{"not larger, a half", resizeNode{axes: []int{0, 1}, keep: "not_larger"}, []int{4, 5}, []int{2, 5}, []int{2, 3}, ""},
		{"both", resizeNode{scales: []float32{1}}, []int{3}, []int{4}, nil, "1 scales and 1 sizes"},
		{"neither", resizeNode{}, []int{3}, nil, nil, "0 scales and 0 sizes"},
		{"too few", resizeNode{scales: []float32{1}}, []int{3, 4}, nil, nil, "1 scales or sizes for 2 axes"},
		{"scale 0", resizeNode{scales: []float32{0}}, []int{3}, nil, nil, "axis 0: scale 0"},
		{"scale NaN", resizeNode{scales: []float32{nan}}, []int{3}, nil, nil, "scale NaN"},
		{"scale of infinity", resizeNode{scales: []float32{inf}}, []int{0}, nil, nil, "scale +Inf"},
		{"huge", resizeNode{scales: []float32{1e9}}, []int{3}, nil, nil, "scale 1e+09"},
		{"negative size", resizeNode{}, []int{3}, []int{-1}, nil, "size -1"},
		{"from nothing", resizeNode{}, []int{0}, []int{2}, nil, "size 2 of an axis of 0"},
		{"axis", resizeNode{axes: []int{1}, scales: []float32{1}}, []int{3}, nil, nil, "axis 1"},
		{"axis twice", resizeNode{axes: []int{0, -2}, scales: []float32{1, 1}}, []int{3, 3}, nil, nil, "axis -2 is given twice"},
		{"aspect of nothing", resizeNode{keep: "not_larger"}, []int{3, 0}, []int{2, 0}, nil, "empty axis"},
		{"aspect too large", resizeNode{keep: "not_smaller"}, []int{1, 1 << 20}, []int{1 << 20, 1}, nil, "want 2147483647 at most"},
		{"roi", resizeNode{resizeAttrs: resizeAttrs{coord: cropAndResize}, scales: []float32{1}, roi: []float32{0}}, []int{3}, nil, nil, "roi: got 1 numbers for 1 axes"},
		{"roi NaN", resizeNode{resizeAttrs: resizeAttrs{coord: cropAndResize}, scales: []float32{1}, roi: []float32{0, nan}}, []int{3}, nil, nil, "roi of axis 0"},
	} {
		got, err := sizes(&c.r, c.x, c.sizes)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: got %v, %v, want an error with %q", c.name, got, err, c.err)
			}
		} else if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

// resizeModel is a model of one Resize with its lists as constants.
type resizeModel struct {
	resizeNode
	x, sizes []int
}

func randomModel(rnd *rand.Rand) resizeModel {
	r := resizeModel{}
	var a resizeAxis
	r.resizeAttrs, a = randomResize(rnd)
	r.keep = "stretch"
	r.extrapolation = float32(rnd.IntN(3))
	rank := 1 + rnd.IntN(4)
	if rnd.IntN(2) == 0 {
		rank = 4 // images
	}
	axes := make([]resizeAxis, rank)
	for i := range axes {
		axes[i] = randomAxis(rnd)
		if i < rank-2 {
			axes[i] = resizeAxis{n: 1 + rnd.IntN(3), roi: [2]float64{0, 1}}
			axes[i].m, axes[i].num, axes[i].den = axes[i].n, float64(axes[i].n), float64(axes[i].n)
		}
	}
	axes[rank-1] = a
	sizes := rnd.IntN(2) == 0
	if rnd.IntN(2) == 0 {
		for i := range rnd.Perm(rank)[:1+rnd.IntN(min(2, rank))] {
			r.axes = append(r.axes, rank-1-i)
		}
	}
	if sizes && rnd.IntN(3) == 0 {
		r.keep = []string{"not_larger", "not_smaller"}[rnd.IntN(2)]
	}
	list := r.axes
	for i, a := range axes {
		r.x = append(r.x, a.n)
		if r.axes == nil {
			list = append(list, i)
		}
	}
	r.roi = make([]float32, 2*len(list))
	for i, k := range list {
		r.roi[i], r.roi[len(list)+i] = float32(axes[k].roi[0]), float32(axes[k].roi[1])
		if sizes {
			r.sizes = append(r.sizes, axes[k].m)
		} else {
			r.scales = append(r.scales, float32(axes[k].num/axes[k].den))
		}
	}
	return r
}

// file writes the model; the dims of x are open where a name is given.
func (r *resizeModel) file(t *testing.T, dims []string) []byte {
	flag := func(b bool) int64 {
		if b {
			return 1
		}
		return 0
	}
	n := &pb.Node{Name: "resize", OpType: "Resize", Inputs: []string{"x", "roi", "scales", "sizes"}, Outputs: []string{"y"}, Attrs: attrList{
		attrStr("mode", r.mode), attrStr("coordinate_transformation_mode", r.coord), attrStr("nearest_mode", r.nearest),
		attrFloat("cubic_coeff_a", float32(r.cubicA)), attrFloat("extrapolation_value", r.extrapolation), attrStr("keep_aspect_ratio_policy", r.keep),
		attrInt("exclude_outside", flag(r.excludeOutside)), attrInt("antialias", flag(r.antialias)),
	}}
	if r.axes != nil {
		a := attrInts("axes")
		for _, k := range r.axes {
			a.Ints = append(a.Ints, int64(k))
		}
		n.Attrs = append(n.Attrs, a)
	}
	sizes := &pb.Tensor{Name: "sizes", DataType: 7, Dims: []int64{int64(len(r.sizes))}}
	for _, s := range r.sizes {
		sizes.Int64Data = append(sizes.Int64Data, int64(s))
	}
	x := &pb.ValueInfo{Name: "x", Kind: pb.TensorKind, ElemType: 1, HasShape: true}
	for i, d := range r.x {
		if dims != nil && dims[i] != "" {
			x.Dims = append(x.Dims, pb.Dim{Param: dims[i]})
		} else {
			x.Dims = append(x.Dims, pb.Dim{Value: int64(d), Known: true})
		}
	}
	data, err := pb.Encode(&pb.Model{IRVersion: 9, OpsetImports: []pb.Opset{{Version: 19}}, Graph: &pb.Graph{
		Name: "g", Nodes: []*pb.Node{n}, Inputs: []*pb.ValueInfo{x},
		Outputs: []*pb.ValueInfo{{Name: "y", Kind: pb.TensorKind, ElemType: 1}},
		Initializers: []*pb.Tensor{
			{Name: "roi", DataType: 1, Dims: []int64{int64(len(r.roi))}, FloatData: r.roi},
			{Name: "scales", DataType: 1, Dims: []int64{int64(len(r.scales))}, FloatData: r.scales}, sizes,
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// literal computes a Resize as ONNX's text has it, element by element: all axes at once,
// formulas as written, neighbours from a padded line.
func (r *resizeModel) literal(x *tensor.Tensor) (tensor.Shape, []float64, []float64) {
	rank := len(r.x)
	list := r.axes
	if list == nil {
		for i := range rank {
			list = append(list, i)
		}
	}
	scale, size := make([]float64, rank), slices.Clone(r.x)
	start, end := make([]float64, rank), make([]float64, rank)
	for i := range rank {
		scale[i], end[i] = 1, 1
	}
	if r.sizes != nil {
		ratios := []float64{}
		for i, k := range list {
			size[k] = r.sizes[i]
			scale[k] = float64(size[k]) / float64(r.x[k])
			ratios = append(ratios, scale[k])
		}
		if r.keep != "stretch" {
			s := slices.Min(ratios)
			if r.keep == "not_smaller" {
				s = slices.Max(ratios)
			}
			for _, k := range list {
				scale[k], size[k] = s, int(s*float64(r.x[k])+0.5+1e-9)
			}
		}
	} else {
		for i, k := range list {
			size[k] = int(float32(r.x[k]) * r.scales[i])
			scale[k] = float64(r.scales[i])
			if s := float64(size[k]) / float64(r.x[k]); math.Abs(s-scale[k]) < 1e-6 {
				scale[k] = s
			}
		}
	}
	for i, k := range list {
		start[k], end[k] = float64(r.roi[i]), float64(r.roi[len(list)+i])
	}
	type tap struct {
		i int
		w float64
	}
	taps := make([][][]tap, rank) // nil for outside
	for k := range rank {
		n, m, s := float64(r.x[k]), float64(size[k]), scale[k]
		taps[k] = make([][]tap, size[k])
		for o := range size[k] {
			at := float64(o)
			var c float64
			switch r.coord {
			case "half_pixel":
				c = (at+0.5)/s - 0.5
			case "half_pixel_symmetric":
				width := s * n
				c = n/2*(1-m/width) + (at+0.5)/s - 0.5
			case "pytorch_half_pixel":
				if c = 0; m > 1 {
					c = (at+0.5)/s - 0.5
				}
			case "align_corners":
				if c = 0; m > 1 {
					c = at * (n - 1) / (m - 1)
				}
			case "asymmetric":
				c = at / s
			case "tf_half_pixel_for_nn":
				if c = at; s != 1 {
					c = (at + 0.5) / s
				}
			case cropAndResize:
				if c = 0.5 * (start[k] + end[k]) * (n - 1); m > 1 {
					c = start[k]*(n-1) + at*(end[k]-start[k])*(n-1)/(m-1)
				}
			}
			if q := math.Round(2*c) / 2; math.Abs(q-c) < 1e-9 { // ties are ties
				c = q
			}
			if r.coord == cropAndResize && (c < 0 || c > n-1) {
				continue
			}
			floor := math.Floor(c)
			f := c - floor
			var row []tap
			add := func(i, w float64) { row = append(row, tap{int(i), w}) }
			switch {
			case r.mode == "nearest":
				up := map[string]bool{"round_prefer_floor": f > 0.5, "round_prefer_ceil": f >= 0.5, "ceil": f > 0}[r.nearest]
				if up {
					floor++
				}
				add(floor, 1)
			case !r.antialias && r.mode == "linear":
				add(floor, 1-f)
				add(floor+1, f)
			case !r.antialias:
				A := r.cubicA
				add(floor-1, ((A*(f+1)-5*A)*(f+1)+8*A)*(f+1)-4*A)
				add(floor, ((A+2)*f-(A+3))*f*f+1)
				add(floor+1, ((A+2)*(1-f)-(A+3))*(1-f)*(1-f)+1)
				add(floor+2, ((A*(2-f)-5*A)*(2-f)+8*A)*(2-f)-4*A)
			default:
				z := min(s, 1)
				for i := floor - 40; i <= floor+40; i++ {
					d := math.Abs(i-c) * z
					switch {
					case r.mode == "linear":
						add(i, max(0, 1-d))
					case d <= 1:
						add(i, (r.cubicA+2)*d*d*d-(r.cubicA+3)*d*d+1)
					case d < 2:
						add(i, r.cubicA*(d*d*d-5*d*d+8*d-4))
					}
				}
			}
			sum := 0.0
			for i := range row {
				if r.mode != "nearest" && r.excludeOutside && (row[i].i < 0 || row[i].i >= r.x[k]) {
					row[i].w = 0
				}
				sum += row[i].w
			}
			for i := range row {
				row[i].w /= sum
				row[i].i = min(max(row[i].i, 0), r.x[k]-1)
			}
			taps[k][o] = row
		}
	}
	shape := tensor.Shape(size)
	y, bound := make([]float64, shape.Size()), make([]float64, shape.Size())
	strides := tensor.Shape(r.x).Strides()
	for i := range y {
		var sum func(k, rest, at int, w float64)
		inside := true
		rest := i
		for k := rank - 1; k >= 0; k-- {
			inside = inside && taps[k][rest%size[k]] != nil
			rest /= size[k]
		}
		if !inside {
			y[i] = float64(r.extrapolation)
			continue
		}
		sum = func(k, rest, at int, w float64) {
			if k < 0 {
				v := w * float64(x.Float32s()[at])
				y[i] += v
				bound[i] += math.Abs(v)
				return
			}
			for _, t := range taps[k][rest%size[k]] {
				if t.w != 0 {
					sum(k-1, rest/size[k], at+t.i*strides[k], w*t.w)
				}
			}
		}
		sum(rank-1, i, 0, 1)
	}
	return shape, y, bound
}

// Random Resizes, on every backend, with dims that are known or open, and computed by
// the host, are what ONNX's text says.
func TestResizeLiteral(t *testing.T) {
	bes := backends(t)
	rnd := rand.New(rand.NewPCG(5, 6))
	rounds := 400
	if testing.Short() {
		rounds = 40
	}
	for round := range rounds {
		r := randomModel(rnd)
		x := tensor.Must(tensor.New(tensor.Float32, r.x...))
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(rnd.NormFloat64())
		}
		shape, want, bound := r.literal(x)
		var dims []string
		if rnd.IntN(2) == 0 {
			dims = make([]string, len(r.x))
			for i := range dims {
				if rnd.IntN(2) == 0 {
					dims[i] = fmt.Sprintf("d%d", i)
				}
			}
		}
		check := func(what string, y *tensor.Tensor, err error) {
			if err != nil {
				t.Fatalf("%s: round %d: %+v %v: %v", what, round, r, dims, err)
			}
			if !y.Shape().Equal(shape) {
				t.Fatalf("%s: round %d: %+v %v: got %v, want %v", what, round, r, dims, y.Shape(), shape)
			}
			for i, w := range want {
				if g := float64(y.Float32s()[i]); !(math.Abs(g-w) <= 2e-6*(bound[i]+1)) {
					t.Fatalf("%s: round %d: %+v %v: element %d of %v: got %v, want %v", what, round, r, dims, i, shape, g, w)
				}
			}
		}
		be := bes[round%len(bes)]
		m, err := Read(r.file(t, dims))
		if err != nil {
			t.Fatalf("round %d: %+v: %v", round, r, err)
		}
		s, err := m.Compile(context.Background(), be)
		if err != nil {
			t.Fatalf("round %d: %+v: %v", round, r, err)
		}
		y, err := s.Run(context.Background(), x)
		if err != nil {
			t.Fatalf("%s: round %d: %+v %v: %v", be.Name(), round, r, dims, err)
		}
		check(be.Name(), y[0], nil)
		if err := s.Close(); err != nil {
			t.Error(err)
		}

		sizes := tensor.Must(tensor.New(tensor.Int64, len(r.sizes)))
		d, _ := tensor.Data[int64](sizes)
		for i, n := range r.sizes {
			d[i] = int64(n)
		}
		data, err := pb.Decode(r.file(t, nil), pb.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		node := data.Graph.Nodes[0]
		h := &hostCall{node: node, version: 19, budget: newBudget(1 << 23), attrs: newAttrs(node),
			in: []*tensor.Tensor{x, tensor.Must(tensor.From(r.roi, len(r.roi))), tensor.Must(tensor.From(r.scales, len(r.scales))), sizes}}
		out, err := hostResize(h)
		if err == nil {
			err = h.check()
		}
		if err != nil {
			t.Fatalf("host: round %d: %+v: %v", round, r, err)
		}
		check("host", out[0], nil)
	}
}

// Older versions, integers, and what is refused.
func TestHostResize(t *testing.T) {
	mode := func(m string) attrList { return attrList{attrStr("mode", m)} }
	x := shaped(f32s(1, 2, 3, 4), 1, 1, 2, 2)
	testHost(t, []hostCase{
		{"7", "Upsample", 7, attrList{{Name: "scales", Type: pb.AttrFloats, Floats: []float32{1, 1, 1, 2}}}, list{x}, list{shaped(f32s(1, 1, 2, 2, 3, 3, 4, 4), 1, 1, 2, 4)}, ""},
		{"1", "Upsample", 1, attrList{attrFloat("height_scale", 1), attrFloat("width_scale", 2), attrStr("mode", "bilinear")}, list{x}, list{shaped(f32s(1, 1.5, 2, 2, 3, 3.5, 4, 4), 1, 1, 2, 4)}, ""},
		{"9", "Upsample", 9, mode("linear"), list{x, f32s(1, 1, 2, 1)}, list{shaped(f32s(1, 2, 2, 3, 3, 4, 3, 4), 1, 1, 4, 2)}, ""},
		// The case of ONNX's own documents: coordinate 1/0.6 is rounded up where an axis shrinks.
		{"10", "Resize", 10, nil, list{shaped(f32s(1, 2, 3, 4, 5, 6, 7, 8), 1, 1, 2, 4), f32s(1, 1, 0.6, 0.6)}, list{shaped(f32s(1, 3), 1, 1, 1, 2)}, ""},
		{"integers", "Resize", 13, attrList{attrStr("coordinate_transformation_mode", "asymmetric"), attrStr("nearest_mode", "floor")}, list{i64s(5, minI64), nil, f32s(2)}, list{i64s(5, 5, minI64, minI64)}, ""},
		{"bytes by sizes", "Resize", 13, nil, list{u8s(5, 9), nil, nil, i64s(4)}, list{u8s(5, 5, 9, 9)}, ""},
		{"integers, linear", "Resize", 13, mode("linear"), list{i64s(5, 6), nil, f32s(2)}, nil, "only float32 is supported"},
		{"no scales", "Resize", 13, nil, list{i64s(5, 6)}, nil, "0 scales and 0 sizes"},
		{"empty scales", "Resize", 13, nil, list{u8s(5, 9), nil, f32s(), i64s(4)}, list{u8s(5, 5, 9, 9)}, ""},
		{"limit", "Resize", 13, nil, list{u8s(5, 9), nil, nil, i64s(1 << 21)}, nil, "more than the limit"},
		{"antialias", "Resize", 18, attrList{attrInt("antialias", 1)}, list{u8s(5, 9), nil, nil, i64s(1)}, nil, "mode nearest has no weights"},
		{"mode", "Resize", 13, mode("area"), list{u8s(5, 9), nil, nil, i64s(1)}, nil, "area"},
		{"unknown", "Resize", 13, attrList{attrInt("antialias", 1)}, list{u8s(5, 9), nil, nil, i64s(1)}, nil, "\"antialias\" is not known"},
		{"scales of integers", "Resize", 13, nil, list{u8s(5, 9), nil, i64s(2)}, nil, "input 2"},
	})
}
