package viz

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

// crowd is a chart with points that lie close together and on the roofs.
func crowd() Roofline {
	r := Roofline{Title: "Title", W: 800, H: 480, Roofs: []Roof{{Name: "1 thread", FLOPS: 117, Bytes: 40}, {Name: "2 threads", FLOPS: 230, Bytes: 70}}}
	for i, name := range []string{"pool", "dw", "pw1", "c1", "c2", "c3", "seed"} {
		x := []float64{0.2, 2.2, 23, 60, 130, 130, 11}[i]
		for k := range r.Roofs {
			f := &r.Roofs[k]
			f.Points = append(f.Points, RoofPoint{name, x, min(f.FLOPS, x*f.Bytes) * []float64{1.5, 0.2, 1, 0.9, 0.95, 0.94, 0.7}[i]})
		}
	}
	return r
}

func TestGoldenRoofline(t *testing.T) {
	img, unlabelled, err := crowd().Draw()
	if err != nil || len(unlabelled) > 0 {
		t.Fatalf("unlabelled %v, %v", unlabelled, err)
	}
	golden(t, "roofline", img)
}

// Points that lie close have numbers and a key.
func TestGoldenRooflineKey(t *testing.T) {
	r := crowd()
	r.W, r.H = 1000, 640
	for i := range 12 {
		r.Roofs[0].Points = append(r.Roofs[0].Points, RoofPoint{fmt.Sprint("a long name ", i), 14 * math.Pow(1.16, float64(i)), 60 + 4*float64(i%3)})
	}
	img, unlabelled, err := r.Draw()
	if err != nil || len(unlabelled) > 0 {
		t.Fatalf("unlabelled %v, %v", unlabelled, err)
	}
	golden(t, "roofline-key", img)
}

// A workload for which there is no room is named, not left out in silence.
func TestRooflineWithoutRoom(t *testing.T) {
	r := crowd()
	r.W, r.H = 300, 200
	for i := range 60 {
		r.Roofs[0].Points = append(r.Roofs[0].Points, RoofPoint{fmt.Sprint("a long name ", i), 20, 50})
	}
	if _, unlabelled, err := r.Draw(); err != nil || len(unlabelled) < 10 {
		t.Errorf("unlabelled %v, %v", unlabelled, err)
	}
}

// No label touches another, a point or a roof.
func TestLabelsAreApart(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	area := vg.Rectangle{Max: vg.Point{X: 800, Y: 500}}
	for range 50 {
		l := &labeller{area: area, lines: []segment{{vg.Point{X: 0, Y: 100}, vg.Point{X: 300, Y: 400}}, {vg.Point{X: 300, Y: 400}, vg.Point{X: 800, Y: 400}}}}
		lines := slices.Clone(l.lines)
		var points []vg.Point
		for range 15 {
			p := vg.Point{X: vg.Length(20 + r.Float64()*760), Y: vg.Length(20 + r.Float64()*460)}
			points = append(points, p)
			l.boxes = append(l.boxes, around(p, dotRadius))
		}
		taken := slices.Clone(l.boxes)
		for _, p := range points {
			box, from, ok := l.place([]vg.Point{p}, vg.Point{X: 60, Y: 15})
			if !ok {
				continue // next to a roof and other points
			}
			if from != p {
				t.Errorf("label of %v belongs to %v", p, from)
			}
			for _, o := range taken {
				if box.Min.X < o.Max.X && o.Min.X < box.Max.X && box.Min.Y < o.Max.Y && o.Min.Y < box.Max.Y {
					t.Errorf("label at %v lies on %v", box, o)
				}
			}
			for _, s := range lines {
				for i := range 1001 {
					f := vg.Length(i) / 1000
					if q := (vg.Point{X: s.a.X + f*(s.b.X-s.a.X), Y: s.a.Y + f*(s.b.Y-s.a.Y)}); inside(q, box) {
						t.Fatalf("label at %v lies on the line %v", box, s)
					}
				}
			}
			taken = append(taken, box)
			l.boxes = append(l.boxes, box)
		}
		if placed := len(taken) - len(points); placed < 13 {
			t.Errorf("only %d of %d labels have a place", placed, len(points))
		}
	}
}

func TestRooflineBadInput(t *testing.T) {
	for part, change := range map[string]func(*Roofline){
		"want 300 x 200":     func(r *Roofline) { r.W = 100 },
		"without a point":    func(r *Roofline) { r.Roofs = nil },
		`roof "1 thread"`:    func(r *Roofline) { r.Roofs[0].Bytes = 0 },
		`roof "2 threads"`:   func(r *Roofline) { r.Roofs[1].FLOPS = math.Inf(1) },
		`point "dw": NaN`:    func(r *Roofline) { r.Roofs[0].Points[1].Intensity = math.NaN() },
		`point "pw1": 23 FL`: func(r *Roofline) { r.Roofs[0].Points[2].FLOPS = 0 },
	} {
		r := crowd()
		change(&r)
		if _, _, err := r.Draw(); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want %q", err, part)
		}
	}
}
