//go:build !amd64 || noasm

package cpu

var runsArch []impl[runsFunc]
