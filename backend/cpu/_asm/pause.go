package main

import . "github.com/mmcloughlin/avo/build"

func init() { families["pause"] = pauses }

func pauses() {
	TEXT("pause", NOSPLIT, "func()")
	Doc("pause tells the processor that a loop waits for another thread: it slows this one down and leaves the core to its sibling.")
	PAUSE()
	RET()
}
