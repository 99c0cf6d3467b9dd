//go:build (!amd64 && !arm64) || noasm

package cpu

// pause is a step of a loop that waits for another thread: some tens of nanoseconds.
//
//go:noinline
func pause() {
	for range 32 {
	}
}
