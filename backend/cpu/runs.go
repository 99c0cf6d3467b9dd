package cpu

//go:generate go -C _asm run . -family runs -out ../runs_amd64.s -stubs ../zruns_amd64.go -pkg cpu

// runsFunc copies runs of n elements each, which begin ds elements apart in dst and ss
// in src:
//
//	dst[i·ds + j] = src[i·ss + j], 0 ≤ i < runs, 0 ≤ j < n
//
// The caller vouches for the lengths. Dst may be src itself.
type runsFunc func(dst, src []uint32, runs, n, ds, ss int)

// newRuns returns the best runsFunc.
func newRuns(set isa) runsFunc {
	return pick(set, append(runsArch, impl[runsFunc]{isaGeneric, copyRunsGeneric}))
}

func copyRunsGeneric(dst, src []uint32, runs, n, ds, ss int) {
	for i := range runs {
		copy(dst[i*ds:][:n], src[i*ss:][:n])
	}
}
