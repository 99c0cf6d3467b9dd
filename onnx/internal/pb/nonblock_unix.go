//go:build unix

package pb

import "syscall"

// openNonblock keeps an open of what became a pipe meanwhile from waiting.
const openNonblock = syscall.O_NONBLOCK
