//go:build !noasm

package cpu

// peakLoops has a loop for each instruction set, the simplest first.
var peakLoops = []peakLoop{
	{isaGeneric, peakGeneric, 2 * peakGenericSteps},
	{isaAVX2, peakAVX2, 2 * 8 * 48},
	{isaAVX512, peakAVX512, 2 * 16 * 96},
}
