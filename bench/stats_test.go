package bench

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSummarize(t *testing.T) {
	s := Summarize([]float64{5, 1, 4, 2, 3})
	if s.N != 5 || s.Min != 1 || s.Median != 3 || s.Lo != 1 || s.Hi != 5 || s.Spread != 2.0/3 {
		t.Errorf("got %+v", s)
	}
	if want := 1 - 2*math.Pow(0.5, 5); math.Abs(s.Coverage-want) > 1e-12 {
		t.Errorf("coverage %v, want %v", s.Coverage, want)
	}
	if s := Summarize([]float64{7}); s.Median != 7 || s.Lo != 7 || s.Hi != 7 || s.Coverage != 0 || s.Spread != 0 {
		t.Errorf("one sample: %+v", s)
	}
	if s := Summarize(nil); s != (Summary{}) {
		t.Errorf("no sample: %+v", s)
	}
	in := []float64{2, 1}
	if s := Summarize(in); s.Median != 1.5 || in[0] != 2 {
		t.Errorf("%+v of %v", s, in)
	}
}

// The ranks are those of published tables for the 95 % interval of a median.
func TestMedianRank(t *testing.T) {
	for n, want := range map[int]int{1: 1, 5: 1, 6: 1, 8: 1, 9: 2, 10: 2, 15: 4, 20: 6, 25: 8, 30: 10, 50: 18, 100: 40} {
		k, coverage := medianRank(n)
		if k != want {
			t.Errorf("n = %d: rank %d, want %d", n, k, want)
		}
		if n >= 6 && coverage < 0.95 {
			t.Errorf("n = %d: coverage %v", n, coverage)
		}
	}
	if _, c := medianRank(10); math.Abs(c-0.978515625) > 1e-9 {
		t.Errorf("n = 10: coverage %v, want 0.9785", c)
	}
}

// The interval of skewed samples holds the true median as often as it claims.
func TestCoverage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const rounds, n = 4000, 15
	hit := 0
	for range rounds {
		x := make([]float64, n)
		for i := range x {
			x[i] = r.ExpFloat64()
		}
		if s := Summarize(x); s.Lo <= math.Ln2 && math.Ln2 <= s.Hi {
			hit++
		}
	}
	_, want := medianRank(n)
	if got := float64(hit) / rounds; math.Abs(got-want) > 0.015 {
		t.Errorf("covered %.3f of the time, want %.3f", got, want)
	}
}

func TestQuantile(t *testing.T) {
	x := []float64{0, 10, 20, 30, 40}
	for q, want := range map[float64]float64{0: 0, 0.25: 10, 0.5: 20, 0.6: 24, 1: 40} {
		if got := quantile(x, q); math.Abs(got-want) > 1e-12 {
			t.Errorf("quantile %v: got %v, want %v", q, got, want)
		}
	}
	if !slices.IsSorted(x) {
		t.Error("the samples were moved")
	}
}
