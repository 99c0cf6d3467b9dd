//go:build (!amd64 && !arm64) || noasm

package cpu

// peakLoops has a loop for each instruction set, the simplest first.
var peakLoops = []peakLoop{{isaGeneric, peakGeneric, 2 * peakGenericSteps}}
