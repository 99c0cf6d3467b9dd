//go:build !noasm

package cpu

var runsArch = []impl[runsFunc]{{isaAVX2, copyRunsAVX2}}
