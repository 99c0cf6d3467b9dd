//go:build cgo

package gl

import "testing"

// The measured roofs lie between what any device reaches and what none does.
func TestPeaks(t *testing.T) {
	p, err := open(t).Peaks(bg)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.1f GFLOP/s, copy %.1f GB/s", p.FLOPS/1e9, p.CopyBytes/1e9)
	if p.FLOPS < 1e8 || p.FLOPS > 1e15 || p.CopyBytes < 1e7 || p.CopyBytes > 1e14 {
		t.Errorf("peaks %+v are not plausible", p)
	}
}
