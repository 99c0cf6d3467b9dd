//go:build race

package backendtest

// raceEnabled: the race detector allocates, and drops what sync.Pool keeps.
const raceEnabled = true
