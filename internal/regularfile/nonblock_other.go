//go:build !unix

package regularfile

// Nonblock is no flag where names are not those of pipes.
const Nonblock = 0
