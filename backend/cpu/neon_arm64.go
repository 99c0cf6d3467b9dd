//go:build !noasm

package cpu

// gemmArch lists the assembly microkernels.
var gemmArch = []microkernel{{needs: isaNEON, mr: 8, nr: genericNR, rate: 1, fn: gemmNEON}}

// gemmNEON is the microkernel for arm64. What is there for some columns of a panel
// alone, it leaves to plain Go.
func gemmNEON(t *tile) {
	first := t.first && t.bias != nil // the bias is still to be added
	if t.full || !t.last && !first {
		gemmNEON_8x8(t)
		return
	}
	bias, last := t.bias, t.last
	t.bias, t.last = nil, false
	gemmNEON_8x8(t)
	t.bias, t.last = bias, last
	for r := range t.mr {
		if first {
			for j := 0; j < genericNR && t.mask[j] != 0; j++ {
				t.acc[r*genericNR+j] += bias[j]
			}
		}
		if last {
			gemmStore(t, r)
		}
	}
}

// peakLoops has a loop for each instruction set, the simplest first.
var peakLoops = []peakLoop{
	{isaGeneric, peakGeneric, 2 * peakGenericSteps},
	{isaNEON, peakNEON, 2 * 4 * 48},
}
