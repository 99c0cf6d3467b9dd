//go:build !amd64 || noasm

package cpu

var streamArch []impl[runsFunc]

var fenceArch []impl[func()]
