//go:build (amd64 || arm64) && !noasm

package cpu

// assembly says whether the build has kernels in assembly.
const assembly = true
