//go:build !noasm

package cpu

var streamArch = []impl[runsFunc]{{isaAVX2, streamRunsAVX2}}

var fenceArch = []impl[func()]{{isaAVX2, storeFenceAVX2}}
