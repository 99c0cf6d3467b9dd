//go:build unix

package regularfile

import "syscall"

// Nonblock is the flag that keeps an open of what became a pipe meanwhile from waiting.
const Nonblock = syscall.O_NONBLOCK
