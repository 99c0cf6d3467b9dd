package cpu

//go:generate go -C _asm run . -family stream -out ../stream_amd64.s -stubs ../zstream_amd64.go -pkg cpu

// lineFloats is the number of float32 in a line of memory.
const lineFloats = 16

// streams reports whether an output of so many bytes is best stored past the caches,
// which it would only empty: then no line of it need be read before it is written.
func streams(output int64) bool { return output >= streamOutput }

// storeFence returns what a thread does after stores past the caches, and before it
// says that they are done.
func storeFence(set isa) func() {
	return pick(set, append(fenceArch[:len(fenceArch):len(fenceArch)], impl[func()]{isaGeneric, func() {}}))
}

// newRunsTo returns the best runsFunc for an output of so many bytes, in which all runs
// are whole lines of memory or not; and what a thread does after its calls.
func newRunsTo(set isa, output int64, lines bool) (move runsFunc, done func()) {
	if streams(output) && lines {
		return pick(set, append(streamArch[:len(streamArch):len(streamArch)], impl[runsFunc]{isaGeneric, copyRunsGeneric})), storeFence(set)
	}
	return newRuns(set), func() {}
}
