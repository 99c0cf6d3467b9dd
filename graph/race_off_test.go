//go:build !race

package graph

// RaceEnabled says whether the race detector runs.
const RaceEnabled = false
