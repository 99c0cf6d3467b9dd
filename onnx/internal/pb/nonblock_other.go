//go:build !unix

package pb

// openNonblock is no flag where names are not those of pipes.
const openNonblock = 0
